"""`python -m benchmarks.billion`: a billion events in one store, as an opt-in, with a log in results/billion.md.

Run files are generated one at a time, each with a seed of its own, ingested by a process of its own, and removed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks import figures, work
from benchmarks.asked import CHIP
from benchmarks.recording import write_recording
from benchmarks.stopwatch import whole_process

LOG = Path(__file__).with_name("results") / "billion.md"


def main() -> None:
    """Fill a store, ask it, archive half of it, and write the log."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.billion", description=__doc__)
    parser.add_argument("--events", type=lambda text: int(float(text)), default=1_000_000_000)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--log", type=Path, default=LOG)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="energy-db-billion-") as folder:
        rows = list(measure(Path(folder), asked.events // asked.runs, asked.runs))
    about = ", ".join(f"{name} {value}" for name, value in figures.facts().items())
    lines = [
        f"# {asked.events:,} events in one store",
        "",
        f"{datetime.now(UTC).date().isoformat()}; {asked.runs} runs; {about}.",
        "",
        "| what | measured |",
        "| --- | --- |",
        *(f"| {what} | {measured} |" for what, measured in rows),
    ]
    asked.log.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measure(folder: Path, n_events: int, n_runs: int) -> Iterator[tuple[str, str]]:
    """Yield each figure with its name; also while it goes on, for whoever waits."""
    store = folder / "energy.duckdb"
    for what, measured in _measure(folder, store, n_events, n_runs):
        print(f"{what}: {measured}", flush=True)
        yield what, measured


def _measure(folder: Path, store: Path, n_events: int, n_runs: int) -> Iterator[tuple[str, str]]:
    taken, peaks = _fill(folder, store, n_events, n_runs)
    early, late = median(taken[: max(1, n_runs // 10)]), median(taken[-max(1, n_runs // 10) :])
    yield "ingest, all runs", f"{sum(taken):.0f} s, {n_events * n_runs / sum(taken) / 1e6:.1f} M events/s"
    yield "ingest, the last tenth of the runs / the first", f"{late / early:.3g} x ({late:.3g} s against {early:.3g} s)"
    yield "ingest, peak memory", f"{max(peaks):.0f} MB"
    size = store.stat().st_size
    yield "size of the store", f"{size / 1e9:.3g} GB, {size / n_events / n_runs:.3g} B an event"
    for what, verb in {
        "report, cold process": ("report", "latest", "--chip", CHIP),
        "compare, cold process": ("compare", "latest~1", "latest", "--chip", CHIP, "--allow"),
        "trend, cold process": ("trend", "--chip", CHIP),
        "verify --quick, cold process": ("verify", "--quick"),
    }.items():
        yield what, f"{_median_of_three(whole_process('-m', 'energy_db', '--db', store, *verb)):.3g} s"
    archived, peak = work.in_fresh_process(work.archive_half, "", store)
    after = store.stat().st_size
    yield "archive of the older half", f"{archived:.0f} s, peak memory {peak:.0f} MB"
    yield "size of the store behind it", f"{after / 1e9:.3g} GB, {after / size:.3g} of before"


def _fill(folder: Path, store: Path, n_events: int, n_runs: int) -> tuple[list[float], list[float]]:
    work.in_fresh_process(work.make_store, "", store)
    taken, peaks = [], []
    for seed in range(1, n_runs + 1):
        # One name, so that the runs are a history.
        (folder / f"{seed}").mkdir()
        file = write_recording(folder / f"{seed}" / "nightly.parquet", n_events, seed=seed)
        seconds, peak = work.in_fresh_process(work.ingest_anew, file, store)
        taken.append(seconds)
        peaks.append(peak)
        file.unlink()
    return taken, peaks


def _median_of_three(action: Callable[[], float]) -> float:
    return median(action() for _ in range(3))


if __name__ == "__main__":
    main()
