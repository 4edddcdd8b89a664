"""How much memory and how many threads statements may take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from energy_db.errors import UsageError

MOST_THREADS = 1024  # each takes memory of its own: a hundred thousand take all that a machine has
_SIZE = re.compile(r"\d+(\.\d+)?\s*([kmgt]i?)?b", re.IGNORECASE)


@dataclass(frozen=True)
class Limits:
    """Limits of a store's statements.

    Attributes
    ----------
    memory : str or None
        A size with its unit, such as '2GB'; None is as much as the engine takes by itself.
    threads : int or None
        A number of threads; None is one for each core.

    Raises
    ------
    UsageError
        If they are no size and no number of threads.
    """

    memory: str | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.memory is not None and not _SIZE.fullmatch(str(self.memory).strip()):
            raise UsageError(f"memory_limit is {self.memory!r}", "Write a size with its unit, such as 2GB or 500MB.")
        if self.threads is not None and not (type(self.threads) is int and 1 <= self.threads <= MOST_THREADS):
            raise UsageError(f"threads is {self.threads!r}", f"Write a whole number from 1 to {MOST_THREADS}.")

    def settings(self) -> Iterator[tuple[str, str]]:
        """Return the engine's settings, and what they are set to; in the process, where nothing is said here."""
        memory, threads = self.memory or _process.limits.memory, self.threads or _process.limits.threads
        if memory is not None:
            yield "memory_limit", memory
        if threads is not None:
            yield "threads", str(threads)


NO_LIMITS = Limits()


@dataclass
class _Process:
    """What the command line says for all stores that it opens, those in memory and those beside its own, too."""

    limits: Limits


_process = _Process(NO_LIMITS)


def bound_process(limits: Limits) -> None:
    """Let limits hold for every store that this process opens and that has none of its own."""
    _process.limits = limits
