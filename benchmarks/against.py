"""The measure against peers: what users would pick instead, on the same files, in the same minutes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from benchmarks import peers as peers_script
from benchmarks.figures import Figure
from benchmarks.measures import TOP_NEURONS
from benchmarks.scene import CHIP, COST_VERSION, Scene
from benchmarks.stopwatch import paired, python, seconds, whole_process

SCRIPT = Path(peers_script.__file__)
TOP_OF_OURS = f"SELECT layer, neuron, n_spikes FROM ({TOP_NEURONS})"


def peers(scene: Scene) -> Iterator[Figure]:
    """Energy by layer of one run, and the costliest neurons of all, as whole processes and as the work alone."""
    stored = ("-m", "energy_db", "--db", scene.large_store, "report", "latest", "--chip", CHIP)
    direct = ("-m", "energy_db", "report", scene.large_run, "--chip", CHIP)
    said = json.loads(python(*stored, "--format", "json"))
    expected = {row["layer"]: row["energy_pj"] for row in said["layers"]}
    for name in peers_script.installed(peers_script.LAYER_ENERGIES):
        theirs = (SCRIPT, "layers", name, scene.large_run)
        answer = json.loads(python(*theirs))
        _expect_same(name, answer["answer"], expected)
        peak = f"peak memory of theirs {answer['peak_mb']:.0f} MB"
        taken = paired(whole_process(*stored), whole_process(*theirs), scene.pairs)
        yield Figure(f"report from the store / {name} on the file", taken.ratio, "x", detail=f"{taken.detail}; {peak}")
        taken = paired(whole_process(*direct), whole_process(*theirs), scene.pairs)
        yield Figure(f"report FILE, no store / {name} on the file", taken.ratio, "x", detail=taken.detail)
    yield from _top_neurons(scene)


def _top_neurons(scene: Scene) -> Iterator[Figure]:
    """The costliest neurons over the history: the work alone, as all sides would keep their processes."""
    with duckdb.connect(scene.history_store, read_only=True) as store:

        def of_ours() -> list[Any]:
            return store.execute(TOP_OF_OURS, [CHIP, COST_VERSION]).fetchall()

        expected = [list(row) for row in of_ours()]
        ours = median(seconds(of_ours) for _ in range(scene.rounds))
    for name in peers_script.installed(peers_script.TOP_NEURONS):
        answers = [json.loads(python(SCRIPT, "top", name, *scene.history)) for _ in range(min(3, scene.pairs))]
        _expect_same(name, answers[0]["answer"], expected)
        theirs = median(answer["seconds"] for answer in answers)
        detail = f"{1000 * ours:.3g} ms against {theirs:.3g} s; peak {max(a['peak_mb'] for a in answers):.0f} MB"
        yield Figure(f"top-20 neurons over the history / {name} on the run files", ours / theirs, "x", detail=detail)


def _expect_same(name: str, theirs: Any, ours: Any) -> None:
    if theirs != ours:
        raise AssertionError(f"not the same question: {name} says {theirs}, energy-db says {ours}")
