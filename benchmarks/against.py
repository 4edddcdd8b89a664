"""The measure against peers: what users would pick instead, on the same files, in the same minutes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks import work
from benchmarks.asked import CHIP, TOP_NEURONS
from benchmarks.figures import Side
from benchmarks.peers import LAYERS, N_TIMESTEPS, PEERS, SIZES, Peer, accounted
from benchmarks.scene import Scene
from benchmarks.stopwatch import python, seconds, whole_process
from energy_db import EnergyAccountant

# A side that has taken so many seconds is not asked again.
MOST_SECONDS = 60
STORED, DIRECT, INGESTED, REGISTERED = (
    "report from the store",
    "report FILE, no store",
    "ingest, then report",
    "ingest --events none, then report",
)


class Once(NamedTuple):
    """What one side took once: seconds of the whole process and of the work alone, MB, and its answer."""

    whole: float
    work: float
    peak_mb: float
    answer: Any = None


Action = Callable[[], Once]
Command = tuple[str | Path, ...]


def peers(scene: Scene) -> Iterator[Side]:
    """Energy by layer of one run, and the costliest neurons of all."""
    yield from _layer_energies(scene)
    yield from _top_neurons(scene)


def _layer_energies(scene: Scene) -> Iterator[Side]:
    question = f"energy by layer of one run of {scene.n_events} events"
    report = ("--db", scene.large_store, "report", "latest", "--chip", CHIP)
    rows = json.loads(python("-m", "energy_db", *report, "--format", "json"))["layers"]
    expected = {row["layer"]: row["energy_pj"] for row in rows}
    own_prices = _accounted({row["layer"]: row["spikes"] for row in rows})
    theirs = {name: _theirs("layers", name, [scene.large_run]) for name, peer in PEERS.items() if peer.version}
    for name, action in theirs.items():
        _expect_same(name, action().answer, own_prices if PEERS[name].price is accounted else expected)
    yield from _sides(question, _our_reports(scene), theirs, scene.pairs)


def _top_neurons(scene: Scene) -> Iterator[Side]:
    question = f"top-20 neurons over {scene.n_runs} runs of {scene.n_events_per_run} events"
    asked = ("-m", "energy_db", "--db", scene.history_store, "sql", TOP_NEURONS)
    rows = json.loads(python(*asked, "--format", "json"))["rows"]
    expected = [[row["layer"], row["neuron"], row["n_spikes"]] for row in rows]
    ours = {"energy-db sql": _ours([asked], work.top_neurons, scene, lambda: scene.history_store)}
    able = {name for name, peer in PEERS.items() if peer.version and peer.neurons}
    theirs = {name: _theirs("neurons", name, scene.history, expected) for name in PEERS if name in able}
    yield from _sides(question, ours, theirs, min(3, scene.pairs), peers={n: p for n, p in PEERS.items() if p.neurons})


def _sides(
    question: str,
    ours: Mapping[str, Action],
    theirs: Mapping[str, Action],
    rounds: int,
    peers: Mapping[str, Peer] = PEERS,
) -> Iterator[Side]:
    taken = _in_rounds({**ours, **theirs}, rounds)
    for name in (*ours, *peers):
        if name not in taken:
            yield Side(question, f"{name}: {peers[name].package} is not installed")
            continue
        said = name if name in ours else f"{name} ({peers[name].package} {peers[name].version})"
        yield Side(
            question,
            said,
            whole_s=median(once.whole for once in taken[name]),
            work_s=median(once.work for once in taken[name]),
            peak_mb=median(once.peak_mb for once in taken[name]),
            ratios={mine: _ratio(taken[name], taken[mine]) for mine in ours if name not in ours},
            n_rounds=len(taken[name]),
        )


def _in_rounds(sides: Mapping[str, Action], rounds: int) -> dict[str, list[Once]]:
    """Take every side once a round, so that a machine's moods hit all of them alike."""
    taken: dict[str, list[Once]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, action in sides.items():
            if sum(once.whole for once in taken[name]) < MOST_SECONDS:
                taken[name].append(action())
    return taken


def _ratio(theirs: list[Once], ours: list[Once]) -> float:
    """Median of the ratios of the rounds that both took part in."""
    return median(their.whole / our.whole for their, our in zip(theirs, ours, strict=False))


def _theirs(question: str, name: str, files: list[Path], expected: Any = None) -> Action:
    def once() -> Once:
        printed: list[str] = []
        whole = seconds(lambda: printed.append(python("-m", "benchmarks.peers", question, name, *files)))
        said = json.loads(printed[0])
        if expected is not None:
            _expect_same(name, said["answer"], expected)
        return Once(whole, said["seconds"], said["peak_mb"], said["answer"])

    return once


def _our_reports(scene: Scene) -> dict[str, Action]:
    """Return the ways to a report, by name."""
    store = scene.folder / "against.duckdb"

    def emptied() -> Path:
        return scene.copy_of_empty_store(store.name)

    report = ("report", "latest", "--chip", CHIP)
    cli = ("-m", "energy_db", "--db")
    kept: list[Command] = [(*cli, scene.large_store, *report)]
    direct: list[Command] = [("-m", "energy_db", "report", scene.large_run, "--chip", CHIP)]
    ingested: list[Command] = [(*cli, store, "ingest", scene.large_run), (*cli, store, *report)]
    registered: list[Command] = [
        (*cli, store, "ingest", scene.large_run, "--events", "none"),
        (*cli, store, *report),
    ]
    return {
        STORED: _ours(kept, work.report_stored, scene, lambda: scene.large_store),
        DIRECT: _ours(direct, work.report_file, scene, emptied),
        INGESTED: _ours(ingested, work.ingest_and_report, scene, emptied),
        REGISTERED: _ours(registered, work.register_and_report, scene, emptied),
    }


def _ours(
    commands: list[Command],
    task: Callable[[str, str], None],
    scene: Scene,
    store: Callable[[], Path],
) -> Action:
    def once() -> Once:
        taken, peak_mb = work.in_fresh_process(task, scene.large_run, store())
        store()
        whole = sum(whole_process(*command)() for command in commands)
        return Once(whole, taken, peak_mb)

    return once


def _accounted(counts: Mapping[str, int]) -> dict[str, float]:
    """Return the energies of the layers by energy-db's accountant, with the costs of sc-neurocore."""
    accountant = EnergyAccountant(CHIP, cost_version="sc_neurocore_3_16_0")
    report = accountant.account(LAYERS, SIZES, [counts[layer] for layer in LAYERS], N_TIMESTEPS)
    return {layer.layer: layer.energy_pj or 0.0 for layer in report.layers}


def _expect_same(name: str, theirs: Any, ours: Any) -> None:
    """Compare answers; energies that an accountant sums as doubles may be off in the last digits."""
    is_same = theirs == ours or (
        isinstance(ours, dict)
        and theirs.keys() == ours.keys()
        and all(math.isclose(theirs[key], ours[key], rel_tol=1e-12) for key in ours)
    )
    if not is_same:
        raise AssertionError(f"not the same question: {name} says {theirs}, energy-db says {ours}")
