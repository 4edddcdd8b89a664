"""How verbs go on until they are told to end: Ctrl-C, or the signal with which services are stopped."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

_INTERRUPTED = 130
_SECONDS_OF_A_NAP = 0.05


class End:
    """Learns from signals that it is over; a second Ctrl-C interrupts at once."""

    def __init__(self) -> None:
        self._number: int | None = None

    def __call__(self, number: int, _: object) -> None:
        """Take a signal."""
        if self._number is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._number = number

    @property
    def exit_code(self) -> int:
        """How the verb ends: a service that is stopped did what it was there for."""
        return _INTERRUPTED if self._number == signal.SIGINT else 0

    def is_near(self) -> bool:
        """Whether somebody asked for it."""
        return self._number is not None

    def wait(self, seconds: float) -> None:
        """Wait, but not beyond the end."""
        until = time.monotonic() + seconds
        while not self.is_near() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _SECONDS_OF_A_NAP))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to signals in the block."""
        before = {number: signal.signal(number, self) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
