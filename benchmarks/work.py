"""What is timed in a fresh process: `python -m benchmarks.work TASK FILE DATABASE` prints seconds and peak memory."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

from benchmarks.asked import CHIP, TOP_NEURONS
from benchmarks.peak import peak_mb
from benchmarks.stopwatch import python, seconds
from energy_db import EnergyStore
from energy_db.unstored import FileReports


def make_store(_: str, database: str) -> None:
    """Make an empty store."""
    EnergyStore(database).close()


def ingest(file: str, database: str) -> None:
    """Ingest a run file, or all of a pattern, with everything: checks, roll-ups, identity, events, checkpoint."""
    with EnergyStore(database) as store:
        for path in sorted(Path(file).parent.glob(Path(file).name)):
            store.ingest(path)


def ingest_anew(file: str, database: str) -> None:
    """Ingest a run file as the next run of its name."""
    with EnergyStore(database) as store:
        store.ingest(file, on_duplicate="new")


def register(file: str, database: str) -> None:
    """Ingest a run file but for its single events."""
    with EnergyStore(database) as store:
        store.ingest(file, events="none")


def ingest_bounded(file: str, database: str) -> None:
    """Ingest a run file in half a gigabyte."""
    with EnergyStore(database, memory_limit="512MB") as store:
        store.ingest(file)


def report_stored(_: str, database: str) -> None:
    """Report the newest run of a store."""
    with EnergyStore(database, read_only=True) as store:
        store.report("latest", CHIP).to_dict()


def report_file(file: str, _: str) -> None:
    """Report a run file without a store."""
    with FileReports(file, chip=CHIP) as reports:
        reports.report(reports.only_run, CHIP).to_dict()


def ingest_and_report(file: str, database: str) -> None:
    """Ingest a run file and report it."""
    ingest(file, database)
    report_stored(file, database)


def register_and_report(file: str, database: str) -> None:
    """Ingest a run file but for its single events, and report it."""
    register(file, database)
    report_stored(file, database)


def top_neurons(_: str, database: str) -> None:
    """Find the costliest neurons over all runs."""
    with duckdb.connect(database, read_only=True) as store:
        store.execute(TOP_NEURONS).fetchall()


def verify_quickly(_: str, database: str) -> None:
    """Check a store but for its single events."""
    with EnergyStore(database, read_only=True) as store:
        store.verify(quick=True)


def archive_half(_: str, database: str) -> None:
    """Drop the events of the older half of the runs, and make the file smaller."""
    with EnergyStore(database) as store:
        runs = store.runs()
        store.archive(runs[len(runs) // 2 :])


def copy_into_bare_table(file: str, database: str) -> None:
    """Copy the same file into a table without looking at it, as the engine does it by itself."""
    with duckdb.connect(database) as connection:
        connection.execute("CREATE TABLE events AS SELECT * FROM read_parquet(?)", [file])


def compare(chip: str, database: str) -> None:
    """Compare the two runs of a store on a chip, with everything: effects, neurons, verdict, sentence."""
    with EnergyStore(database, read_only=True) as store:
        store.compare("latest~1", "latest", chip).to_dict()


def subtract(_: str, database: str) -> None:
    """Subtract the spikes of two runs neuron by neuron, and keep the largest differences: the least to do."""
    with duckdb.connect(database, read_only=True) as connection:
        connection.execute(
            "SELECT layer_index, neuron, coalesce(b.n_spikes, 0) - coalesce(a.n_spikes, 0) AS change "
            "FROM (FROM neuron_activity WHERE run_key = 1) AS a "
            "FULL JOIN (FROM neuron_activity WHERE run_key = 2) AS b USING (layer_index, neuron) "
            "ORDER BY abs(change) DESC LIMIT 20"
        ).fetchall()


TASKS: dict[str, Callable[[str, str], None]] = {
    task.__name__: task
    for task in (
        make_store,
        ingest,
        ingest_anew,
        register,
        ingest_bounded,
        report_stored,
        report_file,
        ingest_and_report,
        register_and_report,
        top_neurons,
        verify_quickly,
        archive_half,
        copy_into_bare_table,
        compare,
        subtract,
    )
}


def in_fresh_process(task: Callable[[str, str], None], file: Path | str, database: Path) -> tuple[float, float]:
    """Do a task in a process of its own; return its seconds, imports not counted, and the peak memory in MB."""
    taken, peak_mb = json.loads(python("-m", "benchmarks.work", task.__name__, file, database))
    return taken, peak_mb


if __name__ == "__main__":
    name, *where = sys.argv[1:]
    taken = seconds(lambda: TASKS[name](*where))
    print(json.dumps([taken, peak_mb()]))
