"""`energy-db publish`: what it says, what it refuses, and how it follows a store that others write to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from factories import Shell, run_file, with_sidecar

from energy_db import EnergyStore

FOLLOW = [sys.executable, "-m", "energy_db", "publish", "--to", "bi", "--chip", "loihi2", "--follow", "--every", "0.05"]


def published(folder: Path) -> tuple[object, ...]:
    with duckdb.connect(str(folder / "energy.duckdb"), read_only=True) as connection:
        (found,) = connection.execute("SELECT publication_number, n_runs FROM mart.publication").fetchall()
    return tuple(found)


def another_run(folder: Path, name: str) -> Path:
    events = {"layer": ["hidden"], "neuron": [len(name)], "timestep": [0]}
    network = {"layers": [{"name": "hidden", "role": "hidden", "n_neurons": 40}]}
    return with_sidecar(run_file(folder / f"{name}.parquet", events), network)


class TestOnce:
    @pytest.mark.thorough
    def test_it_says_what_was_published(self, shell: Shell, small_store: Path, tmp_path: Path) -> None:
        result = shell("publish", "--to", "bi", "--chip", "loihi2", "--json")
        (row,) = json.loads(result.stdout)["rows"]
        assert (row["number"], row["runs"], row["spikes"], row["chips"]) == (1, 1, 6, "loihi2")
        assert row["database"] == str(tmp_path / "bi" / "energy.duckdb")
        assert published(tmp_path / "bi") == (1, 1)

    @pytest.mark.thorough
    def test_a_publication_answers_as_the_store_does(self, shell: Shell, small_store: Path) -> None:
        shell("publish", "--to", "bi")
        asked = ("report", "kept", "--chip", "loihi2", "--json")
        of_store, of_publication = shell(*asked), shell("--db", "bi/energy.duckdb", *asked)
        assert json.loads(of_publication.stdout) == json.loads(of_store.stdout)
        assert shell("--db", "bi/energy.duckdb", "verify").exit_code == 0

    @pytest.mark.parametrize(
        ("arguments", "exit_code", "says"),
        [
            ([], 2, "nobody says where to publish to"),
            (["--to", "."], 2, "is the store itself"),
            (["--to", "bi", "--chip", "lohi2"], 3, "Did you mean 'loihi2'"),
            (["--to", "bi", "--keep", "0"], 2, "--keep"),
            (["--to", "bi", "--every", "1"], 2, "--every goes with --follow"),
            (["--to", "bi", "--follow", "--after-ingest"], 2, "two ways to the same end"),
            (["--to", "bi", "--follow", "-o", "x.json"], 2, "a line for each publication"),
        ],
    )
    def test_what_is_refused(
        self, shell: Shell, small_store: Path, tmp_path: Path, arguments: list[str], exit_code: int, says: str
    ) -> None:
        result = shell("publish", *arguments)
        assert (result.exit_code, says in result.stderr) == (exit_code, True), result.stderr
        assert not (tmp_path / "bi").exists()

    def test_a_store_that_is_not_there(self, shell: Shell, tmp_path: Path) -> None:
        result = shell("publish", "--to", "bi")
        assert result.exit_code == 4
        assert "there is no store" in result.stderr
        assert list(tmp_path.iterdir()) == []


class TestAfterIngest:
    @pytest.mark.thorough
    def test_many_files_are_published_once(self, shell: Shell, small_store: Path, tmp_path: Path) -> None:
        shell("publish", "--to", "bi", "--chip", "loihi2", "--after-ingest")
        files = [another_run(tmp_path, name) for name in ("a", "ab", "abc")]
        assert shell("ingest", *files).exit_code == 0
        assert published(tmp_path / "bi") == (2, 4)
        assert shell("ingest", *files).exit_code == 0
        assert published(tmp_path / "bi") == (2, 4)

    @pytest.mark.thorough
    def test_a_spool_is_published_once_a_round(self, shell: Shell, small_store: Path, tmp_path: Path) -> None:
        shell("publish", "--to", "bi", "--chip", "loihi2", "--after-ingest")
        (tmp_path / "spool").mkdir()
        for name in ("a", "ab"):
            another_run(tmp_path / "spool", name)
        assert shell("ingest", "--spool", "spool").exit_code == 0
        assert published(tmp_path / "bi") == (2, 3)

    @pytest.mark.thorough
    def test_without_a_folder_it_is_published_as_set(self, shell: Shell, small_store: Path, tmp_path: Path) -> None:
        shell("publish", "--to", "bi", "--chip", "loihi2", "--keep", "1", "--after-ingest")
        (row,) = json.loads(shell("publish", "--json").stdout)["rows"]
        assert (row["number"], row["chips"]) == (2, "loihi2")
        (row,) = json.loads(shell("publish", "--chip", "truenorth", "--json").stdout)["rows"]
        assert (row["number"], row["chips"]) == (3, "truenorth")
        assert len(list((tmp_path / "bi" / "publications").glob("0*"))) == 1

    @pytest.mark.thorough
    def test_it_ends(self, shell: Shell, small_store: Path, tmp_path: Path) -> None:
        shell("publish", "--to", "bi", "--chip", "loihi2", "--after-ingest")
        assert "no longer published" in shell("publish", "--no-after-ingest").stderr
        shell("ingest", another_run(tmp_path, "a"))
        assert published(tmp_path / "bi") == (1, 1)
        assert "was not published after each ingest" in shell("publish", "--no-after-ingest").stderr

    @pytest.mark.thorough
    def test_trouble_is_said_and_the_runs_are_stored(self, shell: Shell, small_store: Path, tmp_path: Path) -> None:
        shell("publish", "--to", "bi", "--chip", "loihi2", "--after-ingest")
        (tmp_path / "bi" / "catalog.json").unlink()
        result = shell("ingest", another_run(tmp_path, "a"))
        assert result.exit_code == 0
        assert "stored, but not published" in result.stderr
        with EnergyStore("energy.duckdb") as store:
            assert len(store.runs()) == 2


@contextmanager
def following(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Let a process follow the store; it takes Ctrl-C as in a terminal, wherever the tests run."""
    heed = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(FOLLOW, cwd=folder, **pipes, text=True, preexec_fn=heed) as process:  # noqa: PLW1509
        try:
            yield process
        finally:
            process.kill()


def until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


class TestFollow:
    @pytest.mark.thorough
    @pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
    def test_it_publishes_what_others_write(
        self, small_store: Path, tmp_path: Path, number: signal.Signals, exit_code: int
    ) -> None:
        newest = tmp_path / "bi" / "energy.duckdb"
        ingest = [sys.executable, "-m", "energy_db", "--wait", "30", "ingest", another_run(tmp_path, "a")]
        with following(tmp_path) as process:
            until(newest.exists)
            subprocess.run(ingest, cwd=tmp_path, check=True, capture_output=True)
            until(lambda: published(tmp_path / "bi")[1] == 2)
            process.send_signal(number)
            shown, said = process.communicate(timeout=30)
        assert process.returncode == exit_code, said
        assert shown.splitlines()[0].startswith("published  1  1 runs  6 spikes")
        assert shown.splitlines()[-1].split()[2:6] == ["2", "runs", "7", "spikes"]

    @pytest.mark.thorough
    def test_it_waits_for_a_store_that_is_held(self, small_store: Path, tmp_path: Path) -> None:
        with EnergyStore(small_store) as store, following(tmp_path) as process:
            assert process.stderr is not None
            assert "waiting for the store" in process.stderr.readline()
            store.close()
            until((tmp_path / "bi" / "energy.duckdb").exists)
        assert published(tmp_path / "bi") == (1, 1)


class TestWait:
    def test_a_store_is_waited_for(self, small_store: Path, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "energy_db", "--wait", "30", "runs", "--json"]
        with EnergyStore(small_store) as store:
            process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
            time.sleep(1.0)
            assert process.poll() is None
            store.close()
        shown, _ = process.communicate(timeout=60)
        assert [row["name"] for row in json.loads(shown)["rows"]] == ["kept"]

    @pytest.mark.thorough
    def test_but_not_for_ever(self, small_store: Path, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "energy_db", "--wait", "0.3", "runs"]
        with EnergyStore(small_store):
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 4
        assert f"PID {os.getpid()}" in done.stderr
