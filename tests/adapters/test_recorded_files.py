"""SONATA, NWB and Neo: what libsonata, pynwb and PyNN count themselves, and the traps of their files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
from neo_objects import MILLISECONDS, Quantity, block, recorded_block, train

from energy_db import EnergyStore
from energy_db.adapters import from_neo, from_nwb, from_sonata
from energy_db.adapters.timing import steps_of
from energy_db.errors import RunFileError, UsageError
from energy_db.record import Recording

RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> dict[str, Any]:
    with np.load(RECORDED / f"{name}.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def counts_of(recording: Recording) -> dict[str, list[list[int]]]:
    """Return the spikes of each neuron of each layer, by sample."""
    counts = {layer.name: np.zeros((recording.n_samples, layer.n_neurons or 0), int) for layer in recording.layers}
    for part in recording.spikes():
        np.add.at(counts[part.layer], (part.sample, part.neuron), 1)
        assert part.timestep.max(initial=0) < recording.n_timesteps
    return {layer: each.tolist() for layer, each in counts.items()}


def steps_in(recording: Recording, layer: str) -> list[int]:
    """Return the timesteps of a layer's spikes, in order."""
    return sorted(step for part in recording.spikes() if part.layer == layer for step in part.timestep.tolist())


def assert_priced(recording: Recording, readout: str) -> None:
    """Hold the store's energy against 2.1 pJ for a hidden spike and 1.0 pJ for one of the readout."""
    with EnergyStore(":memory:") as store:
        spikes = recording.n_spikes
        roles = {**dict.fromkeys(spikes, "hidden"), readout: "readout"}
        run = store.ingest(recording, name="recorded", roles=roles)
        expected = 2.1 * (sum(spikes.values()) - spikes[readout]) + 1.0 * spikes[readout]
        assert store.report(run, "loihi2").total_energy_pj == pytest.approx(expected)
        assert (run.n_timesteps, run.n_samples) == (recording.n_timesteps, recording.n_samples)
        assert all(result.n_failures == 0 for result in store.verify())


@pytest.mark.parametrize(("time", "step"), [(0.1, 0), (0.15, 1), (0.2, 1), (0.3, 2), (0.7, 6)])
def test_steps_that_include_their_ends(time: float, step: int) -> None:
    assert steps_of([time], 0.1, rounding="ceil").tolist() == [step]
    assert steps_of([time + 5], 0.1, start=5, rounding="ceil").tolist() == [step]


def test_what_lies_on_the_start_is_in_no_step_that_includes_its_end() -> None:
    with pytest.raises(UsageError, match=r"times\[1\] must lie behind the start, 0"):
        steps_of([0.1, 0.0], 0.1, rounding="ceil")


class TestSonata:
    SPIKES, NODES = RECORDED / "sonata-spikes.h5", RECORDED / "sonata-nodes.h5"
    SIZES: Mapping[str, int] = {"cortex": 6, "input": 4, "thalamus": 3}
    KNOWN: Mapping[str, Any] = {"dt_ms": 0.1, "duration_ms": 50.0}

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("knows", ["sizes", "nodes", "both"])
    def test_counts_are_libsonatas_own_in_any_order_and_unit(self, knows: str) -> None:
        raw = recorded("sonata")
        sizes = None if knows == "nodes" else self.SIZES
        nodes = None if knows == "sizes" else self.NODES
        recording = from_sonata(self.SPIKES, sizes=sizes, nodes=nodes, **self.KNOWN)
        assert counts_of(recording) == {name: [raw[f"count_{name}"].tolist()] for name in self.SIZES}
        assert {layer.name: layer.n_neurons for layer in recording.layers} == self.SIZES
        assert [counts[0][-1] for counts in counts_of(recording).values()] == [0, 0, 0]
        assert (recording.n_timesteps, recording.timestep_us) == (500, 100.0)
        assert recording.origin == str(self.SPIKES)
        assert_priced(recording, "thalamus")

    def test_times_are_libsonatas_own_made_steps_of(self) -> None:
        raw = recorded("sonata")
        recording = from_sonata(self.SPIKES, nodes=self.NODES, **self.KNOWN)
        assert {str(raw[f"unit_{name}"]) for name in self.SIZES} == {"ms", "s"}
        assert (np.diff(raw["times_cortex"]) < 0).any()
        for name in self.SIZES:
            in_ms = raw[f"times_{name}"] * MILLISECONDS[str(raw[f"unit_{name}"])]
            # The times were drawn on the grid of 0.1 ms.
            assert steps_in(recording, name) == sorted(np.rint(in_ms * 10).astype(int).tolist())

    def test_populations_are_taken_as_chosen_in_that_order(self) -> None:
        chosen = from_sonata(self.SPIKES, nodes=[self.NODES], populations=["thalamus", "cortex"], **self.KNOWN)
        assert list(chosen.n_spikes.items()) == [("thalamus", 60), ("cortex", 120)]

    @staticmethod
    def written(path: Path, **datasets: Any) -> Path:
        """Write a file of one population, 'a', with three spikes; datasets and attributes replace what it has."""
        with h5py.File(path, "w") as file:
            group = file.create_group("spikes/a")
            for name, value in {"timestamps": [0.3, 0.0, 0.1], "node_ids": [2, 0, 2], **datasets}.items():
                if value is not None and name != "units":
                    group[name] = value
            if "units" in datasets:
                group["timestamps"].attrs["units"] = datasets["units"]
        return path

    @pytest.mark.parametrize(
        ("units", "to_ms"),
        [("ms", 1), ("milliseconds", 1), (b"ms", 1), ("s", 1e3), ("Seconds", 1e3), ("us", 1e-3), ("µs", 1e-3)],
    )
    def test_units_are_those_of_the_file(self, tmp_path: Path, units: Any, to_ms: float) -> None:
        path = self.written(tmp_path / "a.h5", timestamps=np.array([0.3, 0.0, 0.1]) / to_ms, units=units)
        recording = from_sonata(path, dt_ms=0.1, duration_ms=0.4, sizes={"a": 3})
        assert steps_in(recording, "a") == [0, 1, 3]

    def test_no_unit_is_ms(self, tmp_path: Path) -> None:
        recording = from_sonata(self.written(tmp_path / "a.h5"), dt_ms=0.1, duration_ms=0.4, sizes={"a": 3})
        assert steps_in(recording, "a") == [0, 1, 3]

    def test_stamps_of_the_end_are_one_step_earlier_and_the_duration_is_one(self, tmp_path: Path) -> None:
        path = self.written(tmp_path / "a.h5", timestamps=[0.1, 0.4, 0.25])
        known: dict[str, Any] = {"dt_ms": 0.1, "duration_ms": 0.4, "sizes": {"a": 3}}
        assert steps_in(from_sonata(path, stamped="end", **known), "a") == [0, 2, 3]
        with pytest.raises(UsageError, match=r"/spikes/a/timestamps\[1\] is in timestep 4, but the run has 4"):
            from_sonata(path, **known)

    def test_a_population_without_spikes_keeps_its_neurons(self, tmp_path: Path) -> None:
        path = self.written(tmp_path / "a.h5", timestamps=np.zeros(0), node_ids=np.zeros(0, "u8"))
        recording = from_sonata(path, dt_ms=0.1, duration_ms=0.4, sizes={"a": 3})
        assert counts_of(recording) == {"a": [[0, 0, 0]]}

    @pytest.mark.parametrize(
        ("datasets", "message"),
        [
            ({"units": "minutes"}, r"a\.h5: /spikes/a/timestamps has the units 'minutes', must be ms, s or us"),
            ({"units": ""}, "has the units ''"),
            ({"node_ids": [2, 0, 3]}, r"a\.h5: /spikes/a/node_ids: row 2 is 3, but the population has 3 neurons"),
            ({"node_ids": [2, -1, 0]}, "node_ids: row 1 is -1"),
            ({"node_ids": np.array([0, 1, 2**64 - 1], "u8")}, "node_ids: row 2 is 18446744073709551615"),
            ({"node_ids": [0.0, 1.0, 2.0]}, r"/spikes/a/node_ids is float64 of shape \(3,\), must be .* whole numbers"),
            ({"node_ids": [0, 1]}, "has 3 timestamps, but 2 node_ids"),
            ({"timestamps": [0.0, float("nan"), 0.1]}, "timestamps: row 1 is nan, must be a number"),
            ({"timestamps": [0.0, float("inf"), 0.1]}, "timestamps: row 1 is inf"),
            ({"timestamps": ["0.1", "0.2", "0.3"]}, "timestamps is object of shape"),
            ({"timestamps": [[0.1, 0.2, 0.3]]}, r"of shape \(1, 3\), must be one axis"),
            ({"timestamps": h5py.Empty("f8")}, r"timestamps is .* of shape \(\)"),
            ({"timestamps": None}, "/spikes/a has no dataset 'timestamps'"),
            ({"node_ids": None}, "/spikes/a has no dataset 'node_ids'"),
        ],
    )
    def test_what_cannot_be_is_refused_with_its_place(
        self, tmp_path: Path, datasets: dict[str, Any], message: str
    ) -> None:
        path = self.written(tmp_path / "a.h5", **datasets)
        with pytest.raises(RunFileError, match=message):
            from_sonata(path, dt_ms=0.1, duration_ms=1.0, sizes={"a": 3})

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({}, "nobody says how many neurons the population 'cortex' has"),
            ({"sizes": {"cortex": 6}}, "nobody says how many neurons the population 'input' has"),
            ({"sizes": {**SIZES, "cortx": 6}}, "sizes has 'cortx', but the file has no such population"),
            ({"sizes": {**SIZES, "cortex": 6.0}}, "sizes has 6.0 for 'cortex', must be a whole number"),
            ({"sizes": {**SIZES, "cortex": -1}}, "sizes has -1 for 'cortex'"),
            ({"sizes": {"input": 5}, "nodes": NODES}, r"'input' has 5 neurons by sizes, but 4 by .*sonata-nodes\.h5"),
            ({"nodes": NODES, "populations": ["cortx"]}, "has no population 'cortx'"),
            ({"nodes": NODES, "populations": ["input", "input"]}, "populations has 'input' twice"),
            ({"nodes": NODES, "populations": []}, r"populations is \[\], must be a list of names"),
            ({"nodes": NODES, "populations": "input"}, "populations is 'input', must be a list of names"),
            ({"nodes": NODES, "duration_ms": 40.0}, r"timestamps\[\d+\] is in timestep 4\d\d, but the run has 400"),
            ({"nodes": NODES, "duration_ms": float("nan")}, "duration is nan"),
            ({"nodes": NODES, "dt_ms": 0.0}, "dt is 0.0"),
            ({"nodes": NODES, "stamped": "middle"}, "stamped is 'middle', must be start or end"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(UsageError, match=message):
            from_sonata(self.SPIKES, **{**self.KNOWN, **options})

    def test_a_negative_time_is_refused(self, tmp_path: Path) -> None:
        path = self.written(tmp_path / "a.h5", timestamps=[0.3, -0.1, 0.1])
        with pytest.raises(UsageError, match=r"timestamps\[1\] lies before the start"):
            from_sonata(path, dt_ms=0.1, duration_ms=1.0, sizes={"a": 3})

    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (lambda path: path.unlink(), "there is no such file"),
            (lambda path: path.write_text("spikes"), "is no HDF5 file, or was cut short"),
            (lambda path: path.write_bytes(path.read_bytes()[:3000]), "is no HDF5 file, or was cut short"),
            (lambda path: shutil.copy(TestSonata.NODES, path), "/ has no group 'spikes'.*\n.*nodes"),
        ],
    )
    def test_files_that_are_none_are_refused(
        self, tmp_path: Path, damage: Callable[[Path], object], message: str
    ) -> None:
        path = Path(shutil.copy(self.SPIKES, tmp_path / "spikes.h5"))
        damage(path)
        with pytest.raises(RunFileError, match=message):
            from_sonata(path, nodes=self.NODES, **self.KNOWN)

    def test_spikes_of_no_population_are_refused(self, tmp_path: Path) -> None:
        with h5py.File(tmp_path / "old.h5", "w") as file:
            file["spikes/timestamps"], file["spikes/gids"] = [0.1], [0]
        with pytest.raises(RunFileError, match=r"/spikes has no population\n.*before SONATA 0\.1"):
            from_sonata(tmp_path / "old.h5", **self.KNOWN)

    def test_spikes_are_no_nodes(self) -> None:
        with pytest.raises(RunFileError, match=r"sonata-spikes\.h5: / has no group 'nodes'"):
            from_sonata(self.SPIKES, nodes=self.SPIKES, **self.KNOWN)


class TestNwb:
    UNITS = RECORDED / "nwb-units.nwb"
    KNOWN: Mapping[str, Any] = {"dt_s": 0.001, "duration_s": 2.0, "start_s": 10.0}

    def test_counts_are_pynwbs_own_silent_units_included(self) -> None:
        raw = recorded("nwb")
        recording = from_nwb(self.UNITS, **self.KNOWN)
        assert counts_of(recording) == {"units": [raw["count_units"].tolist()]}
        assert [unit for unit, count in enumerate(raw["count_units"]) if not count] == [2, 5]
        assert (recording.n_timesteps, recording.timestep_us) == (2000, 1000.0)
        times = np.concatenate([raw[f"times_{unit}"] for unit in range(6)])
        assert steps_in(recording, "units") == sorted(np.floor((times - 10.0) * 1000).astype(int).tolist())

    @pytest.mark.parametrize(("column", "own"), [("area", "areas"), ("electrode_group", "shanks")])
    def test_a_column_makes_layers_of_units(self, column: str, own: str) -> None:
        raw = recorded("nwb")
        recording = from_nwb(self.UNITS, layer_column=column, **self.KNOWN)
        expected: dict[str, list[list[int]]] = {}
        for value, count in zip(raw[own].tolist(), raw["count_units"].tolist(), strict=True):
            expected.setdefault(value, [[]])[0].append(count)
        assert counts_of(recording) == expected
        assert list(recording.n_spikes) == list(expected)

    def test_it_is_priced(self) -> None:
        recording = from_nwb(self.UNITS, layer_column="electrode_group", **self.KNOWN)
        assert_priced(recording, "shank1")

    @staticmethod
    def written(path: Path, **datasets: Any) -> Path:
        """Write a file of three units, the second of them silent; datasets replace what it has."""
        usual = {"id": [0, 1, 2], "spike_times": [0.1, 0.3, 0.2], "spike_times_index": np.array([2, 2, 3], "u1")}
        with h5py.File(path, "w") as file:
            group = file.create_group("units")
            for name, value in {**usual, **datasets}.items():
                if value is not None:
                    group[name] = value
        return path

    @pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i8"])
    def test_the_index_is_as_wide_as_the_spikes_are_many(self, tmp_path: Path, dtype: str) -> None:
        path = self.written(tmp_path / "a.nwb", spike_times_index=np.array([2, 2, 3], dtype))
        assert counts_of(from_nwb(path, dt_s=0.1, duration_s=1.0)) == {"units": [[2, 0, 1]]}

    def test_several_spikes_in_one_timestep_all_count(self, tmp_path: Path) -> None:
        path = self.written(tmp_path / "a.nwb", spike_times=[0.1, 0.11, 0.2])
        recording = from_nwb(path, dt_s=0.1, duration_s=1.0, layer="probe")
        assert counts_of(recording) == {"probe": [[2, 0, 1]]}
        with EnergyStore(":memory:") as store:
            assert store.ingest(recording, name="a").n_spikes == 3

    @pytest.mark.parametrize("values", [[7, 8, 7], [True, False, True], [b"7", b"8", b"7"], ["7", "8", "7"]])
    def test_a_column_can_be_of_numbers_or_texts(self, tmp_path: Path, values: list[Any]) -> None:
        path = self.written(tmp_path / "a.nwb", shank=values)
        recording = from_nwb(path, dt_s=0.1, duration_s=1.0, layer_column="shank")
        assert list(counts_of(recording).values()) == [[[2, 1]], [[0]]]

    @pytest.mark.parametrize(
        ("datasets", "message"),
        [
            ({"spike_times": None, "spike_times_index": None}, r"a\.nwb: the units have no spike_times\n.*id"),
            ({"spike_times_index": None}, "the units have no spike_times_index"),
            ({"id": None}, "/units has no dataset 'id'"),
            ({"spike_times_index": np.array([2, 1, 3], "u1")}, "spike_times_index: row 1 is 1, must be no less"),
            ({"spike_times_index": [-1, 2, 3]}, "spike_times_index: row 0 is -1, must be"),
            ({"spike_times_index": np.array([2, 3], "u1")}, "has 2 rows, but there are 3 units"),
            ({"spike_times_index": np.array([1, 1, 2], "u1")}, "ends with 2, but there are 3 spike_times"),
            ({"spike_times_index": np.array([2, 2, 4], "u1")}, "ends with 4, but there are 3 spike_times"),
            ({"spike_times_index": [2.0, 2.0, 3.0]}, "must be one axis of whole numbers"),
            ({"spike_times": [0.1, float("nan"), 0.2]}, "/units/spike_times: row 1 is nan, must be a number"),
            ({"spike_times": [[0.1, 0.3, 0.2]]}, r"of shape \(1, 3\), must be one axis"),
            (
                {"id": np.zeros(0, int), "spike_times": np.zeros(0), "spike_times_index": np.zeros(0, "u1")},
                "the units table has no rows",
            ),
            ({"area": None}, "/units has no dataset 'area'"),
            ({"area": ["V1", "V2"]}, "/units/area has 2 rows, but there are 3 units"),
            ({"area": ["V1", " ", "V2"]}, "/units/area: row 1 is empty, must name a layer"),
            ({"area": [0.5, 1.0, 2.0]}, "/units/area is float64 of shape"),
            ({"area": ["V1"] * 4, "area_index": [1, 2, 4]}, "/units/area has several values for each unit"),
        ],
    )
    def test_what_cannot_be_is_refused_with_its_place(
        self, tmp_path: Path, datasets: dict[str, Any], message: str
    ) -> None:
        path = self.written(tmp_path / "a.nwb", **{"area": ["V1", "V1", "V2"], **datasets})
        with pytest.raises(RunFileError, match=message):
            from_nwb(path, dt_s=0.1, duration_s=1.0, layer_column="area")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"start_s": 0.0}, r"/units/spike_times\[\d+\] is in timestep 1\d{4}, but the run has 2000 timesteps"),
            ({"start_s": 11.0}, r"/units/spike_times\[\d+\] lies before the start, 11\.0"),
            ({"duration_s": 1.0}, "but the run has 1000 timesteps"),
            ({"duration_s": 0.0}, "duration is 0.0"),
            ({"dt_s": float("inf")}, "dt is inf"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(UsageError, match=message):
            from_nwb(self.UNITS, **{**self.KNOWN, **options})

    def test_a_file_without_units_is_refused(self) -> None:
        with pytest.raises(RunFileError, match=r"has no units table, /units\n.*there is nodes"):
            from_nwb(TestSonata.NODES, **self.KNOWN)

    def test_a_cut_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "cut.nwb").write_bytes(self.UNITS.read_bytes()[:20_000])
        with pytest.raises(RunFileError, match="is no HDF5 file, or was cut short"):
            from_nwb(tmp_path / "cut.nwb", **self.KNOWN)


class TestNeo:
    def test_counts_are_pynns_own_each_segment_a_sample(self) -> None:
        raw = recorded("neo")
        recording = from_neo({name: recorded_block(name) for name in ("cells", "source")}, dt_ms=0.1)
        assert counts_of(recording) == {name: raw[f"count_{name}"].tolist() for name in ("cells", "source")}
        assert (recording.n_timesteps, recording.n_samples, recording.timestep_us) == (500, 2, 100.0)
        # What the sources of spikes were told to do, in both segments.
        assert steps_in(recording, "source") == sorted(2 * [10, 25, 100, 499])
        assert_priced(recording, "cells")

    def test_trains_of_another_segment_are_found_by_source_id_whatever_their_unit(self) -> None:
        raw = recorded("neo")
        recording = from_neo(recorded_block("mixed"), dt_ms=0.1)
        # By neo's count, the second segment has its trains in another order: 9, 7, 3 after 7, 3, 9.
        assert raw["own_mixed"].tolist() == [[3, 0, 1], [1, 3, 0]]
        assert counts_of(recording) == {"mixed": [[3, 0, 1], [3, 0, 1]]}
        assert steps_in(recording, "mixed") == sorted(2 * [1, 200, 499, 499])

    def test_pynn_calls_the_source_channel_and_neurons_of_one_electrode_are_several(self) -> None:
        pynn = {"source_population": "cells"}
        first = [train([0.1], channel_id=4, **pynn), train([], channel_id=5, **pynn)]
        second = [train([], channel_id=5, **pynn), train([0.1, 0.2], channel_id=4, **pynn)]
        assert counts_of(from_neo({"a": block(first, second)}, dt_ms=0.1)) == {"a": [[1, 0], [2, 0]]}
        same_electrode = [train([0.1], channel_id=4), train([0.1, 0.3], channel_id=4)]
        assert counts_of(from_neo({"a": block(same_electrode)}, dt_ms=0.1)) == {"a": [[1, 2]]}

    def test_without_ids_order_counts(self) -> None:
        recording = from_neo({"a": block([train([0.1]), train([])], [train([]), train([0.1])])}, dt_ms=0.1)
        assert counts_of(recording) == {"a": [[1, 0], [0, 1]]}

    @pytest.mark.parametrize(("stamped", "steps"), [("start", [1, 2, 9, 9]), ("end", [0, 2, 8, 9])])
    def test_what_lies_on_t_stop_is_in_the_last_step(self, stamped: Any, steps: list[int]) -> None:
        recording = from_neo({"a": block([train([0.1, 0.25, 0.9, 1.0])])}, dt_ms=0.1, stamped=stamped)
        assert steps_in(recording, "a") == steps

    def test_timesteps_count_from_t_start(self) -> None:
        late = block([train([5.0, 5.25, 5.5], span_ms=(5.0, 5.5))])
        recording = from_neo({"a": late}, dt_ms=0.1)
        assert (recording.n_timesteps, steps_in(recording, "a")) == (5, [0, 2, 4])

    def test_a_last_timestep_can_be_cut_short(self) -> None:
        recording = from_neo({"a": block([train([0.95, 1.0], span_ms=(0.0, 1.0))])}, dt_ms=0.3)
        assert (recording.n_timesteps, steps_in(recording, "a")) == (4, [3, 3])

    def test_a_timestep_may_carry_its_unit(self) -> None:
        recording = from_neo({"a": block([train([0.3])])}, dt_ms=Quantity(0.0001, "s"))  # type: ignore[arg-type]
        assert (recording.n_timesteps, steps_in(recording, "a"), recording.timestep_us) == (10, [3], 100.0)

    def test_a_single_block_has_its_own_name_or_the_one_given(self) -> None:
        assert list(from_neo(block([train([])], name="exc"), dt_ms=0.1).n_spikes) == ["exc"]
        assert list(from_neo(block([train([])], name="exc"), dt_ms=0.1, layer="a").n_spikes) == ["a"]

    @pytest.mark.parametrize(
        ("blocks", "message"),
        [
            ({}, "the recording has no layers"),
            ([block([train([])])], "blocks is list, must be a Neo block, or a mapping"),
            ({"a": [train([])]}, "blocks is dict, must be a Neo block, or a mapping"),
            (block([train([])]), "the block has no name"),
            ({"a": block()}, "the blocks have no segments"),
            ({"a": block([])}, "segment 0 of layer 'a' has no spike trains"),
            ({"a": block([train([])]), "b": block([train([])], [train([])])}, "as many segments, but a has 1, b has 2"),
            ({"a": block([train([])], [train([]), train([])])}, "segment 1 of layer 'a' has 2 trains, but segment 0"),
            (
                {"a": block([train([], source_id=1), train([], source_id=1)])},
                "segment 0 of layer 'a' has the source_id 1 twice",
            ),
            (
                {"a": block([train([], source_id=1)], [train([], source_id=2)])},
                "segment 1 of layer 'a' has the source_id 2, which segment 0 does not have",
            ),
            ({"a": block([train([], source_id=1), train([])])}, "some trains of layer 'a' have a source_id"),
            ({"a": block([train([], source_id=1)], [train([])])}, "some trains of layer 'a' have a source_id"),
            (
                {"a": block([train([])], [train([], span_ms=(0.0, 2.0))])},
                "train 0 of segment 1 of layer 'a' reaches from 0 to 2 ms, but the first one from 0 to 1 ms",
            ),
            ({"a": block([train([])]), "b": block([train([], span_ms=(1.0, 2.0))])}, "of layer 'b' reaches from 1 to"),
            ({"a": block([train([], span_ms=(0.0, float("nan")))])}, "reaches from 0 to nan ms"),
            ({"a": block([train([], span_ms=(1.0, 1.0))])}, "duration is 0.0"),
            ({"a": block([train([1.01])])}, r"train 0 of segment 0 of layer 'a'\[0\] is in timestep 10"),
            ({"a": block([train([0.1, float("inf")])])}, r"layer 'a'\[1\] is not a finite time"),
            ({"a": block([train([0.5], span_ms=(0.6, 1.0))])}, r"layer 'a'\[0\] lies before the start, 0\.6"),
            ({"a": block([train([0.1], unit="mV")])}, "train 0 of segment 0 of layer 'a' is no time: Unable to"),
            (
                {"a": block([SimpleNamespace(t_start=0.0, t_stop=1.0)])},
                "t_start of train 0 of segment 0 of layer 'a' has no unit",
            ),
        ],
    )
    def test_what_does_not_fit_is_refused(self, blocks: Any, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            from_neo(blocks, dt_ms=0.1)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"dt_ms": 0.0}, "dt is 0.0"),
            ({"dt_ms": 0.1, "stamped": "middle"}, "stamped is 'middle'"),
            ({"dt_ms": 0.1, "layer": "b"}, "layer names a single block, but blocks is a mapping"),
        ],
    )
    def test_options_that_cannot_be_are_refused(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(UsageError, match=message):
            from_neo({"a": block([train([0.1])])}, **options)
