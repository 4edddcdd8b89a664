"""A recorder that is killed at any moment: the store stays whole, and what was acknowledged is recovered."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from energy_db import EnergyStore
from energy_db.errors import RunFileError
from energy_db.record import recover

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
