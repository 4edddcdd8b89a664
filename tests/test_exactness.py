"""Every figure of the digits runs against NumPy, under nine cost versions, and their totals under all of them.

The runs are counted anew from the arrays that the framework handed out (examples/*.npz) and their sidecars, and priced
in exact decimals with costs typed in here: neither comes from the store.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import mostly_thorough

from energy_db import EnergyStore

EXAMPLES = Path(__file__).parents[1] / "examples"
RUNS = ("digits-baseline", "digits-reseeded", "digits-sparse")
PUBLISHED_SPIKES = {
    "digits-baseline": {"input": 175_365, "hidden1": 196_442, "hidden2": 140_600, "output": 16_100},
    "digits-reseeded": {"input": 175_365, "hidden1": 187_319, "hidden2": 117_156, "output": 12_085},
    "digits-sparse": {"input": 175_365, "hidden1": 6_297, "hidden2": 11_167, "output": 7_671},
}
ROLES_OF_DRIVER = {
    "spike": ("input", "hidden", "readout"),
    "neuron_spike": ("hidden", "readout"),
    "generated_spike": ("hidden",),
    "transmitted_spike": ("input", "hidden"),
    "synaptic_event": ("input", "hidden", "readout"),
    "synop_fanin": ("hidden", "readout"),
    "neuron_step": ("hidden", "readout"),
}
DERIVED = {*ROLES_OF_DRIVER, "second"}
TUTORIAL = {
    "membrane_update": "neuron_spike",
    "spike_generation": "generated_spike",
    "synapse_lookup": "transmitted_spike",
    "weight_multiply": "neuron_spike",
    "aer_routing": "transmitted_spike",
}

Version = tuple[str, str]
Costs = dict[str, tuple[str, Decimal]]
Energies = dict[tuple[Any, ...], Decimal]


def tutorial(*pj: str) -> Costs:
    return {operation: (driver, Decimal(cost)) for (operation, driver), cost in zip(TUTORIAL.items(), pj, strict=True)}


def costs(**rows: tuple[str, str]) -> Costs:
    return {operation: (driver, Decimal(pj)) for operation, (driver, pj) in rows.items()}


VERSIONS: dict[Version, Costs] = {
    ("loihi2", "tutorial72"): tutorial("0.5", "0.1", "0.8", "0.5", "0.2"),
    ("spinnaker2", "tutorial72"): tutorial("2.0", "0.5", "5.0", "2.0", "0.5"),
    ("fpga_ice40", "tutorial72"): tutorial("3.0", "1.0", "8.0", "2.0", "1.0"),
    ("akida", "tutorial72"): costs(undivided=("spike", "3.5")),
    ("brainscales2", "tutorial72"): costs(undivided=("spike", "0.3")),
    ("loihi", "keras_spiking_0_3_0"): costs(
        synop=("synaptic_event", "27.1"),
        neuron_update=("neuron_step", "81"),
    ),
    ("spinnaker", "hoeppner2019_comparison"): costs(
        synop=("synaptic_event", "13300"),
        neuron_update=("neuron_step", "26000"),
    ),
    ("akida", "sc_neurocore_3_16_0"): costs(
        synop=("synop_fanin", "10"),
        memory_read=("synop_fanin", "3"),
        membrane_update=("neuron_step", "0.8"),
        spike_generation=("neuron_spike", "0.3"),
        routing=("neuron_spike", "1"),
    ),
    # 27.3 and 133.5 microwatt are so many million pJ a second.
    ("odin", "frenkel2019"): costs(
        sop_incremental=("synaptic_event", "8.43"),
        chip_leakage=("second", "27300000"),
        clock_idle_75mhz=("second", "133500000"),
    ),
}


@dataclass(frozen=True)
class Recorded:
    """What a framework handed out: boolean arrays [timestep, sample, neuron] by layer, and the network's sidecar."""

    name: str

    @cached_property
    def sidecar(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((EXAMPLES / f"{self.name}.json").read_text(encoding="utf-8"))
        return loaded

    @cached_property
    def layers(self) -> dict[str, dict[str, Any]]:
        return {layer["name"]: layer for layer in self.sidecar["layers"]}

    @cached_property
    def spikes(self) -> dict[str, np.ndarray]:
        packed = np.load(EXAMPLES / f"{self.name}.npz")
        return {
            name: np.unpackbits(packed[name], axis=-1, count=layer["n_neurons"]) for name, layer in self.layers.items()
        }

    @property
    def seconds(self) -> Decimal:
        return Decimal(self.n_steps * self.sidecar["timestep_us"]) / 1_000_000

    @property
    def n_steps(self) -> int:
        return int(self.sidecar["n_timesteps"] * self.sidecar["n_samples"])

    def per_spike(self, layer: str, driver: str) -> int:
        """Return the units of a driver that one spike of a layer stands for."""
        known = self.layers[layer]
        if driver == "neuron_step" or known["role"] not in ROLES_OF_DRIVER[driver]:
            return 0
        return int({"synaptic_event": known["fan_out"], "synop_fanin": known["n_inputs"]}.get(driver, 1))

    def per_neuron(self, layer: str, driver: str) -> int:
        """Return the units of a driver that one neuron of a layer stands for, whatever it does."""
        is_charged = driver == "neuron_step" and self.layers[layer]["role"] in ROLES_OF_DRIVER[driver]
        return self.n_steps if is_charged else 0

    def spike_cost(self, layer: str, priced: Costs) -> Decimal:
        by_layer = [(driver, pj) for driver, pj in priced.values() if driver in ROLES_OF_DRIVER]
        return sum((self.per_spike(layer, driver) * pj for driver, pj in by_layer), Decimal(0))

    def neuron_cost(self, layer: str, priced: Costs) -> Decimal:
        return sum((self.per_neuron(layer, driver) * pj for driver, pj in priced.values()), Decimal(0))

    def by_layer_operation(self, priced: Costs) -> Energies:
        found: Energies = {}
        for operation, (driver, pj) in priced.items():
            if driver == "second":
                found[None, operation] = self.seconds * pj
                continue
            for name, array in self.spikes.items():
                units = int(array.sum()) * self.per_spike(name, driver)
                units += self.layers[name]["n_neurons"] * self.per_neuron(name, driver)
                found[name, operation] = units * pj
        return found

    def by_neuron(self, priced: Costs) -> Energies:
        return {
            (name, neuron): int(n_spikes) * self.spike_cost(name, priced) + self.neuron_cost(name, priced)
            for name, array in self.spikes.items()
            for neuron, n_spikes in enumerate(array.sum(axis=(0, 1), dtype=np.int64))
            if n_spikes or self.neuron_cost(name, priced)
        }

    def by_step(self, priced: Costs) -> Energies:
        return {
            (name, timestep): int(n_spikes) * self.spike_cost(name, priced)
            for name, array in self.spikes.items()
            for timestep, n_spikes in enumerate(array.sum(axis=(1, 2), dtype=np.int64))
            if n_spikes
        }


def summed(cells: Energies, *places: int) -> Energies:
    """Return the sums over all but some places of the key."""
    found: Energies = defaultdict(Decimal)
    for key, energy in cells.items():
        found[tuple(key[place] for place in places)] += energy
    return dict(found)


EXPECTED: dict[str, tuple[tuple[str, ...], Callable[[Recorded, Costs], Energies]]] = {
    "chip": ((), lambda run, priced: summed(run.by_layer_operation(priced))),
    "layer": (("layer",), lambda run, priced: summed(run.by_layer_operation(priced), 0)),
    "operation": (("operation",), lambda run, priced: summed(run.by_layer_operation(priced), 1)),
    "layer_operation": (("layer", "operation"), lambda run, priced: run.by_layer_operation(priced)),
    "neuron": (("layer", "neuron"), lambda run, priced: run.by_neuron(priced)),
    "step": (("layer", "timestep"), lambda run, priced: run.by_step(priced)),
}


@pytest.fixture(scope="module")
def recorded() -> dict[str, Recorded]:
    return {name: Recorded(name) for name in RUNS}


@pytest.fixture(scope="module")
def store() -> Iterator[EnergyStore]:
    with EnergyStore(":memory:") as opened:
        for run in RUNS:
            opened.ingest(EXAMPLES / f"{run}.parquet")
        yield opened


def groups(store: EnergyStore, view: str, keys: tuple[str, ...]) -> dict[tuple[str, Version], Energies]:
    """Return all energies of a view, by run and cost version."""
    columns = ", ".join(["run_name", "chip", "cost_version", *keys, "energy_pj"])
    found: dict[tuple[str, Version], Energies] = defaultdict(dict)
    rows = store._engine.rows(f"SELECT {columns} FROM {view}")
    for run, chip, version, *key, energy in rows:
        found[run, (chip, version)][tuple(key)] = energy
    assert sum(map(len, found.values())) == len(rows), "the grain is what the view says"
    return found


def test_the_arrays_hold_the_spikes_that_were_published(recorded: dict[str, Recorded]) -> None:
    counted = {name: {layer: int(array.sum()) for layer, array in run.spikes.items()} for name, run in recorded.items()}
    assert counted == PUBLISHED_SPIKES


@pytest.mark.parametrize("threads", mostly_thorough([1, 2]))
@pytest.mark.parametrize("grain", EXPECTED)
def test_every_figure_is_that_of_numpy(
    store: EnergyStore, recorded: dict[str, Recorded], grain: str, threads: int
) -> None:
    keys, expected = EXPECTED[grain]
    store._engine.run(f"SET threads = {threads}")
    found = groups(store, f"energy_by_{grain}_all_versions", keys)
    in_force = groups(store, f"energy_by_{grain}", keys)
    for version, priced in VERSIONS.items():
        for name, run in recorded.items():
            assert found[name, version] == expected(run, priced), (name, version)
            assert in_force.get((name, version), found[name, version]) == found[name, version]
    assert {version for _, version in in_force} >= {("loihi2", "tutorial72"), ("odin", "frenkel2019")}


@pytest.mark.parametrize("threads", mostly_thorough([1, 2]))
@pytest.mark.parametrize("version", VERSIONS)
def test_every_spike_costs_what_its_layer_says(
    store: EnergyStore, recorded: dict[str, Recorded], version: Version, threads: int
) -> None:
    store._engine.run(f"SET threads = {threads}")
    rows = store._engine.rows(
        "SELECT run_name, layer, sum(n_spikes), min(energy_pj), max(energy_pj), sum(energy_pj) "
        "FROM energy_by_spike_all_versions WHERE chip = ? AND cost_version = ? GROUP BY run_name, layer",
        version,
    )
    found = {(run, layer): figures for run, layer, *figures in rows}
    expected = {}
    for name, run in recorded.items():
        for layer, array in run.spikes.items():
            n_spikes, cost = int(array.sum()), run.spike_cost(layer, VERSIONS[version])
            expected[name, layer] = [n_spikes, cost, cost, n_spikes * cost]
    assert found == expected


@pytest.mark.parametrize("version", [("loihi2", "tutorial72"), ("akida", "sc_neurocore_3_16_0")])
def test_single_spikes_are_priced_one_by_one(
    store: EnergyStore, recorded: dict[str, Recorded], version: Version
) -> None:
    step, sample, run = 3, 7, recorded["digits-sparse"]
    rows = store._engine.rows(
        "SELECT layer, neuron, energy_pj FROM energy_by_spike_all_versions WHERE run_name = 'digits-sparse' "
        "AND chip = ? AND cost_version = ? AND timestep = ? AND sample_index = ?",
        [*version, step, sample],
    )
    expected = {
        (layer, int(neuron)): run.spike_cost(layer, VERSIONS[version])
        for layer, array in run.spikes.items()
        for neuron in np.flatnonzero(array[step, sample])
    }
    assert {(layer, neuron): energy for layer, neuron, energy in rows} == expected
    assert len(rows) == len(expected) > 20


def test_every_total_of_every_shipped_version(store: EnergyStore, recorded: dict[str, Recorded]) -> None:
    # The runs bring no counters: what is charged on one has no energy, nor has what a source leaves blank.
    shipped: dict[Version, Costs] = defaultdict(dict)
    for chip, version, operation, driver, pj in store._engine.rows(
        "SELECT chip, cost_version, operation, driver, energy_pj FROM costs WHERE NOT is_reference"
    ):
        shipped[chip, version][operation] = driver, pj
    rows = store._engine.rows(
        "SELECT run_name, chip, cost_version, energy_pj, n_priced, n_operations FROM energy_by_chip_all_versions"
    )
    found = {(run, (chip, version)): figures for run, chip, version, *figures in rows}
    expected = {}
    for version, rows_of_version in shipped.items():
        known = {name: row for name, row in rows_of_version.items() if row[0] in DERIVED and row[1] is not None}
        for name, run in recorded.items():
            energy = sum(run.by_layer_operation(known).values(), Decimal(0)) if known else None
            expected[name, version] = [energy, len(known), len(rows_of_version)]
    assert found == expected
    assert len(shipped) > 30
    assert set(VERSIONS) < set(shipped)


@pytest.mark.parametrize(
    ("version", "energy"),
    [
        # 175,365 x 1.0 + 337,042 x 2.1 + 16,100 x 1.0
        (("loihi2", "tutorial72"), "899253.2"),
        # 175,365 x 128 + 196,442 x 64 + 140,600 x 10 = 36,425,008 events, 202 neurons x 9,000 steps = 1,818,000
        (("loihi", "keras_spiking_0_3_0"), "1134375716.8"),
        (("spinnaker", "hoeppner2019_comparison"), "531720606400"),
        # (196,442 x 64 + 140,600 x 128 + 16,100 x 64) x 13 + 1,818,000 x 0.8 + 353,142 x 1.3
        (("akida", "sc_neurocore_3_16_0"), "412706828.6"),
        # 36,425,008 x 8.43 + 9 s x 160.8 microwatt
        (("odin", "frenkel2019"), "1754262817.44"),
    ],
)
def test_the_baseline_by_hand(store: EnergyStore, version: Version, energy: str) -> None:
    chip, cost_version = version
    report = store.report("digits-baseline", chip, cost_version=cost_version)
    assert report.total_energy_pj == float(energy)
    assert report.energy_per_inference_pj == float(energy) / 360
    query = "SELECT energy_pj FROM energy_by_chip_all_versions WHERE run_name = ? AND chip = ? AND cost_version = ?"
    assert store._engine.value(query, ["digits-baseline", *version]) == Decimal(energy)


def test_the_published_reason_of_the_baseline_on_loihi2(store: EnergyStore, recorded: dict[str, Recorded]) -> None:
    neurons = recorded["digits-baseline"].spikes["hidden1"].sum(axis=(0, 1), dtype=np.int64)
    assert neurons.argmax() == 115
    assert f"{neurons.max() / neurons.mean():.1f} {196_442 * 2.1 / 899_253.2:.1%}" == "4.1 45.9%"
    why = store.report("digits-baseline", "loihi2").why
    assert why == "hidden1 accounts for 45.9 % of the energy; its neuron 115 fires 4.1 times its layer's mean"
