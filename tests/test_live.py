"""Energy while a network runs: against figures worked out by hand, NumPy, and the reports of what was stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_db import EnergyStore
from energy_db.errors import NotFoundError, RunFileError, StoreError, UsageError
from energy_db.record import RunWriter, Spool, recover, watch
from energy_db.record.live import LiveEnergy
from energy_db.runs import Run

# 2.1 pJ for a spike of a hidden layer, 1.0 pJ for one of the readout: loihi2 under tutorial72.
LAYERS: list[dict[str, Any]] = [{"name": "hidden", "role": "hidden"}, {"name": "out", "role": "readout"}]
# The networks of the research: 4 -> 3 -> 2 neurons in 5 timesteps, 8 and 6 spikes.
P1_LAYERS = [
    {"name": "hid", "role": "hidden", "n_inputs": 4, "n_neurons": 3},
    {"name": "out", "role": "readout", "n_inputs": 3, "n_neurons": 2},
]


@pytest.fixture(scope="module")
def store() -> Iterator[EnergyStore]:
    """A store for tests that keep nothing in it, or nothing that others look at."""
    with EnergyStore(":memory:") as opened:
        yield opened


@pytest.fixture
def empty_store() -> Iterator[EnergyStore]:
    with EnergyStore(":memory:") as opened:
        yield opened


def spikes(n_hidden: int, n_out: int, n_timesteps: int = 4, n_samples: int = 3) -> dict[str, Any]:
    """Return arrays [T, B, N] of 5 and 2 neurons with so many spikes."""
    found = {}
    for layer, n_neurons, n_spikes in (("hidden", 5, n_hidden), ("out", 2, n_out)):
        flat = np.zeros(n_timesteps * n_samples * n_neurons, dtype=np.float32)
        flat[:n_spikes] = 1
        found[layer] = np.random.default_rng(1).permutation(flat).reshape(n_timesteps, n_samples, n_neurons)
    return found


class TestEnergies:
    def test_arrays_counts_and_rates_cost_the_same(self, store: EnergyStore) -> None:
        layers = [{**LAYERS[0], "n_neurons": 5}, {**LAYERS[1], "n_neurons": 2}]
        by_form = {
            "spikes": {"spikes": spikes(20, 6)},
            "counts": {"counts": {"hidden": 20, "out": 6}, "n_samples": 3},
            "rates": {"rates": {"hidden": 20 / (5 * 4 * 3), "out": 6 / (2 * 4 * 3)}, "n_samples": 3},
        }
        for form, given_as in by_form.items():
            live = store.live("loihi2", layers=layers, n_timesteps=4)
            step = live.step(**given_as)  # type: ignore[arg-type]
            assert step.energy_pj == pytest.approx({"hidden": 20 * 2.1, "out": 6 * 1.0}), form
            assert step.firing_rates == pytest.approx({"hidden": 1 / 3, "out": 0.25}), form
            assert live.total_energy_pj == pytest.approx(48.0), form

    def test_energy_runs_over_the_steps(self, store: EnergyStore) -> None:
        live = store.live("loihi2", layers=LAYERS)
        for n_hidden in (1, 2, 3):
            live.step(spikes(n_hidden, 0))
        assert live.energy_pj == pytest.approx({"hidden": 6 * 2.1, "out": 0})
        assert (live.n_steps, live.n_samples, live.n_spikes) == (3, 9, {"hidden": 6, "out": 0})

    def test_neurons_cost_in_every_timestep(self, store: EnergyStore) -> None:
        live = store.live("loihi2", layers=P1_LAYERS, n_timesteps=5, cost_version="sc_neurocore_3_16_0")
        step = live.step(counts={"hid": 8, "out": 6}, n_samples=1)
        # sc-neurocore 3.16.0 itself: 905.2 + 511.8, and 3.0 for the routing of each of 14 spikes.
        assert step.total_energy_pj == pytest.approx(1459.0)
        twice = live.step(counts={"hid": 8, "out": 6}, n_samples=2)
        assert twice.total_energy_pj - step.total_energy_pj == pytest.approx((3 + 2) * 5 * 1.2)

    def test_static_power_is_of_no_layer(self, store: EnergyStore) -> None:
        [(chip, version, watts)] = store._engine.rows(
            "SELECT chip, cost_version, sum(energy_pj) / 1e12 FROM costs WHERE driver = 'second' AND NOT is_reference "
            "GROUP BY ALL ORDER BY ALL LIMIT 1"
        )
        live = store.live(chip, layers=LAYERS, cost_version=version, timestep_us=0.5)
        step = live.step(spikes(1, 1, n_timesteps=4, n_samples=3))
        assert step.unlayered_energy_pj == pytest.approx(watts * 4 * 3 * 0.5e-6 * 1e12)
        assert step.total_energy_pj == pytest.approx(sum(step.energy_pj.values()) + step.unlayered_energy_pj)

    def test_synaptic_events_are_those_of_the_neurons_that_fired(self, store: EnergyStore) -> None:
        [(chip, version, event_pj)] = store._engine.rows(
            "SELECT chip, cost_version, sum(energy_pj) FROM costs WHERE cost_version = 'ann_snn_convention' AND "
            "driver = 'synaptic_event' AND NOT is_reference GROUP BY ALL LIMIT 1"
        )
        layers = [{**LAYERS[0], "fan_out": [1, 10, 100, 1000, 0]}, LAYERS[1]]
        live = store.live(chip, layers=layers, cost_version=version)
        dense = np.zeros((2, 1, 5))
        dense[0, 0, 1] = dense[1, 0, 3] = 1
        step = live.step({"hidden": dense, "out": np.zeros((2, 1, 2))})
        assert step.energy_pj["hidden"] == pytest.approx(float(event_pj) * (10 + 1000))
        with pytest.raises(UsageError, match="'hidden' differ in their fan-out"):
            store.live(chip, layers=layers, cost_version=version).step(counts={"hidden": 2, "out": 0}, n_samples=1)

    def test_axes_and_values_are_as_told(self, store: EnergyStore) -> None:
        dense = spikes(20, 6)
        live = store.live("loihi2", layers=LAYERS)
        step = live.step({name: array.transpose(1, 2, 0) for name, array in dense.items()}, axes="BNT")
        assert (step.n_samples, step.n_timesteps) == (3, 4)
        assert step.energy_pj == pytest.approx({"hidden": 42.0, "out": 6.0})
        graded = live.step({name: array * 0.25 for name, array in dense.items()}, values="graded")
        assert graded.n_spikes == {"hidden": 20, "out": 6}

    @pytest.mark.parametrize("payload", [np.nan, np.inf, -np.inf])
    def test_what_is_no_payload_is_refused_in_a_later_step_too(self, store: EnergyStore, payload: float) -> None:
        with store.live("loihi2", layers=LAYERS) as live:
            live.step(spikes(20, 6), values="graded")
            broken = spikes(20, 6)
            broken["hidden"][0, 0, 0] = payload
            with pytest.raises(UsageError, match="no payload of a spike"):
                live.step(broken, values="graded")
            assert live.step(spikes(20, 6), values="graded").n_spikes == {"hidden": 20, "out": 6}

    def test_single_timesteps_add_up_to_a_step(self, store: EnergyStore) -> None:
        dense = spikes(20, 6)
        live = store.live("loihi2", layers=LAYERS)
        for timestep in range(4):
            for name, array in dense.items():
                live.add(name, array[timestep], "BN", timestep=timestep)
        step = live.step()
        assert (step.n_samples, step.n_timesteps, step.n_spikes) == (3, 4, {"hidden": 20, "out": 6})

    def test_batches_of_one_step_add_up(self, store: EnergyStore) -> None:
        live = store.live("loihi2", layers=LAYERS)
        for _ in range(2):
            for name, array in spikes(20, 6).items():
                live.add(name, array)
        step = live.step()
        assert (step.n_samples, step.n_timesteps, step.n_spikes) == (6, 4, {"hidden": 40, "out": 12})

    def test_scalars_have_a_name_and_a_value(self, store: EnergyStore) -> None:
        heard: list[tuple[str, float]] = []
        live = store.live("loihi2", layers=LAYERS, on_scalar=lambda name, value: heard.append((name, value)))
        live.step(spikes(20, 6))
        assert dict(heard) == pytest.approx(
            {
                "energy_per_sample_pj/hidden": 14.0,
                "energy_per_sample_pj/out": 2.0,
                "energy_per_sample_pj/total": 16.0,
                "firing_rate/hidden": 1 / 3,
                "firing_rate/out": 0.25,
            }
        )

    @pytest.mark.thorough
    @settings(max_examples=20, deadline=None)
    @given(st.data())
    def test_a_stored_training_costs_what_was_shown(self, store: EnergyStore, data: st.DataObject) -> None:
        priced = store._engine.rows(
            "SELECT DISTINCT chip, cost_version FROM costs WHERE NOT is_reference AND energy_pj IS NOT NULL AND "
            "driver IN ('spike', 'neuron_spike', 'synaptic_event', 'neuron_step', 'synop_fanin') ORDER BY ALL"
        )
        chip, version = data.draw(st.sampled_from(priced))
        fan_out = data.draw(st.one_of(st.integers(0, 9), st.lists(st.integers(0, 9), min_size=3, max_size=3)))
        layers = [
            {"name": "in", "role": "input", "n_neurons": 2, "fan_out": 3},
            {"name": "hid", "role": "hidden", "n_neurons": 3, "n_inputs": 2, "fan_out": fan_out},
            {"name": "out", "role": "readout", "n_neurons": 1, "n_inputs": 3},
        ]
        rng = np.random.default_rng(data.draw(st.integers(0, 99)))
        sizes = {"in": 2, "hid": 3, "out": 1}
        steps_of = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
        live = store.live(chip, layers=layers, cost_version=version, timestep_us=1000, name="fit")
        for n_samples in steps_of:
            live.step({name: rng.random((4, n_samples, n)) < 0.4 for name, n in sizes.items()})
        run = live.close()
        assert isinstance(run, Run)
        report = store.report(run, chip, cost_version=version)
        assert live.total_energy_pj == pytest.approx(report.total_energy_pj, abs=1e-6)
        assert live.energy_pj == pytest.approx({each.layer: each.energy_pj or 0 for each in report.layers}, abs=1e-6)


class TestErrors:
    def bad(self, store: EnergyStore, message: str, *steps: dict[str, Any], **options: Any) -> None:
        live = store.live("loihi2", layers=options.pop("layers", LAYERS), **options)
        with pytest.raises(UsageError, match=message):
            for step in steps:
                live.step(**step)

    @pytest.mark.thorough
    def test_what_does_not_fit_is_refused(self, store: EnergyStore) -> None:
        good = spikes(3, 1)
        self.bad(store, "nothing came of out", {"spikes": {"hidden": good["hidden"]}})
        self.bad(store, "no layer 'hiden'", {"spikes": {"hiden": good["hidden"]}})
        self.bad(store, "as many samples, but hidden has 3, out has 2", {"spikes": {**good, "out": good["out"][:, :2]}})
        self.bad(store, "as many timesteps, but hidden has 4, out has 3", {"spikes": {**good, "out": good["out"][:3]}})
        self.bad(store, "n_samples is 5, but arrays of 3", {"spikes": good, "n_samples": 5})
        self.bad(store, "no samples", {"spikes": {name: each[:, :0] for name, each in good.items()}})
        self.bad(store, "give one of spikes, counts and rates", {})
        self.bad(store, "give one of spikes, counts and rates", {"spikes": good, "counts": {"hidden": 1, "out": 1}})
        self.bad(store, "need n_samples", {"counts": {"hidden": 1, "out": 1}})
        self.bad(store, "must be a number from 0", {"counts": {"hidden": -1, "out": 1}, "n_samples": 1})
        self.bad(store, "must be a number from 0", {"counts": {"hidden": "1", "out": 1}, "n_samples": 1})
        self.bad(store, "must be a whole number from 0", {"counts": {"hidden": 0.5, "out": 1}, "n_samples": 1})
        for n_samples in (0, 1.5, True, float("nan")):
            self.bad(store, "n_samples is", {"counts": {"hidden": 1, "out": 1}, "n_samples": n_samples})
        self.bad(store, "must be a number from 0", {"rates": {"hidden": float("nan"), "out": 1}, "n_samples": 1})
        self.bad(store, "how many neurons", {"rates": {"hidden": 0.5, "out": 1}, "n_samples": 1})
        self.bad(
            store, "has 6 neurons, but 5 came", {"spikes": good}, layers=[{**LAYERS[0], "n_neurons": 6}, LAYERS[1]]
        )

    @pytest.mark.parametrize("n_timesteps", [0, -5, 2.5, "4"])
    def test_timesteps_are_a_whole_number(self, store: EnergyStore, n_timesteps: Any) -> None:
        with pytest.raises(UsageError, match=r"n_timesteps is .*, must be a whole number from 1"):
            store.live("loihi2", layers=LAYERS, n_timesteps=n_timesteps)

    @pytest.mark.parametrize("timestep", [-1, 1.5, "0"])
    def test_a_timestep_is_a_whole_number(self, store: EnergyStore, timestep: Any) -> None:
        live = store.live("loihi2", layers=["a"])
        with pytest.raises(UsageError, match=r"timestep is .*, must be a whole number from 0"):
            live.add("a", np.ones((2, 3)), "BN", timestep=timestep)

    @pytest.mark.parametrize("epoch", ["e0", 1.0, -1, True, 2**31])
    def test_an_epoch_is_a_whole_number(self, store: EnergyStore, epoch: Any) -> None:
        self.bad(store, "epoch is .*, must be a whole number from 0", {"spikes": spikes(3, 1), "epoch": epoch})

    def test_entries_are_looked_at_at_first_and_sums_always(self, store: EnergyStore) -> None:
        good = spikes(3, 1)
        bad = {**good, "hidden": good["hidden"] * 0.5}
        self.bad(store, r"holds 0\.5", {"spikes": bad})
        self.bad(store, "does not hold whole numbers", {"spikes": good}, {"spikes": bad})
        self.bad(store, "does not hold whole numbers", {"spikes": good}, {"spikes": {**good, "out": -good["out"]}})

    def test_after_an_error_the_next_step_is_as_good_as_ever(self, store: EnergyStore) -> None:
        live, good = store.live("loihi2", layers=LAYERS), spikes(3, 1)
        for bad in ({**good, "out": good["out"] * 0.5}, {**good, "out": good["out"][0]}):
            with pytest.raises(UsageError):
                live.step(bad)
        assert live.step(good).n_spikes == {"hidden": 3, "out": 1}

    def test_a_first_array_of_negative_spikes_is_refused(self, store: EnergyStore) -> None:
        good = spikes(3, 1)
        self.bad(store, "holds -1", {"spikes": {**good, "out": -good["out"]}})

    def test_chips_and_versions_must_be_known_and_price_spikes(self, store: EnergyStore) -> None:
        with pytest.raises(NotFoundError, match="loihi3"):
            store.live("loihi3", layers=LAYERS)
        with pytest.raises(UsageError, match="nothing of cmos45 horowitz2014 can be priced from spikes"):
            store.live("cmos45", layers=LAYERS, cost_version="horowitz2014")
        with pytest.raises(UsageError, match="layers must not be empty"):
            store.live("loihi2", layers=[])

    def test_steps_need_the_length_of_samples_where_time_costs(self, store: EnergyStore) -> None:
        live = store.live("loihi2", layers=P1_LAYERS, cost_version="sc_neurocore_3_16_0")
        with pytest.raises(UsageError, match="how many timesteps a sample has"):
            live.step(counts={"hid": 8, "out": 6}, n_samples=1)

    def test_pricing_leaves_nothing_in_the_store(self, empty_store: EnergyStore) -> None:
        empty_store.live("loihi2", layers=LAYERS)
        assert empty_store.runs() == []
        assert empty_store._engine.value("SELECT count(*) FROM layers") == 0

    def test_a_store_that_is_only_read_is_refused(self, tmp_store: Path) -> None:
        with EnergyStore(tmp_store, read_only=True) as store, pytest.raises(StoreError, match="open read-only"):
            store.live("loihi2", layers=LAYERS)


class TestTraining:
    def test_steps_and_epochs_are_kept(self, empty_store: EnergyStore) -> None:
        with empty_store.live("loihi2", layers=LAYERS, name="fit", tags={"lr": 0.1}, seed=7) as live:
            for epoch, n_hidden, n_samples in ((1, 20, 3), (1, 10, 2), (2, 5, 3)):
                live.step(spikes(n_hidden, 6, n_samples=n_samples), epoch=epoch)
        run = empty_store.run("fit")
        assert (run.kind, run.n_samples, run.n_timesteps, run.has_events, run.seed) == ("training", 8, 4, False, "7")
        assert run.tags == {"lr": "0.1"}
        kept = empty_store.sql(
            "SELECT training_step, epoch, n_samples, n_spikes, energy_pj FROM energy_by_training_step "
            "WHERE chip = 'loihi2' AND layer = 'hidden' ORDER BY training_step"
        ).to_pylist()
        assert [tuple(float(value) for value in row.values()) for row in kept] == [
            (0, 1, 3, 20, 42.0), (1, 1, 2, 10, 21.0), (2, 2, 3, 5, 10.5),
        ]  # fmt: skip
        assert empty_store.report("fit", "loihi2").total_energy_pj == pytest.approx(35 * 2.1 + 18 * 1.0)
        assert all(result.n_failures == 0 for result in empty_store.verify())

    def test_neurons_and_timesteps_are_those_that_fired(self, empty_store: EnergyStore) -> None:
        arrays = [spikes(20, 6), spikes(7, 3)]
        with empty_store.live("loihi2", layers=LAYERS, name="fit") as live:
            for each in arrays:
                live.step(each)
        for axis, view, column in (((0, 1), "activity_by_neuron", "neuron"), ((1, 2), "activity_by_step", "timestep")):
            expected = sum(each["hidden"].sum(axis=axis) for each in arrays)
            rows = empty_store.sql(f"SELECT {column}, n_spikes FROM {view} WHERE layer = 'hidden'").to_pylist()
            assert {row[column]: row["n_spikes"] for row in rows} == {
                index: count for index, count in enumerate(expected.tolist()) if count
            }

    def test_a_training_without_steps_is_refused_and_leaves_nothing(self, tmp_path: Path) -> None:
        with EnergyStore(tmp_path / "energy.duckdb") as store:
            live = store.live("loihi2", layers=LAYERS, name="fit")
            with pytest.raises(UsageError, match="no steps"):
                live.close()
            assert store.runs() == []
        assert [path.name for path in tmp_path.iterdir()] == ["energy.duckdb"]

    def test_a_training_that_fails_can_be_recovered(self, tmp_path: Path) -> None:
        with EnergyStore(tmp_path / "energy.duckdb") as store:
            with (
                pytest.raises(ZeroDivisionError),
                store.live("loihi2", layers=LAYERS, name="fit") as live,
            ):
                live.step(spikes(20, 6), epoch=0)
                raise ZeroDivisionError
            assert store.runs() == []
            [folder] = tmp_path.glob("fit-*.recording")
            run = store.ingest(recover(folder))
            assert (run.name, run.kind, run.n_spikes, run.n_samples) == ("fit", "training", 26, 3)
            assert run.tags["recording"] == "cut short"
            assert store._engine.value("SELECT sum(n_spikes) FROM training_steps") == 26

    def test_recovered_parts_are_joined(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("energy_db.record.training._SECONDS_OF_A_FLUSH", 0.0)
        with EnergyStore(tmp_path / "energy.duckdb") as store:
            live = store.live("loihi2", layers=LAYERS, name="fit")
            for epoch, n_hidden in enumerate((20, 10, 5)):
                live.step(spikes(n_hidden, 1), epoch=epoch)
            assert live._log is not None
            live._log.abort()
            [folder] = tmp_path.glob("fit-*.recording")
            run = store.ingest(recover(folder))
            rows = store.sql("SELECT epoch, n_spikes FROM activity_by_training_step WHERE layer = 'hidden'").to_pylist()
        assert sorted(tuple(row.values()) for row in rows) == [(0, 20), (1, 10), (2, 5)]
        assert (run.n_samples, run.n_spikes) == (9, 38)

    def test_half_precision_is_summed_in_full(self, empty_store: EnergyStore) -> None:
        live = empty_store.live("loihi2", layers=["a"])
        assert live.step({"a": np.ones((1, 4097, 5), np.float16)}).n_spikes == {"a": 20485}

    def test_steps_of_other_sizes_are_refused_and_the_others_kept(self, empty_store: EnergyStore) -> None:
        live = empty_store.live("loihi2", layers=LAYERS, name="fit")
        live.step(spikes(20, 6))
        with pytest.raises(UsageError, match=r"but had \(4, 5\) before"):
            live.step(spikes(1, 1, n_timesteps=1))
        run = live.close()
        assert isinstance(run, Run)
        assert run.n_spikes == 26

    def test_an_epoch_of_numpy_is_as_good(self, empty_store: EnergyStore) -> None:
        with empty_store.live("loihi2", layers=LAYERS, name="fit") as live:
            live.step(spikes(20, 6), epoch=np.int64(4))  # type: ignore[arg-type]
        assert empty_store.sql("SELECT DISTINCT epoch FROM activity_by_training_step").to_pylist() == [{"epoch": 4}]

    def test_steps_before_stray_spikes_can_be_kept(self, tmp_path: Path) -> None:
        with EnergyStore(tmp_path / "energy.duckdb") as store:
            live = store.live("loihi2", layers=LAYERS, name="fit")
            live.step(spikes(20, 6))
            live.add("hidden", spikes(20, 6)["hidden"])
            with pytest.raises(UsageError, match="behind the last step") as error:
                live.close()
            [folder] = tmp_path.glob("fit-*.recording")
            assert str(folder) in str(error.value.hint)
            assert store.ingest(recover(folder)).n_spikes == 26

    @pytest.mark.thorough
    def test_trainings_of_one_name_are_a_history(self, empty_store: EnergyStore) -> None:
        for n_hidden in (20, 10):
            with empty_store.live("loihi2", layers=LAYERS, name="fit") as live:
                live.step(spikes(n_hidden, 6))
        assert [run.n_spikes for run in empty_store.runs(name="fit")] == [16, 26]

    @pytest.mark.thorough
    def test_trainings_side_by_side_share_a_spool(self, empty_store: EnergyStore, tmp_path: Path) -> None:
        for n_hidden in (20, 10):
            pricing = EnergyStore(":memory:")
            with pricing, pricing.live("loihi2", layers=LAYERS, name="fit", to=Spool(tmp_path / "spool")) as live:
                live.step(spikes(n_hidden, 6), epoch=3)
        for path in Spool(tmp_path / "spool").waiting():
            empty_store.ingest(path, on_duplicate="new")
        assert sorted(run.n_spikes for run in empty_store.runs(name="fit")) == [16, 26]
        rows = empty_store.sql("SELECT epoch, sum(n_spikes) AS n FROM activity_by_training_step GROUP BY epoch")
        assert rows.to_pylist() == [{"epoch": 3, "n": 42}]

    def test_a_place_without_a_name_is_refused(self, empty_store: EnergyStore, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="needs a name"):
            empty_store.live("loihi2", layers=LAYERS, to=tmp_path / "fit.parquet")

    def test_what_is_closed_takes_nothing_more(self, empty_store: EnergyStore) -> None:
        with empty_store.live("loihi2", layers=LAYERS, name="fit") as live:
            live.step(spikes(20, 6))
            live.close()
        for late in (live.close, lambda: live.step(spikes(1, 1)), lambda: live.add("hidden", spikes(1, 1)["hidden"])):
            with pytest.raises(UsageError, match="is closed"):
                late()
        assert [run.n_spikes for run in empty_store.runs()] == [26]

    def test_numbers_do_not_make_a_run(self, empty_store: EnergyStore) -> None:
        live = empty_store.live("loihi2", layers=LAYERS, name="fit")
        with pytest.raises(UsageError, match="which neurons fired"):
            live.step(counts={"hidden": 1, "out": 1}, n_samples=1)
        live.step(spikes(1, 1))
        live.close()

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("training", "message"),
        [
            ({"n_samples": [1], "n_spikes": {"a": [2]}}, "'a' has 2 spikes in the training steps, but 1 in all"),
            ({"n_samples": [2], "n_spikes": {"a": [1]}}, "have 2 samples, but the run has 1"),
            ({"n_samples": [1], "n_spikes": {"b": [1]}}, "counts the layers b, but the run has a"),
            ({"n_samples": [1], "n_spikes": {"a": [1, 0]}}, "n_spikes of a has 2 entries for 1 steps"),
            ({"n_samples": [1], "epoch": [1, 2], "n_spikes": {"a": [1]}}, "epoch has 2 entries for 1 steps"),
            ({"n_samples": [0], "n_spikes": {"a": [1]}}, "n_samples is 0, must be a whole number from 1"),
            ({"n_samples": [], "n_spikes": {"a": []}}, "must be a list with one entry for each step"),
            ({"n_samples": [1]}, "n_spikes must be an object"),
            ({"n_samples": [1], "n_spikes": {"a": [1]}, "loss": [1]}, "unknown key 'loss'"),
        ],
    )
    def test_declared_steps_must_add_up(
        self, empty_store: EnergyStore, tmp_path: Path, training: dict[str, Any], message: str
    ) -> None:
        writer = RunWriter(tmp_path / "a.parquet", layers=["a"], n_samples=1, n_timesteps=1)
        writer.add_events("a", [0], [0])
        writer.close()
        layers = [{"name": "a", "role": "hidden"}]
        with pytest.raises(RunFileError, match=message):
            empty_store.ingest(tmp_path / "a.parquet", network={"layers": layers, "training": training})
        assert empty_store.runs() == []


class Module:
    """What hooks need of a torch module."""

    def __init__(self, **children: Module) -> None:
        self._children = children
        self.hooks: dict[int, Any] = {}

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        yield "", self
        yield from self._children.items()

    def register_forward_hook(self, hook: Any) -> SimpleNamespace:
        key = len(self.hooks)
        self.hooks[key] = hook
        return SimpleNamespace(remove=lambda: self.hooks.pop(key))

    def hand_out(self, output: Any) -> None:
        for hook in list(self.hooks.values()):
            hook(self, (), output)


class TestWatch:
    @pytest.fixture
    def model(self) -> Module:
        return Module(lif1=Module(), lif2=Module())

    @staticmethod
    def run(model: Module, dense: dict[str, Any], by_step: bool) -> None:
        modules = dict(model.named_modules())
        for name, array in zip(("lif1", "lif2"), dense.values(), strict=True):
            for output in array if by_step else [array]:
                modules[name].hand_out((output, "state"))

    def live(self, store: EnergyStore) -> LiveEnergy:
        return store.live("loihi2", layers=LAYERS)

    @pytest.mark.parametrize("by_step", [False, True])
    def test_modules_hand_on_their_spikes(self, store: EnergyStore, model: Module, by_step: bool) -> None:
        live = self.live(store)
        form: dict[str, Any] = {"axes": "BN", "n_timesteps": 4} if by_step else {"axes": "TBN"}
        with watch(model, {"lif1": "hidden", "lif2": "out"}, to=live, **form):
            for n_hidden in (20, 10):
                self.run(model, spikes(n_hidden, 6), by_step)
                step = live.step()
                assert (step.n_samples, step.n_timesteps) == (3, 4)
                assert step.n_spikes == {"hidden": n_hidden, "out": 6}

    def test_a_recording_keeps_samples_and_timesteps(self, store: EnergyStore, model: Module) -> None:
        arrays = [spikes(20, 6), spikes(10, 3)]
        writer = RunWriter(store, layers=LAYERS, name="watched", n_timesteps=4)
        with writer, watch(model, {"lif1": "hidden", "lif2": "out"}, to=writer, axes="BN", n_timesteps=4):
            for dense in arrays:
                self.run(model, dense, by_step=True)
        rows = store.sql("SELECT timestep, sample_index, neuron FROM activity_by_spike WHERE layer = 'hidden'")
        both = np.concatenate([dense["hidden"] for dense in arrays], axis=1)
        found = sorted(tuple(row.values()) for row in rows.to_pylist())
        assert found == sorted(zip(*(axis.tolist() for axis in np.nonzero(both)), strict=True))

    def test_hooks_come_off(self, store: EnergyStore, model: Module) -> None:
        watching = watch(model, {"lif1": "hidden", "lif2": "out"}, to=self.live(store))
        assert [len(module.hooks) for _, module in model.named_modules()] == [0, 1, 1]
        watching.detach()
        assert [len(module.hooks) for _, module in model.named_modules()] == [0, 0, 0]

    def test_what_is_paused_is_not_counted(self, store: EnergyStore, model: Module) -> None:
        live = self.live(store)
        with watch(model, {"lif1": "hidden", "lif2": "out"}, to=live) as watching:
            with watching.paused():
                self.run(model, spikes(20, 6), by_step=False)
            self.run(model, spikes(10, 3), by_step=False)
            assert live.step().n_spikes == {"hidden": 10, "out": 3}

    def test_spikes_behind_the_last_step_are_not_dropped(self, store: EnergyStore, model: Module) -> None:
        live = self.live(store)
        with watch(model, {"lif1": "hidden", "lif2": "out"}, to=live):
            self.run(model, spikes(10, 3), by_step=False)
        with pytest.raises(UsageError, match="behind the last step"):
            live.close()

    def test_outputs_that_change_in_place_are_noticed_or_copied(self, store: EnergyStore, model: Module) -> None:
        class Tensor(np.ndarray):
            """An array that counts its changes, as tensors of torch do."""

            _version = 0

        first, second = (np.ones((3, 5)).view(Tensor) for _ in range(2))
        live = store.live("loihi2", layers=["lif1"])
        modules = dict(model.named_modules())
        with watch(model, ["lif1"], to=live, axes="BN", n_timesteps=2) as watching:
            modules["lif1"].hand_out(first)
            first._version = 1
            with pytest.raises(UsageError, match="'lif1' returned was changed in place"):
                modules["lif1"].hand_out(second)
            # Plain arrays do not say whether they change.
            buffer = np.ones((3, 5))
            modules["lif1"].hand_out(buffer)
            buffer[:] = 0
            modules["lif1"].hand_out(buffer)
            assert live.step().n_spikes == {"lif1": 15}
            watching.detach()

    def test_a_model_that_failed_in_mid_sample_shifts_nothing(self, store: EnergyStore, model: Module) -> None:
        live, modules = store.live("loihi2", layers=["lif1"]), dict(model.named_modules())
        with watch(model, ["lif1"], to=live, axes="BN", n_timesteps=2):
            modules["lif1"].hand_out(np.ones((3, 5)))
            with pytest.raises(UsageError, match="called 1 times behind its last whole sample"):
                live.step()
            for _ in range(2):
                modules["lif1"].hand_out(np.ones((1, 5)))
            assert live.step().n_spikes == {"lif1": 10}

    def test_a_part_of_a_sample_is_not_dropped(self, store: EnergyStore, model: Module) -> None:
        watching = watch(model, ["lif1"], to=store.live("loihi2", layers=["lif1"]), axes="BN", n_timesteps=3)
        dict(model.named_modules())["lif1"].hand_out(np.ones((2, 4)))
        with pytest.raises(UsageError, match="called 1 times behind its last whole sample, which takes 3"):
            watching.detach()
        assert dict(model.named_modules())["lif1"].hooks == {}

    def test_what_cannot_be_watched_is_refused(self, store: EnergyStore, model: Module) -> None:
        live = self.live(store)
        with pytest.raises(UsageError, match="no module 'lif3'") as error:
            watch(model, ["lif3"], to=live)
        assert "lif1, lif2" in str(error.value.hint)
        with pytest.raises(UsageError, match="without T"):
            watch(model, ["lif1"], to=live, axes="BN")
        with pytest.raises(UsageError, match="no torch module"):
            watch(object(), ["lif1"], to=live)
        with pytest.raises(UsageError, match="EnergyStore takes no spikes"):
            watch(model, ["lif1"], to=store)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="two modules are named as one layer"):
            watch(model, {"lif1": "hidden", "lif2": "hidden"}, to=live)
        with pytest.raises(UsageError, match="no modules are named"):
            watch(model, [], to=live)
