"""Comparisons from Python: the worked example, the digits runs against NumPy, and what is said of them in words."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cost_model import Layer, Operation, Recording
from factories import run_file, with_sidecar
from shapley import EFFECTS, Split
from test_exactness import EXAMPLES, VERSIONS, Costs, Recorded, Version, costs

from energy_db import Cost, CostSet, EnergyStore
from energy_db.comparisons.comparison import Comparison
from energy_db.comparisons.rows import Effects, Fingerprint, Parting
from energy_db.errors import UsageError

BASELINE, RESEEDED, SPARSE = "digits-baseline", "digits-reseeded", "digits-sparse"
WORKED = {"before": ((3000, 2000, 0), 200), "after": ((2500, 1000, 700), 600)}
"""Spikes of three hidden neurons and of the readout."""


def worked_run(folder: Path, name: str) -> Path:
    hidden, output = WORKED[name]
    columns: dict[str, list[Any]] = {
        "layer": ["hidden", "hidden", "hidden", "output"],
        "neuron": [0, 1, 2, 0],
        "timestep": [0, 0, 0, 0],
        "n_spikes": [*hidden, output],
    }
    fired = [row for row, many in enumerate(columns["n_spikes"]) if many]
    layers = [
        {"name": "hidden", "role": "hidden", "n_neurons": 3},
        {"name": "output", "role": "readout", "n_neurons": 1},
    ]
    path = run_file(
        folder / f"{name}.parquet", {key: [values[row] for row in fired] for key, values in columns.items()}
    )
    return with_sidecar(path, {"n_timesteps": 1, "n_samples": 1, "layers": layers})


def worked_costs(version: str, neuron_pj: str, transmitted_pj: str) -> CostSet:
    costs = [
        Cost("fire", "neuron_spike", Decimal(neuron_pj)),
        Cost("send", "transmitted_spike", Decimal(transmitted_pj)),
    ]
    return CostSet("toy", version, "The worked example of docs/method.md", costs)


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
    folder = tmp_path_factory.mktemp("worked")
    with EnergyStore(":memory:") as store:
        for name in WORKED:
            store.ingest(worked_run(folder, name))
        store.costs.add(worked_costs("v1", "1.0", "1.1"))
        store.costs.add(worked_costs("v2", "1.1", "1.2"))
        yield store


@pytest.fixture(scope="module")
def found(worked: EnergyStore) -> Comparison:
    return worked.compare("before", "after", "toy", cost_version_a="v1", cost_version_b="v2")


def recording(name: str) -> Recording:
    hidden, output = WORKED[name]
    network = (Layer("hidden", "hidden", 3), Layer("output", "readout", 1))
    events = [("hidden", neuron, 0, 0, many) for neuron, many in enumerate(hidden) if many]
    return Recording(network, [*events, ("output", 0, 0, 0, output)], 1, 1)


def operations(neuron_pj: str, transmitted_pj: str) -> list[Operation]:
    return [
        Operation("fire", "neuron_spike", Decimal(neuron_pj)),
        Operation("send", "transmitted_spike", Decimal(transmitted_pj)),
    ]


def rounded(effects: Effects) -> dict[str, float]:
    """Return the effects to a tenth of a picojoule, without those that are exactly 0."""
    return {name: round(amount, 1) for name, amount in vars(effects).items() if amount != 0}


class TestTheWorkedExample:
    """10,700 pJ are 5000 hidden spikes of 2.1 and 200 of the readout of 1.0; 10,320 are 4200 x 2.3 + 600 x 1.1."""

    @pytest.mark.thorough
    def test_it_comes_out(self, found: Comparison) -> None:
        assert (found.total_a_pj, found.total_b_pj, found.change_pj) == (10_700.0, 10_320.0, -380.0)
        assert rounded(found.effects) == {"spikes": -842.1, "layer_mix": -497.3, "cost": 959.4}
        assert found.residual_pj == 0
        assert found.change_share == pytest.approx(-380 / 10_700)

    def test_it_is_what_all_orders_give(self, found: Comparison, worked: EnergyStore) -> None:
        split = Split([recording("before"), recording("after")], [operations("1.0", "1.1"), operations("1.1", "1.2")])
        assert vars(found.effects) == pytest.approx({k: float(v) for k, v in split.whole().items()}, abs=1e-9)
        for layer in found.layers:
            expected = {name: float(effect) for name, effect in split.by_layer()[layer.layer].items()}
            assert vars(layer.effects) == pytest.approx(expected, abs=1e-9)
        neurons = {(entry.layer, entry.neuron): entry.effects for entry in found.neurons()}
        assert (
            neurons.keys() == split.by_neuron().keys() == {("hidden", 0), ("hidden", 1), ("hidden", 2), ("output", 0)}
        )
        for key, effects in split.by_neuron().items():
            assert vars(neurons[key]) == pytest.approx({k: float(v) for k, v in effects.items()}, abs=1e-9)

    @pytest.mark.thorough
    def test_by_the_logarithmic_mean(self, worked: EnergyStore) -> None:
        found = worked.compare("before", "after", "toy", cost_version_a="v1", cost_version_b="v2", method="lmdi")
        assert rounded(found.effects) == {"spikes": -837.2, "layer_mix": -496.0, "cost": 953.2}
        # Each operation in each layer: its logarithmic mean, times the logarithm of what its factor grew by.
        cells = [(5000.0, 4200 * 1.1), (5000 * 1.1, 4200 * 1.2), (200.0, 600 * 1.1)]
        means = [(after - before) / math.log(after / before) for before, after in cells]
        assert found.effects.spikes == pytest.approx(sum(means) * math.log(4800 / 5200), abs=1e-9)
        assert found.residual_pj == pytest.approx(0, abs=1e-9)

    @pytest.mark.thorough
    def test_by_price_volume_mix(self, worked: EnergyStore) -> None:
        found = worked.compare("before", "after", "toy", cost_version_a="v1", cost_version_b="v2", method="pvm")
        # Spikes: all of it at 4800 / 5200. Mix: of 4800, the readout has 600 instead of 4800 x 200 / 5200, each of
        # which costs 1.1 less there. Cost: 4200 x 0.2 and 600 x 0.1.
        expected = {"spikes": -10_700 * 400 / 5200, "layer_mix": -1.1 * (600 - 4800 * 200 / 5200), "cost": 900.0}
        assert vars(found.effects) == pytest.approx(dict.fromkeys(EFFECTS, 0.0) | expected)
        assert rounded(found.effects) == {"spikes": -823.1, "layer_mix": -456.9, "cost": 900.0}
        assert found.residual_pj == pytest.approx(0, abs=1e-9)

    @pytest.mark.thorough
    def test_the_way_back_is_the_same_with_the_other_sign(self, found: Comparison, worked: EnergyStore) -> None:
        back = worked.compare("after", "before", "toy", cost_version_a="v2", cost_version_b="v1")
        assert vars(back.effects) == {name: -amount for name, amount in vars(found.effects).items()}
        assert (back.total_a_pj, back.change_pj) == (10_320.0, 380.0)

    def test_there_is_no_other_method(self, worked: EnergyStore) -> None:
        with pytest.raises(UsageError, match="method is 'laspeyres', must be one of shapley, lmdi, pvm"):
            worked.compare("before", "after", "toy", cost_version_a="v1", cost_version_b="v2", method="laspeyres")  # type: ignore[arg-type]


@dataclass(frozen=True)
class Counted:
    """What NumPy counts of a recorded run, and its network, in which neurons may have fan-outs of their own."""

    run: Recorded
    fan_outs: dict[str, np.ndarray]

    @property
    def spikes(self) -> dict[str, np.ndarray]:
        return {name: array.sum(axis=(0, 1), dtype=np.int64) for name, array in self.run.spikes.items()}

    def units(self, driver: str) -> np.ndarray:
        """Return the units of a driver that one spike of each neuron stands for."""
        found = []
        for name, layer in self.run.layers.items():
            shared = np.full(layer["n_neurons"], float(self.run.per_spike(name, driver)))
            found.append(self.fan_outs.get(name, shared) if driver == "synaptic_event" else shared)
        return np.concatenate(found)

    def others(self, driver: str) -> dict[str | None, float]:
        """Return the units of a driver that spikes do not drive, by layer."""
        if driver == "second":
            return {None: float(self.run.seconds)}
        neurons = {name: layer["n_neurons"] for name, layer in self.run.layers.items()}
        return {name: float(many * self.run.per_neuron(name, driver)) for name, many in neurons.items()}


BESIDE_SPIKES = ("second", "neuron_step")


def by_all_orders(runs: tuple[Counted, Counted], books: tuple[Costs, Costs]) -> dict[str, np.ndarray]:
    """Return the effects of every neuron, in the order of the network: the mean over all orders of five factors."""
    names = sorted(
        {(name, driver) for book in books for name, (driver, _) in book.items() if driver not in BESIDE_SPIKES}
    )
    pj = [np.array([float(book.get(name, ("", 0))[1]) for name, _ in names]) for book in books]
    units = [np.array([run.units(driver) for _, driver in names]).T for run in runs]
    neurons = [np.concatenate(list(run.spikes.values())) for run in runs]
    layers = [np.concatenate([np.full(len(each), each.sum()) for each in run.spikes.values()]) for run in runs]
    factors = [
        [float(each.sum()) for each in neurons],
        [layer / each.sum() for layer, each in zip(layers, neurons, strict=True)],
        [each / layer for layer, each in zip(layers, neurons, strict=True)],
    ]
    worth: dict[tuple[int, ...], np.ndarray] = {}
    for n, s_l, s_n, w, p in np.ndindex(2, 2, 2, 2, 2):
        worth[n, s_l, s_n, w, p] = factors[0][n] * factors[1][s_l] * factors[2][s_n] * (units[w] @ pj[p])
    effects = {name: np.zeros(len(neurons[0])) for name in ("spikes", "layer_mix", "neuron_mix", "work", "cost")}
    for order in permutations(range(5)):
        state = [0] * 5
        for factor in order:
            before = worth[tuple(state)]
            state[factor] = 1
            list(effects.values())[factor][:] += (worth[tuple(state)] - before) / 120
    return effects


def by_layer(runs: tuple[Counted, Counted], books: tuple[Costs, Costs]) -> dict[str | None, dict[str, float]]:
    """Return the effects of every layer, other drivers among them."""
    found: dict[str | None, dict[str, float]] = defaultdict(lambda: dict.fromkeys(EFFECTS, 0.0))
    ends = np.cumsum([len(each) for each in runs[0].spikes.values()])[:-1]
    for name, effects in by_all_orders(runs, books).items():
        for layer, part in zip(runs[0].spikes, np.split(effects, ends), strict=True):
            found[layer][name] = float(part.sum())
    for name, driver in {(name, driver) for book in books for name, (driver, _) in book.items()}:
        if driver in BESIDE_SPIKES:
            old, new = (float(book.get(name, ("", 0))[1]) for book in books)
            before, after = (run.others(driver) for run in runs)
            for place in before:
                found[place]["other_drivers"] += (after[place] - before[place]) * (old + new) / 2
                found[place]["cost"] += (new - old) * (before[place] + after[place]) / 2
    return dict(found)


@pytest.fixture(scope="module")
def counted() -> dict[str, Counted]:
    """Count the recorded runs, and digits-sparse once more, as if its neurons had been pruned unevenly."""
    uneven = {"hidden1": np.arange(128) * 7 % 65, "hidden2": np.arange(64) % 11}
    runs = {name: Counted(Recorded(name), {}) for name in (BASELINE, RESEEDED, SPARSE)}
    return runs | {"digits-pruned": Counted(Recorded(SPARSE), uneven)}


@pytest.fixture(scope="module")
def digits_runs(counted: dict[str, Counted]) -> Iterator[EnergyStore]:
    with EnergyStore(":memory:") as store:
        for name in (BASELINE, RESEEDED, SPARSE):
            store.ingest(EXAMPLES / f"{name}.parquet")
        pruned = counted["digits-pruned"]
        layers = [
            {**layer, "fan_out": pruned.fan_outs.get(name, layer["fan_out"])}
            for name, layer in pruned.run.layers.items()
        ]
        layers = [{**layer, "fan_out": np.asarray(layer["fan_out"]).tolist()} for layer in layers]
        store.ingest(
            EXAMPLES / f"{SPARSE}.parquet",
            name="digits-pruned",
            network={**pruned.run.sidecar, "layers": layers, "run": "digits-pruned"},
            on_duplicate="new",
        )
        yield store


class TestDigits:
    @pytest.mark.one_in(9)
    @pytest.mark.parametrize("version", VERSIONS, ids=" ".join)
    @pytest.mark.parametrize("after", [pytest.param(SPARSE, marks=pytest.mark.thorough), "digits-pruned"])
    def test_every_effect_is_that_of_numpy(
        self, digits_runs: EnergyStore, counted: dict[str, Counted], version: Version, after: str
    ) -> None:
        chip, cost_version = version
        found = digits_runs.compare(BASELINE, after, chip, cost_version_a=cost_version, cost_version_b=cost_version)
        self.assert_agrees(found, (counted[BASELINE], counted[after]), (VERSIONS[version], VERSIONS[version]))

    @pytest.mark.thorough
    def test_under_two_versions_with_other_operations(
        self, digits_runs: EnergyStore, counted: dict[str, Counted]
    ) -> None:
        found = digits_runs.compare(
            BASELINE, RESEEDED, "akida", cost_version_a="tutorial72", cost_version_b="sc_neurocore_3_16_0"
        )
        books = VERSIONS["akida", "tutorial72"], VERSIONS["akida", "sc_neurocore_3_16_0"]
        self.assert_agrees(found, (counted[BASELINE], counted[RESEEDED]), books)
        assert [entry.what for entry in found.differs if entry.matters] == ["what the costs include"]

    @pytest.mark.thorough
    def test_work_and_costs_change_at_once(self, digits_runs: EnergyStore, counted: dict[str, Counted]) -> None:
        # Neurons are pruned, synapses get costlier, and spikes are charged where every timestep was before.
        books = (
            costs(synop=("synaptic_event", "27.1"), update=("neuron_step", "81")),
            costs(synop=("synaptic_event", "30"), fire=("neuron_spike", "81")),
        )
        for version, book in zip(("v1", "v2"), books, strict=True):
            rows = [Cost(name, driver, pj) for name, (driver, pj) in book.items()]
            digits_runs.costs.add(CostSet("toy", version, "By hand", rows))
        found = digits_runs.compare(BASELINE, "digits-pruned", "toy", cost_version_a="v1", cost_version_b="v2")
        self.assert_agrees(found, (counted[BASELINE], counted["digits-pruned"]), books)
        assert all(amount != 0 for name, amount in vars(found.effects).items() if name != "other_drivers")

    @staticmethod
    def assert_agrees(found: Comparison, runs: tuple[Counted, Counted], books: tuple[Costs, Costs]) -> None:
        expected = by_layer(runs, books)
        assert {layer.layer for layer in found.layers} == expected.keys()
        scale = max(found.total_a_pj, found.total_b_pj)
        for layer in found.layers:
            assert vars(layer.effects) == pytest.approx(expected[layer.layer], rel=1e-9, abs=1e-12 * scale)
        whole = {name: sum(effects[name] for effects in expected.values()) for name in EFFECTS}
        assert vars(found.effects) == pytest.approx(whole, rel=1e-9, abs=1e-12 * scale)
        assert found.residual_pj == 0

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize("version", [("loihi2", "tutorial72"), ("loihi", "keras_spiking_0_3_0")])
    def test_every_neuron_is_that_of_numpy(
        self, digits_runs: EnergyStore, counted: dict[str, Counted], version: Version
    ) -> None:
        chip, cost_version = version
        runs = counted[BASELINE], counted["digits-pruned"]
        found = digits_runs.compare(
            BASELINE, "digits-pruned", chip, cost_version_a=cost_version, cost_version_b=cost_version
        )
        arrays = by_all_orders(runs, (VERSIONS[version], VERSIONS[version]))
        places = [(layer, neuron) for layer, each in runs[0].spikes.items() for neuron in range(len(each))]
        effects = {
            entry_of: entry.effects for entry in found.neurons(None) for entry_of in [(entry.layer, entry.neuron)]
        }
        assert len(effects) > 200
        for number, place in enumerate(places):
            expected = {name: float(array[number]) for name, array in arrays.items()} | {"other_drivers": 0.0}
            assert vars(effects.get(place, Effects(0, 0, 0, 0, 0, 0))) == pytest.approx(expected, rel=1e-9, abs=1e-6)


class TestDigitsInWords:
    """On loihi2, 899,253.2 pJ (docs/method.md) against 175,365 x 1.0 + 17,464 x 2.1 + 7,671 x 1.0 = 219,710.4 pJ."""

    @pytest.fixture
    def sparser(self, digits_runs: EnergyStore) -> Comparison:
        return digits_runs.compare(BASELINE, SPARSE, "loihi2")

    def test_figures_by_hand(self, sparser: Comparison, digits_runs: EnergyStore) -> None:
        assert (sparser.total_a_pj, sparser.total_b_pj, sparser.change_pj) == (899_253.2, 219_710.4, -679_542.8)
        reports = [digits_runs.report(name, "loihi2").total_energy_pj for name in (BASELINE, SPARSE)]
        assert [sparser.total_a_pj, sparser.total_b_pj] == reports
        assert [(layer.layer, layer.spikes_a, layer.spikes_b, layer.change_pj) for layer in sparser.layers] == [
            ("input", 175_365, 175_365, 0.0),
            ("hidden1", 196_442, 6_297, -399_304.5),
            ("hidden2", 140_600, 11_167, -271_809.3),
            ("output", 16_100, 7_671, -8_429.0),
        ]

    def test_why(self, sparser: Comparison) -> None:
        # 6,297 of 196,442 are 3.2 %, 11,167 of 140,600 are 7.9 %, 219,710.4 of 899,253.2 are 24.4 %.
        assert sparser.why == "-75.6 %: hidden1 fires 97 % less, hidden2 fires 92 % less"

    @pytest.mark.thorough
    def test_why_on_the_way_back(self, digits_runs: EnergyStore) -> None:
        # 196,442 / 6,297 = 31.2, 140,600 / 11,167 = 12.6, 899,253.2 / 219,710.4 = 4.093
        why = digits_runs.compare(SPARSE, BASELINE, "loihi2").why
        assert why == "+309.3 %: hidden1 fires 31.2 times as often, hidden2 fires 12.6 times as often"

    @pytest.mark.thorough
    def test_accuracy_stands_beside_it(self, sparser: Comparison) -> None:
        assert (sparser.accuracy_a, sparser.accuracy_b) == (0.9806, 0.9444)
        # 353.016 and 339.984 of 360 answers are right.
        assert sparser.energy_per_correct_a_pj == pytest.approx(899_253.2 / 353.016)
        assert sparser.energy_per_correct_b_pj == pytest.approx(219_710.4 / 339.984)
        page = sparser._repr_html_()
        assert "Accuracy: 98.1 % -&gt; 94.4 %" in page
        assert "energy per correct answer 2.547 nJ -&gt; 646.2 pJ (-74.6 %)" in page

    @pytest.mark.thorough
    def test_where_two_runs_of_a_seed_part(self, sparser: Comparison, counted: dict[str, Counted]) -> None:
        before, after = (counted[name].run.spikes for name in (BASELINE, SPARSE))
        assert np.array_equal(before["input"], after["input"])
        places = [
            (step, order, int(neuron), int(sample))
            for order, layer in enumerate(before)
            for step, sample, neuron in np.argwhere(before[layer] != after[layer])
        ]
        step, order, neuron, sample = min(places)
        layer = list(before)[order]
        counts = int(before[layer][step, sample, neuron]), int(after[layer][step, sample, neuron])
        assert sparser.fingerprint == Fingerprint(True, Parting(step, layer, neuron, sample, *counts))

    def test_another_seed_promises_nothing(self, digits_runs: EnergyStore) -> None:
        found = digits_runs.compare(BASELINE, RESEEDED, "loihi2")
        assert found.fingerprint == Fingerprint(False, None)
        assert [(entry.what, entry.a, entry.b, entry.matters) for entry in found.differs] == [("seed", "1", "7", False)]
        assert found.comparable
