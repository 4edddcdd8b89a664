"""What holds for every run and every cost set: random ones, against the cost model in plain Python (cost_model.py)."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cost_model import DERIVED, PER_SPIKE, ROLES, Layer, Operation, Priced, Recording
from factories import forget_runs, rearranged, run_file, with_sidecar
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from energy_db import Cost, CostSet, EnergyAccountant, EnergyStore
from energy_db.runs import Run

CHIPS = {
    # pJ of an input, a hidden and a readout spike (docs/method.md)
    "loihi2": {"input": "1.0", "hidden": "2.1", "readout": "1.0"},
    "spinnaker2": {"input": "5.5", "hidden": "10.0", "readout": "4.0"},
    "fpga_ice40": {"input": "9.0", "hidden": "15.0", "readout": "5.0"},
    "akida": {"input": "3.5", "hidden": "3.5", "readout": "3.5"},
    "brainscales2": {"input": "0.3", "hidden": "0.3", "readout": "0.3"},
}
PJ = {chip: {role: Decimal(pj) for role, pj in costs.items()} for chip, costs in CHIPS.items()}
COUNTED = ("mac", "hop", "neuron_access")
COLUMNS = ("layer", "neuron", "timestep", "sample", "n_spikes")
WIDTHS = (pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64())
COMPRESSIONS = ("none", "snappy", "gzip", "zstd")

N_NEURONS, N_TIMESTEPS, N_SAMPLES = 6, 5, 3
new_version = count(1)


def few(max_examples: int) -> settings:
    return settings(
        max_examples=max_examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


@st.composite
def layers(draw: st.DrawFn, name: str) -> Layer:
    each = st.lists(st.integers(0, 9), min_size=N_NEURONS, max_size=N_NEURONS).map(tuple)
    n_inputs, fan_out = draw(st.none() | st.integers(0, 99)), draw(st.none() | st.integers(0, 99) | each)
    return Layer(name, draw(st.sampled_from(ROLES)), N_NEURONS, n_inputs, fan_out)


@st.composite
def counters(draw: st.DrawFn, names: Sequence[str]) -> dict[str, dict[Any, int]]:
    """Draw counters of the whole run, of every layer, or of the neurons of every layer."""
    how_often = st.integers(0, 10**6)
    neurons = st.dictionaries(st.integers(0, N_NEURONS - 1), how_often, min_size=1, max_size=3)
    found: dict[str, dict[Any, int]] = {}
    for driver in draw(st.sets(st.sampled_from(COUNTED))):
        match draw(st.sampled_from(["run", "layer", "neuron"])):
            case "run":
                found[driver] = {(None, None): draw(how_often)}
            case "layer":
                found[driver] = {(name, None): draw(how_often) for name in names}
            case _:
                found[driver] = {(name, n): many for name in names for n, many in draw(neurons).items()}
    return found


@st.composite
def recordings(draw: st.DrawFn, max_events: int = 40) -> Recording:
    names = draw(st.lists(st.text("abcé 'x1_", min_size=1, max_size=4), min_size=1, max_size=4, unique=True))
    small = (st.integers(0, 5), st.integers(0, 4), st.integers(0, 2), st.integers(1, 100))
    events = draw(st.lists(st.tuples(st.sampled_from(names), *small), min_size=1, max_size=max_events))
    length = draw(st.sampled_from([None, Decimal(1000), Decimal("0.2"), Decimal("0.3")]))
    network = tuple(draw(layers(name)) for name in names)
    return Recording(network, events, N_TIMESTEPS, N_SAMPLES, length, draw(counters(names)))


@st.composite
def operations(draw: st.DrawFn) -> list[Operation]:
    """Draw what a chip costs: on any driver, some of it blank, some with a range or half of one."""
    found = []
    drivers = draw(st.lists(st.sampled_from((*DERIVED, *COUNTED)), min_size=1, max_size=6))
    for number, driver in enumerate(drivers):
        pj = draw(st.none() | st.decimals(0, 10**6, places=6))
        low = high = None
        if pj is not None:
            low = draw(st.none() | st.decimals(0, pj, places=6))
            high = draw(st.none() | st.decimals(pj, 2 * 10**6, places=6))
        found.append(Operation(f"op{number}", driver, pj, low, high))
    return found


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


@pytest.fixture(scope="module")
def only_store() -> Iterator[EnergyStore]:
    with EnergyStore(":memory:") as opened:
        yield opened


@pytest.fixture
def store(only_store: EnergyStore) -> EnergyStore:
    """One store for all tests: each example begins with `forget_runs`."""
    return only_store


def columns_of(recording: Recording) -> dict[str, list[Any]]:
    return {name: [event[i] for event in recording.events] for i, name in enumerate(COLUMNS)}


def network_of(recording: Recording) -> dict[str, Any]:
    network = [
        {"name": la.name, "role": la.role, "n_neurons": la.n_neurons, "n_inputs": la.n_inputs, "fan_out": la.fan_out}
        for la in recording.layers
    ]
    said = [{key: value for key, value in layer.items() if value is not None} for layer in network]
    length = {} if recording.timestep_us is None else {"timestep_us": float(recording.timestep_us)}
    return {"n_timesteps": recording.n_timesteps, "n_samples": recording.n_samples, "layers": said, **length}


def ingest(store: EnergyStore, folder: Path, recording: Recording, **options: Any) -> Run:
    path = with_sidecar(run_file(folder / "run.parquet", columns_of(recording)), network_of(recording))
    rows = [
        {"layer": layer, "neuron": neuron, "driver": driver, "count": many}
        for driver, places in recording.counters.items()
        for (layer, neuron), many in places.items()
    ]
    return store.ingest(path, counters=rows or None, **options)


def add_costs(store: EnergyStore, priced: Sequence[Operation]) -> str:
    version = f"v{next(new_version)}"
    shown = Cost("shown_only", "spike", Decimal(9), is_reference=True)
    rows = [Cost(op.name, op.driver, op.pj, low_pj=op.low_pj, high_pj=op.high_pj) for op in priced]
    store.costs.add(CostSet("toy", version, "Drawn at random", [*rows, shown]))
    return version


def rows_of(store: EnergyStore, grain: str, version: str, columns: str) -> list[tuple[Any, ...]]:
    query = f"SELECT {columns} FROM energy_by_{grain}_all_versions WHERE chip = 'toy' AND cost_version = ?"
    return store._engine.rows(query, [version])


def that_cost(rows: list[tuple[Any, ...]]) -> dict[Any, Decimal]:
    """Return the energies of what costs anything, by what stands before them in the row."""
    found: dict[Any, Decimal] = defaultdict(Decimal)
    for *key, energy in rows:
        found[tuple(key)] += energy or Decimal(0)
    return {key: energy for key, energy in found.items() if energy}


@pytest.mark.thorough
@few(20)
@given(recording=recordings(), priced=operations())
def test_every_grain_is_what_the_model_says(
    store: EnergyStore, folder: Path, recording: Recording, priced: list[Operation]
) -> None:
    forget_runs(store)
    ingest(store, folder, recording)
    version, model = add_costs(store, priced), Priced(recording, priced)
    figures = "energy_pj, n_operations, n_priced, n_ranged, energy_low_pj, energy_high_pj"
    ends = [model.total("low_pj"), model.total("high_pj")] if model.n_ranged else [None, None]
    expected = (model.total(), len(priced), len(model.counts), model.n_ranged, *ends)
    assert rows_of(store, "chip", version, figures) == [expected]
    assert dict(rows_of(store, "operation", version, "operation, energy_pj")) == model.by_operation()
    layers_found = that_cost(rows_of(store, "layer", version, "layer, energy_pj"))
    assert layers_found == {(layer,): energy for layer, energy in model.by_layer().items()}
    assert that_cost(rows_of(store, "neuron", version, "layer, neuron, energy_pj")) == model.by_neuron()
    for grain, keys in (("step", (0, 2)), ("spike", (0, 1, 2, 3))):
        columns = ", ".join(("layer", "neuron", "timestep", "sample_index")[key] for key in keys)
        of_model = [(*(event[key] for key in keys), energy) for event, energy in model.of_spikes(grain == "step")]
        assert that_cost(rows_of(store, grain, version, f"{columns}, energy_pj")) == that_cost(of_model), grain


@pytest.mark.thorough
@few(4)
@given(recording=recordings(), priced=operations())
def test_verify_finds_nothing_in_what_was_ingested(
    store: EnergyStore, folder: Path, recording: Recording, priced: list[Operation]
) -> None:
    forget_runs(store)
    ingest(store, folder, recording)
    store.costs.put_in_force("toy", add_costs(store, priced), reason="To be verified")
    assert [result.check for result in store.verify() if result.n_failures] == []


def cells(store: EnergyStore, version: str) -> dict[Any, Decimal]:
    """Return all that a cost set gives: of every neuron, and of every layer."""
    by_neuron = that_cost(rows_of(store, "neuron", version, "layer, neuron, energy_pj"))
    return by_neuron | that_cost(rows_of(store, "layer", version, "layer, energy_pj"))


@pytest.mark.thorough
@few(6)
@given(recording=recordings(), priced=operations(), cut=st.integers(0, 6), factor=st.integers(0, 1000))
def test_energy_is_additive_over_costs_and_scales_with_them(
    store: EnergyStore, folder: Path, recording: Recording, priced: list[Operation], cut: int, factor: int
) -> None:
    forget_runs(store)
    ingest(store, folder, replace(recording, timestep_us=Decimal(10**6)))  # in whole seconds, nothing is rounded
    whole = cells(store, add_costs(store, priced))
    parts: Counter[Any] = Counter()
    for part in (priced[:cut], priced[cut:]):
        if part:
            parts.update(cells(store, add_costs(store, part)))
    assert dict(parts) == whole
    scaled = cells(store, add_costs(store, [operation.times(factor) for operation in priced]))
    assert scaled == {key: energy * factor for key, energy in whole.items() if factor}


@pytest.mark.thorough
@few(6)
@given(recording=recordings(), data=st.data())
def test_energy_of_spikes_is_additive_over_spikes(
    store: EnergyStore, folder: Path, recording: Recording, data: st.DataObject
) -> None:
    forget_runs(store)
    priced = [Operation(driver, driver, Decimal(place + 1)) for place, driver in enumerate(PER_SPIKE[:4])]
    version, cut = add_costs(store, priced), data.draw(st.integers(0, len(recording.events)))
    by_run: list[dict[Any, Decimal]] = []
    for number, events in enumerate([recording.events, recording.events[:cut], recording.events[cut:]]):
        forget_runs(store)
        if events:
            part = replace(recording, events=events, counters={})
            ingest(store, folder, part, name=f"part{number}", run_id=f"part{number}")
        by_run.append(cells(store, version))
    whole, *parts = by_run
    assert dict(sum((Counter(part) for part in parts), Counter())) == whole


@pytest.mark.thorough
@few(6)
@given(recording=recordings(), data=st.data())
def test_the_way_a_file_is_written_does_not_matter(
    store: EnergyStore, folder: Path, recording: Recording, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(recording.events))))
    types = {name: data.draw(st.sampled_from(WIDTHS)) for name in COLUMNS[1:]}
    types["layer"] = data.draw(st.sampled_from([pa.string(), pa.dictionary(pa.int8(), pa.string())]))
    options: dict[str, Any] = {
        "compression": data.draw(st.sampled_from(COMPRESSIONS)),
        "row_group_size": data.draw(st.integers(1, 10)),
        "use_dictionary": data.draw(st.booleans()),
    }
    recording = replace(recording, counters={})
    forget_runs(store)
    plain = ingest(store, folder, recording)
    before = store.report(plain, "loihi2").to_dict(top=None)
    other_file = run_file(folder / "other.parquet", rearranged(columns_of(recording), order), types=types, **options)
    with_sidecar(other_file, network_of(recording))
    assert store.ingest(other_file).status == "unchanged"
    forget_runs(store)
    rewritten = store.ingest(other_file, name=plain.name)
    assert (rewritten.content_hash, rewritten.run_id) == (plain.content_hash, plain.run_id)
    after = store.report(rewritten, "loihi2").to_dict(top=None)
    del before["provenance"], after["provenance"]
    assert after == before


@pytest.mark.thorough
@few(10)
@given(recording=recordings(), data=st.data())
def test_another_spike_is_another_run(
    store: EnergyStore, folder: Path, recording: Recording, data: st.DataObject
) -> None:
    position = data.draw(st.integers(0, len(recording.events) - 1))
    layer, neuron, timestep, sample, n_spikes = recording.events[position]
    changed = list(recording.events)
    changed[position] = data.draw(
        st.sampled_from(
            [
                (layer, (neuron + 1) % 6, timestep, sample, n_spikes),
                (layer, neuron, (timestep + 1) % 5, sample, n_spikes),
                (layer, neuron, timestep, (sample + 1) % 3, n_spikes),
                (layer, neuron, timestep, sample, n_spikes + 1),
            ]
        )
    )
    if sorted(changed) == sorted(recording.events):
        return
    forget_runs(store)
    ingest(store, folder, recording)
    assert ingest(store, folder, replace(recording, events=changed), name="other").status == "stored"
    assert len(store.runs()) == 2


@pytest.mark.thorough
@few(10)
@given(
    layers=st.lists(st.tuples(st.sampled_from(ROLES), st.integers(0, 10**12)), min_size=1, max_size=6),
    chip=st.sampled_from(sorted(CHIPS)),
)
def test_the_accountant_follows_the_formula(layers: list[tuple[str, int]], chip: str) -> None:
    names = [f"layer{number}" for number in range(len(layers))]
    roles, spikes = [role for role, _ in layers], [count for _, count in layers]
    report = EnergyAccountant(chip).account(names, [(8, 8)] * len(layers), spikes, 10, roles=roles)
    expected = [count * PJ[chip][role] for role, count in layers]
    assert [layer.energy_pj for layer in report.layers] == [float(pj) for pj in expected]
    assert report.total_energy_pj == float(sum(expected))
    assert sum(layer.share or 0 for layer in report.layers) == pytest.approx(1 if sum(spikes) else 0)
