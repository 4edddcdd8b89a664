"""Journals whose bytes are damaged, cannot be read, or find no memory: none of it looks like the end of a recording."""

from __future__ import annotations

import errno
import json
import os
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from energy_db import EnergyStore
from energy_db.errors import EnergyDbError, RunFileError, StoreError
from energy_db.record import RunWriter, recover, run_file
from energy_db.record.journal import Journal
from energy_db.record.spikes import from_events

# Events of each batch, all of other neurons, so that rows say which batch they came with.
EVENTS_OF_BATCHES = (3, 5, 7)
N_EVENTS = sum(EVENTS_OF_BATCHES)


def add_batch(writer: RunWriter, number: int) -> None:
    neurons = np.arange(EVENTS_OF_BATCHES[number]) + 10 * number
    writer.add_events("hidden", neurons, np.zeros_like(neurons), sample=number)
    writer.flush()


def rows_of_batches(n_batches: int) -> set[tuple[int, int]]:
    """Return sample and neuron of all events of the first batches."""
    return {
        (number, neuron + 10 * number) for number in range(n_batches) for neuron in range(EVENTS_OF_BATCHES[number])
    }


def rows_in(path: Path) -> set[tuple[int, int]]:
    table = parquet.read_table(path)
    return set(zip(table["sample"].to_pylist(), table["neuron"].to_pylist(), strict=True))


class Recording:
    """A recording of three batches that is under way.

    Attributes
    ----------
    ends : list of int
        How long the stream was behind each batch.
    """

    def __init__(self, folder: Path) -> None:
        self.target = folder / "run.parquet"
        layers = [{"name": "hidden", "role": "hidden", "n_neurons": 100}]
        self.writer = RunWriter(self.target, layers=layers, n_timesteps=1)
        self.folder = folder / "run.recording"
        self.events = self.folder / "events.arrows"
        self.ends = []
        for number in range(len(EVENTS_OF_BATCHES)):
            add_batch(self.writer, number)
            self.ends.append(self.events.stat().st_size)

    def overwrite(self, place: int, data: bytes) -> None:
        with self.events.open("r+b") as file:
            file.seek(place)
            file.write(data)

    def header_length(self, place: int) -> int:
        """Return the bytes between the place of a message and its body."""
        [length] = struct.unpack_from("<i", self.events.read_bytes(), place + 4)
        return 8 + int(length)


REACHED = {"n_timesteps": 1, "n_samples": 1, "n_neurons": {"hidden": 100}}


def begun(folder: Path) -> tuple[Journal, pa.RecordBatch]:
    """Return a journal, and a batch of one event for it."""
    columns = run_file.schema("").remove_metadata()
    one = run_file.batch_of(from_events("hidden", [4], [0], [0], None), ["hidden"], columns)
    layers = [{"name": "hidden", "role": "hidden", "n_neurons": 100}]
    return Journal(folder / "run.recording", {"run": "live", "layers": layers}), one


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording(tmp_path)


@pytest.mark.parametrize("noise", [bytes(8), b"\xff" * 64, b"\x7f" * 64], ids=["as-at-the-end", "ones", "long"])
def test_a_recording_whose_middle_is_damaged_is_not_closed_with_less(recording: Recording, noise: bytes) -> None:
    recording.overwrite(recording.ends[0], noise)
    with pytest.raises(RunFileError) as refused:
        recording.writer.close()
    place = f"damaged at byte {recording.ends[0]} of {recording.events.stat().st_size}"
    assert refused.value.message == f"{recording.folder}: {place}: 3 of its {N_EVENTS} events can be read"
    assert f"The recording is kept: energy-db ingest {recording.folder}" in str(refused.value.hint)
    assert not recording.target.exists()

    recovered = recover(recording.folder)
    [note] = recovered.notes
    assert note.startswith(f"cut short, or {place}: 3 events of 1 samples; ")
    assert "remove" not in note
    assert rows_in(recovered.write(recording.target)) == rows_of_batches(1)


def test_a_batch_that_was_cut_is_not_called_rubbish(recording: Recording) -> None:
    recording.writer.abort()
    os.truncate(recording.events, recording.ends[1] + 100)
    [note] = recover(recording.folder).notes
    place = f"damaged at byte {recording.ends[1]} of {recording.ends[1] + 100}"
    assert note.startswith(f"cut short, or {place}: 8 events of 2 samples; ")
    assert "remove" not in note


def test_a_journal_that_grew_shorter_since_it_was_recovered_is_not_written(recording: Recording) -> None:
    recording.writer.abort()
    recovered = recover(recording.folder)
    os.truncate(recording.events, recording.ends[1])
    with pytest.raises(RunFileError, match=rf"was changed: 8 of its {N_EVENTS} events can be read"):
        recovered.write(recording.target)
    assert not recording.target.exists()


def test_a_disk_that_fails_is_no_damage(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    read = run_file._Bounded.read

    def failing(self: run_file._Bounded, size: int | None = -1, /) -> bytes:
        if self.tell() >= recording.ends[0]:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(self, size)

    with monkeypatch.context() as patched:
        patched.setattr(run_file._Bounded, "read", failing)
        with pytest.raises(StoreError, match=f"cannot be read at byte {recording.ends[0]} of .*: Input/output error"):
            recording.writer.close()
        with pytest.raises(
            StoreError, match=r"cannot be read at byte .*: Input/output error\nIt is as it was: try again"
        ):
            recover(recording.folder)
    assert not recording.target.exists()
    recovered = recover(recording.folder)
    assert recovered.notes[0].startswith(f"recorded to its end: {N_EVENTS} events of 3 samples; remove ")
    assert rows_in(recovered.write(recording.target)) == rows_of_batches(3)


def test_a_declaration_that_the_disk_refuses_is_no_damage(recording: Recording) -> None:
    recording.writer.abort()
    declaration = recording.folder / "declaration.json"
    declaration.unlink()
    declaration.symlink_to("/proc/self/mem")  # the first page of which gives an error of input and output
    with pytest.raises(StoreError, match=r"declaration\.json cannot be read: Input/output error"):
        recover(recording.folder)


# Reads, and writes, a journal whose events need more memory than there is left.
IN_LITTLE_MEMORY = """
import resource, sys
import pyarrow.parquet
from energy_db.errors import EnergyDbError
from energy_db.record import recover

whole = recover(sys.argv[1])
print(whole.n_events)
[used] = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmSize")]
limit = used * 1024 + 8 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for action in (lambda: recover(sys.argv[1]), lambda: whole.write("run.parquet")):
    try:
        print(action())
    except EnergyDbError as error:
        print(type(error).__name__, str(error).replace("\\n", " "))
"""


@pytest.mark.thorough
def test_too_little_memory_is_no_damage(tmp_path: Path) -> None:
    random, n_events = np.random.default_rng(0), 3_000_000
    layers = [{"name": "hidden", "role": "hidden", "n_neurons": 2**30}]
    writer = RunWriter(tmp_path / "run.parquet", layers=layers, n_timesteps=1, buffer_mib=1)
    writer.add_events("hidden", random.integers(2**30, size=n_events), np.zeros(n_events, int))
    writer.abort()
    done = subprocess.run(
        [sys.executable, "-c", IN_LITTLE_MEMORY, "run.recording"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    counted, *refused = done.stdout.splitlines()
    assert int(counted) == n_events
    assert len(refused) == 2
    for sentence in refused:
        assert sentence.startswith("StoreError ")
        assert "memory ran out" in sentence
        assert "try again with more memory" in sentence
    assert not (tmp_path / "run.parquet").exists()


def test_a_run_file_for_which_there_is_no_memory(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(run_file, "write_batches", failing)
    with pytest.raises(StoreError, match=r"memory ran out.*\n.*The recording is kept: energy-db ingest"):
        recording.writer.close()
    assert recover(recording.folder).n_events == N_EVENTS


def test_a_damaged_length_is_not_taken_for_too_little_memory(recording: Recording) -> None:
    recording.writer.abort()
    body = recording.ends[0] + recording.header_length(recording.ends[0])
    recording.overwrite(body, struct.pack("<q", 2**50))  # how long a buffer is that is not compressed any more
    [note] = recover(recording.folder).notes
    assert f"damaged at byte {recording.ends[0]} of " in note


def test_every_bit_of_the_columns(recording: Recording) -> None:
    recording.writer.abort()
    intact, outcomes = recording.events.read_bytes(), set()
    for place in range(recording.header_length(0)):
        recording.overwrite(place, bytes([intact[place] ^ 1 << place % 8]))
        try:
            recovered = recover(recording.folder)
        except RunFileError as error:
            assert "damaged at byte" in error.message
            assert "remove" not in str(error.hint)
            outcomes.add("refused")
        else:
            assert rows_in(recovered.write(recording.target)) == rows_of_batches(3)
            outcomes.add("taken")
        recording.overwrite(place, intact[place : place + 1])
    assert outcomes == {"refused", "taken"}


@pytest.mark.thorough
def test_every_bit_before_a_body(recording: Recording) -> None:
    """Damaged lengths reach into what is not there, and ask for memory that nobody has."""
    recording.writer.abort()
    intact, place = recording.events.read_bytes(), recording.ends[0]
    tracemalloc.start()
    for at in range(place, place + recording.header_length(place)):
        recording.overwrite(at, bytes([intact[at] ^ 1 << at % 8]))
        assert recover(recording.folder).n_events >= EVENTS_OF_BATCHES[0], at
        recording.overwrite(at, intact[at : at + 1])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**20


def test_a_batch_that_names_a_layer_there_is_not(tmp_path: Path) -> None:
    journal, one = begun(tmp_path)
    journal.append(one, REACHED)
    end = (journal.folder / "events.arrows").stat().st_size
    layer = pa.DictionaryArray.from_arrays(pa.array([7], pa.int16()), ["hidden"], safe=False)
    journal.append(one.set_column(0, "layer", layer), REACHED)
    journal.close()
    [note] = recover(journal.folder).notes
    assert note.startswith(f"cut short, or damaged at byte {end} of ")


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.string(), pa.list_(pa.int32())], ids=str)
def test_columns_of_other_kinds_are_damage(recording: Recording, kind: pa.DataType) -> None:
    recording.writer.abort()
    columns = run_file.schema("").remove_metadata().set(1, pa.field("neuron", kind))
    values: dict[str, Any] = {name: [1] for name in columns.names} | {"layer": ["hidden"]}
    values["neuron"] = [[1] if pa.types.is_list(kind) else "x" if pa.types.is_string(kind) else 1]
    arrays = [pa.array(values[column.name], column.type) for column in columns]
    with recording.events.open("wb") as file, pa.ipc.new_stream(file, columns) as stream:
        stream.write_batch(pa.record_batch(arrays, schema=columns), custom_metadata={"reached": json.dumps(REACHED)})
    size = recording.events.stat().st_size
    with pytest.raises(RunFileError, match=f"or is damaged at byte 0 of {size}"):
        recover(recording.folder)


STEPS = {"epoch": [0], "n_samples": [1], "n_spikes": {"hidden": [1]}}


@pytest.mark.parametrize(
    "reached",
    [
        {key: value for key, value in REACHED.items() if key != "n_neurons"},
        {key: value for key, value in REACHED.items() if key != "n_samples"},
        {key: value for key, value in REACHED.items() if key != "n_timesteps"},
        {**REACHED, "n_neurons": {"hiddeo": 100}},
        {**REACHED, "training": {key: value for key, value in STEPS.items() if key != "epoch"}},
        {**REACHED, "training": {**STEPS, "n_spikes": {"hiddeo": [1]}}},
    ],
    ids=["no-neurons", "no-samples", "no-timesteps", "other-layers", "no-epochs", "steps-of-other-layers"],
)
def test_a_batch_that_says_not_how_far_it_came_is_damage_of_the_events(tmp_path: Path, reached: dict[str, Any]) -> None:
    journal, one = begun(tmp_path)
    journal.append(one, REACHED)
    end = (journal.folder / "events.arrows").stat().st_size
    journal.append(one, reached)
    journal.close()
    recovered = recover(journal.folder)
    assert recovered.n_events == 1
    assert f"damaged at byte {end} of " in recovered.notes[0]


def test_what_never_began_may_be_removed_and_what_is_damaged_may_not(recording: Recording) -> None:
    recording.writer.abort()
    start = recording.header_length(0)
    intact = recording.events.read_bytes()
    for data, is_damaged in ((b"", False), (intact[:start], False), (bytes(start), True), (intact[: start + 9], True)):
        recording.events.write_bytes(data)
        with pytest.raises(RunFileError, match="the recording ended before anything was written") as refused:
            recover(recording.folder)
        assert ("damaged at byte" in refused.value.message) is is_damaged
        assert ("remove the folder" in str(refused.value.hint)) is not is_damaged


def test_a_training_whose_middle_is_damaged_is_not_stored_with_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("energy_db.record.training._SECONDS_OF_A_FLUSH", 0.0)
    with EnergyStore(tmp_path / "energy.duckdb") as store:
        live = store.live("loihi2", layers=[{"name": "hidden", "role": "hidden", "fan_out": 2}], name="fit")
        live.step({"hidden": np.ones((2, 3, 4), dtype=bool)})
        [events] = tmp_path.glob("fit-*.recording/events.arrows")
        end = events.stat().st_size
        for _ in range(2):
            live.step({"hidden": np.ones((2, 3, 4), dtype=bool)})
        with events.open("r+b") as file:
            file.seek(end)
            file.write(bytes(8))
        # A step is one event for each of 4 neurons in each of 2 timesteps.
        with pytest.raises(EnergyDbError, match=f"damaged at byte {end} of .*: 8 of its 24 events can be read"):
            live.close()
        assert store.runs() == []
        assert store.ingest(recover(events.parent)).n_spikes == 2 * 3 * 4
