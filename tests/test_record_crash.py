"""A recorder that is killed at any moment: the store stays whole, and what was acknowledged is recovered."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import numpy as np
import pytest

from energy_db import EnergyStore
from energy_db.errors import RunFileError
from energy_db.record import RunWriter, Spool, recover
from energy_db.record.progress import read_progress

# Adds batches of 40 spikes, one in each fourth cell, and says after each how many batches are in the journal.
RECORDER = """
import sys
import numpy as np
from energy_db import EnergyStore
from energy_db.record import RunWriter

batch = np.zeros((4, 4, 10), dtype=bool)
batch.reshape(-1)[::4] = True
with EnergyStore("energy.duckdb") as store:
    writer = RunWriter(store, layers=["hidden"], name="live", journal_folder="live.recording")
    for acknowledged in range(1, int(sys.argv[1]) + 1):
        writer.add("hidden", batch)
        writer.flush()
        print(acknowledged, flush=True)
    writer.close()
print("closed", flush=True)
"""
SPIKES_OF_A_BATCH, SAMPLES_OF_A_BATCH = 40, 4


def record_and_kill(folder: Path, seconds: float | None, n_batches: int = 100_000) -> list[str]:
    """Run the recorder, kill it so long after its first word, and return what it said."""
    recorder = subprocess.Popen(
        [sys.executable, "-c", RECORDER, str(n_batches)], cwd=folder, stdout=subprocess.PIPE, text=True
    )
    assert recorder.stdout is not None
    said = [recorder.stdout.readline()]
    if seconds is not None:
        time.sleep(seconds)
        recorder.send_signal(signal.SIGKILL)
    said += recorder.stdout.readlines()
    recorder.wait()
    recorder.stdout.close()
    return [line.strip() for line in said if line.endswith("\n")]


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(4))
def test_a_killed_recording_is_recovered_and_never_half_visible(tmp_path: Path, seed: int) -> None:
    acknowledged = int(record_and_kill(tmp_path, Random(seed).uniform(0, 0.1))[-1])
    with EnergyStore(tmp_path / "energy.duckdb") as store:
        assert store.runs() == []
        recovered = recover(tmp_path / "live.recording")
        run = store.ingest(recovered)
        assert run.n_spikes % SPIKES_OF_A_BATCH == 0
        # A batch may have reached the journal without the word on it having come out.
        assert run.n_spikes // SPIKES_OF_A_BATCH in (acknowledged, acknowledged + 1)
        assert run.n_samples == run.n_spikes // SPIKES_OF_A_BATCH * SAMPLES_OF_A_BATCH
        assert [result.check for result in store.verify() if result.n_failures] == []


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(4))
def test_a_recorder_killed_while_it_closes_leaves_the_run_in_one_place_at_least(tmp_path: Path, seed: int) -> None:
    record_and_kill(tmp_path, Random(seed).uniform(0, 0.12), n_batches=3)
    with EnergyStore(tmp_path / "energy.duckdb") as store:
        stored = store.runs()
        try:
            run = store.ingest(recover(tmp_path / "live.recording"))
        except RunFileError:  # the journal is gone, or on its way: the run must be in the store
            [run] = stored
        assert run.n_spikes in (SPIKES_OF_A_BATCH, 2 * SPIKES_OF_A_BATCH, 3 * SPIKES_OF_A_BATCH)
        if stored:
            assert run.n_spikes == 3 * SPIKES_OF_A_BATCH
            assert [kept.run_id for kept in store.runs()] == [run.run_id]


@pytest.mark.thorough
def test_a_recorder_that_is_left_alone_closes(tmp_path: Path) -> None:
    assert record_and_kill(tmp_path, None, n_batches=3) == ["1", "2", "3", "closed"]
    with EnergyStore(tmp_path / "energy.duckdb") as store:
        assert store.run("live").n_spikes == 3 * SPIKES_OF_A_BATCH
    assert not (tmp_path / "live.recording").exists()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A recording of three batches, as it is left behind by a machine that stopped."""
    batch = np.arange(160).reshape(SAMPLES_OF_A_BATCH, 4, 10) % 4 == 0
    left = tmp_path / "left.recording"
    with EnergyStore(":memory:") as store:
        writer = RunWriter(store, layers=["hidden"], name="live", journal_folder=tmp_path / "live.recording")
        for _ in range(3):
            writer.add("hidden", batch)
            writer.flush()
        shutil.copytree(tmp_path / "live.recording", left)
        writer.close()
    return left


def test_a_journal_is_read_as_far_as_it_is_whole(journal: Path) -> None:
    events = journal / "events.arrows"
    data, found = events.read_bytes(), []
    for length in range(0, len(data) + 1, 16):
        events.write_bytes(data[:length].ljust(len(data), b"\0"))  # what a disk may hold behind a loss of power
        try:
            found.append(recover(journal).declared["n_samples"])
        except RunFileError as error:
            assert "ended before anything was written" in error.message
            found.append(0)
    assert found == sorted(found)
    assert set(found) == {0, SAMPLES_OF_A_BATCH, 2 * SAMPLES_OF_A_BATCH, 3 * SAMPLES_OF_A_BATCH}


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 40, b"[]", b"{", b'{"run": "live", "layers": [{"name": "other"}]}'],
    ids=range(5),
)
def test_a_damaged_declaration_is_said_to_be_one(journal: Path, content: bytes) -> None:
    (journal / "declaration.json").write_bytes(content)
    with pytest.raises(RunFileError, match=r"left\.recording: the declaration of the recording is damaged"):
        recover(journal)


def test_damaged_progress_keeps_no_spool_from_its_recordings(journal: Path) -> None:
    with (journal / "progress.jsonl").open("ab") as file:
        noted = len(read_progress(journal))
        file.write(b"\0" * 40 + b'\n{"seconds": 1}\n\xff\n[]\n')
    assert len(read_progress(journal)) == noted
    assert Spool(journal.parent).abandoned() == [journal]
