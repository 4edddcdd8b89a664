"""The measures of what else is asked of a kept store: warm, each beside a point query of the same minutes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import duckdb

from benchmarks.asked import CHIP, COST_VERSION
from benchmarks.figures import Figure
from benchmarks.scene import Scene
from benchmarks.stopwatch import Paired, medians_ms, paired, seconds
from energy_db import EnergyStore

POINT = "SELECT * FROM layers WHERE run_key = $key"
OF_A_RUN = "run_id = $run AND chip = $chip AND cost_version = $version"
IN_SQL = {
    "timeline of a run": f"SELECT * FROM energy_by_step_all_versions WHERE {OF_A_RUN}",
    "a run on all chips": "SELECT * FROM energy_by_chip WHERE run_id = $run",
    "two runs compared by layer": (
        "SELECT * FROM comparison_by_layer WHERE run_id_a = $before AND run_id_b = $run AND chip = $chip"
    ),
}
TOTALS = "SELECT run_id, energy_pj FROM energy_by_chip WHERE chip = $chip"
LAYERS = "SELECT * FROM energy_by_layer WHERE chip = $chip"
SPIKES = "SELECT layer_index, sum(energy_pj) FROM energy_by_spike WHERE chip = $chip GROUP BY layer_index"
COUNTS = "SELECT layer_index, sum(n_spikes) FROM spike_events GROUP BY layer_index"

Parameters = dict[str, object]


def questions(scene: Scene) -> Iterator[Figure]:
    """Timeline, comparison, chips and trend, from a store of the whole history."""
    # The engine opens a file once in a process; the queries in SQL go to the original.
    copy = shutil.copy(scene.history_store, scene.absent("asked.duckdb"))
    with EnergyStore(copy, read_only=True) as store:
        before, run = store.run("latest~1"), store.run("latest")
        asked: dict[str, Callable[[], object]] = {
            f"store.compare(...), {scene.n_runs} runs stored": lambda: store.compare(before, run, CHIP).to_dict(),
            f"store.chips(...), {scene.n_runs} runs stored": lambda: store.chips(run),
            f"store.trend(...) over {scene.n_runs} runs": lambda: store.trend(chip=CHIP),
        }
        yield from _beside_a_point_query(scene, before.run_id, run.run_id, asked)


def totals(scene: Scene) -> Iterator[Figure]:
    """What grows with the history: a total for each run, all layers as Arrow, and every single spike priced."""
    with duckdb.connect(scene.history_store, read_only=True) as store:
        actions: dict[str, Callable[[], object]] = {
            "totals": lambda: _fetch(store, TOTALS, {"chip": CHIP}),
            "layers": lambda: store.sql(LAYERS, params={"chip": CHIP}).to_arrow_table(),
        }
        taken = medians_ms(actions, scene.pairs)
        n_rows = len(store.sql(LAYERS, params={"chip": CHIP}).to_arrow_table())
        of = f"median of {scene.pairs}; goals are for 10,000 runs"
        yield Figure(f"energy of each of {scene.n_runs} runs, warm", taken["totals"], "ms", 60, 25, of)
        yield Figure(f"energy by layer of all runs, {n_rows} rows as Arrow", taken["layers"], "ms", 40, 8, of)
    spikes = counted_and_priced(scene.history_store, scene.pairs)
    events = f"{spikes.detail}; {scene.n_runs * scene.n_events_per_run} events"
    yield Figure("every spike priced, by layer / raw count of the spikes", spikes.ratio, "x", 2.5, 1.6, events)


def counted_and_priced(path: Path, pairs: int) -> Paired:
    """Return how long it takes to price every spike of a store by itself, and to count them."""
    with duckdb.connect(path, read_only=True) as store:
        return paired(
            lambda: seconds(lambda: _fetch(store, SPIKES, {"chip": CHIP})),
            lambda: seconds(lambda: _fetch(store, COUNTS, {})),
            pairs,
        )


def _beside_a_point_query(
    scene: Scene, before: str, run: str, asked: dict[str, Callable[[], object]]
) -> Iterator[Figure]:
    with duckdb.connect(scene.history_store, read_only=True) as bare:
        [(key,)] = bare.execute("SELECT run_key FROM runs WHERE run_id = ?", [run]).fetchall()
        given: Parameters = {"run": run, "before": before, "chip": CHIP, "version": COST_VERSION}
        actions = {f"{what}, {scene.n_runs} runs stored": _query(bare, query, given) for what, query in IN_SQL.items()}
        taken = medians_ms({"point": _query(bare, POINT, {"key": key}), **actions, **asked}, scene.rounds)
    for name in (*actions, *asked):
        detail = f"{taken[name] / taken['point']:.3g} times a point query; median of {scene.rounds}"
        yield Figure(f"{name}, warm", taken[name], "ms", detail=detail)


def _query(connection: duckdb.DuckDBPyConnection, query: str, given: Parameters) -> Callable[[], object]:
    return partial(_fetch, connection, query, {name: value for name, value in given.items() if f"${name}" in query})


def _fetch(connection: duckdb.DuckDBPyConnection, query: str, parameters: Parameters) -> list[tuple[object, ...]]:
    return connection.execute(query, parameters).fetchall()
