"""Every figure of the digits runs against NumPy, and all sums to the last digit.

The runs are counted anew from the arrays that the framework handed out (examples/*.npz), and priced in exact decimals
with the costs of the five chips typed in here: neither comes from the store.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from energy_db import EnergyStore

EXAMPLES = Path(__file__).parents[1] / "examples"
RUNS = ("digits-baseline", "digits-reseeded", "digits-sparse")
LAYERS = {"input": ("input", 64), "hidden1": ("hidden", 128), "hidden2": ("hidden", 64), "output": ("readout", 10)}
DRIVERS = {
    "hidden": {"spike", "neuron_spike", "generated_spike", "transmitted_spike"},
    "readout": {"spike", "neuron_spike"},
    "input": {"spike", "transmitted_spike"},
}
OPERATIONS = {
    "membrane_update": "neuron_spike",
    "spike_generation": "generated_spike",
    "synapse_lookup": "transmitted_spike",
    "weight_multiply": "neuron_spike",
    "aer_routing": "transmitted_spike",
    "undivided": "spike",
}
COSTS = {
    "loihi2": {
        "membrane_update": Decimal("0.5"),
        "spike_generation": Decimal("0.1"),
        "synapse_lookup": Decimal("0.8"),
        "weight_multiply": Decimal("0.5"),
        "aer_routing": Decimal("0.2"),
    },
    "spinnaker2": {
        "membrane_update": Decimal("2.0"),
        "spike_generation": Decimal("0.5"),
        "synapse_lookup": Decimal("5.0"),
        "weight_multiply": Decimal("2.0"),
        "aer_routing": Decimal("0.5"),
    },
    "fpga_ice40": {
        "membrane_update": Decimal("3.0"),
        "spike_generation": Decimal("1.0"),
        "synapse_lookup": Decimal("8.0"),
        "weight_multiply": Decimal("2.0"),
        "aer_routing": Decimal("1.0"),
    },
    "akida": {"undivided": Decimal("3.5")},
    "brainscales2": {"undivided": Decimal("0.3")},
}
PUBLISHED_SPIKES = {
    "digits-baseline": {"input": 175_365, "hidden1": 196_442, "hidden2": 140_600, "output": 16_100},
    "digits-reseeded": {"input": 175_365, "hidden1": 187_319, "hidden2": 117_156, "output": 12_085},
    "digits-sparse": {"input": 175_365, "hidden1": 6_297, "hidden2": 11_167, "output": 7_671},
}

Spikes = dict[str, np.ndarray]


def recorded(run: str) -> Spikes:
    """Return a boolean array [timestep, sample, neuron] for each layer."""
    packed = np.load(EXAMPLES / f"{run}.npz")
    return {name: np.unpackbits(packed[name], axis=-1, count=size) for name, (_, size) in LAYERS.items()}


def cost_of_spike(chip: str, role: str) -> Decimal:
    return sum((pj for op, pj in COSTS[chip].items() if OPERATIONS[op] in DRIVERS[role]), Decimal(0))


def energy_of(chip: str, layer: str, spikes: int) -> Decimal:
    return spikes * cost_of_spike(chip, LAYERS[layer][0])


@pytest.fixture(scope="module")
def arrays() -> dict[str, Spikes]:
    return {run: recorded(run) for run in RUNS}


@pytest.fixture(scope="module")
def store() -> Any:
    with EnergyStore(":memory:") as opened:
        for run in RUNS:
            opened.ingest(EXAMPLES / f"{run}.parquet")
        yield opened


def energies(store: EnergyStore, view: str, keys: str, run: str, chip: str) -> dict[tuple[Any, ...], Decimal]:
    rows = store.sql(f"SELECT {keys}, energy_pj FROM {view} WHERE run_name = ? AND chip = ?", [run, chip]).to_pylist()
    found = {tuple(row[key] for key in keys.split(", ")): row["energy_pj"] for row in rows}
    assert len(found) == len(rows), "the grain is what the view says"
    return found


def test_the_arrays_hold_the_spikes_that_were_published(arrays: dict[str, Spikes]) -> None:
    counted = {run: {layer: int(a.sum()) for layer, a in spikes.items()} for run, spikes in arrays.items()}
    assert counted == PUBLISHED_SPIKES


@pytest.mark.parametrize("chip", COSTS)
@pytest.mark.parametrize("run", RUNS)
class TestAgainstNumPy:
    def test_every_layer(self, store: EnergyStore, arrays: dict[str, Spikes], run: str, chip: str) -> None:
        expected = {(layer,): energy_of(chip, layer, int(a.sum())) for layer, a in arrays[run].items()}
        assert energies(store, "energy_by_layer", "layer", run, chip) == expected

    def test_every_neuron(self, store: EnergyStore, arrays: dict[str, Spikes], run: str, chip: str) -> None:
        expected = {
            (layer, neuron): energy_of(chip, layer, int(spikes))
            for layer, a in arrays[run].items()
            for neuron, spikes in enumerate(a.sum(axis=(0, 1), dtype=np.int64))
            if spikes
        }
        assert energies(store, "energy_by_neuron", "layer, neuron", run, chip) == expected

    def test_every_timestep(self, store: EnergyStore, arrays: dict[str, Spikes], run: str, chip: str) -> None:
        expected = {
            (layer, timestep): energy_of(chip, layer, int(spikes))
            for layer, a in arrays[run].items()
            for timestep, spikes in enumerate(a.sum(axis=(1, 2), dtype=np.int64))
            if spikes
        }
        assert energies(store, "energy_by_step", "layer, timestep", run, chip) == expected

    def test_every_operation(self, store: EnergyStore, arrays: dict[str, Spikes], run: str, chip: str) -> None:
        by_layer = {
            (layer, operation): int(a.sum()) * cost
            if OPERATIONS[operation] in DRIVERS[LAYERS[layer][0]]
            else Decimal(0)
            for layer, a in arrays[run].items()
            for operation, cost in COSTS[chip].items()
        }
        assert energies(store, "energy_by_layer_operation", "layer, operation", run, chip) == by_layer
        over_layers: dict[tuple[str], Decimal] = defaultdict(Decimal)
        for (_, operation), energy in by_layer.items():
            over_layers[operation,] += energy
        assert energies(store, "energy_by_operation", "operation", run, chip) == over_layers

    def test_the_total(self, store: EnergyStore, arrays: dict[str, Spikes], run: str, chip: str) -> None:
        total = sum(energy_of(chip, layer, int(a.sum())) for layer, a in arrays[run].items())
        assert energies(store, "energy_by_chip", "chip", run, chip) == {(chip,): total}
        report = store.report(run, chip)
        assert report.total_energy_pj == float(total)
        assert report.energy_per_inference_pj == float(total) / 360


def test_the_published_figure_of_the_baseline_on_loihi2(store: EnergyStore) -> None:
    report = store.report("digits-baseline", "loihi2")
    assert report.total_energy_pj == 899253.2
    assert report.energy_per_inference_pj == pytest.approx(2498, abs=0.5)


def test_the_published_reason_of_the_baseline_on_loihi2(store: EnergyStore, arrays: dict[str, Spikes]) -> None:
    neurons = arrays["digits-baseline"]["hidden1"].sum(axis=(0, 1), dtype=np.int64)
    assert neurons.argmax() == 115
    assert f"{neurons.max() / neurons.mean():.1f} {196_442 * 2.1 / 899_253.2:.1%}" == "4.1 45.9%"
    why = store.report("digits-baseline", "loihi2").why
    assert why == "hidden1 accounts for 45.9 % of the energy; its neuron 115 fires 4.1 times its layer's mean"


def test_single_spikes_are_priced_one_by_one(store: EnergyStore, arrays: dict[str, Spikes]) -> None:
    step, sample = 3, 7
    rows = store.sql(
        "SELECT layer, neuron, energy_pj FROM energy_by_spike "
        "WHERE run_name = 'digits-sparse' AND chip = 'loihi2' AND timestep = ? AND sample_index = ?",
        [step, sample],
    ).to_pylist()
    found = {(row["layer"], row["neuron"]): row["energy_pj"] for row in rows}
    expected = {
        (layer, int(neuron)): energy_of("loihi2", layer, 1)
        for layer, a in arrays["digits-sparse"].items()
        for neuron in np.flatnonzero(a[step, sample])
    }
    assert found == expected
    assert len(rows) == len(expected) > 20


SUMS = "SELECT run_name, chip, CAST(sum(energy_pj) AS DECIMAL(38, 6)) AS energy_pj FROM {} GROUP BY run_name, chip"


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("grain", ["chip", "layer", "operation", "layer_operation", "neuron", "step", "spike"])
def test_sums_close_to_the_last_digit(store: EnergyStore, grain: str, threads: int) -> None:
    store._engine.run(f"SET threads = {threads}")
    rows = store.sql(SUMS.format(f"energy_by_{grain}")).to_pylist()
    expected = {
        (run, chip): sum(energy_of(chip, layer, spikes) for layer, spikes in PUBLISHED_SPIKES[run].items())
        for run in RUNS
        for chip in COSTS
    }
    assert {(row["run_name"], row["chip"]): row["energy_pj"] for row in rows} == expected
    assert all(isinstance(row["energy_pj"], Decimal) for row in rows)
