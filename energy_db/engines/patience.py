"""A limit to the time that a statement may take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from energy_db.errors import QueryTimeoutError

_PAUSE = 0.05  # seconds


@contextmanager
def stopping_after(seconds: float | None, interrupt: Callable[[], None]) -> Iterator[None]:
    """Stop what the block asks an engine when it has taken so long.

    Parameters
    ----------
    seconds : float or None
        How long it may take; None or 0 is no limit.
    interrupt : callable
        Stops what the engine does; it is called from another thread.

    Raises
    ------
    QueryTimeoutError
        If it took longer.
    """
    if not seconds:
        yield
        return
    is_done, is_late = Event(), Event()

    def watch() -> None:
        if not is_done.wait(seconds):
            is_late.set()
            interrupt()
            while not is_done.wait(_PAUSE):  # what comes before the engine has begun is forgotten
                interrupt()

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    except KeyboardInterrupt as error:
        if not is_late.is_set():
            raise
        raise QueryTimeoutError(
            f"the query was stopped: it took longer than {seconds:g} s",
            "Ask for less, such as one run and one chip, or a view with fewer rows; or give it more time (--timeout).",
        ) from error
    finally:
        is_done.set()
        watcher.join()
