"""Statements that can be stopped: by Ctrl-C at once, and by a limit to the time that they may take."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Any

from energy_db.errors import QueryTimeoutError

_PAUSE = 0.05  # seconds


def patiently(ask: Callable[[], Any], seconds: float | None, interrupt: Callable[[], None]) -> Any:
    """Return what an engine answers, unless it takes too long, or a person too impatient presses Ctrl-C.

    The engine is asked in another thread: the one that asks may compute itself for as long as it takes, and would not
    hear of a signal before it is done.

    Parameters
    ----------
    ask : callable
        Asks the engine.
    seconds : float or None
        How long it may take; None or 0 is no limit.
    interrupt : callable
        Stops what the engine does.

    Raises
    ------
    QueryTimeoutError
        If it took longer.
    """
    answers: list[Any] = []
    errors: list[BaseException] = []
    is_done = Event()  # a thread whose join is interrupted by Ctrl-C would be taken for one that has ended

    def work() -> None:
        try:
            answers.append(ask())
        except BaseException as error:
            errors.append(error)
        finally:
            is_done.set()

    Thread(target=work, daemon=True).start()
    try:
        is_late = not is_done.wait(seconds or None)
    finally:
        while not is_done.is_set():
            interrupt()
            is_done.wait(_PAUSE)  # an interrupt that comes before the engine has begun is forgotten
    if is_late:
        raise QueryTimeoutError(
            f"the query was stopped: it took longer than {seconds:g} s",
            "Ask for less, such as one run and one chip, or a view with fewer rows; or give it more time (--timeout).",
        )
    if errors:
        raise errors[0]
    return answers[0]
