"""A recording is looked at from outside: from its folder alone, while it is written and when its writer died."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from energy_db import EnergyStore
from energy_db.errors import NotFoundError
from energy_db.record import RunWriter
from energy_db.record.progress import ProgressWriter, read_progress
from energy_db.record.watching import find_recording, look

Shell = Callable[..., Result]
LAYERS = [
    {"name": "hidden", "role": "hidden", "fan_out": [1, 10, 100]},
    {"name": "out", "role": "readout"},
]
# Records until it is told to end, or killed.
RECORDER = """
import sys
import numpy as np
from energy_db import EnergyStore
from energy_db.record import progress
progress._SECONDS_OF_A_LOOK = 0.0
with EnergyStore("energy.duckdb") as store, store.live("loihi2", layers=["hidden"], name="fit") as live:
    live.step({"hidden": np.ones((2, 3, 4))}, epoch=1)
    print("recording", flush=True)
    sys.stdin.readline()
"""


def dense(n_spikes: int, n_neurons: int) -> np.ndarray:
    """Return [T, B, N] of 2 timesteps and 2 samples, with spikes from the first neuron on."""
    flat = np.zeros(4 * n_neurons)
    flat[:n_spikes] = 1
    return flat.reshape(2, 2, n_neurons)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recording that was written in two parts of 2 samples each, and not ended."""
    for limit in ("_SECONDS_OF_A_LOOK", "_SHARE_OF_ITS_LENGTH"):
        monkeypatch.setattr(f"energy_db.record.progress.{limit}", 0.0)
    writer = RunWriter(tmp_path / "run.parquet", layers=LAYERS, name="evening")
    for n_hidden in (12, 3):
        writer.add("hidden", dense(n_hidden, 3))
        writer.add("out", dense(1, 2))
        writer.flush()
    writer.abort()
    return writer.journal_folder


class TestSight:
    def test_what_is_seen_is_what_was_recorded(self, folder: Path) -> None:
        seen = look(folder)
        assert seen is not None
        hidden, out = seen.layers
        assert (seen.name, seen.moment.n_samples, seen.moment.n_timesteps) == ("evening", 4, 2)
        assert (hidden.n_spikes, hidden.n_neurons, out.n_spikes) == (15, 3, 2)
        # Of the last two samples: 3 spikes of 3 neurons in 2 x 2 timesteps.
        assert hidden.firing_rate == pytest.approx(3 / 12)
        assert hidden.energy_pj is None
        assert hidden.history == (12.0, 3.0)
        # 12 spikes are four of each neuron, then one of each.
        assert seen.moment.n_synaptic_events == {"hidden": 5 * 111}

    def test_nothing_is_seen_before_the_first_flush(self, tmp_path: Path) -> None:
        writer = RunWriter(tmp_path / "run.parquet", layers=LAYERS)
        assert look(writer.journal_folder) is None
        writer.abort()

    def test_a_line_that_is_being_written_is_not_seen(self, folder: Path) -> None:
        with (folder / "progress.jsonl").open("a") as file:
            file.write('{"seconds": 3')
        seen = look(folder)
        assert seen is not None
        assert seen.layers[0].n_spikes == 15

    def test_the_longer_it_lasts_the_more_seldom_it_is_noted(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 100.0
        monkeypatch.setattr("energy_db.record.progress.time.monotonic", lambda: now)
        writer = ProgressWriter(tmp_path)
        counts = {"n_samples": 1, "n_timesteps": 1, "n_spikes": {}, "n_synaptic_events": {}, "n_neurons": {}}
        due = []
        for now in (100.4, 100.5, 1000.0, 1000.6, 1000.95, 9000.0, 9004.9, 9005.1):
            if writer.is_due():
                due.append(now)
                writer.note(**counts)
        # At 0.5 s every half second, at 15 min every 0.9 s, at two hours and more every 5 s.
        assert due == [100.5, 1000.0, 1000.95, 9000.0, 9005.1]
        assert [moment.seconds for moment in read_progress(tmp_path)] == [0.5, 900.0, 900.95, 8900.0, 8905.1]

    def test_recordings_are_found_by_folder_file_name_or_age(self, folder: Path, tmp_path: Path) -> None:
        older = RunWriter(tmp_path / "older.parquet", layers=LAYERS)
        older.abort()
        os.utime(older.journal_folder, (0, 0))
        for name in (str(folder), str(tmp_path / "run.parquet"), "evening", None):
            assert find_recording(name, [tmp_path]) == folder
        assert find_recording("older", [tmp_path]) == older.journal_folder
        ruins = tmp_path / "killed.recording"
        ruins.mkdir()
        (ruins / "declaration.json").write_text("")
        (ruins / "events.arrows").write_bytes(b"")
        assert find_recording(None, [tmp_path]) == folder
        with pytest.raises(NotFoundError, match=r"no run '.*run\.2' is being recorded"):
            find_recording(str(tmp_path / "run.2"), [tmp_path])
        with pytest.raises(NotFoundError, match="no run 'morning' is being recorded") as error:
            find_recording("morning", [tmp_path])
        assert "evening" in str(error.value.hint)


class TestCommand:
    def test_a_recording_is_priced_on_a_chip(self, shell: Shell, folder: Path) -> None:
        done = shell("watch", str(folder), "--chip", "loihi2", "--json")
        told = json.loads(done.stdout)
        assert told["priced_on"] == "loihi2 tutorial72"
        assert {row["layer"]: row["energy_pj"] for row in told["rows"]} == pytest.approx({"hidden": 31.5, "out": 2.0})
        # 3 spikes of 2.1 pJ in 2 samples.
        assert told["rows"][0]["energy_per_sample_pj"] == pytest.approx(3.15)
        shown = shell("watch", str(folder), "--chip", "loihi2").stdout
        assert "4 samples of 2 timesteps" in shown
        assert "33.50 pJ so far" in shown or "33.5 pJ so far" in shown

    def test_what_is_not_priced_is_said(self, shell: Shell, folder: Path) -> None:
        done = shell("watch", str(folder), "--chip", "cmos45", "--cost", "ann_snn_convention")
        assert done.exit_code == 0
        assert "not in any energy: ann_mac_fp32: the run brings no counter mac" in done.stderr
        refused = shell("watch", str(folder), "--chip", "cmos45", "--cost", "horowitz2014")
        assert (refused.exit_code, "nothing of cmos45 horowitz2014 can be priced" in refused.stderr) == (2, True)

    def test_without_a_chip_rates_are_shown_and_prices_offered(self, shell: Shell, folder: Path) -> None:
        done = shell("watch", str(folder))
        assert "25.0%" in done.stdout
        assert "--chip NAME" in done.stderr

    def test_what_cannot_be_meant_is_said(self, shell: Shell, folder: Path) -> None:
        for arguments, code, message in (
            (("nobody",), 3, "no run 'nobody' is being recorded"),
            ((str(folder), "--chip", "loihi3"), 3, "loihi3"),
            ((str(folder), "--cost", "tutorial72"), 2, "--cost needs --chip"),
            ((str(folder), "--chip", "loihi2", "--cost", "v0"), 3, "v0"),
        ):
            done = shell("watch", *arguments)
            assert (done.exit_code, message in done.stderr) == (code, True), done.stderr

    def test_a_fresh_recording_says_that_nothing_is_written_yet(self, shell: Shell, tmp_path: Path) -> None:
        writer = RunWriter(tmp_path / "run.parquet", layers=LAYERS)
        done = shell("watch", str(writer.journal_folder))
        writer.abort()
        assert (done.exit_code, "nothing is written yet" in done.stderr) == (3, True)


class TestSecondTerminal:
    @pytest.fixture
    def training(self, tmp_path: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", RECORDER], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "recording\n"
        return process

    @staticmethod
    def watched(folder: Path, act: Callable[[subprocess.Popen[bytes]], object], *shown: str) -> tuple[int, str]:
        """Run `energy-db watch` in a terminal; act once it shows certain words."""
        terminal, child = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "energy_db", "watch", "--every", "0.1"],
            cwd=folder, stdin=child, stdout=child, stderr=child,
        )  # fmt: skip
        os.close(child)
        seen, has_acted, deadline = "", False, time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                seen += os.read(terminal, 4096).decode()
            except OSError:  # the other end is closed
                break
            if not has_acted and all(word in seen for word in shown):
                act(process)
                has_acted = True
        os.close(terminal)
        return process.wait(timeout=10), seen

    @pytest.mark.thorough
    def test_a_training_is_followed_to_its_end(self, training: subprocess.Popen[str], tmp_path: Path) -> None:
        code, seen = self.watched(tmp_path, lambda _: training.communicate("\n"), "epoch 1", "50.4 pJ")
        assert (code, "came to its end" in seen) == (0, True), seen
        with EnergyStore(tmp_path / "energy.duckdb", read_only=True) as store:
            assert store.run("fit").n_spikes == 24

    @pytest.mark.thorough
    def test_a_training_that_dies_is_said_to_be_cut_short(
        self, training: subprocess.Popen[str], tmp_path: Path
    ) -> None:
        code, seen = self.watched(tmp_path, lambda _: training.kill(), "epoch 1")
        training.communicate()
        assert training.returncode == -signal.SIGKILL
        assert (code, "energy-db ingest" in seen) == (4, True), seen

    @pytest.mark.thorough
    def test_ctrl_c_leaves_it_without_a_word(self, training: subprocess.Popen[str], tmp_path: Path) -> None:
        code, seen = self.watched(tmp_path, lambda watching: watching.send_signal(signal.SIGINT), "epoch 1")
        training.communicate("\n")
        assert (code, "interrupted" in seen, "Traceback" in seen) == (130, False, False), seen
