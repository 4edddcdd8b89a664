"""Address events, in memory and in text files, against the frames that Tonic makes of them, and what is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from energy_db import EnergyStore
from energy_db.adapters import from_aer_file, from_tonic
from energy_db.errors import RunFileError, UsageError
from energy_db.record import Recording

RECORDED = Path(__file__).parent / "recorded"
TEXT = RECORDED / "aer-events.csv"
SENSOR = {"x": 6, "y": 5, "p": 2}
TIMING = {"dt_us": 1000, "duration_us": 12_000}
OF_TEXT: dict[str, Any] = {"columns": "t x y p", "size": SENSOR, "dt": 1000, "duration": 12_000}
NMNIST = [("x", "i8"), ("y", "i8"), ("t", "i8"), ("p", "i8")]


def recorded() -> dict[str, Any]:
    with np.load(RECORDED / "tonic.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def dense(recording: Recording) -> NDArray[np.int64]:
    """Return the spikes as [B, T, N]; each cell must come once."""
    [layer] = recording.layers
    array = np.zeros((recording.n_samples, recording.n_timesteps, layer.n_neurons or 0), np.int64)
    for part in recording.spikes():
        assert part.n_spikes is not None
        assert not array[part.sample, part.timestep, part.neuron].any()
        np.add.at(array, (part.sample, part.timestep, part.neuron), part.n_spikes)
        assert np.count_nonzero(array) == len(part)
    return array


def made(*rows: tuple[Any, ...], types: list[tuple[str, str]] = NMNIST) -> NDArray[Any]:
    return np.array(list(rows), types)


class TestTonic:
    def test_counts_are_those_of_its_frames(self) -> None:
        raw = recorded()
        frames = raw["count_frames"]  # [B, T, P, Y, X]
        assert frames.max() > 1
        recording = from_tonic([raw["sample_0"], raw["sample_1"]], size=SENSOR, **TIMING)
        assert (dense(recording) == frames.reshape(2, 12, -1)).all()
        [layer] = recording.layers
        assert (layer.name, layer.role, layer.n_neurons) == ("input", "input", 60)
        assert (recording.n_samples, recording.n_timesteps, recording.timestep_us) == (2, 12, 1000)
        assert recording.notes == ()

    def test_one_array_is_one_sample(self) -> None:
        raw = recorded()
        recording = from_tonic(raw["sample_0"], size=(6, 5, 2), layer="retina", **TIMING)
        assert (dense(recording) == raw["count_frames"][:1].reshape(1, 12, -1)).all()
        assert recording.layers[0].name == "retina"

    def test_spoken_digits_have_one_polarity_and_no_rows(self) -> None:
        raw = recorded()
        assert raw["spoken"].dtype.names == ("t", "x", "p")
        assert set(raw["spoken"]["p"]) == {1}
        recording = from_tonic(raw["spoken"], size=(20, 1, 1), **TIMING)
        assert (dense(recording)[0] == raw["spoken_frames"].reshape(12, 20)).all()

    @pytest.mark.parametrize("order", [("t", "x", "y", "p"), ("x", "y", "p", "t"), ("p", "t", "y", "x")])
    def test_fields_are_read_by_name(self, order: tuple[str, ...]) -> None:
        events = recorded()["sample_0"]
        moved = np.zeros(len(events), [(name, "i8") for name in order])
        for name in order:
            moved[name] = events[name]
        assert (
            dense(from_tonic(moved, size=SENSOR, **TIMING)) == dense(from_tonic(events, size=SENSOR, **TIMING))
        ).all()

    def test_neurons_are_numbered_by_polarity_row_and_column(self) -> None:
        recording = from_tonic(made((5, 3, 2500, 1)), size=SENSOR, **TIMING)
        assert np.argwhere(dense(recording)).tolist() == [[0, 2, (1 * 5 + 3) * 6 + 5]]

    def test_a_timestep_ends_before_the_next_begins(self) -> None:
        events = made((0, 0, 0, 0), (0, 0, 999, 0), (0, 0, 1000, 0), (0, 0, 11_999, 0))
        assert dense(from_tonic(events, size=SENSOR, **TIMING))[0, :, 0].tolist() == [2, 1, *[0] * 9, 1]

    def test_events_come_in_any_order_and_are_left_as_they_are(self) -> None:
        events = recorded()["sample_0"]
        backwards = events[::-1].copy()
        assert (
            dense(from_tonic(backwards, size=SENSOR, **TIMING)) == dense(from_tonic(events, size=SENSOR, **TIMING))
        ).all()
        assert (backwards == events[::-1]).all()

    @pytest.mark.parametrize(("kind", "off"), [("?", False), ("u1", 0), ("i8", -1), ("f8", -1.0)])
    def test_polarities(self, kind: str, off: Any) -> None:
        events = made((0, 0, 0, off), (0, 0, 0, 1), types=[("x", "i2"), ("y", "i2"), ("t", "i8"), ("p", kind)])
        assert np.flatnonzero(dense(from_tonic(events, size=SENSOR, **TIMING))[0, 0]).tolist() == [0, 30]

    def test_polarities_of_all_samples_are_read_alike(self) -> None:
        """A sample of ones only says nothing of the other sign."""
        recording = from_tonic([made((0, 0, 0, 1)), made((0, 0, 0, -1))], size=SENSOR, **TIMING)
        assert np.argwhere(dense(recording)).tolist() == [[0, 0, 30], [1, 0, 0]]

    def test_polarities_can_be_merged_and_that_is_said(self) -> None:
        raw = recorded()
        recording = from_tonic(raw["sample_0"], size={"x": 6, "y": 5}, **TIMING)
        assert (dense(recording) == raw["count_frames"][:1].sum(axis=2).reshape(1, 12, -1)).all()
        assert recording.notes == ("polarities are merged, as size has no p",)

    def test_fields_of_other_names(self) -> None:
        events = made((2, 700), types=[("channel", "i4"), ("time", "f4")])
        recording = from_tonic(events, size={"x": 3}, fields={"x": "channel", "t": "time"}, **TIMING)
        assert np.argwhere(dense(recording)).tolist() == [[0, 0, 2]]

    def test_what_is_of_size_1_need_not_be_there_in_every_sample(self) -> None:
        without = made((2, 700), types=[("x", "i4"), ("t", "i8")])
        recording = from_tonic([made((1, 0, 0, 0)), without], size=(6, 1, 1), **TIMING)
        assert np.argwhere(dense(recording)).tolist() == [[0, 0, 1], [1, 0, 2]]

    def test_silent_samples_count(self) -> None:
        recording = from_tonic([made(), made((0, 0, 0, 0)), made()], size=SENSOR, **TIMING)
        assert (recording.n_samples, recording.n_spikes) == (3, {"input": 1})
        assert np.argwhere(dense(recording)).tolist() == [[1, 0, 0]]
        assert from_tonic(made(), size=(6, 5, 1), **TIMING).n_spikes == {"input": 0}

    def test_stored_as_input(self) -> None:
        raw = recorded()
        with EnergyStore(":memory:") as store:
            run = store.ingest(from_tonic(raw["sample_0"], size=SENSOR, **TIMING), name="tonic")
            assert (run.n_spikes, run.layers[0].role, run.notes) == (raw["count_frames"][0].sum(), "input", ())
            assert all(result.n_failures == 0 for result in store.verify())

    @pytest.mark.parametrize(
        ("events", "message"),
        [
            (made((6, 0, 0, 0)), r"events\[0\]: x is 6, must be a whole number from 0 to 5"),
            (made((0, 5, 0, 0)), r"events\[0\]: y is 5"),
            (made((0, -1, 0, 0)), r"events\[0\]: y is -1"),
            (made((0, 0, 0, 0), (0, 0, 0, 2)), r"events\[1\]: p is 2, must be a whole number from 0 to 1"),
            (made((0, 0, 0, -1), (0, 0, 0, 0)), r"events\[1\]: p is 0, must be -1 or 1"),
            (made((0, 0, 12_000, 0)), r"events\[0\]: t is 12000, beyond the duration of 12000"),
            (made((0, 0, -1, 0)), r"events\[0\]: t is -1, but times are from 0"),
            ([made((0, 0, 0, 0)), made(), made((0, 0, 5, 0), (0, 9, 5, 0))], r"events\[2\]\[1\]: y is 9"),
            (made((0.5, 0, 0, 0), types=[(name, "f8") for name, _ in NMNIST]), r"x is 0\.5, must be a whole"),
            (made((0, 0, np.nan, 0), types=[(name, "f8") for name, _ in NMNIST]), "t is nan, must be a finite"),
            (made((0, 0, np.inf, 0), types=[(name, "f8") for name, _ in NMNIST]), "t is inf, must be a finite"),
            (made((np.nan, 0, 0, 0), types=[(name, "f8") for name, _ in NMNIST]), "x is nan"),
            ([], "must be a structured array, or a list"),
            (SimpleNamespace(x=[1], y=[1], c=[0], t=[0.5], p=None), "must be a structured array, or a list"),
            (np.zeros((3, 4)), "must be a structured array, or a list"),
            ([np.zeros((3, 4))], r"events\[0\] is no structured array"),
            (made((0, 0), types=[("x", "i8"), ("y", "i8")]), "events: there is no t and no p"),
            (made((0, 0, "a", 0), types=[("x", "i8"), ("y", "i8"), ("t", "U1"), ("p", "i8")]), "t holds <U1"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, events: Any, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            from_tonic(events, size=SENSOR, **TIMING)

    @pytest.mark.parametrize(
        ("size", "message"),
        [
            ({"x": 6, "p": 2}, "events have a y, but size has none"),
            ({"y": 5}, "must say how many x"),
            ({"x": 6, "y": 5, "z": 2}, "must say how many x"),
            ((6, 5), "must say how many x"),
            (60, "must say how many x"),
            ({"x": 0, "y": 5}, "size of x is 0"),
            ({"x": 6.0, "y": 5}, r"size of x is 6\.0"),
            ({"x": 6, "y": 5, "p": 1}, "p is 1, but others are not"),
            ({"x": 2**31, "y": 2**20}, "too many to be counted"),
        ],
    )
    def test_sizes_that_cannot_be_meant(self, size: Any, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            from_tonic(made((0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 1)), size=size, **TIMING)

    @pytest.mark.parametrize(("dt_us", "duration_us"), [(0, 5), (-1, 5), (1, 0), (1, float("inf")), (float("nan"), 5)])
    def test_timing_that_cannot_be_meant(self, dt_us: float, duration_us: float) -> None:
        with pytest.raises(UsageError, match="must be a positive number"):
            from_tonic(made(), size=SENSOR, dt_us=dt_us, duration_us=duration_us)

    def test_a_last_timestep_may_be_begun_only(self) -> None:
        recording = from_tonic(made((0, 0, 2400, 0)), size=SENSOR, dt_us=1000, duration_us=2500)
        assert recording.n_timesteps == 3
        with pytest.raises(UsageError, match="t is 2600, beyond the duration of 2500"):
            from_tonic(made((0, 0, 2600, 0)), size=SENSOR, dt_us=1000, duration_us=2500)


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(text: str | bytes) -> Path:
        file = tmp_path / "events.txt"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return written


class TestTextFile:
    def test_counts_are_those_of_tonics_frames(self) -> None:
        recording = from_aer_file(TEXT, **OF_TEXT)
        assert (dense(recording) == recorded()["count_frames"][:1].reshape(1, 12, -1)).all()
        assert (recording.layers[0].role, recording.timestep_us, recording.origin) == ("input", 1000, str(TEXT))
        assert recording.notes == ()

    @pytest.mark.parametrize(
        ("sign", "delimiter"),
        [(" ", None), ("\t", None), ("   ", None), (", ", None), (";", None), ("|", "|"), ("\t", "\t")],
    )
    def test_columns_may_be_apart_by_anything(self, write: Any, sign: str, delimiter: str | None) -> None:
        text = TEXT.read_text("utf-8").replace(",", sign)
        recording = from_aer_file(write(text), delimiter=delimiter, **OF_TEXT)
        assert (dense(recording) == dense(from_aer_file(TEXT, **OF_TEXT))).all()

    @pytest.mark.parametrize(
        "text",
        [
            "2500 5 3 1\n",
            "# t x y p\n\n2500 5 3 1",
            "\ufeff# DVS\r\n2500 5 3 1 # an event\r\n\r\n",
            "time col row on\n2500 5 3 1\n",
            "2.5e3 5.0 3 1\n",
        ],
    )
    def test_headers_comments_and_blank_lines_are_not_read(self, write: Any, text: str) -> None:
        recording = from_aer_file(write(text), **OF_TEXT)
        assert np.argwhere(dense(recording)).tolist() == [[0, 2, 53]]

    def test_addresses_samples_and_columns_that_are_not_read(self, write: Any) -> None:
        file = write("sample,label,address,t\n0,cat,3,0.0\n2,dog,0,1.9\n2,dog,0,1.95\n")
        recording = from_aer_file(
            file, columns=("sample", "-", "address", "t"), size=4, dt=0.1, duration=2, time_unit="ms", n_samples=4
        )
        cells = dense(recording)
        assert cells.shape == (4, 20, 4)
        assert (np.argwhere(cells).tolist(), cells.sum()) == ([[0, 0, 3], [2, 19, 0]], 3)
        assert recording.timestep_us == 100

    @pytest.mark.parametrize(("unit", "timestep_us"), [("s", 2e6), ("ms", 2e3), ("us", 2), ("ns", 0.002)])
    def test_time_units(self, write: Any, unit: Any, timestep_us: float) -> None:
        recording = from_aer_file(write("0 1\n5 1\n"), columns="t address", size=2, dt=2, duration=6, time_unit=unit)
        assert recording.timestep_us == timestep_us
        assert np.argwhere(dense(recording)).tolist() == [[0, 0, 1], [0, 2, 1]]

    @pytest.mark.parametrize("text", ["", "# t x y p\n", "t,x,y,p\n"])
    def test_no_event_is_a_silent_input_and_that_is_said(self, write: Any, text: str) -> None:
        file = write(text)
        recording = from_aer_file(file, **OF_TEXT)
        assert (recording.n_spikes, recording.notes) == ({"input": 0}, (f"{file} has no events",))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("0 0 0 0\n0 6 0 0\n", "line 2: x is 6, must be a whole number from 0 to 5"),
            ("# a\n\n0 0 0 0\n# b\n0 0 0 2\n", "line 5: p is 2"),
            ("t x y p\n0 0.5 0 0\n", r"line 2: x is 0\.5"),
            ("-1 0 0 0\n", "line 1: t is -1, but times are from 0"),
            ("nan 0 0 0\n", "line 1: t is nan, must be a finite time"),
            ("0 0 0 0\n12000 0 0 0\n", "line 2: t is 12000, beyond the duration of 12000"),
            ("0 0 0 0\n0 0 0\n", "line 2 is '0 0 0', must have 4 columns"),
            ("0 0 0 0\n0 0 0 0 7\n", "line 2 is '0 0 0 0 7', must have 4 columns"),
            ("0 0 0 0\n0 a 0 0\n", "line 2 is '0 a 0 0', must have 4 columns"),
            ("0 a 0 0\n", "line 1 is '0 a 0 0', must have 4 columns"),
            ("0,0,0,0\n0,,0,0\n", "line 2 is '0,,0,0', must have 4 columns"),
            ("x y t p\n0 0 0 0\n", "line 1 says that its columns are x y t p, not t x y p"),
            (b"\x89HDF\r\n\xff\xfe", "cannot be read as text"),
        ],
    )
    def test_a_line_that_cannot_be_is_named(self, write: Any, text: str | bytes, message: str) -> None:
        file = write(text)
        with pytest.raises(RunFileError, match=message) as caught:
            from_aer_file(file, **OF_TEXT)
        assert str(file) in caught.value.message

    def test_lines_with_a_column_too_many_are_found_beside_one_that_is_not_read(self, write: Any) -> None:
        with pytest.raises(RunFileError, match="line 2 is '1 0 z 9', must have 3 columns"):
            from_aer_file(write("0 0 z\n1 0 z 9\n"), columns="t address -", size=1, dt=1, duration=5)

    def test_samples_beyond_their_number(self, write: Any) -> None:
        with pytest.raises(RunFileError, match="line 2: sample is 2, must be a whole number from 0 to 1"):
            from_aer_file(write("0 0 1\n0 0 2\n"), columns="t address sample", size=1, dt=1, duration=5, n_samples=2)

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(RunFileError, match="there is no such file"):
            from_aer_file(tmp_path, **OF_TEXT)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"columns": "t x y q"}, "columns has 'q'"),
            ({"columns": "t t x"}, "columns has 't'"),
            ({"columns": "x y p"}, "must have t, and either address or x"),
            ({"columns": "t y p"}, "must have t, and either address or x"),
            ({"columns": "t x address"}, "must have t, and either address or x"),
            ({"columns": "t address p", "size": 4}, "must have t, and either address or x"),
            ({"columns": "t address"}, "must be the number of neurons"),
            ({"columns": "t address", "size": 0}, "size is 0"),
            ({"columns": "t x y"}, "there is no p"),
            ({"size": 60}, "must say how many x"),
            ({"time_unit": "min"}, "time_unit is 'min', must be one of s, ms, us, ns"),
            ({"n_samples": 2}, "n_samples is 2, and columns are t x y p"),
            ({"columns": "t x y p sample"}, "n_samples is None, and columns are t x y p sample"),
            ({"columns": "t x y p sample", "n_samples": 0}, "n_samples is 0"),
            ({"delimiter": ", "}, "must be one sign"),
            ({"dt": 0}, "dt is 0"),
            ({"duration": -5}, "duration is -5"),
        ],
    )
    def test_arguments_that_cannot_be_meant(self, write: Any, arguments: dict[str, Any], message: str) -> None:
        row = "0 0 0 0 0\n" if "sample" in str(arguments.get("columns")) else "0 0 0 0\n"
        with pytest.raises(UsageError, match=message):
            from_aer_file(write(row), **{**OF_TEXT, **arguments})
