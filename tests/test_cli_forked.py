"""Of a process that crashes, its parent tells."""

from __future__ import annotations

import subprocess
import sys

import pytest

from energy_db.cli.forked import exit_code_of_child

WORK = """
import os, signal, sys
from energy_db.cli.forked import exit_code_of_child
from energy_db.errors import StoreError
try:
    exit_code = exit_code_of_child("my.duckdb")
except StoreError as error:
    sys.exit(str(error))
if exit_code is not None:
    print("the child ended with", exit_code)
    sys.exit(exit_code)
{does}
"""


def ended(does: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", WORK.format(does=does)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("signal", ["SIGSEGV", "SIGBUS", "SIGABRT"])
def test_a_crash_is_damage(signal: str) -> None:
    done = ended(f"os.kill(os.getpid(), signal.{signal})")
    assert done.returncode == 1
    assert done.stderr.startswith(f"my.duckdb is damaged: the engine crashes at what it reads ({signal})\n")
    assert "backup" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(("does", "exit_code"), [("sys.exit(3)", 3), ("", 0), ("os.kill(os.getpid(), 9)", 137)])
def test_any_other_end_is_that_of_the_child(does: str, exit_code: int) -> None:
    done = ended(does)
    assert (done.returncode, done.stdout) == (exit_code, f"the child ended with {exit_code}\n")


def test_with_the_engine_in_it_a_process_goes_on_alone() -> None:
    assert "duckdb" in sys.modules
    assert exit_code_of_child("my.duckdb") is None


def test_terminating_it_terminates_the_child() -> None:
    done = ended("signal.alarm(60); os.kill(os.getppid(), signal.SIGTERM); signal.pause()")
    assert done.returncode == 128 + 15
