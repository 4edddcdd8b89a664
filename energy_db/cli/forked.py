"""Verbs that look for damage are done by a child: where the engine crashes at it, somebody is left to say so."""

from __future__ import annotations

import os
import signal
import sys
import threading

from energy_db.engines.wording import WAY_BACK
from energy_db.errors import StoreError

_CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE)
_PASSED_ON = (signal.SIGINT, signal.SIGTERM)


def exit_code_of_child(path: str) -> int | None:
    """Fork, and wait for the child, which goes on with the verb.

    Parameters
    ----------
    path : str
        The store that is looked into.

    Returns
    -------
    int or None
        The exit code of the child; None in the child, and where no fork is possible: on Windows, and where there are
        other threads, such as the engine's, which a child would not have.

    Raises
    ------
    StoreError
        If the child crashed.
    """
    if not hasattr(os, "fork") or "duckdb" in sys.modules or threading.active_count() > 1:
        return None
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)  # none may come before it is known what to do with it
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
        return None
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the child, too, which knows what to do
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    exit_code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if -exit_code in _CRASHES:
        raise StoreError(
            f"{path} is damaged: the engine crashes at what it reads ({signal.Signals(-exit_code).name})",
            WAY_BACK,
        )
    return exit_code if exit_code >= 0 else 128 - exit_code
