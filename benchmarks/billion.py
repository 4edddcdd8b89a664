"""`python -m benchmarks.billion`: a billion events in one store, as an opt-in, with a log in results/billion.md.

Some run files are generated, each with a seed of its own; they are ingested in turn under one name, each time as a new
run and by a process of its own, so that the runs are a history.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import figures, work
from benchmarks.asked import CHIP, TOP_NEURONS
from benchmarks.measures import query_latencies
from benchmarks.questions import counted_and_priced
from benchmarks.recording import write_recording
from benchmarks.stopwatch import python, whole_process

LOG = Path(__file__).with_name("results") / "billion.md"
ROUNDS = 21


class Row(NamedTuple):
    """A figure of the log."""

    what: str
    measured: str
    peak_mb: float | None = None

    def __str__(self) -> str:
        return f"| {self.what} | {self.measured} | {'' if self.peak_mb is None else f'{self.peak_mb:.0f} MB'} |"


class Size(NamedTuple):
    """How much is stored: runs, events of each, and how many of them differ."""

    n_runs: int
    n_events: int
    n_files: int

    @property
    def all_events(self) -> int:
        """Events of all runs."""
        return self.n_runs * self.n_events


def main() -> None:
    """Fill a store, ask it, archive half of it, and write the log."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.billion", description=__doc__)
    parser.add_argument("--events", type=lambda text: int(float(text)), default=1_000_000_000)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--files", type=int, default=20, help="how many of the runs differ")
    parser.add_argument("--log", type=Path, default=LOG)
    asked = parser.parse_args()
    size = Size(asked.runs, asked.events // asked.runs, min(asked.files, asked.runs))
    about = ", ".join(f"{name} {value}" for name, value in figures.facts().items())
    lines = [
        f"# {size.all_events:,} events in one store",
        "",
        f"{datetime.now(UTC).date().isoformat()}; {size.n_runs} runs from {size.n_files} run files; {about}.",
        "",
        "| what | measured | peak memory |",
        "| --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory(prefix="energy-db-billion-") as folder:
        for row in measure(Path(folder), size):
            print(row, flush=True)
            lines.append(str(row))
    asked.log.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measure(folder: Path, size: Size) -> Iterator[Row]:
    """Yield each figure as soon as it is there."""
    store = folder / "energy.duckdb"
    yield from _fill(folder, store, size)
    yield from _ask(store, size)
    yield from _archive(store)


def _fill(folder: Path, store: Path, size: Size) -> Iterator[Row]:
    work.in_fresh_process(work.make_store, "", store)
    files = []
    for seed in range(1, size.n_files + 1):
        # One name, so that the runs are a history.
        (folder / f"{seed}").mkdir()
        files.append(write_recording(folder / f"{seed}" / "nightly.parquet", size.n_events, seed=seed))
    taken, peaks = [], []
    for number in range(size.n_runs):
        seconds, peak = work.in_fresh_process(work.ingest_anew, files[number % len(files)], store)
        taken.append(seconds)
        peaks.append(peak)
    tenth = max(1, size.n_runs // 10)
    early, late = median(taken[:tenth]), median(taken[-tenth:])
    rate = f"{sum(taken):.0f} s, {size.all_events / sum(taken) / 1e6:.1f} M events/s"
    yield Row("ingest, all runs, a process each", rate, max(peaks))
    yield Row(
        "ingest of a run, the last tenth of the runs / the first",
        f"{late / early:.3g} x ({late:.3g} s / {early:.3g} s)",
    )
    n_bytes = store.stat().st_size
    yield Row("size of the store", f"{n_bytes / 1e9:.3g} GB, {n_bytes / size.all_events:.3g} B an event")


def _ask(store: Path, size: Size) -> Iterator[Row]:
    for what, verb in {
        "report": ("report", "latest", "--chip", CHIP),
        "compare": ("compare", "latest~1", "latest", "--chip", CHIP),
        "trend": ("trend", "--chip", CHIP),
        "top-20 neurons over all runs": ("sql", TOP_NEURONS),
        "verify --quick": ("verify", "--quick"),
    }.items():
        cli = ("--db", store, *verb)
        taken = median(whole_process("-m", "energy_db", *cli)() for _ in range(3))
        peak_mb = float(python("-m", "benchmarks.peak", *cli).splitlines()[-1])
        yield Row(f"{what}, cold process", f"{taken:.3g} s", peak_mb)
    top = [work.in_fresh_process(work.top_neurons, "", store) for _ in range(3)]
    opened = f"{1000 * median(seconds for seconds, _ in top):.3g} ms"
    yield Row("top-20 neurons over all runs, opening counted", opened, max(peak for _, peak in top))
    layers, points = query_latencies({size.all_events: store}, ROUNDS)
    report, point = layers[size.all_events], points[size.all_events]
    yield Row("layer report, warm", f"{report:.3g} ms, {report / point:.3g} times a point query")
    spikes = counted_and_priced(store, 3)
    yield Row("every spike priced / raw count of the spikes", f"{spikes.ratio:.3g} x ({spikes.detail})")


def _archive(store: Path) -> Iterator[Row]:
    oldest = _totals(store)
    before = store.stat().st_size
    taken, peak_mb = work.in_fresh_process(work.archive_half, "", store)
    after = store.stat().st_size
    yield Row("archive of the older half", f"{taken:.3g} s", peak_mb)
    yield Row("size of the store behind it", f"{after / 1e9:.3g} GB, {after / before:.3g} of before")
    if _totals(store) != oldest:
        raise AssertionError("archiving changed the energy of a run")


def _totals(store: Path) -> object:
    query = f"SELECT run_id, energy_pj FROM energy_by_chip WHERE chip = '{CHIP}' ORDER BY run_id"
    return json.loads(python("-m", "energy_db", "--db", store, "sql", query, "--format", "json"))["rows"]


if __name__ == "__main__":
    main()
