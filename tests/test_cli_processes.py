"""What only a process of its own can show of the command line: completion, pipes, locks, Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from factories import Shell, dump, run_file

from energy_db import EnergyStore

COMMAND = [sys.executable, "-m", "energy_db"]
N_EVENTS = 6_000_000

pytestmark = pytest.mark.usefixtures("shell")


def start(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_completion() -> None:
    words = {"COMP_WORDS": "energy-db ver", "COMP_CWORD": "1", "_ENERGY_DB_COMPLETE": "bash_complete"}
    done = subprocess.run(COMMAND, env=os.environ | words, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["plain,verify"]


@pytest.mark.thorough
def test_a_reader_such_as_head_may_leave_early(small_store: Path) -> None:
    with start("sql", "SELECT range AS number FROM range(200000)", "-f", "csv") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"number\n"
        process.stdout.close()
        talk = process.stderr.read()
    assert (process.returncode, talk) == (0, b"")


def test_a_second_process_waits_its_turn(small_store: Path) -> None:
    with EnergyStore(small_store), start("runs") as process:
        output, talk = process.communicate(timeout=30)
    assert (process.returncode, output) == (4, b"")
    assert b"energy.duckdb is held by" in talk
    assert b"Traceback" not in talk


def test_a_pipe_gets_no_colours(small_store: Path) -> None:
    with start("report", "kept", "--chip", "loihi2") as process:
        output, talk = process.communicate(timeout=30)
    assert process.returncode == 0
    assert b"Total 10.4 pJ" in output
    assert b"Note: " in talk
    assert b"\x1b" not in output + talk


@pytest.mark.parametrize("way_in", ["from energy_db.cli import main; main()", "import energy_db.__main__"])
@pytest.mark.parametrize("while_it_imports", ["energy_db.cli.app", "click", "energy_db.cli.compare"])
def test_ctrl_c_before_the_command_has_begun(way_in: str, while_it_imports: str) -> None:
    program = f"""
import os, signal, sys
class Interrupt:
    def find_spec(self, name, *_):
        if name == {while_it_imports!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
{way_in}
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted; nothing is half-stored\n")


def test_ctrl_c_during_an_ingest(small_store: Path, shell: Shell) -> None:
    neurons = np.random.default_rng(0).integers(0, 1000, N_EVENTS, dtype=np.int32)
    run_file(Path("long.parquet"), {"layer": np.zeros(N_EVENTS, np.int8), "neuron": neurons, "timestep": neurons[::-1]})
    before = dump(small_store)
    with start("ingest", "long.parquet") as process:
        wait_until_it_grows(small_store, process)
        process.send_signal(signal.SIGINT)
        output, talk = process.communicate(timeout=30)
    assert (process.returncode, output) == (130, b"")
    assert b"interrupted" in talk
    assert b"Traceback" not in talk
    assert dump(small_store) == before
    assert shell("verify").exit_code == 0
    run_file(Path("next.parquet"), {"layer": ["a"], "neuron": [0], "timestep": [0]})
    assert shell("ingest", "next.parquet").stderr.endswith("1 stored\n")


def wait_until_it_grows(store: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a process writes events into a store; to open the store here would be in its way."""
    size = store.stat().st_size
    deadline = time.monotonic() + 30
    while store.stat().st_size == size:
        assert process.poll() is None, "it ended before it could be interrupted"
        assert time.monotonic() < deadline, "it never began"
        time.sleep(0.002)
