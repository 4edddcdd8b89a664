"""The measures: each returns its figures, with the gates and targets that the design set."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from benchmarks import plain, work
from benchmarks.asked import CHIP, COST_VERSION, TOP_NEURONS
from benchmarks.figures import Figure
from benchmarks.growth import growth_exponent, growth_interval
from benchmarks.ingesting import growing, ingest
from benchmarks.questions import questions, totals
from benchmarks.scene import Scene
from benchmarks.stopwatch import medians_ms, paired, python, seconds, whole_process
from energy_db import EnergyStore

PLAIN_SCRIPT = Path(plain.__file__)

# One chip whose spikes cost the same all over a layer, and one that charges each on its neuron's fan-out.
WIDE_CHIPS = {"loihi2": "by layer", "spinnaker": "by neuron"}

LAYER_REPORT = "SELECT * FROM energy_by_layer_all_versions WHERE run_id = ? AND chip = ? AND cost_version = ?"
POINT_QUERY = "SELECT * FROM layers WHERE run_key = ?"


def latency(scene: Scene) -> Iterator[Figure]:
    """Warm reports of one run, and whether they grow with what else is stored."""
    for grown, stores in (("events", scene.stores_by_events), ("runs", scene.stores_by_runs)):
        layers, points = query_latencies(stores, scene.rounds)
        size = max(stores)
        stored = f"{size} {grown} stored"
        ratio = layers[size] / points[size]
        yield Figure(f"layer report, warm, {stored}", layers[size], "ms", 10, 2, f"median of {scene.rounds}")
        yield Figure(
            f"layer report / bare point query, {stored}", ratio, "x", 8, 4, f"point query {points[size]:.3g} ms"
        )
        yield Figure(f"layer report, growth with {grown}", growth_exponent(layers), "", 0.05, 0.01, _by_size(layers))
        reports = _report_latencies(stores, scene.rounds)
        yield Figure(f"store.report(...), warm, {stored}", reports[size], "ms", detail=f"median of {scene.rounds}")
        yield Figure(
            f"store.report(...), growth with {grown}", growth_exponent(reports), "", 0.05, 0.01, _by_size(reports)
        )


def cold(scene: Scene) -> Iterator[Figure]:
    """Whole processes of the command line, start-up included."""
    verb = ("-m", "energy_db", "--db", scene.large_store, "report", "latest", "--chip", CHIP)
    report = paired(whole_process(*verb), whole_process("-c", "import duckdb"), scene.pairs)
    yield Figure('report, cold / python -c "import duckdb"', report.ratio, "x", 2.5, 1.7, report.detail)
    usage = paired(whole_process("-m", "energy_db", "--help"), whole_process("-c", "pass"), scene.pairs)
    yield Figure("energy-db --help, cold", 1000 * median(usage.ours), "ms", 200)
    yield Figure("energy-db --help / python -c pass", usage.ratio, "x", detail=usage.detail)


def file(scene: Scene) -> Iterator[Figure]:
    """A run file priced without a store, against plain SQL on it, as whole processes."""
    verb = ("-m", "energy_db", "report", scene.large_run, "--chip", CHIP)
    script = (PLAIN_SCRIPT, scene.large_run)
    priced = json.loads(python(*verb, "--format", "json"))
    _expect_same(
        json.loads(python(*script)),
        {
            "layers": sorted([row["layer"], row["spikes"], row["energy_pj"]] for row in priced["layers"]),
            "neurons": [[row["layer"], row["neuron"], row["spikes"], row["energy_pj"]] for row in priced["neurons"]],
        },
    )
    report = paired(whole_process(*verb), whole_process(*script), scene.pairs)
    yield Figure("report FILE / plain DuckDB SQL on the file", report.ratio, "x", 1.5, 1.1, report.detail)


def history(scene: Scene) -> Iterator[Figure]:
    """The costliest neurons over all runs: from the roll-up, against plain SQL on the run files."""
    files = [str(path) for path in scene.history]
    with duckdb.connect(scene.history_store, read_only=True) as store, duckdb.connect() as bare:

        def from_roll_up() -> list[tuple[Any, ...]]:
            return _fetch(store, TOP_NEURONS, [])

        def from_files() -> list[tuple[Any, ...]]:
            return plain.top_neurons(bare, files)

        _expect_same(from_files(), from_roll_up())
        top = paired(lambda: seconds(from_roll_up), lambda: seconds(from_files), scene.pairs)
    of = f"{len(files)} runs of {scene.n_events_per_run} events"
    yield Figure(
        "top-20 neurons over the history / on the run files", top.ratio, "x", 1 / 100, 1 / 600, f"{top.detail}; {of}"
    )


def compare(scene: Scene) -> Iterator[Figure]:
    """Two runs of a wide network compared, against the bare difference of their spikes by neuron."""
    for chip, what in WIDE_CHIPS.items():
        peaks: list[float] = []

        def compare_runs(chip: str = chip, peaks: list[float] = peaks) -> float:
            taken, peak_mb = work.in_fresh_process(work.compare, chip, scene.wide_store)
            peaks.append(peak_mb)
            return taken

        def subtract() -> float:
            return work.in_fresh_process(work.subtract, "", scene.wide_store)[0]

        taken = paired(compare_runs, subtract, scene.pairs)
        of = f"{scene.n_neurons} neurons a run"
        yield Figure(f"compare, {what}", median(taken.ours), "s", 5, 2, of)
        yield Figure(f"compare, {what} / bare difference by neuron", taken.ratio, "x", detail=taken.detail)
        yield Figure(
            f"compare, {what}, peak memory", max(peaks), "MB", 2048, 1024, f"largest of {len(peaks)} processes"
        )


MEASURES: dict[str, Callable[[Scene], Iterable[Figure]]] = {
    measure.__name__: measure for measure in (ingest, growing, latency, questions, totals, cold, file, history, compare)
}


def query_latencies(stores: dict[int, Path], rounds: int) -> tuple[dict[int, float], dict[int, float]]:
    """Return the milliseconds of the layer report and of a point query, by the size of the store."""
    actions: dict[tuple[str, int], partial[Any]] = {}
    with ExitStack() as stack:
        for size, path in stores.items():
            connection = stack.enter_context(duckdb.connect(path, read_only=True))
            key, run_id = connection.execute("SELECT run_key, run_id FROM runs ORDER BY run_key").fetchall()[-1]
            queries = {"layers": (LAYER_REPORT, [run_id, CHIP, COST_VERSION]), "point": (POINT_QUERY, [key])}
            for name, query in queries.items():
                actions[name, size] = partial(_fetch, connection, *query)
        taken = medians_ms(actions, rounds)
    return {size: taken["layers", size] for size in stores}, {size: taken["point", size] for size in stores}


def _report_latencies(stores: dict[int, Path], rounds: int) -> dict[int, float]:
    """Return the milliseconds of a whole report by the Python API, by the size of the store."""
    actions: dict[int, partial[Any]] = {}
    with ExitStack() as stack:
        for size, path in stores.items():
            store = stack.enter_context(EnergyStore(path, read_only=True))
            actions[size] = partial(store.report, store.run("latest").run_id, CHIP)
        return medians_ms(actions, rounds)


def _fetch(connection: duckdb.DuckDBPyConnection, query: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    return connection.execute(query, parameters).fetchall()


def _by_size(latency_ms: dict[int, float]) -> str:
    return f"{growth_interval(latency_ms)}; " + ", ".join(
        f"{size}: {latency:.3g} ms" for size, latency in latency_ms.items()
    )


def _expect_same(plainly: Any, ours: Any) -> None:
    if plainly != ours:
        raise AssertionError(f"not the same question: plain SQL says {plainly}, energy-db says {ours}")
