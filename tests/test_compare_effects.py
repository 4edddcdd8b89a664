"""The split of a change: on random pairs of runs against brute force, and on the digits runs against NumPy."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cost_model import DERIVED, PER_SPIKE, ROLES, Layer, Operation, Recording
from factories import forget_runs, run_file, with_sidecar
from hypothesis import given
from hypothesis import strategies as st
from shapley import EFFECTS, Split, differing
from test_properties import COLUMNS, add_costs, columns_of, few, network_of

from energy_db import EnergyStore
from energy_db.errors import NotFoundError
from energy_db.runs import Run

NAMES = ("in", "h1", "h 2", "out")
COUNTED = ("mac", "hop")
TYPES = dict.fromkeys(COLUMNS, pa.int64()) | {"layer": pa.string()}
COMPARED_BY = ("run_id_a", "run_id_b", "cost_version_a", "cost_version_b")
# What a row of each grain is told apart by.
GRAINS = {"": (), "_by_layer": ("layer",), "_by_neuron": ("layer", "neuron")}
OPERATIONS = "_by_operation"
KEYS = GRAINS | {OPERATIONS: ("operation", "driver")}

Rows = dict[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Pair:
    """Two recordings, and the operations that price each."""

    runs: tuple[Recording, Recording]
    books: tuple[list[Operation], list[Operation]]


@st.composite
def layers(draw: st.DrawFn, name: str) -> Layer:
    n_neurons = draw(st.integers(2, 4))
    each = st.lists(st.integers(0, 9), min_size=n_neurons, max_size=n_neurons).map(tuple)
    fan_out = draw(st.one_of(each, each, each, st.integers(1, 9), st.integers(1, 9), st.none()))
    return Layer(name, draw(st.sampled_from(ROLES)), n_neurons, draw(st.sampled_from([3, 7, 9, None])), fan_out)


@st.composite
def spikes(draw: st.DrawFn, network: Sequence[Layer]) -> list[tuple[str, int, int, int, int]]:
    """Draw how often each neuron spikes; some neurons, layers and whole runs are silent."""
    if draw(st.sampled_from([False] * 9 + [True])):
        return []
    often = st.sampled_from([0, 1, 2, 5, 10, 30, 100])
    silent = draw(st.sampled_from([None, None, *(layer.name for layer in network)]))
    neurons = [(layer.name, neuron) for layer in network if layer.name != silent for neuron in range(layer.n_neurons)]
    return [(layer, neuron, 0, 0, many) for layer, neuron in neurons if (many := draw(often))]


@st.composite
def counters(draw: st.DrawFn, names: Sequence[str]) -> dict[str, dict[Any, int]]:
    """Draw counters of the whole run, of its layers, or of a neuron of each; seldom none."""
    found: dict[str, dict[Any, int]] = {}
    for driver in COUNTED:
        match draw(st.sampled_from(["run", "layer", "neuron", "not"])):
            case "run":
                found[driver] = {(None, None): draw(st.integers(0, 1000))}
            case "layer":
                found[driver] = {(name, None): draw(st.integers(0, 1000)) for name in names}
            case "neuron":
                found[driver] = {(name, 1): draw(st.integers(0, 1000)) for name in names}
    return found


@st.composite
def recordings(draw: st.DrawFn, names: Sequence[str]) -> Recording:
    return draw(of_network(tuple(draw(layers(name)) for name in names)))


@st.composite
def of_network(draw: st.DrawFn, network: tuple[Layer, ...]) -> Recording:
    """Draw a run of a given network."""
    length = draw(st.sampled_from([Decimal(1000), Decimal(1000), Decimal(2000), None]))
    counted = draw(counters([layer.name for layer in network]))
    return Recording(network, draw(spikes(network)), draw(st.sampled_from([1, 3])), 2, length, counted)


@st.composite
def books(draw: st.DrawFn) -> list[Operation]:
    """Draw what a version prices: two or more drivers; versions share most of their operations; a few are blank."""
    others = [driver for driver in (*DERIVED, *COUNTED) if driver != "synaptic_event"]
    drivers = draw(st.lists(st.sampled_from(others), min_size=1, max_size=4, unique=True))
    drivers += draw(st.sampled_from([["synaptic_event"], ["synaptic_event"], []]))
    named = [(f"{draw(st.sampled_from(['read', 'read', 'read', 'add']))}_{driver}", driver) for driver in drivers]
    pj = st.sampled_from([Decimal(text) for text in ("0.125", "1", "2.1", "27.1", "999.999")])
    return [Operation(name, driver, draw(st.sampled_from([draw(pj)] * 4 + [None]))) for name, driver in named]


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Draw two runs, of the same network or of one with other roles, fan-outs or layers, and two versions or one."""
    names = draw(st.permutations(NAMES))[: draw(st.integers(1, 3))]
    before, book = draw(recordings(names)), draw(books())
    others = draw(st.sampled_from([names, names, NAMES[:2]]))
    is_same_network, is_same_book = draw(st.sampled_from([(0, 0), (0, 0), (0, 1), (1, 0)]))
    after = draw(of_network(before.layers) if is_same_network else recordings(others))
    return Pair((before, after), (book, book if is_same_book else draw(books())))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


@pytest.fixture(scope="module")
def store() -> Iterator[EnergyStore]:
    """One store for all examples: each begins with `forget_runs`."""
    with EnergyStore(":memory:") as opened:
        yield opened


def ingest(store: EnergyStore, folder: Path, recording: Recording, name: str) -> Run:
    path = run_file(folder / f"{name}.parquet", columns_of(recording), types=TYPES)
    rows = [
        {"layer": layer, "neuron": neuron, "driver": driver, "count": many}
        for driver, places in recording.counters.items()
        for (layer, neuron), many in places.items()
    ]
    return store.ingest(with_sidecar(path, network_of(recording)), counters=rows or None)


@dataclass(frozen=True)
class Stored:
    """A pair in the store, and how its comparison is read: forwards, or from B to A."""

    store: EnergyStore
    runs: tuple[Run, Run]
    versions: tuple[str, str]

    def rows(self, grain: str) -> tuple[Rows, Rows]:
        """Return the rows of a view forwards and backwards, by what they are told apart by; in one query."""
        forwards = (*(run.run_id for run in self.runs), *self.versions)
        backwards = (*(run.run_id for run in self.runs[::-1]), *self.versions[::-1])
        query = f"SELECT * FROM comparison{grain}_all_versions WHERE chip = 'toy'"
        records = self.store._engine.records(query)
        sides = []
        for wanted in (forwards, backwards):
            of_side = [row for row in records if tuple(row[column] for column in COMPARED_BY) == wanted]
            sides.append({tuple(row[key] for key in KEYS[grain]): row for row in of_side})
            assert len(sides[-1]) == len(of_side), "the grain is what the view says"
        return sides[0], sides[1]

    def reported(self) -> list[Decimal]:
        """Return what a report says of each run: its energy under its version."""
        query = (
            "SELECT energy_pj FROM energy_by_chip_all_versions WHERE run_id = ? AND chip = 'toy' AND cost_version = ?"
        )
        pairs = zip(self.runs, self.versions, strict=True)
        return [self.store._engine.value(query, [run.run_id, version]) for run, version in pairs]


def stored(store: EnergyStore, folder: Path, pair: Pair) -> Stored:
    forget_runs(store)
    for table in ("costs", "cost_versions"):
        store._engine.run(f"DELETE FROM {table} WHERE chip = 'toy'")
    before, after = (ingest(store, folder, run, name) for run, name in zip(pair.runs, "ab", strict=True))
    first = add_costs(store, pair.books[0])
    second = first if pair.books[0] == pair.books[1] else add_costs(store, pair.books[1])
    return Stored(store, (before, after), (first, second))


def effects_of(row: dict[str, Any]) -> dict[str, Fraction]:
    return {name: Fraction(row[f"{name}_effect_pj"]) for name in EFFECTS}


def expected_rows(split: Split, grain: str) -> dict[tuple[Any, ...], dict[str, Fraction]]:
    match grain:
        case "_by_neuron":
            return dict(split.by_neuron())
        case "_by_layer":
            return {(layer,): effects for layer, effects in split.by_layer().items()}
        case _:
            return {(): split.whole()}


def energies_of(split: Split) -> list[Fraction]:
    """Return the energy of both runs, of the operations that take part."""
    found = []
    for side, run in enumerate(split.runs):
        counts = {key: sum((run.counts(charge.driver) or {}).values()) for key, charge in split.charges.items()}
        each = (Fraction(counts[key]) * charge.pj[side] for key, charge in split.charges.items())
        found.append(sum(each, Fraction(0)))
    return found


@pytest.mark.thorough
@few(24)
@given(pair=pairs())
def test_effects_add_up_flip_and_are_those_of_brute_force(store: EnergyStore, folder: Path, pair: Pair) -> None:
    found, split = stored(store, folder, pair), Split(pair.runs, pair.books)
    operations, _ = found.rows(OPERATIONS)
    assert {key for key, row in operations.items() if row["left_out"] is None} == split.charges.keys()
    for grain in reversed(GRAINS):
        forwards, backwards = found.rows(grain)
        assert forwards.keys() == backwards.keys()
        for key, row in forwards.items():
            amounts = [row[f"{name}_effect_pj"] for name in EFFECTS]
            assert row["change_pj"] == row["energy_b_pj"] - row["energy_a_pj"]
            assert sum(amounts) == row["change_pj"], (grain, key)
            assert [backwards[key][f"{name}_effect_pj"] for name in EFFECTS] == [-amount for amount in amounts]
            assert (backwards[key]["energy_a_pj"], backwards[key]["spikes_b"]) == (row["energy_b_pj"], row["spikes_a"])
        for key, expected in expected_rows(split, grain).items() if split.charges else ():
            of_view = effects_of(forwards[key]) if key in forwards else dict.fromkeys(EFFECTS, Fraction(0))
            assert list(differing(of_view, expected)) == [], (grain, key)
    if split.charges:
        whole = forwards[()]
        assert [whole["energy_a_pj"], whole["energy_b_pj"]] == energies_of(split)
        if split.is_whole:
            assert [whole["energy_a_pj"], whole["energy_b_pj"]] == found.reported()
    else:
        assert not forwards
        with pytest.raises(NotFoundError, match="no operation of toy can be priced in both runs"):
            store.compare(*found.runs, "toy", cost_version_a=found.versions[0], cost_version_b=found.versions[1])


def scaled(run: Recording, factor: int) -> Recording:
    return replace(run, events=[(*event[:4], event[4] * factor) for event in run.events])


def other_way_round(run: Recording) -> Recording:
    """Return the run with as many spikes, by its neurons in the other order."""
    counts = [event[4] for event in run.events][::-1]
    return replace(run, events=[(*event[:4], many) for event, many in zip(run.events, counts, strict=True)])


def unchanged_in(pair: Pair, factor: str) -> Pair:
    """Return the pair with a run after that differs from the one before in all but a factor."""
    before, after = pair.runs
    match factor:
        case "cost":
            return Pair(pair.runs, (pair.books[0], pair.books[0]))
        case "work":
            after = replace(after, layers=before.layers, events=scaled(other_way_round(before), 3).events, counters={})
        case "spikes":
            after = replace(other_way_round(before), n_timesteps=after.n_timesteps)
        case "layer_mix" | "neuron_mix":
            after = replace(scaled(before, 7), n_timesteps=after.n_timesteps)
        case _:
            after = replace(before, events=scaled(other_way_round(before), 3).events)
    return Pair((before, after), pair.books)


@pytest.mark.thorough
@pytest.mark.parametrize("factor", EFFECTS)
def test_what_does_not_change_has_no_part_in_it(store: EnergyStore, folder: Path, factor: str) -> None:
    @few(3)
    @given(pair=pairs())
    def test(pair: Pair) -> None:
        found = stored(store, folder, unchanged_in(pair, factor))
        for grain in GRAINS:
            assert {row[f"{factor}_effect_pj"] for row in found.rows(grain)[0].values()} <= {Decimal(0)}, grain

    test()


@pytest.mark.thorough
@few(5)
@given(pair=pairs())
def test_the_other_methods_leave_nothing_over_either(store: EnergyStore, folder: Path, pair: Pair) -> None:
    found = stored(store, folder, pair)
    if not Split(pair.runs, pair.books).charges:
        return
    for method in ("lmdi", "pvm"):
        comparison = store.compare(
            *found.runs, "toy", cost_version_a=found.versions[0], cost_version_b=found.versions[1], method=method
        )
        scale = max(1.0, comparison.total_a_pj, comparison.total_b_pj)
        assert comparison.residual_pj == pytest.approx(0, abs=1e-9 * scale), method
        summed = sum(vars(comparison.effects).values())
        assert summed == pytest.approx(comparison.change_pj, abs=1e-9 * scale), method


@pytest.mark.thorough
@few(6)
@given(pair=pairs())
def test_layers_are_split_as_their_neurons_are_where_spikes_cost_the_same(
    store: EnergyStore, folder: Path, pair: Pair
) -> None:
    runs = [replace(run, layers=tuple(map(with_shared_fan_out, run.layers))) for run in pair.runs]
    books = [[op for op in book if op.driver in PER_SPIKE] for book in pair.books]
    books = [book or [Operation("fire", "spike", Decimal(1))] for book in books]
    found = stored(store, folder, Pair((runs[0], runs[1]), (books[0], books[1])))
    summed: dict[Any, dict[str, Fraction]] = defaultdict(lambda: dict.fromkeys(EFFECTS, Fraction(0)))
    for (layer, _), row in found.rows("_by_neuron")[0].items():
        for name, effect in effects_of(row).items():
            summed[layer,][name] += effect
    for key, row in found.rows("_by_layer")[0].items():
        assert row["neuron_mix_effect_pj"] == 0
        assert list(differing(effects_of(row), summed[key])) == [], key


def with_shared_fan_out(layer: Layer) -> Layer:
    return replace(layer, fan_out=max(layer.fan_out) if isinstance(layer.fan_out, tuple) else layer.fan_out)
