"""SANA-FE's own traces (examples/frameworks/record_sanafe.py) against its own counts, and what must be refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from energy_db import EnergyStore
from energy_db.adapters import from_sanafe
from energy_db.errors import RunFileError, UsageError
from energy_db.record import Recording

RECORDED = Path(__file__).parent / "recorded"
SIZES = {"in": 4, "hidden.0": 3, "out": 2}
SPIKES, PERF = RECORDED / "sanafe-spikes.csv", RECORDED / "sanafe-perf.csv"


def own() -> dict[str, Any]:
    with np.load(RECORDED / "sanafe.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def counts_of(recording: Recording) -> dict[str, list[int]]:
    counts = {layer.name: np.zeros(layer.n_neurons or 0, int) for layer in recording.layers}
    for part in recording.spikes():
        np.add.at(counts[part.layer], part.neuron, 1)
    return {layer: each.tolist() for layer, each in counts.items()}


def cells_of(recording: Recording) -> set[tuple[str, int, int]]:
    return {
        (part.layer, neuron, step)
        for part in recording.spikes()
        for neuron, step in zip(part.neuron.tolist(), part.timestep.tolist(), strict=True)
    }


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Path]:
    """Return a copy of a trace in which one text is another."""

    def change(file: Path, old: str, new: str) -> Path:
        text = file.read_text("utf-8")
        assert old in text
        copy = tmp_path / file.name
        copy.write_text(text.replace(old, new, 1), "utf-8")
        return copy

    return change


class TestItsOwnCounts:
    def test_spikes_of_every_neuron(self) -> None:
        recording = from_sanafe(SPIKES, sizes=SIZES, perf=PERF)
        assert counts_of(recording) == {name: own()[f"count_{name}"].tolist() for name in SIZES}
        assert (recording.n_timesteps, recording.n_samples, recording.notes) == (8, 1, ())
        assert recording.origin == str(SPIKES)

    def test_timesteps_count_from_0_and_groups_may_have_dots(self) -> None:
        lines = SPIKES.read_text("utf-8").splitlines()
        assert {"in.0,1", "hidden.0.2,4", "out.1,7"} <= set(lines)
        cells = cells_of(from_sanafe(SPIKES, sizes=SIZES, n_timesteps=8))
        assert {("in", 0, 0), ("hidden.0", 2, 3), ("out", 1, 6)} <= cells
        assert len(cells) == len(lines) - 1

    def test_counters_and_tags_are_what_sim_returned(self) -> None:
        recording, said = from_sanafe(SPIKES, sizes=SIZES, perf=PERF), own()
        hops = sum(int(line.split(",")[4]) for line in PERF.read_text("utf-8").splitlines()[1:])
        assert recording.counters == [
            {"driver": "neuron_update", "count": int(said["neurons_updated"])},
            {"driver": "message", "count": int(said["packets_sent"])},
            {"driver": "hop", "count": hops},
        ]
        assert recording.tags is not None
        assert recording.tags["sanafe_synaptic_events"] == said["synaptic_events"]
        assert recording.tags["sanafe_total_energy_j"] == pytest.approx(float(said["total_energy_j"]))

    def test_stored_with_counters_and_the_same_synaptic_events(self) -> None:
        recording, said = from_sanafe(SPIKES, sizes=SIZES, perf=PERF), own()
        network = {
            "layers": [{"name": "in", "fan_out": 3}, {"name": "hidden.0", "fan_out": 2}, {"name": "out", "fan_out": 0}]
        }
        with EnergyStore(":memory:") as store:
            run = store.ingest(
                recording,
                name="sana-fe",
                network=network,
                roles={"in": "input", "hidden.0": "hidden", "out": "readout"},
            )
            assert run.counters == {
                "hop": 9 * 1 + 9 * 2,  # tiles 0 and 1 are neighbours, 1 and 9 are two apart
                "message": int(said["packets_sent"]),
                "neuron_update": int(said["neurons_updated"]),
            }
            events = sum(row["synaptic_event"] for row in store.sql("FROM activity_by_layer").to_pylist())
            assert run.tags["sanafe_synaptic_events"] == str(events) == str(said["synaptic_events"])
            assert all(result.n_failures == 0 for result in store.verify())

    def test_groups_that_were_not_logged_are_silent_and_that_is_said(self) -> None:
        unlogged = (RECORDED / "sanafe-unlogged-spikes.csv", RECORDED / "sanafe-unlogged-perf.csv")
        recording = from_sanafe(unlogged[0], sizes=SIZES, perf=unlogged[1])
        said = {name: own()[f"count_{name}"].sum() for name in SIZES}
        assert recording.n_spikes == {**said, "out": 0}
        [note] = recording.notes
        assert note.startswith(f"{own()['neurons_fired']} spikes were fired, {said['in'] + said['hidden.0']} of them")

    def test_a_silent_run(self, tmp_path: Path) -> None:
        silent = tmp_path / "spikes.csv"
        silent.write_text("neuron,timestep\n", "utf-8")
        recording = from_sanafe(silent, sizes=SIZES, n_timesteps=5, timestep_us=10)
        assert (recording.n_spikes, recording.timestep_us) == (dict.fromkeys(SIZES, 0), 10)
        assert [layer.n_neurons for layer in recording.layers] == [4, 3, 2]

    def test_a_group_may_begin_as_another_is_called(self, tmp_path: Path) -> None:
        file = tmp_path / "spikes.csv"
        file.write_text("neuron,timestep\nin.0,1\nin.a.0,1\ninput.1,2\n", "utf-8")
        recording = from_sanafe(file, sizes={"input": 2, "in.a": 1, "in": 1}, n_timesteps=2)
        assert cells_of(recording) == {("in", 0, 0), ("in.a", 0, 0), ("input", 1, 1)}

    def test_lines_may_end_as_on_windows(self, tmp_path: Path) -> None:
        windows = tmp_path / "spikes.csv"
        windows.write_bytes(SPIKES.read_bytes().replace(b"\n", b"\r\n"))
        assert cells_of(from_sanafe(windows, sizes=SIZES, n_timesteps=8)) == cells_of(
            from_sanafe(SPIKES, sizes=SIZES, n_timesteps=8)
        )


class TestSpikes:
    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("in.3,1", "in.3,0", "line 3: 'in.3,0' is of timestep 0"),
            ("in.3,1", "in.4,1", "line 3: 'in.4,1' is of a neuron beyond the size of its group"),
            ("in.3,1", "in.-3,1", "line 3: 'in.-3,1' must be a group"),
            ("in.3,1", "in.3,9", "line 3: 'in.3,9' is of a timestep beyond the run's 8"),
            ("in.3,1", "in.3,99999999999999999999", "line 3: .* must be a group"),
            ("in.3,1", "in.3,1.5", "line 3: 'in.3,1.5' must be a group"),
            ("in.3,1", "in.3,", "line 3: 'in.3,' must be a group"),
            ("in.3,1", "in.3", "line 3: 'in.3' must be a group"),
            ("in.3,1", "in3,1", "line 3: 'in3,1' must be a group"),
            ("in.3,1", "", "line 3: '' must be a group"),
            ("hidden.0.0,2", "hiden.0.0,2", "line 4: 'hiden.0.0,2' is of a group .*\nDid you mean 'hidden.0'"),
            ("in.3,1", "im.3,1", "line 3: 'im.3,1' is of a group .*\nThe groups are in, hidden.0, out"),
            ("in.3,1", "neuron,timestep", "line 3: 'neuron,timestep' must be a group"),
            ("in.3,1", "in.0,1", "line 3 is there twice"),
            ("neuron,timestep\n", "", "its first line must be neuron,timestep"),
        ],
    )
    def test_a_line_that_cannot_be_is_named(
        self, changed: Callable[..., Path], old: str, new: str, message: str
    ) -> None:
        file = changed(SPIKES, old, new)
        with pytest.raises(RunFileError, match=message) as caught:
            from_sanafe(file, sizes=SIZES, n_timesteps=8)
        assert str(file) in caught.value.message

    def test_the_first_of_two_is_not_the_second(self, changed: Callable[..., Path]) -> None:
        with pytest.raises(RunFileError, match="line 25 is there twice"):
            from_sanafe(changed(SPIKES, "out.1,7", "in.0,1"), sizes=SIZES, n_timesteps=8)

    @pytest.mark.parametrize("kept", [-1, -3])
    def test_a_file_that_was_cut_short(self, tmp_path: Path, kept: int) -> None:
        cut = tmp_path / "spikes.csv"
        cut.write_bytes(SPIKES.read_bytes()[:kept])
        with pytest.raises(RunFileError, match=r"line 25, the last, has no end"):
            from_sanafe(cut, sizes=SIZES, n_timesteps=8)

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(RunFileError, match="there is no such file"):
            from_sanafe(tmp_path / "spikes.csv", sizes=SIZES, n_timesteps=8)
        with pytest.raises(RunFileError, match="there is no such file"):
            from_sanafe(SPIKES, sizes=SIZES, perf=tmp_path / "perf.csv")


class TestPerf:
    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("fired,", "spiked,", "its first line lacks fired"),
            ("\n3,", "\n4,", "line 4 is timestep 4, must be 3"),
            ("\n1,2,2,", "\n1,2,-2,", "line 2: updated is -2, must be a whole number from 0"),
            ("\n1,2,2,", "\n1,2,2.5,", r"line 2: updated is 2\.5, must be a whole number from 0"),
            ("\n1,2,2,", "\n1,2,nan,", "line 2: updated is nan"),
            ("\n1,2,2,", "\n1,2,,", "line 2 is '1,2,,"),
            ("\n1,2,2,", "\n1,2,", "line 2 is '1,2,.*must have 12 columns"),
        ],
    )
    def test_a_line_that_cannot_be_is_named(
        self, changed: Callable[..., Path], old: str, new: str, message: str
    ) -> None:
        with pytest.raises(RunFileError, match=message):
            from_sanafe(SPIKES, sizes=SIZES, perf=changed(PERF, old, new))

    def test_a_second_sim_of_a_chip_lacks_the_first(self) -> None:
        second = RECORDED / "sanafe-second-spikes.csv", RECORDED / "sanafe-second-perf.csv"
        with pytest.raises(RunFileError, match="line 2 is timestep 4, must be 1\nA second"):
            from_sanafe(second[0], sizes=SIZES, perf=second[1])

    def test_files_of_two_runs(self, changed: Callable[..., Path]) -> None:
        """As many in all, but not in each timestep."""
        file = changed(SPIKES, "out.1,7", "out.1,8")
        with pytest.raises(
            RunFileError,
            match=r"line 9: 0 neurons fired in timestep 8, but .* has 1 spikes of it; 24 fired in all, 24 are",
        ):
            from_sanafe(file, sizes=SIZES, perf=PERF)

    def test_columns_of_units_are_left_alone(self, tmp_path: Path) -> None:
        wide = tmp_path / "perf.csv"
        lines = PERF.read_text("utf-8").splitlines()
        wide.write_text("\n".join([lines[0] + ",tile_0_energy", *(line + ",x" for line in lines[1:])]) + "\n", "utf-8")
        assert (
            from_sanafe(SPIKES, sizes=SIZES, perf=wide).counters == from_sanafe(SPIKES, sizes=SIZES, perf=PERF).counters
        )

    def test_a_file_that_was_cut_short_or_is_empty(self, tmp_path: Path) -> None:
        cut = tmp_path / "perf.csv"
        cut.write_bytes(PERF.read_bytes()[:-4])
        with pytest.raises(RunFileError, match="line 9, the last, has no end"):
            from_sanafe(SPIKES, sizes=SIZES, perf=cut)
        cut.write_text("", "utf-8")
        with pytest.raises(RunFileError, match="its first line lacks timestep"):
            from_sanafe(SPIKES, sizes=SIZES, perf=cut)
        cut.write_text(PERF.read_text("utf-8").splitlines()[0] + "\n", "utf-8")
        with pytest.raises(RunFileError, match="has no timesteps"):
            from_sanafe(SPIKES, sizes=SIZES, perf=cut)
        cut.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(RunFileError, match="cannot be read as text"):
            from_sanafe(SPIKES, sizes=SIZES, perf=cut)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "n_timesteps is needed without perf"),
        ({"n_timesteps": 0}, "n_timesteps is 0"),
        ({"n_timesteps": 8.0}, r"n_timesteps is 8\.0"),
        ({"n_timesteps": 9, "perf": PERF}, "n_timesteps is 9, but .*sanafe-perf.csv has 8 timesteps"),
        ({"n_timesteps": 8, "sizes": {}}, "sizes names no group"),
        ({"n_timesteps": 8, "sizes": {"in": 0}}, "the group 'in' has 0 neurons"),
        ({"n_timesteps": 8, "sizes": {"in": True}}, "the group 'in' has True neurons"),
        ({"n_timesteps": 8, "sizes": [4, 3]}, "sizes names no group"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        from_sanafe(SPIKES, **{"sizes": SIZES, **arguments})
