"""A metric over the runs of a store: what each run counts, where the level changed, why, and how the shell says so.

A night is a run of factories.NETWORK: 3 hidden and 2 readout neurons, 4 timesteps, 2 samples. On the chip toy, a hidden
spike costs 5 + 1 = 6 pJ and a readout spike 5 pJ under rev1, 4 + 2 = 6 and 4 pJ under rev2.
"""

from __future__ import annotations

import csv
import json
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import NETWORK, Shell, run_file

from energy_db import Cost, CostSet, EnergyStore
from energy_db.catalogue import shipped
from energy_db.catalogue.sets import Chip
from energy_db.comparisons.rows import Effects
from energy_db.errors import NotFoundError, UsageError
from energy_db.history import trend_text
from energy_db.history.reasons import typical
from energy_db.history.trend import Series, Step, Trend
from energy_db.pages import trend_page

FIRST_NIGHT = datetime(2020, 1, 1, 3, 0)
REVISIONS = [
    CostSet("toy", name, "by hand", [Cost("update", "neuron_spike", a), Cost("send", "generated_spike", b)],
            in_force_from=date(2020, month, 1))
    for name, a, b, month in (("rev1", 5, 1, 1), ("rev2", 4, 2, 2))
]  # fmt: skip
N_QUIET, N_LOUD = 24, 8
OUTPUT = 10
ASKED = ["--chip", "toy", "--cost", "rev1", "--by", "layer", "--where", "branch=main", "--where", "accuracy>=0.9",
         "--since", "2020-01-02", "--last", "30", "--fdr", "0.05", "--min-change", "0.02",
         "--name", "nightly"]  # fmt: skip


def night(
    store: EnergyStore,
    folder: Path,
    number: int,
    hidden: int,
    *,
    name: str = "nightly",
    output: int = OUTPUT,
    tags: Mapping[str, Any] | None = None,
    network: Mapping[str, Any] = NETWORK,
    layer: str = "hidden",
) -> str:
    """Store a run of so many spikes, on the night of its number; in another place every night, so that runs differ."""
    neuron, timestep, sample, readout_timestep = number % 3, number // 3 % 4, number // 12 % 2, number // 24 % 4
    place = {"neuron": [neuron, 0], "timestep": [timestep, readout_timestep], "sample": [sample, 0]}
    events = {"layer": [layer, "output"], **place, "n_spikes": [hidden, output]}
    path = run_file(folder / f"{name}-{number}.parquet", events)
    run = store.ingest(path, name=name, network=network, tags=tags, on_duplicate="new")
    assert run.status == "stored"
    moment = FIRST_NIGHT + timedelta(days=number)
    store._engine.run("UPDATE runs SET ingested_at = ? WHERE run_key = ?", [moment, run.run_key])
    return run.run_id


@pytest.fixture(scope="module")
def nights(_empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose hidden layer fires 100 times in 24 nights and 110 times in the 8 nights since 25 January."""
    folder = tmp_path_factory.mktemp("nights")
    path = Path(shutil.copy(_empty_store, folder / "nights.duckdb"))
    with EnergyStore(path) as store:
        shipped.install(store._engine, [Chip("toy", "Toy", "", tuple(REVISIONS))])
        for number in range(N_QUIET + N_LOUD):
            tags = {"accuracy": f"{0.95 + number % 2 / 100:.2f}", "branch": "main" if number != 3 else "other"}
            night(store, folder, number, 100 if number < N_QUIET else 110, tags=tags)
    return path


@pytest.fixture(scope="module")
def shared(nights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
    """The nights, for tests that only look: a copy, since nobody may copy a file that this process holds."""
    path = shutil.copy(nights, tmp_path_factory.mktemp("shared") / "energy.duckdb")
    with EnergyStore(path, read_only=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def of_energy(shared: EnergyStore) -> Trend:
    return shared.trend("energy", chip="toy", cost_version="rev1")


@pytest.fixture(scope="module")
def of_layers(shared: EnergyStore) -> Trend:
    return shared.trend("energy", chip="toy", cost_version="rev1", by="layer")


@pytest.fixture(scope="module")
def as_recorded(shared: EnergyStore) -> Trend:
    return shared.trend(chip="toy", as_recorded=True)


@pytest.fixture
def store(nights: Path, tmp_path: Path) -> Iterator[EnergyStore]:
    with EnergyStore(shutil.copy(nights, tmp_path / "energy.duckdb")) as opened:
        yield opened


@pytest.fixture
def empty(tmp_store: Path) -> Iterator[EnergyStore]:
    with EnergyStore(tmp_store) as opened:
        yield opened


def only(trend: Trend) -> Series:
    [series] = trend.series
    return series


def only_step(trend: Trend) -> Step:
    [step] = only(trend).steps
    return step


def values(trend: Trend) -> dict[str, set[float]]:
    return {series.name: {point.value for point in series.points} for series in trend.series}


class TestTheStep:
    def test_what_is_said_of_it(self, of_energy: Trend) -> None:
        step = only_step(of_energy)
        points = only(of_energy).points
        # 100 x 6 + 10 x 5 = 650 pJ, then 110 x 6 + 50 = 710 pJ
        assert (step.before, step.after, step.change, step.share) == (650.0, 710.0, 60.0, pytest.approx(60 / 650))
        assert (step.index, step.n_runs, step.evidence, step.p_value) == (24, 8, "exact", None)
        assert (step.run_id, step.previous_run_id) == (points[24].run_id, points[23].run_id)
        assert step.ingested_at == datetime(2020, 1, 25, 3, 0)
        assert (step.cost_version_before, step.cost_version_after, step.comparable) == ("rev1", "rev1", True)
        assert (step.is_of_costs, step.accepted) == (False, None)

    def test_why(self, of_energy: Trend) -> None:
        step = only_step(of_energy)
        assert step.why == "+9.2 %: hidden fires 10 % more"
        assert step.effects is not None
        assert sum(vars(step.effects).values()) == pytest.approx(60.0)
        assert step.effects.cost == 0.0

    def test_points_know_their_level(self, of_energy: Trend) -> None:
        points = only(of_energy).points
        assert [point.level for point in points] == [650.0] * 24 + [710.0] * 8
        assert [point.ingested_at for point in points] == [FIRST_NIGHT + timedelta(days=n) for n in range(32)]
        assert {point.stands_apart for point in points} == {False}

    def test_by_layer(self, of_layers: Trend) -> None:
        assert values(of_layers) == {"hidden": {600.0, 660.0}, "output": {50.0}}
        hidden, output = of_layers.series
        [step] = hidden.steps
        assert (step.index, step.change, step.why) == (24, 60.0, "+10.0 %: hidden fires 10 % more")
        assert step.effects is not None
        assert sum(vars(step.effects).values()) == pytest.approx(60.0)
        assert (output.steps, output.note) == ((), None)
        assert of_layers.steps == ((hidden, step),)

    def test_of_what_is_no_energy_nothing_is_explained(self, shared: EnergyStore) -> None:
        trend = shared.trend("spikes")
        step = only_step(trend)
        assert (step.before, step.after, step.why, step.effects, step.comparable) == (110.0, 120.0, None, None, None)
        assert (trend.chip, trend.cost_version, trend.unit) == (None, None, "spikes")


class TestMetrics:
    @pytest.mark.parametrize(
        ("metric", "before", "after"),
        [
            ("energy", 650.0, 710.0),
            ("energy_per_inference", 325.0, 355.0),
            ("energy_per_spike", 650 / 110, 710 / 120),
            ("spikes", 110.0, 120.0),
            # of 5 neurons in 4 timesteps of 2 samples
            ("firing_rate", 110 / 40, 120 / 40),
        ],
    )
    def test_of_the_whole_run(self, shared: EnergyStore, metric: str, before: float, after: float) -> None:
        trend = shared.trend(metric, chip="toy", cost_version="rev1" if "energy" in metric else None)
        assert [point.value for point in only(trend).points] == pytest.approx([before] * 24 + [after] * 8)

    @pytest.mark.parametrize(
        ("metric", "hidden", "output"),
        [
            ("energy", {600.0, 660.0}, {50.0}),
            ("energy_per_inference", {300.0, 330.0}, {25.0}),
            ("energy_per_spike", {6.0}, {5.0}),
            ("spikes", {100.0, 110.0}, {10.0}),
            # 3 and 2 neurons
            ("firing_rate", {100 / 24, 110 / 24}, {10 / 16}),
        ],
    )
    def test_by_layer(self, shared: EnergyStore, metric: str, hidden: set[float], output: set[float]) -> None:
        version = "rev1" if "energy" in metric else None
        assert values(shared.trend(metric, chip="toy", cost_version=version, by="layer")) == {
            "hidden": hidden,
            "output": output,
        }

    def test_a_tag(self, store: EnergyStore) -> None:
        store.tag("latest", {"accuracy": "unknown"})
        store.tag("latest~1", {"accuracy": None})
        trend = store.trend("tag:accuracy")
        assert [point.value for point in only(trend).points] == [0.95, 0.96] * 15
        assert only(trend).steps == ()
        assert {entry.reason for entry in trend.left_out} == {
            "its tag accuracy is no number: 'unknown'",
            "it has no tag accuracy",
        }
        assert trend.n_runs == 32
        assert "2 of 32 runs left out: they have no value to compare" in trend.warnings

    @pytest.mark.thorough
    def test_static_power_is_a_series_of_its_own(self, store: EnergyStore) -> None:
        # 4 timesteps of 1 ms in 2 samples: 0.008 s of 1000 pJ; a spike of a neuron costs 2 pJ
        costs = [Cost("fire", "neuron_spike", 2), Cost("leak", "second", 1000, scope="static")]
        store.costs.add(CostSet("leaky", "v1", "by hand", costs))
        trend = store.trend("energy", chip="leaky", cost_version="v1", by="layer")
        assert values(trend) == {"hidden": {200.0, 220.0}, "output": {20.0}, "(no layer)": {8.0}}


class TestWhichRuns:
    def test_conditions(self, shared: EnergyStore) -> None:
        assert len(only(shared.trend("spikes", where=["branch=main"])).points) == 31
        assert len(only(shared.trend("spikes", where=["accuracy>=0.955"])).points) == 16
        assert len(only(shared.trend("spikes", since="2020-01-25")).points) == 8
        newest = only(shared.trend("spikes", last=9)).points
        assert [point.value for point in newest] == [110.0] + [120.0] * 8

    def test_a_condition_on_energy(self, shared: EnergyStore) -> None:
        assert len(only(shared.trend(chip="toy", cost_version="rev1", where=["energy>700pJ"])).points) == 8
        assert len(only(shared.trend("spikes", chip="toy", cost_version="rev1", where=["energy>700pJ"])).points) == 8
        # Under rev2, which is in force today, no run costs more than 700 pJ.
        assert len(only(shared.trend(chip="toy", as_recorded=True, where=["energy<650pJ"])).points) == 24
        with pytest.raises(UsageError, match="needs a chip"):
            shared.trend("spikes", where=["energy>700pJ"])

    def test_one_name(self, store: EnergyStore, tmp_path: Path) -> None:
        night(store, tmp_path, 40, 500, name="weekly")
        both = store.trend("spikes")
        assert only(both).points[-1].value == 510.0
        assert any("2 names" in warning for warning in both.warnings)
        nightly = store.trend("spikes", name="nightly")
        assert (len(only(nightly).points), nightly.warnings) == (32, ())

    @pytest.mark.thorough
    def test_a_part_of_an_energy_is_no_value(self, store: EnergyStore, tmp_path: Path) -> None:
        layers = [{key: value for key, value in layer.items() if key != "fan_out"} for layer in NETWORK["layers"]]
        unknown = night(store, tmp_path, 40, 100, network={**NETWORK, "layers": layers})
        trend = store.trend(chip="loihi", cost_version="keras_spiking_0_3_0")
        [left_out] = trend.left_out
        assert (left_out.run_id, len(only(trend).points)) == (unknown, 32)
        assert "1 of 2 operations priced" in left_out.reason
        assert "no fan_out is declared for hidden" in left_out.reason

    def test_runs_that_are_not_alike(self, store: EnergyStore, tmp_path: Path) -> None:
        night(store, tmp_path, 13, 110, network={**NETWORK, "n_samples": 4})
        trend = store.trend("spikes")
        assert trend.warnings == ("not all runs have as many samples (2 in 32, 4 in 1): a step may be theirs",)

    @pytest.mark.thorough
    def test_a_step_to_what_is_not_comparable(self, empty: EnergyStore, tmp_path: Path) -> None:
        for number in range(8):
            is_longer = number >= 4
            network = {**NETWORK, "n_timesteps": 8 if is_longer else 4}
            night(empty, tmp_path, number, 110 if is_longer else 100, network=network)
        trend = empty.trend("energy", chip="loihi2")
        step = only_step(trend)
        assert (step.index, step.comparable) == (4, False)
        assert "not all runs have as many timesteps (4 in 4, 8 in 4): a step may be theirs" in trend.warnings

    @pytest.mark.thorough
    def test_silence_has_no_energy_per_spike(self, empty: EnergyStore, tmp_path: Path) -> None:
        network = {**NETWORK, "layers": [*NETWORK["layers"], {"name": "idle", "role": "hidden", "n_neurons": 4}]}
        for number in range(3):
            night(empty, tmp_path, number, 100, network=network)
        assert values(empty.trend("energy_per_spike", chip="loihi2", by="layer")) == {"hidden": {2.1}, "output": {1.0}}
        assert values(empty.trend("spikes", by="layer"))["idle"] == {0.0}


class TestCosts:
    def test_one_version_for_all_by_default(self, shared: EnergyStore) -> None:
        trend = shared.trend(chip="toy")
        # rev2 is in force today: 100 x 6 + 10 x 4, then 110 x 6 + 40
        assert (trend.cost_version, trend.as_recorded) == ("rev2", False)
        assert values(trend) == {"total": {640.0, 700.0}}
        assert {point.cost_version for point in only(trend).points} == {"rev2"}

    def test_as_recorded(self, as_recorded: Trend) -> None:
        # rev1 until 31 January, which is the night of the number 30: 650 and 710; then rev2: 700
        assert as_recorded.cost_version is None
        assert [point.value for point in only(as_recorded).points] == [650.0] * 24 + [710.0] * 7 + [700.0]
        first, second = only(as_recorded).steps
        assert (first.index, first.is_of_costs) == (24, False)
        assert (second.index, second.change, second.n_runs, second.is_of_costs) == (31, -10.0, 1, True)
        assert (second.cost_version_before, second.cost_version_after) == ("rev1", "rev2")
        assert second.effects is not None
        assert second.effects.cost == pytest.approx(-10.0)
        newest = only(as_recorded).points[31].run_id
        assert f"from {newest} on, the costs are rev2, and rev1 before" in as_recorded.warnings

    def test_a_step_is_of_costs_if_they_moved_most(self, as_recorded: Trend) -> None:
        step = only(as_recorded).steps[1]
        for spikes, cost, is_of_costs in ((9.0, -10.0, True), (11.0, -10.0, False)):
            effects = Effects(spikes, 0.0, 0.0, 0.0, 0.0, cost)
            assert replace(step, effects=effects).is_of_costs is is_of_costs

    @pytest.mark.thorough
    def test_before_any_version_was_in_force(self, store: EnergyStore, tmp_path: Path) -> None:
        early = night(store, tmp_path, -5, 100)
        trend = store.trend(chip="toy", as_recorded=True)
        [left_out] = trend.left_out
        assert (left_out.run_id, left_out.reason) == (early, "no cost version was in force when it came in")
        assert store.trend(chip="toy").left_out == ()


def noisy(store: EnergyStore, folder: Path, n_before: int, n_after: int, factor: float = 1.25) -> list[str]:
    """Store nights of about 1000 hidden spikes (2 % noise), and after those some of a higher level."""
    counts = 1000 * (1 + 0.02 * np.random.default_rng(11).standard_normal(n_before + n_after))
    counts[n_before:] *= factor
    return [night(store, folder, number, round(count)) for number, count in enumerate(counts)]


class TestTheReason:
    @pytest.mark.thorough
    def test_an_outlier_next_to_the_step_is_not_what_is_compared(self, empty: EnergyStore, tmp_path: Path) -> None:
        """The run before the step counts double: typical runs of both sides say why, and the step keeps its place."""
        counts = 1000 * (1 + 0.02 * np.random.default_rng(3).standard_normal(40))
        counts[20:] *= 1.1
        counts[19] *= 2
        runs = [night(empty, tmp_path, number, round(count)) for number, count in enumerate(counts)]
        step = only_step(empty.trend(chip="loihi2"))
        assert (step.run_id, step.previous_run_id, step.index) == (runs[20], runs[19], 20)
        assert step.typical_before_id in runs[14:19]
        assert step.typical_after_id in runs[20:25]
        assert step.why is not None
        assert step.why.startswith("+1")
        points = only(empty.trend(chip="loihi2")).points
        near = sorted(points[14:19], key=lambda point: abs(point.value - step.before))
        assert near[0].run_id == step.typical_before_id

    def test_typical_is_none_that_stands_apart(self) -> None:
        """Not even if the nearest five all do."""
        counts = [10.0, 10.5, 30.0, 31.0, 32.0, 33.0, 34.0]
        is_far = [count > 20 for count in counts]
        assert typical(counts, 10.2, is_far, range(6, -1, -1)) == 0
        assert typical(counts, 10.2, [True] * 7, range(6, -1, -1)) == 6

    @pytest.mark.thorough
    def test_no_more_than_a_person_reads(self, empty: EnergyStore, tmp_path: Path) -> None:
        """Of 25 levels of 4 runs each, the newest 20 steps have a reason."""
        for number in range(96):
            night(empty, tmp_path, number, 100 + number // 4)
        steps = only(empty.trend(chip="loihi2")).steps
        assert [step.index for step in steps] == list(range(4, 96, 4))
        assert [step.why is None for step in steps] == [True] * 3 + [False] * 20
        assert [step.comparable for step in steps] == [None] * 3 + [True] * 20


class TestByLayer:
    @pytest.mark.thorough
    def test_the_whole_run_names_the_layer_that_no_test_could(self, empty: EnergyStore, tmp_path: Path) -> None:
        """8 + 4 runs of two layers at 0.005: 2 of C(12, 4) = 495 orders are as extreme, and it takes 0.0025."""
        counts = 1000 * (1 + 0.02 * np.random.default_rng(11).standard_normal(12))
        counts[8:] *= 1.5
        outputs = 1000 * (1 + 0.02 * np.random.default_rng(12).standard_normal(12))
        for number, (hidden, output) in enumerate(zip(counts, outputs, strict=True)):
            night(empty, tmp_path, number, round(hidden), output=round(output))
        trend = empty.trend("spikes", by="layer", fdr=0.005)
        hidden_series, _ = trend.series
        assert [series.steps for series in trend.series] == [(), ()]
        assert hidden_series.note == (
            "too few runs for 2 layers to tell a step from chance: with 4 of 12 at another level, "
            "the least p is 0.004, and it takes 0.0025; more runs, or --fdr 0.009"
        )
        assert not any(point.stands_apart for point in hidden_series.points)
        assert trend.total is not None
        [step] = trend.total.steps
        assert step.index == 8
        assert [part.layer for part in step.layers] == ["hidden", "output"]
        assert sum(part.share for part in step.layers if part.share is not None) == pytest.approx(1.0)
        values = {point.run_id: point.value for point in trend.total.points}
        assert sum(part.change for part in step.layers) == pytest.approx(
            values[step.typical_after_id] - values[step.typical_before_id]
        )
        text = trend_text.page(trend)
        assert "Step in the whole run at" in text
        assert "by layer, " in text
        assert text.splitlines()[-1].startswith(
            "no step can be told; the whole run: 1 step (hidden: too few runs for 2"
        )

    def test_the_whole_run_is_there_beside_them(self, shared: EnergyStore, of_energy: Trend, of_layers: Trend) -> None:
        assert of_layers.total is not None
        assert [point.value for point in of_layers.total.points] == [650.0] * 24 + [710.0] * 8
        [step] = of_layers.total.steps
        assert [(part.layer, part.change, part.share) for part in step.layers] == [
            ("hidden", 60.0, 1.0),
            ("output", 0.0, 0.0),
        ]
        assert of_energy.total is None
        assert [series.kind for series in of_layers.series] == ["layer", "layer"]
        rates = shared.trend("firing_rate", by="layer").total
        assert rates is not None
        assert rates.steps[0].layers == ()

    @pytest.mark.thorough
    def test_a_layer_may_be_called_total(self, empty: EnergyStore, tmp_path: Path) -> None:
        layers = [{**NETWORK["layers"][0], "name": "total"}, NETWORK["layers"][1]]
        network = {**NETWORK, "layers": layers}
        for number in range(8):
            night(empty, tmp_path, number, 100 if number < 4 else 110, output=10 if number < 4 else 50,
                  network=network, layer="total")  # fmt: skip
        empty.bless("latest", "loihi2", reason="only this layer", layer="total")
        assert only_step(empty.trend(chip="loihi2")).accepted is None
        trend = empty.trend(chip="loihi2", by="layer")
        assert trend.total is not None
        assert [step.accepted for step in trend.total.steps] == [None]
        named, output = trend.series
        assert (named.name, named.kind, named.layer) == ("total", "layer", "total")
        [step] = named.steps
        assert step.why == "+10.0 %: total fires 10 % more"
        assert step.accepted is not None
        assert [step.accepted for step in output.steps] == [None]
        assert [row["is_blessed"] for row in trend.to_rows()] == [place == 7 for place in range(16)]


class TestOrder:
    def test_runs_stand_in_the_order_in_which_they_ran(self, store: EnergyStore) -> None:
        """The night of 25 January comes in first of all: where it says when it ran, it stands there."""
        first, moved = store.runs()[31].run_id, store.runs()[7].run_id
        store._engine.run("UPDATE runs SET recorded_at = ingested_at WHERE run_id = ?", [moved])
        store._engine.run("UPDATE runs SET ingested_at = TIMESTAMP '2019-01-01' WHERE run_id = ?", [moved])
        trend = store.trend("spikes")
        points = only(trend).points
        assert points[0].run_id == first
        assert (points[24].run_id, points[24].ran_at) == (moved, datetime(2020, 1, 25, 3, 0))
        assert points[24].ingested_at == datetime(2019, 1, 1)
        step = only_step(trend)
        assert (step.index, step.run_id, step.ran_at) == (24, moved, datetime(2020, 1, 25, 3, 0))
        assert "2020-01-01 to 2020-02-01" in trend_text.title(trend)
        assert len(only(store.trend("spikes", since="2020-01-25")).points) == 8
        assert len(only(store.trend("spikes", last=8)).points) == 8
        assert only(store.trend("spikes", last=8)).points[0].run_id == moved


class TestBlessings:
    def test_a_step_is_accepted_by_a_run_at_its_level(self, store: EnergyStore) -> None:
        run = store.runs()[3]
        store.bless(run, "toy", reason="more neurons on purpose", blessed_by="Ada")
        step = only_step(store.trend(chip="toy"))
        assert step.accepted is not None
        assert (step.accepted.run_id, step.accepted.blessed_by) == (run.run_id, "Ada")
        assert step.accepted.reason == "more neurons on purpose"
        assert step.evidence == "exact"

    @pytest.mark.thorough
    def test_not_by_one_at_the_level_before_or_on_another_chip_or_taken_back(self, store: EnergyStore) -> None:
        store.bless(store.runs()[20], "toy", reason="the level of then")
        store.bless(store.runs()[2], "loihi2", reason="elsewhere")
        taken_back = store.bless(store.runs()[1], "toy", reason="too soon")
        store.revoke(taken_back.blessing_number, reason="a mistake")
        trend = store.trend(chip="toy")
        assert only_step(trend).accepted is None
        assert [blessing.reason for blessing in trend.blessings] == ["the level of then"]

    @pytest.mark.thorough
    def test_of_one_layer(self, store: EnergyStore) -> None:
        store.bless("latest", "toy", reason="output is fine", layer="output")
        assert only_step(store.trend(chip="toy")).accepted is None
        hidden, output = store.trend(chip="toy", by="layer").series
        assert [step.accepted for step in hidden.steps] == [None]
        assert output.steps == ()
        store.bless("latest", "toy", reason="hidden, too", layer="hidden")
        [step] = store.trend(chip="toy", by="layer").series[0].steps
        assert step.accepted is not None
        assert step.accepted.reason == "hidden, too"

    @pytest.mark.thorough
    def test_a_blessed_run_begins_a_level_that_no_test_could_tell(self, empty: EnergyStore, tmp_path: Path) -> None:
        newest = noisy(empty, tmp_path, 12, 1)[-1]
        assert only(empty.trend(chip="loihi2")).steps == ()
        empty.bless(newest, "loihi2", reason="a larger network")
        step = only_step(empty.trend(chip="loihi2"))
        assert (step.run_id, step.evidence, step.p_value, step.n_runs) == (newest, "accepted", None, 1)
        assert step.share == pytest.approx(0.25, abs=0.06)
        assert step.accepted is not None

    def test_where_nothing_changed_it_is_a_mark(self, store: EnergyStore) -> None:
        store.bless(store.runs()[16], "toy", reason="the level that we hold")
        trend = store.trend(chip="toy")
        assert only_step(trend).index == 24
        assert [row["is_blessed"] for row in trend.to_rows()] == [place == 15 for place in range(32)]

    def test_of_the_whole_run_is_of_no_layer(self, store: EnergyStore) -> None:
        store.bless("latest", "toy", reason="all of it")
        trend = store.trend(chip="toy", by="layer")
        assert [step.accepted for step in trend.series[0].steps] == [None]
        assert trend.total is not None
        assert trend.total.steps[0].accepted is not None

    @pytest.mark.thorough
    def test_of_a_run_before_a_step_leaves_the_step_alone(self, empty: EnergyStore, tmp_path: Path) -> None:
        runs = noisy(empty, tmp_path, 20, 5, 1.1)
        found = only_step(empty.trend(chip="loihi2"))
        assert found.evidence == "permutation"
        for run in runs[14:20]:
            empty.bless(run, "loihi2", reason="the level of the release")
        assert only_step(empty.trend(chip="loihi2")) == found

    @pytest.mark.thorough
    def test_an_older_step_is_not_accepted_by_a_newer_level(self, empty: EnergyStore, tmp_path: Path) -> None:
        runs = noisy(empty, tmp_path, 15, 15, 1.2)
        newest = night(empty, tmp_path, 30, 1700)
        empty.bless(newest, "loihi2", reason="a larger network")
        older, newer = only(empty.trend(chip="loihi2")).steps
        assert (older.run_id, older.accepted) == (runs[15], None)
        assert (newer.run_id, newer.evidence, newer.accepted is not None) == (newest, "accepted", True)


class TestTooLittle:
    def test_fewer_than_four(self, shared: EnergyStore) -> None:
        series = only(shared.trend("spikes", last=3))
        assert series.note == "too few runs to tell a step from chance: 3, and it takes 4 or more"
        assert len(series.points) == 3

    @pytest.mark.thorough
    def test_fewer_than_ten_that_vary(self, empty: EnergyStore, tmp_path: Path) -> None:
        noisy(empty, tmp_path, 6, 3)
        series = only(empty.trend("spikes"))
        assert series.note == "too few runs to tell a step from chance: 9 that vary, and it takes 10 or more"
        night(empty, tmp_path, 9, 1260)
        assert only(empty.trend("spikes")).note is None

    def test_one_run_is_shown(self, small_store: Path) -> None:
        with EnergyStore(small_store) as store:
            trend = store.trend(chip="loihi2")
        assert [point.value for point in only(trend).points] == [10.4]
        assert only(trend).note is not None

    @pytest.mark.parametrize(
        ("asked", "says"),
        [
            ({"name": "nigthly"}, "Did you mean 'nightly'"),
            ({"metric": "tag:acuracy"}, "Did you mean 'accuracy'"),
            ({"chip": "toi"}, "Did you mean 'toy'"),
            ({"chip": "toi", "metric": "spikes"}, "Did you mean 'toy'"),
            ({"cost_version": "rev3"}, "It has rev1, rev2"),
            ({"since": "2030-01-01"}, "no run meets the conditions"),
            ({"chip": "loihi"}, "none of 32 runs has a value of energy"),
            ({"metric": "tag:branch"}, "its tag branch is no number"),
        ],
    )
    def test_what_is_not_there(self, shared: EnergyStore, asked: dict[str, Any], says: str) -> None:
        with pytest.raises(NotFoundError) as found:
            shared.trend(**{"chip": "toy", **asked})
        assert says in str(found.value)

    def test_an_empty_store(self, empty: EnergyStore) -> None:
        with pytest.raises(NotFoundError, match="no runs yet"):
            empty.trend("spikes")

    @pytest.mark.parametrize(
        ("asked", "says"),
        [
            ({"metric": "enrgy"}, "Did you mean 'energy'"),
            ({"metric": "tag:"}, "unknown metric"),
            ({"chip": None}, "energy takes a chip"),
            ({"metric": "spikes", "cost_version": "rev1"}, "spikes has no costs"),
            ({"metric": "spikes", "as_recorded": True}, "spikes has no costs"),
            ({"by": "neuron"}, "must be 'layer' or None"),
            ({"metric": "tag:accuracy", "by": "layer"}, "belongs to whole runs"),
            ({"cost_version": "rev1", "as_recorded": True}, "leave one out"),
            ({"fdr": 0.0}, "0.001 or more"),
            ({"fdr": float("nan")}, "0.001 or more"),
            ({"fdr": 1.0}, "less than 1"),
            ({"least_change": -0.1}, "a share of 0 or more"),
            ({"least_change": float("nan")}, "a share of 0 or more"),
            ({"last": 0}, "must be 1 or more"),
            ({"where": "branch=main"}, "must be a list"),
        ],
    )
    def test_what_cannot_be_meant(self, shared: EnergyStore, asked: dict[str, Any], says: str) -> None:
        with pytest.raises(UsageError) as found:
            shared.trend(**{"chip": "toy", **asked})
        assert says in str(found.value)


class TestShell:
    @pytest.fixture(autouse=True)
    def _store(self, nights: Path, tmp_path: Path) -> None:
        shutil.copy(nights, tmp_path / "energy.duckdb")

    def test_table(self, shell: Shell) -> None:
        result = shell("trend", "--chip", "toy", "--cost", "rev1")
        assert result.exit_code == 0
        title, _, _, _, row, _, step, why, _, end = result.stdout.splitlines()
        assert title == "energy on toy (costs rev1): 32 runs, 2020-01-01 to 2020-02-01"
        assert row.split() == ["total", "32", "710.0", "pJ", "710.0", "pJ", "650.0", "pJ", "710.0", "pJ",
                               "▁" * 24 + "│" + "█" * 8]  # fmt: skip
        assert step.startswith("Step at ")
        assert step.endswith(
            "(nightly, 2020-01-25): +9.2 %, 650.0 pJ to 710.0 pJ; no noise: certain; lasts 8 runs so far"
        )
        assert why.startswith("  why: ")
        assert why.endswith(" +9.2 %: hidden fires 10 % more")
        assert end == "1 step"
        assert result.stderr == ""

    def test_a_terminal_without_blocks(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("energy_db.cli.trend.can_draw", lambda: False)
        result = shell("trend", "spikes")
        assert "_" * 24 + "|" + "#" * 8 in result.stdout
        assert result.stdout.isascii()

    def test_json(self, shell: Shell) -> None:
        result = shell("trend", "--chip", "toy", "--by", "layer", "--json")
        found = json.loads(result.stdout)
        assert found["schema"] == "energy-db/trend/1"
        assert {"metric", "unit", "chip", "cost_version", "as_recorded", "by", "name", "n_runs", "fdr", "least_change",
                "series", "blessings", "left_out", "warnings"} <= set(found)  # fmt: skip
        hidden, _ = found["series"]
        assert (hidden["name"], len(hidden["points"]), hidden["note"]) == ("hidden", 32, None)
        [step] = hidden["steps"]
        assert (step["change"], step["p_value"], step["n_runs"], step["is_of_costs"]) == (60.0, None, 8, False)
        assert step["effects"]["cost"] == 0.0
        assert step["ingested_at"] == "2020-01-25T03:00:00Z"

    @pytest.mark.thorough
    def test_an_ended_level(self, shell: Shell, tmp_path: Path) -> None:
        with EnergyStore(tmp_path / "energy.duckdb") as store:
            for number in range(32, 40):
                night(store, tmp_path, number, 130)
        newer, older = (line for line in shell("trend", "spikes").stdout.splitlines() if line.startswith("Step"))
        assert newer.endswith("; lasts 8 runs so far")
        assert older.endswith("; lasted 8 runs")

    @pytest.mark.thorough
    def test_a_page_takes_all_that_can_be_asked(self, shell: Shell) -> None:
        assert shell("trend", *ASKED, "--html", "page.html").exit_code == 0

    @pytest.mark.thorough
    def test_the_command_that_asks_the_same(self, shell: Shell, tmp_path: Path) -> None:
        first = shell("trend", *ASKED, "--json").stdout
        assert json.loads(first)["question"] == {
            "metric": "energy", "chip": "toy", "name": "nightly", "by": "layer", "cost_version": "rev1",
            "as_recorded": False, "where": ["branch=main", "accuracy>=0.9"], "since": "2020-01-02", "last": 30,
            "fdr": 0.05, "least_change": 0.02,
        }  # fmt: skip
        with EnergyStore(tmp_path / "energy.duckdb") as store:
            trend = store.trend(chip="toy", cost_version="rev1", by="layer", where=["branch=main", "accuracy>=0.9"],
                                since="2020-01-02", last=30, fdr=0.05, least_change=0.02, name="nightly")  # fmt: skip
        command = shlex.split(trend_page._command(trend))
        assert command[:2] == ["energy-db", "trend"]
        assert shell(*command[1:-2], "--json").stdout == first
        assert trend_text.title(trend).endswith("(only branch=main, accuracy>=0.9, since 2020-01-02, the last 30)")

    @pytest.mark.thorough
    def test_csv(self, shell: Shell) -> None:
        rows = list(csv.DictReader(shell("trend", "--chip", "toy", "--by", "layer", "-f", "csv").stdout.splitlines()))
        assert [row["series"] for row in rows] == ["hidden"] * 32 + ["output"] * 32
        assert [row["begins_step"] for row in rows] == [str(place == 24) for place in range(64)]
        assert (rows[0]["value"], rows[31]["value"], rows[31]["level"]) == ("600.0", "660.0", "660.0")

    def test_markdown(self, shell: Shell) -> None:
        text = shell("trend", "--chip", "toy", "--cost", "rev1", "-f", "md").stdout
        assert text.startswith("# energy on toy (costs rev1): 32 runs")
        assert "| 650.0 pJ | 710.0 pJ | +9.2 % | no noise: certain | 8 |" in text

    @pytest.mark.thorough
    def test_as_recorded(self, shell: Shell) -> None:
        result = shell("trend", "--chip", "toy", "--cost", "as-recorded")
        assert "energy on toy (costs as recorded)" in result.stdout
        assert "why: the costs, not the network: " in result.stdout
        assert "the costs are rev2, and rev1 before" in result.stderr

    @pytest.mark.thorough
    def test_an_accepted_step(self, shell: Shell) -> None:
        assert shell("bless", "latest", "--chip", "toy", "--reason", "more neurons").exit_code == 0
        result = shell("trend", "--chip", "toy")
        assert "more neurons" in result.stdout
        assert result.stdout.splitlines()[-1] == "1 step, 1 of them accepted"

    @pytest.mark.thorough
    def test_an_outlier_is_said(self, shell: Shell, tmp_path: Path) -> None:
        with EnergyStore(tmp_path / "energy.duckdb") as store:
            outlier = night(store, tmp_path, 33, 220)
            night(store, tmp_path, 34, 110)
        lines = shell("trend", "spikes").stdout.splitlines()
        # 220 + 10 spikes against 110 + 10
        assert lines[-3] == (f"Stands apart, and is no step: {outlier} (nightly, 2020-02-03): 230, the level is 120")
        assert lines[-1] == "1 step"
        assert lines[4].endswith("▁" * 24 + "│" + "█" * 10)

    def test_options(self, shell: Shell) -> None:
        result = shell("trend", "spikes", "--where", "branch=main", "--since", "2020-01-03", "--last", 9, "--json")
        assert len(json.loads(result.stdout)["series"][0]["points"]) == 9
        assert shell("trend", "spikes", "--min-change", "0.2").stdout.splitlines()[-1] == "no step"
        assert json.loads(shell("trend", "spikes", "--fdr", "0.05", "--json").stdout)["fdr"] == 0.05

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("arguments", "exit_code", "says"),
        [
            (["--chip", "toy", "--name", "nigthly"], 3, "Did you mean 'nightly'"),
            (["enrgy"], 2, "Did you mean 'energy'"),
            ([], 2, "Name it: --chip loihi2"),
            (["--chip", "toy", "--fdr", "2"], 2, "less than 1"),
            (["spikes", "--where", "branch"], 2, "is not a condition"),
            (["--chip", "loihi"], 3, "none of 32 runs"),
        ],
    )
    def test_what_goes_wrong(self, shell: Shell, arguments: list[str], exit_code: int, says: str) -> None:
        result = shell("trend", *arguments)
        assert (result.exit_code, result.stdout) == (exit_code, "")
        assert says in result.stderr

    @pytest.mark.thorough
    def test_names_cannot_take_over_the_terminal(self, shell: Shell, tmp_path: Path) -> None:
        with EnergyStore(tmp_path / "energy.duckdb") as store:
            for number in range(40, 48):
                night(store, tmp_path, number, 100 + 10 * (number > 43), name="a\x1b[31mb")
        result = shell("trend", "spikes", "--name", "a\x1b[31mb")
        assert "Step at" in result.stdout
        assert "\x1b" not in result.output
