"""What holds for every run: random spikes, counted here with dictionaries and priced in exact decimals."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from factories import rearranged, run_file, with_sidecar
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from energy_db import EnergyAccountant, EnergyStore
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
ROLES = ("input", "hidden", "readout")
GRAINS = {
    "chip": (),
    "layer": ("layer",),
    "layer_operation": ("layer",),
    "neuron": ("layer", "neuron"),
    "step": ("layer", "timestep"),
    "spike": ("layer", "neuron", "timestep", "sample"),
}
COLUMNS = ("layer", "neuron", "timestep", "sample", "n_spikes")
WIDTHS = (pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64())
COMPRESSIONS = ("none", "snappy", "gzip", "zstd")

few = settings(
    max_examples=10,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Recording:
    """Spike events as rows of (layer, neuron, timestep, sample, n_spikes), and the role of each layer."""

    events: list[tuple[Any, ...]]
    roles: dict[str, str]

    @property
    def columns(self) -> dict[str, list[Any]]:
        return {name: [event[i] for event in self.events] for i, name in enumerate(COLUMNS)}

    @property
    def network(self) -> dict[str, Any]:
        layers = [{"name": name, "role": role, "n_neurons": 6} for name, role in self.roles.items()]
        return {"n_timesteps": 5, "n_samples": 3, "layers": layers}

    def energies(self, chip: str, by: tuple[str, ...]) -> Counter[tuple[Any, ...]]:
        """Return the energy of every group that costs anything."""
        found: Counter[tuple[Any, ...]] = Counter()
        for event in self.events:
            values = dict(zip(COLUMNS, event, strict=True))
            found[tuple(values[key] for key in by)] += values["n_spikes"] * PJ[chip][self.roles[values["layer"]]]
        return found


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    names = draw(st.lists(st.text("abcé 'x1_", min_size=1, max_size=4), min_size=1, max_size=4, unique=True))
    roles = {name: draw(st.sampled_from(ROLES)) for name in names}
    small = (st.integers(0, 5), st.integers(0, 4), st.integers(0, 2), st.integers(1, 100))
    events = draw(st.lists(st.tuples(st.sampled_from(names), *small), min_size=1, max_size=40))
    return Recording(events, roles)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


def ingest(store: EnergyStore, folder: Path, recording: Recording, **options: Any) -> Run:
    path = with_sidecar(run_file(folder / "run.parquet", recording.columns), recording.network)
    return store.ingest(path, **options)


def layer_energies(store: EnergyStore, run: Run) -> dict[str, list[Decimal]]:
    """Return the exact energies of the layers, in order, for every chip."""
    return {report.chip: report.to_arrow().column("energy_pj").to_pylist() for report in store.chips(run)}


def stored_energies(store: EnergyStore, grain: str, chip: str) -> Counter[tuple[Any, ...]]:
    """Return the energy of every group of a grain that costs anything."""
    keys = ["sample_index" if key == "sample" else key for key in GRAINS[grain]]
    found: Counter[tuple[Any, ...]] = Counter()
    for row in store.sql(f"SELECT * FROM energy_by_{grain} WHERE chip = ?", [chip]).to_pylist():
        if row["energy_pj"]:
            found[tuple(row[key] for key in keys)] += row["energy_pj"]
    return found


@few
@given(recording=recordings(), chip=st.sampled_from(sorted(CHIPS)))
def test_every_grain_is_what_counting_gives(folder: Path, recording: Recording, chip: str) -> None:
    with EnergyStore(":memory:") as store:
        ingest(store, folder, recording)
        for grain, keys in GRAINS.items():
            assert stored_energies(store, grain, chip) == recording.energies(chip, keys), grain
        by_operation = store.sql("SELECT energy_pj FROM energy_by_operation WHERE chip = ?", [chip]).to_pylist()
        assert sum(row["energy_pj"] for row in by_operation) == recording.energies(chip, ())[()]
        assert [result.check for result in store.verify() if result.n_failures] == []


@few
@given(recording=recordings(), data=st.data())
def test_energy_is_additive(folder: Path, recording: Recording, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(recording.events)))
    parts = [Recording(recording.events[:cut], recording.roles), Recording(recording.events[cut:], recording.roles)]
    with EnergyStore(":memory:") as store:
        whole = layer_energies(store, ingest(store, folder, recording, name="whole", run_id="whole"))
        sums = {chip: [Decimal(0)] * len(recording.roles) for chip in whole}
        for number, part in enumerate(part for part in parts if part.events):
            run = ingest(store, folder, part, name=f"part{number}", run_id=f"part{number}")
            for chip, pieces in layer_energies(store, run).items():
                sums[chip] = [a + b for a, b in zip(sums[chip], pieces, strict=True)]
    assert sums == whole


@few
@given(recording=recordings(), data=st.data())
def test_the_way_a_file_is_written_does_not_matter(folder: Path, recording: Recording, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(recording.events))))
    types = {name: data.draw(st.sampled_from(WIDTHS)) for name in COLUMNS[1:]}
    types["layer"] = data.draw(st.sampled_from([pa.string(), pa.dictionary(pa.int8(), pa.string())]))
    options = {
        "compression": data.draw(st.sampled_from(COMPRESSIONS)),
        "row_group_size": data.draw(st.integers(1, 10)),
        "use_dictionary": data.draw(st.booleans()),
    }
    with EnergyStore(":memory:") as store, EnergyStore(":memory:") as other:
        plain = ingest(store, folder, recording)
        before = store.report(plain, "loihi2").to_dict(top=None)
        other_file = run_file(folder / "other.parquet", rearranged(recording.columns, order), types=types, **options)
        with_sidecar(other_file, recording.network)
        assert store.ingest(other_file).status == "unchanged"
        rewritten = other.ingest(other_file, name=plain.name)
        assert (rewritten.content_hash, rewritten.run_id) == (plain.content_hash, plain.run_id)
        after = other.report(rewritten, "loihi2").to_dict(top=None)
    del before["provenance"], after["provenance"]
    assert after == before


@few
@given(recording=recordings(), data=st.data())
def test_another_spike_is_another_run(folder: Path, recording: Recording, data: st.DataObject) -> None:
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
    with EnergyStore(":memory:") as store:
        ingest(store, folder, recording)
        assert ingest(store, folder, Recording(changed, recording.roles), name="other").status == "stored"
        assert len(store.runs()) == 2


@few
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
    assert sum(layer.share for layer in report.layers) == pytest.approx(1 if sum(spikes) else 0)
