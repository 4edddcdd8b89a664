"""What the fault suite breaks: run files whose spikes NumPy has counted, stores, verbs in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from energy_db import EnergyStore, lifecycle, sql
from energy_db.engines import alchemy
from energy_db.engines.duckdb import Engine

LAYERS = {"input": 60, "hidden": 200, "output": 10}
N_TIMESTEPS, N_SAMPLES = 50, 40
NETWORK = {
    "n_timesteps": N_TIMESTEPS,
    "n_samples": N_SAMPLES,
    "timestep_us": 1000,
    "layers": [
        {"name": "input", "role": "input", "n_neurons": 60, "fan_out": 200},
        {"name": "hidden", "role": "hidden", "n_inputs": 60, "n_neurons": 200, "fan_out": 10},
        {"name": "output", "role": "readout", "n_inputs": 200, "n_neurons": 10, "fan_out": 0},
    ],
}

# Tags the run as often as it is told to, and says so; then waits for a word, or for the end.
HOLDER = """
import sys
from energy_db import EnergyStore
with EnergyStore("energy.duckdb", read_only=sys.argv[1] == "reader") as store:
    for number in range(int(sys.argv[2])):
        store.tag("a", {f"mark{number}": number})
    print("open", flush=True)
    sys.stdin.readline()
"""


def number_from_outside(variable: str, default: int) -> int:
    """Return how often something is to be tried: few times by default, many in `make faults`."""
    return int(os.environ.get(variable, default))


def write_run(path: Path, seed: int, rate: float = 0.3) -> int:
    """Write a run file and its sidecar, and return its spikes."""
    random = np.random.default_rng(seed)
    fired = random.random((N_SAMPLES, N_TIMESTEPS, sum(LAYERS.values()))) < rate
    sample, timestep, cell = np.nonzero(fired)
    begins = np.cumsum([0, *LAYERS.values()])
    layer = np.searchsorted(begins, cell, side="right") - 1
    table = pa.table(
        {
            "layer": pa.array(np.array(list(LAYERS))[layer]),
            "neuron": cell - begins[layer],
            "timestep": timestep,
            "sample": sample,
        }
    )
    pq.write_table(table, path)
    path.with_suffix(".json").write_text(json.dumps(NETWORK), encoding="utf-8")
    return int(fired.sum())


def verb(*arguments: object) -> list[str]:
    """Return the command line of a verb on the store energy.duckdb of the folder that it runs in."""
    return [sys.executable, "-m", "energy_db", "--db", "energy.duckdb", *map(str, arguments)]


def run_verb(folder: Path, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a verb to its end; one that hangs is a failure."""
    return subprocess.run(
        verb(*arguments), cwd=folder, capture_output=True, text=True, timeout=120, check=False, **options
    )


def spikes_by_run(store: Path) -> dict[str, int]:
    """Return the spikes of each run, added up from the neurons."""
    with duckdb.connect(str(store), read_only=True) as connection:
        query = (
            "SELECT run_name, CAST(sum(activity.n_spikes) AS BIGINT) FROM runs "
            "JOIN neuron_activity AS activity USING (run_key) GROUP BY run_name"
        )
        return dict(connection.execute(query).fetchall())


def runs_with_events(store: Path) -> set[str]:
    """Return the names of the runs that say they have events, and have them."""
    with duckdb.connect(str(store), read_only=True) as connection:
        said = connection.execute("SELECT run_name FROM runs WHERE has_events").fetchall()
        query = "SELECT DISTINCT run_name FROM spike_events JOIN runs USING (run_key)"
        assert (said and sorted(said) == sorted(connection.execute(query).fetchall())) or not said
        return {name for (name,) in said}


def failed_checks(store: Path) -> list[str]:
    """Open a store as the next writer does, and return the checks that fail."""
    with EnergyStore(store) as opened:
        return [result.check for result in opened.verify() if result.n_failures]


def make_older_store(path: Path, source: Path) -> None:
    """Make a store of the schema's third revision that holds the runs of a store of today."""
    engine = Engine(str(path))
    try:
        alchemy.upgrade(engine, sql.root() / "migrations")
        lifecycle.refresh(engine)
        with engine.attached(str(source), "today"):
            for table in sql.tables():
                if table.name not in ("alembic_version", "store_info"):
                    engine.run(f"TRUNCATE main.{table.name}")
                    engine.run(f"INSERT INTO main.{table.name} FROM today.main.{table.name}")
        views = engine.rows("SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal")
        for schema, view in views:
            engine.run(f"DROP VIEW IF EXISTS {schema}.{view}")
        for later in ("saved_queries", "training_steps", "blessing_revocations", "blessings"):
            engine.run(f"DROP TABLE {later}")
        engine.run("UPDATE alembic_version SET version_num = '0003'")
        engine.run("DELETE FROM store_info")
    finally:
        engine.close()


def keep_figures(name: str, figures: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write what was counted to the folder that FAULTS_RESULTS names, if it names one."""
    if folder := os.environ.get("FAULTS_RESULTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


@contextmanager
def held(folder: Path, mode: str = "writer", n_tags: int = 0) -> Iterator[subprocess.Popen[str]]:
    """Let another process have the store open during the block."""
    command = [sys.executable, "-c", HOLDER, mode, str(n_tags)]
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # what it was told did not reach it any more
                    pipe.close()


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
