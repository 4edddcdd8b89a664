"""The measures of ingest: against the engine's bare copy of the same files, and as the store grows."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import work
from benchmarks.figures import Figure
from benchmarks.scene import Scene
from benchmarks.stopwatch import Paired, paired

Task = Callable[[str, str], None]


class Shape(NamedTuple):
    """Recordings of one kind, and what their ingest must reach: gate and target of each ratio, None if nobody set one.

    Attributes
    ----------
    name : str
        The end of the figures' names.
    files : str
        The run file; or a pattern, if there are several.
    n_events : int
        Spikes of all files.
    time, size, per_event : tuple of float or None
        Seconds and bytes as ratios, and bytes an event.
    """

    name: str
    files: str
    n_events: int
    time: tuple[float | None, float | None] = (None, None)
    size: tuple[float | None, float | None] = (None, None)
    per_event: tuple[float | None, float | None] = (None, None)


def ingest(scene: Scene) -> Iterator[Figure]:
    """Time, memory and bytes of an ingest against a bare copy of the same files into a table."""
    dense = Shape("", str(scene.large_run), scene.n_events, (1.25, 1.00), (0.85, 0.60), (2.0, 1.7))
    yield from _against_a_bare_copy(scene, dense)
    new = paired(
        lambda: work.in_fresh_process(work.ingest, dense.files, scene.absent("store.duckdb"))[0],
        lambda: _copy(scene, dense),
        scene.pairs,
    )
    yield Figure("ingest, the store's making included / bare CREATE TABLE AS", new.ratio, "x", detail=new.detail)
    yield from _other_ways(scene, dense)
    wide = str(scene.convolutional_run)
    yield from _against_a_bare_copy(
        scene, Shape(", 200k neurons", wide, scene.n_events, (1.40, 1.05), (0.85, 0.75), (2.5, 2.2))
    )
    yield from _against_a_bare_copy(scene, Shape(", digits", scene.digits, scene.n_events_of_digits))


def growing(scene: Scene) -> Iterator[Figure]:
    """The next run, into a store of few runs and into one of many."""
    few, many = (
        Path(shutil.copy(scene.stores_by_runs[size], scene.absent(f"growing{size}.duckdb")))
        for size in (min(10, scene.n_runs), scene.n_runs)
    )
    taken = paired(_into(scene, many), _into(scene, few), scene.pairs)
    yield Figure(
        f"ingest of a run at {scene.n_runs} stored runs / at {min(10, scene.n_runs)}",
        taken.ratio,
        "x",
        1.25,
        1.05,
        taken.detail,
    )


def _into(scene: Scene, store: Path) -> Callable[[], float]:
    return lambda: work.in_fresh_process(work.ingest_anew, scene.history[0], store)[0]


def _against_a_bare_copy(scene: Scene, shape: Shape) -> Iterator[Figure]:
    taken, peak_mb = _paired_with_copy(scene, shape, work.ingest)
    yield Figure(f"ingest / bare CREATE TABLE AS{shape.name}", taken.ratio, "x", *shape.time, taken.detail)
    of = f"largest of {scene.pairs + 1} processes"
    yield Figure(f"ingest, peak memory{shape.name}", peak_mb, "MB", 600, 350, of)
    stored, bare = (scene.folder.joinpath(name).stat().st_size for name in ("store.duckdb", "bare.duckdb"))
    sizes = f"{stored / 1e6:.3g} MB against {bare / 1e6:.3g} MB"
    yield Figure(f"store bytes / bare table's bytes{shape.name}", stored / bare, "x", *shape.size, sizes)
    an_event = f"of {shape.n_events} events"
    yield Figure(f"store bytes per event{shape.name}", stored / shape.n_events, "B", *shape.per_event, an_event)


def _other_ways(scene: Scene, shape: Shape) -> Iterator[Figure]:
    """Without the single events, and in half a gigabyte."""
    taken, _ = _paired_with_copy(scene, shape, work.register)
    yield Figure("ingest --events none / bare CREATE TABLE AS", taken.ratio, "x", 0.65, 0.40, taken.detail)
    peaks: list[float] = []
    bounded = paired(
        lambda: _ingest(scene, shape, work.ingest_bounded, peaks),
        lambda: _ingest(scene, shape, work.ingest, []),
        scene.pairs,
    )
    detail = f"{bounded.detail}; peak memory {max(peaks):.0f} MB"
    yield Figure("ingest in 512 MB / as it comes", bounded.ratio, "x", 1.3, 1.1, detail)


def _paired_with_copy(scene: Scene, shape: Shape, task: Task) -> tuple[Paired, float]:
    peaks: list[float] = []
    taken = paired(lambda: _ingest(scene, shape, task, peaks), lambda: _copy(scene, shape), scene.pairs)
    return taken, max(peaks)


def _ingest(scene: Scene, shape: Shape, task: Task, peaks: list[float]) -> float:
    taken, peak_mb = work.in_fresh_process(task, shape.files, scene.copy_of_empty_store("store.duckdb"))
    peaks.append(peak_mb)
    return taken


def _copy(scene: Scene, shape: Shape) -> float:
    return work.in_fresh_process(work.copy_into_bare_table, shape.files, scene.absent("bare.duckdb"))[0]
