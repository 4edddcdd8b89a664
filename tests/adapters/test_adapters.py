"""Adapters on what frameworks themselves recorded (examples/frameworks): counts, sizes, energies, and traps."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from energy_db import EnergyStore
from energy_db.adapters import (
    from_brian2,
    from_lava,
    from_nengo,
    from_nest,
    from_nest_files,
    from_norse,
    from_rockpool,
    from_sinabs,
    from_snntorch,
    from_spikingjelly,
)
from energy_db.errors import RunFileError, UsageError
from energy_db.record import Recording

RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> dict[str, Any]:
    with np.load(RECORDED / f"{name}.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def counts_of(recording: Recording) -> dict[str, list[int]]:
    """Return the spikes of each neuron of each layer."""
    counts = {layer.name: np.zeros(layer.n_neurons or 0, int) for layer in recording.layers}
    for part in recording.spikes():
        np.add.at(counts[part.layer], part.neuron, 1 if part.n_spikes is None else part.n_spikes)
        assert part.timestep.max(initial=0) < recording.n_timesteps
        assert part.sample.max(initial=0) < recording.n_samples
    return {layer: each.tolist() for layer, each in counts.items()}


def own_counts(raw: dict[str, Any], *layers: str) -> dict[str, list[int]]:
    """Return what the framework itself counted."""
    return {layer: raw[f"count_{layer}"].astype(int).tolist() for layer in layers}


def assert_priced(recording: Recording, hidden: str, readout: str) -> None:
    """Hold the store's energy against 2.1 pJ for a hidden spike and 1.0 pJ for one of the readout."""
    with EnergyStore(":memory:") as store:
        run = store.ingest(recording, name="recorded", roles={hidden: "hidden", readout: "readout"})
        spikes = recording.n_spikes
        expected = 2.1 * spikes[hidden] + 1.0 * spikes[readout]
        assert store.report(run, "loihi2").total_energy_pj == pytest.approx(expected)
        assert (run.n_timesteps, run.n_samples) == (recording.n_timesteps, recording.n_samples)
        assert all(result.n_failures == 0 for result in store.verify())


class TestSnnTorch:
    @pytest.mark.thorough
    def test_counts_are_its_own(self) -> None:
        raw = recorded("snntorch")
        recording = from_snntorch({layer: raw[layer] for layer in ("conv", "out")})
        assert counts_of(recording) == own_counts(raw, "conv", "out")
        assert (recording.n_timesteps, recording.n_samples) == (12, 3)
        assert [layer.n_neurons for layer in recording.layers] == [2 * 4 * 4, 5]
        assert_priced(recording, "conv", "out")

    def test_lists_of_timesteps_are_stacked(self) -> None:
        raw = recorded("snntorch")
        listed = from_snntorch({layer: list(raw[layer]) for layer in ("conv", "out")})
        assert counts_of(listed) == own_counts(raw, "conv", "out")
        assert (listed.n_timesteps, listed.n_samples) == (12, 3)

    def test_graded_layers_have_to_be_called_so(self) -> None:
        graded = recorded("snntorch")["out"] * 0.25
        with pytest.raises(UsageError, match=r"holds 0\.25.*whole numbers"):
            from_snntorch({"out": graded})
        assert from_snntorch({"out": graded}, values="graded").n_spikes == {"out": np.count_nonzero(graded)}

    @pytest.mark.parametrize(
        ("spikes", "message"),
        [
            ({}, "no layers"),
            ({"out": []}, "has no timesteps"),
            ({"out": np.zeros((4, 3))}, "must have the axes T, B, neurons"),
            ({"out": [np.zeros((3, 2)), np.zeros((2, 2))]}, r"timestep 1 of layer 'out' is of shape \(2, 2\)"),
            ({"a": np.zeros((4, 3, 2)), "b": np.zeros((5, 3, 2))}, "as many timesteps, but a has 4, b has 5"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, spikes: dict[str, Any], message: str) -> None:
        with pytest.raises(UsageError, match=message):
            from_snntorch(spikes)


class TestNorse:
    def test_counts_are_its_own_and_states_are_left_out(self) -> None:
        raw = recorded("norse")
        cell_outputs = [(step, object()) for step in raw["out"]]
        recording = from_norse({"hidden": (raw["hidden"], object()), "out": cell_outputs}, timestep_us=1000)
        assert counts_of(recording) == own_counts(raw, "hidden", "out")
        assert (recording.n_timesteps, recording.n_samples, recording.timestep_us) == (12, 3, 1000)
        assert_priced(recording, "hidden", "out")


class TestSpikingJelly:
    @staticmethod
    def monitor(raw: dict[str, Any], step_mode: str) -> SimpleNamespace:
        records = [raw[key] for key in sorted(raw) if key.startswith(f"{step_mode}_record_")]
        index = {name: raw[f"{step_mode}_index_{name}"].tolist() for name in ("1", "3")}
        return SimpleNamespace(records=records, name_records_index=index)

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize("step_mode", ["m", "s"])
    def test_counts_are_its_own_in_both_step_modes(self, step_mode: str) -> None:
        raw = recorded("spikingjelly")
        recording = from_spikingjelly(self.monitor(raw, step_mode), step_mode=step_mode, n_timesteps=8)
        own = {name: raw[f"{step_mode}_count_{name}"].astype(int).tolist() for name in ("1", "3")}
        assert counts_of(recording) == own
        # Batches of 3 and 2 samples stand in the same list.
        assert (recording.n_timesteps, recording.n_samples) == (8, 5)
        assert_priced(recording, "1", "3")

    def test_both_step_modes_give_the_same_events(self) -> None:
        raw = recorded("spikingjelly")
        with EnergyStore(":memory:") as store:
            runs = [
                store.ingest(from_spikingjelly(self.monitor(raw, mode), step_mode=mode, n_timesteps=8), name="sj")
                for mode in ("m", "s")
            ]
        assert [run.status for run in runs] == ["stored", "unchanged"]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"step_mode": "s"}, "do not say where a sample ends"),
            ({"step_mode": "s", "n_timesteps": 5}, "16 records, which is not a multiple of 5"),
            ({"step_mode": "x"}, "must be 'm' or 's'"),
            ({"step_mode": "s", "n_timesteps": 8, "layers": ["2"]}, "'2' is not monitored"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(UsageError, match=message):
            from_spikingjelly(self.monitor(recorded("spikingjelly"), "s"), **options)


class TestSinabs:
    def test_counts_are_its_own_batch_first_and_several_in_a_timestep(self) -> None:
        raw = recorded("sinabs")
        recording = from_sinabs({"out": raw["out"]})
        assert counts_of(recording) == own_counts(raw, "out")
        assert (recording.n_timesteps, recording.n_samples) == (12, 3)

    def test_a_squeezed_batch_is_taken_apart(self) -> None:
        raw = recorded("sinabs")
        recording = from_sinabs({"conv": raw["conv"]}, squeezed_timesteps=12)
        assert raw["conv"].max() > 1
        assert counts_of(recording) == own_counts(raw, "conv")
        assert (recording.n_timesteps, recording.n_samples) == (12, 3)
        by_sample = np.zeros(3, int)
        for part in recording.spikes():
            np.add.at(by_sample, part.sample, 1 if part.n_spikes is None else part.n_spikes)
        # Batch first: the timesteps of a sample follow each other.
        assert by_sample.tolist() == [int(raw["conv"][12 * b : 12 * (b + 1)].sum()) for b in range(3)]

    def test_it_is_priced(self) -> None:
        raw = recorded("sinabs")
        squeezed = raw["out"].reshape(36, 5)
        recording = from_sinabs({"conv": raw["conv"], "out": squeezed}, squeezed_timesteps=12)
        assert_priced(recording, "conv", "out")

    def test_parts_of_samples_are_refused(self) -> None:
        with pytest.raises(UsageError, match="not a multiple of 7 timesteps"):
            from_sinabs({"conv": recorded("sinabs")["conv"]}, squeezed_timesteps=7)


class TestRockpool:
    def test_counts_are_its_own_batch_first_and_several_in_a_timestep(self) -> None:
        raw = recorded("rockpool")
        names = ("1_LIFTorch", "3_LIFTorch")
        recording = from_rockpool({name: {"spikes": raw[name], "vmem": None} for name in names}, timestep_us=1000)
        assert max(raw[name].max() for name in names) > 1
        assert counts_of(recording) == own_counts(raw, *names)
        assert (recording.n_timesteps, recording.n_samples) == (12, 3)
        assert_priced(recording, *names)

    def test_a_record_without_spikes_is_refused(self) -> None:
        with pytest.raises(UsageError, match=r"has no 'spikes'"):
            from_rockpool({"hidden": {"vmem": np.zeros((1, 2, 3))}})


class TestLava:
    @staticmethod
    def data(raw: dict[str, Any]) -> dict[str, Any]:
        return {key.removeprefix("data_"): {"s_out": raw[key]} for key in raw if key.startswith("data_")}

    def test_counts_are_its_own_under_the_names_that_are_given(self) -> None:
        raw = recorded("lava")
        recording = from_lava(self.data(raw), names={"Process_0": "hidden", "Process_2": "out"})
        own = own_counts(raw, "Process_0", "Process_2")
        assert counts_of(recording) == {"hidden": own["Process_0"], "out": own["Process_2"]}
        assert (recording.n_timesteps, recording.n_samples) == (20, 1)
        assert_priced(recording, "hidden", "out")

    def test_a_graded_spike_is_one_spike(self) -> None:
        raw = recorded("lava")
        graded = {"Process_0": {"s_out": raw["data_Process_0"] * 17.5}}
        assert from_lava(graded).n_spikes == {"Process_0": int(raw["count_Process_0"].sum())}

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (np.zeros((0, 3)), "has no steps of neurons"),
            (1.0, "has no steps of neurons"),
            (np.zeros((3, 0)), "has no steps of neurons"),
            ([[1.0, float("inf")]], "holds inf"),
        ],
    )
    def test_what_is_no_record_of_steps_is_refused(self, data: Any, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            from_lava({"Process_0": {"s_out": data}})

    def test_an_array_in_place_of_ports_is_refused(self) -> None:
        with pytest.raises(UsageError, match="the process 'Process_0' has ndarray in place of its ports"):
            from_lava({"Process_0": np.zeros((2, 3))})

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"names": {"Process_0": "hidden", "Process_2": "hidden"}}, "makes the layer 'hidden' of two processes"),
            ({"names": {"LIF_1": "hidden"}}, "there is no process 'LIF_1'"),
            ({"port": "v"}, "the process 'Process_0' has no port 'v'"),
        ],
    )
    def test_what_was_not_recorded_is_refused(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(UsageError, match=message):
            from_lava(self.data(recorded("lava")), **options)


class TestBrian2:
    @staticmethod
    def monitors(raw: dict[str, Any]) -> dict[str, Any]:
        return {
            layer: SimpleNamespace(i=raw[f"i_{layer}"], t=raw[f"t_{layer}"], source=SimpleNamespace(N=n), record=True)
            for layer, n in (("noise", 8), ("cells", 5))
        }

    def test_counts_are_its_own(self) -> None:
        raw = recorded("brian2")
        recording = from_brian2(self.monitors(raw), dt=raw["dt"], duration=raw["duration"])
        assert counts_of(recording) == own_counts(raw, "noise", "cells")
        assert (recording.n_timesteps, recording.n_samples, recording.timestep_us) == (2000, 1, 100.0)
        assert_priced(recording, "noise", "cells")

    def test_a_silent_neuron_counts(self) -> None:
        raw = recorded("brian2")
        assert own_counts(raw, "cells")["cells"][-1] == 0
        recording = from_brian2(self.monitors(raw), dt=raw["dt"], duration=raw["duration"])
        assert [layer.n_neurons for layer in recording.layers] == [8, 5]

    def test_seconds_become_the_steps_of_its_clock(self) -> None:
        raw = recorded("brian2")
        recording = from_brian2(self.monitors(raw), dt=raw["dt"], duration=raw["duration"])
        [noise, _] = recording.spikes()
        # Brian2 computes t = k dt in binary fractions: k is what the decimal number shows.
        assert noise.timestep.tolist() == [int(f"{t:.4f}".replace(".", "")) for t in raw["t_noise"]]

    def test_states_without_units_need_sizes(self) -> None:
        raw = recorded("brian2")
        states = {"cells": {"i": raw["i_cells"], "t": raw["t_cells"]}}
        with pytest.raises(UsageError, match="nobody says how many neurons"):
            from_brian2(states, dt=raw["dt"], duration=raw["duration"])
        recording = from_brian2(states, dt=raw["dt"], duration=raw["duration"], sizes={"cells": 5})
        assert counts_of(recording) == own_counts(raw, "cells")

    def test_a_monitor_of_counts_is_refused(self) -> None:
        counting = SimpleNamespace(count=[3, 4], source=SimpleNamespace(N=2), record=False)
        with pytest.raises(UsageError, match="kept counts only"):
            from_brian2({"cells": counting}, dt=1e-4, duration=0.2)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"dt": 3e-4}, "is no multiple of dt"),
            ({"sizes": {"cells": 9}}, "sizes gives layer 'cells' 9 neurons, but its monitor watches 5"),
            ({"sizes": {"cels": 5}}, "sizes names 'cels', but the layers are noise, cells"),
        ],
    )
    def test_what_contradicts_the_monitors_is_refused(self, options: dict[str, Any], message: str) -> None:
        raw = recorded("brian2")
        with pytest.raises(UsageError, match=message):
            from_brian2(self.monitors(raw), **{"dt": raw["dt"], "duration": raw["duration"]} | options)

    @pytest.mark.parametrize("size", [5.5, 5.0, True, "5", float("nan"), 0, -1, 2**31 + 1])
    def test_a_size_is_a_number_of_neurons(self, size: Any) -> None:
        states = {"cells": {"i": [0], "t": [0.1]}}
        with pytest.raises(UsageError, match=r"sizes has .* for layer 'cells', must be a whole number from 1 to"):
            from_brian2(states, dt=0.1, duration=1.0, sizes={"cells": size})

    @pytest.mark.parametrize(
        ("states", "dt", "message"),
        [
            ({"i": [0], "t": 0.1}, 0.1, "t of layer 'cells' has 0 axes"),
            ({"i": [0], "t": [[0.1, 0.13]]}, 0.1, "t of layer 'cells' has 2 axes"),
            ({"i": [0, 1], "t": [0.1]}, 0.1, "2 entries of neuron, but 1 of timestep"),
            ({"i": [-1], "t": [0.1]}, 0.1, "neuron of layer 'cells'.0. is -1"),
            ({"i": [0], "t": [float("nan")]}, 0.1, "t of layer 'cells'.0. is not a finite time"),
            ({"i": [0]}, 0.1, "the states of layer 'cells' lack i or t"),
            ({"i": [0], "t": [0.1]}, [0.1, 0.2], "dt is no single number"),
        ],
    )
    def test_states_that_are_none_of_a_monitor_are_refused(self, states: Any, dt: Any, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            from_brian2({"cells": states}, dt=dt, duration=1.0, sizes={"cells": 4})

    @pytest.mark.parametrize(("off", "is_refused"), [(0.5e-3, False), (2e-3, True), (-0.5e-3, False), (-2e-3, True)])
    def test_a_time_is_on_the_clock_within_a_thousandth(self, off: float, is_refused: bool) -> None:
        states = {"cells": {"i": [0, 0], "t": [1e-4, (7 + off) * 1e-4]}}
        known: dict[str, Any] = {"dt": 1e-4, "duration": 0.1, "sizes": {"cells": 1}}
        if is_refused:
            with pytest.raises(
                UsageError, match=r"t of layer 'cells'\[1\] is .* no multiple of dt.*\n.*grid of its clock"
            ):
                from_brian2(states, **known)
        else:
            [part] = from_brian2(states, **known).spikes()
            assert part.timestep.tolist() == [1, 7]

    def test_a_neuron_that_is_none_of_its_group_is_refused(self) -> None:
        states = {"cells": {"i": [0, 5], "t": [0.1, 0.2]}}
        with pytest.raises(UsageError, match="event 1 of layer 'cells' is of neuron 5, but the layer has 5"):
            from_brian2(states, dt=0.1, duration=1.0, sizes={"cells": 5})

    def test_a_run_that_is_too_short_is_refused(self) -> None:
        raw = recorded("brian2")
        with pytest.raises(UsageError, match="but the run has 1000 timesteps"):
            from_brian2(self.monitors(raw), dt=raw["dt"], duration=0.1)


class TestNengo:
    def test_counts_are_its_own_several_in_a_timestep_included(self) -> None:
        raw = recorded("nengo")
        recording = from_nengo({"plain": raw["plain"], "fast": raw["fast"]})
        assert counts_of(recording) == own_counts(raw, "plain", "fast")
        assert max(raw["fast"].max() / 1000, 0) > 1
        assert (recording.n_timesteps, recording.n_samples, recording.timestep_us) == (100, 1, 1000.0)
        assert_priced(recording, "plain", "fast")

    def test_the_first_row_is_timestep_0(self) -> None:
        [part] = from_nengo({"plain": recorded("nengo")["plain"]}).spikes()
        rows, neurons = np.nonzero(recorded("nengo")["plain"])
        assert (part.timestep.tolist(), part.neuron.tolist()) == (rows.tolist(), neurons.tolist())

    def test_amplitudes_scale_spikes(self) -> None:
        raw = recorded("nengo")
        recording = from_nengo({"small": raw["small"]}, amplitude=0.01)
        assert counts_of(recording) == own_counts(raw, "small")
        with pytest.raises(UsageError, match=r"holds 0\.01 spikes in a timestep"):
            from_nengo({"small": raw["small"]})

    def test_sample_every_below_dt_is_every_timestep(self) -> None:
        recording = from_nengo({"plain": recorded("nengo")["plain"]}, sample_every=0.0001)
        assert (recording.timestep_us, recording.notes) == (1000.0, ())

    @pytest.mark.parametrize("wrong", [0.0, -0.001, float("nan"), float("inf")])
    @pytest.mark.parametrize("name", ["dt", "amplitude", "sample_every"])
    def test_what_is_no_positive_number_is_refused(self, name: str, wrong: float) -> None:
        with pytest.raises(UsageError, match=f"{name} is {wrong}, must be a positive number"):
            from_nengo({"plain": recorded("nengo")["plain"]}, **{name: wrong})

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (1000.0, "is of shape .*, must be of .steps, neurons."),
            ([0.0, 1000.0], "is of shape .*, must be of .steps, neurons."),
            (np.zeros((0, 3)), r"is of shape \(0, 3\), must be of .steps, neurons."),
            ([[float("nan")]], "holds nan spikes"),
            ([[float("inf")]], "holds inf"),
            ([[-1000.0]], "holds -1.0, must hold whole numbers of spikes from 0"),
        ],
    )
    def test_what_is_no_probe_of_spikes_is_refused(self, data: Any, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            from_nengo({"plain": data})

    def test_part_of_the_spikes_is_called_so_where_dt_does_not_divide_sample_every(self) -> None:
        # Nengo 4.1 takes 66 of 100 timesteps then.
        recording = from_nengo({"plain": recorded("nengo")["plain"][:66]}, sample_every=0.0015)
        assert (recording.timestep_us, len(recording.notes)) == (1500.0, 1)
        assert "about one of 1.5 is here" in recording.notes[0]

    def test_sample_every_is_warned_of(self) -> None:
        raw = recorded("nengo")
        recording = from_nengo({"plain": raw["skipping"]}, sample_every=0.002)
        assert sum(recording.n_spikes.values()) < raw["count_plain"].sum()
        assert any("skips the spikes between" in note for note in recording.notes)
        with EnergyStore(":memory:") as store:
            assert any("skips the spikes" in note for note in store.ingest(recording, name="nengo").notes)


class TestNest:
    @staticmethod
    def known(raw: dict[str, Any]) -> dict[str, Any]:
        populations = {layer: raw[f"ids_{layer}"].tolist() for layer in ("cells", "parrots")}
        return {"populations": populations, "dt_ms": 0.1, "duration_ms": 100.0}

    @staticmethod
    def events(raw: dict[str, Any], recorder: str) -> dict[str, Any]:
        prefix = f"{recorder}_"
        return {key.removeprefix(prefix): value for key, value in raw.items() if key.startswith(prefix)}

    def test_counts_are_its_own_with_ids_from_1(self) -> None:
        raw = recorded("nest")
        recording = from_nest(self.events(raw, "memory"), **self.known(raw))
        assert raw["ids_cells"][0] == 1
        assert counts_of(recording) == own_counts(raw, "cells", "parrots")
        assert [layer.n_neurons for layer in recording.layers] == [4, 3]
        assert counts_of(recording)["cells"][-1] == 0
        assert (recording.n_timesteps, recording.n_samples, recording.timestep_us) == (1000, 1, 100.0)
        assert_priced(recording, "cells", "parrots")

    def test_milliseconds_steps_and_files_give_the_same_events(self) -> None:
        raw = recorded("nest")
        files = sorted(RECORDED.glob("nest-spikes-*.dat"))
        assert len(files) == 2  # one for each thread
        found = [
            from_nest(self.events(raw, "memory"), **self.known(raw)),
            from_nest(self.events(raw, "steps"), **self.known(raw)),
            from_nest_files(files, **self.known(raw)),
        ]
        events = [
            {(part.layer, *row) for part in each.spikes() for row in zip(part.neuron, part.timestep, strict=True)}
            for each in found
        ]
        assert events[0] == events[1] == events[2]
        assert len(events[0]) == sum(found[0].n_spikes.values())

    def test_a_spike_is_in_the_step_that_it_ends(self) -> None:
        raw = recorded("nest")
        events = self.events(raw, "memory")
        [cells, _] = from_nest(events, **self.known(raw)).spikes()
        own = np.isin(events["senders"], raw["ids_cells"])
        tenths = [round(float(f"{t:.1f}") * 10) for t in events["times"][own]]
        assert cells.timestep.tolist() == [tenth - 1 for tenth in tenths]

    @pytest.mark.parametrize(("time", "timestep"), [(0.1, 0), (0.15, 1), (0.2, 1), (0.3, 2), (100.0, 999)])
    def test_precise_times_are_in_the_step_that_they_end(self, time: float, timestep: int) -> None:
        known = {"populations": {"cells": [1]}, "dt_ms": 0.1, "duration_ms": 100.0}
        [part] = from_nest({"senders": [1], "times": [time]}, **known).spikes()
        assert part.timestep.tolist() == [timestep]

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"populations": {"cells": [1, 2]}}, "belongs to no population"),
            ({"populations": {"cells": [1, 2, 3, 4], "parrots": [4, 6, 7, 8]}}, "the id 4 is in the populations twice"),
            ({"duration_ms": 50.0}, "but the run has 500 timesteps"),
            ({"dt_ms": 0.0}, "dt is 0.0, must be a positive number"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, changed: dict[str, Any], message: str) -> None:
        raw = recorded("nest")
        with pytest.raises(UsageError, match=message):
            from_nest(self.events(raw, "memory"), **(self.known(raw) | changed))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "its first line without # must be"),
            ("# NEST\n# RecordingBackendASCII\nsender\ttime_ms\n1\t2.0\n3\n", "line 5 is '3', must have 2 columns"),
            ("sender\ttime_ms\n1\tx\n", "line 2 is"),
            ("sender\ttime_ms\n1\t2.0\n1\t3.", "its last line has no end"),
            ("# NEST\nsender\ttime_ms\n1\t2.0\n1\tnan\n", "line 4 has nan, must be a finite time"),
            ("sender\ttime_ms\n1.5\t2.0\n", "line 2 has 1.5, must be an id from 1"),
            ("sender\ttime_ms\n0\t2.0\n", "line 2 has 0.0, must be an id from 1"),
            ("sender\ttime_ms\n1\t2.0\n1\t0.0\n", "line 3 has 0.0, must be a finite time above 0"),
            ("sender time_step time_offset\n1 2 0.0\n1 2.5 0.0\n", "line 3 has 2.5, must be the number of a step"),
            ("sender time_step time_offset\n#\n1 0 0.0\n", "line 3 has 0.0, must be the number of a step"),
            ("sender time_step time_offset\n1 2 inf\n", "line 2 has inf, must be a finite offset"),
            ("sender\ttime_ms\n2\t2.0\n", "spikes.dat: the sender 2 belongs to no population"),
            ("sender\ttime_ms\n1\t20.0\n", "spikes.dat: times.0. is in timestep 199"),
        ],
    )
    def test_files_that_are_none_of_nests_are_refused(self, tmp_path: Path, text: str, message: str) -> None:
        path = tmp_path / "spikes.dat"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(RunFileError, match=message):
            from_nest_files([path], populations={"cells": [1]}, dt_ms=0.1, duration_ms=10.0)

    def test_a_file_that_is_given_twice_is_refused(self, tmp_path: Path) -> None:
        raw, files = recorded("nest"), sorted(RECORDED.glob("nest-spikes-*.dat"))
        again = RECORDED / ".." / "recorded" / files[0].name
        with pytest.raises(UsageError, match=r"is given twice, as .*nest-spikes-0.dat"):
            from_nest_files([*files, again], **self.known(raw))

    def test_one_path_alone_is_refused(self) -> None:
        path = RECORDED / "nest-spikes-0.dat"
        for one in (path, str(path)):
            with pytest.raises(UsageError, match="paths is one path, must be a list of them"):
                from_nest_files(one, **self.known(recorded("nest")))  # type: ignore[arg-type]

    def test_files_in_ms_and_in_steps_do_not_go_together(self, tmp_path: Path) -> None:
        paths = [tmp_path / "ms.dat", tmp_path / "steps.dat"]
        for path, text in zip(
            paths, ("sender time_ms\n1 2.0\n", "sender time_step time_offset\n1 20 0.0\n"), strict=True
        ):
            path.write_text(text, encoding="utf-8")
        known = {"populations": {"cells": [1]}, "dt_ms": 0.1, "duration_ms": 10.0}
        assert [from_nest_files([path], **known).n_spikes for path in paths] == [{"cells": 1}] * 2
        with pytest.raises(RunFileError, match="some files give times in ms, others in steps"):
            from_nest_files(paths, **known)

    @pytest.mark.parametrize(
        ("events", "message"),
        [
            ({"senders": [1], "times": [2.5], "offsets": [0.0]}, r"times\[0\] is 2.5, must be the number of a step"),
            ({"senders": [1], "times": [float("nan")], "offsets": [0.0]}, r"times\[0\] is nan"),
            ({"senders": [1], "times": [0], "offsets": [0.0]}, r"times\[0\] is 0"),
            ({"senders": [1, 1], "times": [1, 20]}, "the events lack 'offsets'"),
            ({"senders": [1, 1], "times": [1.0]}, "there are 2 senders, but 1 times"),
            ({"senders": [1], "times": [float("inf")]}, "is not a finite time"),
            ({"senders": [1], "times": [0.0]}, "must lie behind the start"),
            ({"times": [1.0]}, "the events lack 'senders'"),
            ({"senders": [1], "times": 1.0}, "times has 0 axes, must have one"),
            ({"senders": [1], "times": 1, "offsets": [0.0]}, "times has 0 axes, must have one"),
            ({"senders": [1], "times": [1e300]}, "more than can be numbered"),
            (
                {"senders": [1], "times": [1e300], "offsets": [0.0]},
                r"times\[0\] is 1e\+300, must be the number of a step",
            ),
            ({"senders": [1], "times": [3], "offsets": [float("nan")]}, r"offsets\[0\] is nan"),
            ({"senders": [1], "times": [3], "offsets": [0.0, 0.0]}, "there are 1 times, but 2 offsets"),
            (({"senders": [1], "times": [1.0]},), "the events are of type tuple, must be a mapping"),
        ],
    )
    def test_events_that_are_none_of_nests_are_refused(self, events: Any, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            from_nest(events, populations={"cells": [1]}, dt_ms=0.1, duration_ms=10.0)

    @pytest.mark.parametrize(
        ("ids", "message"),
        [
            ([1, 1.5], "the population 'a' holds float64, must hold whole numbers"),
            ([1, -3], "the population 'a'.1. is -3"),
            ([0, 1], "the population 'a' has the id 0, but NEST counts from 1"),
            ("12", "the population 'a' holds <U1, must hold numbers"),
            (1, "the population 'a' is of type int, must be a list of ids or a NodeCollection"),
            ([[1, 2]], "the population 'a' has 2 axes"),
        ],
    )
    def test_ids_that_are_none_are_refused(self, ids: Any, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            from_nest({"senders": [1], "times": [0.1]}, populations={"a": ids}, dt_ms=0.1, duration_ms=1.0)

    def test_ids_and_events_may_stand_in_any_order(self) -> None:
        # The id of b lies between those of a.
        events = {"senders": [5, 3, 7], "times": [0.3, 0.1, 0.2]}
        recording = from_nest(events, populations={"a": [7, 3], "b": [5]}, dt_ms=0.1, duration_ms=1.0)
        found = {
            part.layer: list(zip(part.neuron.tolist(), part.timestep.tolist(), strict=True))
            for part in recording.spikes()
        }
        assert found == {"a": [(1, 0), (0, 1)], "b": [(0, 2)]}

    def test_node_collections_say_their_ids(self) -> None:
        # Iterating over a NodeCollection gives collections of one node each.
        nodes = [SimpleNamespace(global_id=number) for number in (4, 5)]
        recording = from_nest({"senders": [5], "times": [0.1]}, populations={"a": nodes}, dt_ms=0.1, duration_ms=1.0)
        assert counts_of(recording) == {"a": [0, 1]}

    def test_nothing_recorded_is_a_silent_run(self) -> None:
        silent = from_nest({"senders": [], "times": []}, populations={"a": [1, 2]}, dt_ms=0.1, duration_ms=1.0)
        assert counts_of(silent) == {"a": [0, 0]}


@pytest.mark.parametrize(
    "take",
    [
        lambda: from_brian2({}, dt=0.1, duration=1.0),
        lambda: from_nest({"senders": [], "times": []}, populations={}, dt_ms=0.1, duration_ms=1.0),
        lambda: from_nengo({}),
        lambda: from_lava({}),
    ],
)
def test_nothing_at_all_is_refused(take: Any) -> None:
    with pytest.raises(UsageError, match="has no layers"):
        take()
