"""What may be said of the memory and the threads that statements take."""

from __future__ import annotations

import re

from energy_db.errors import UsageError

MOST_THREADS = 1024  # each takes memory of its own: a hundred thousand take all that a machine has
_SIZE = re.compile(r"\d+(\.\d+)?\s*([kmgt]i?)?b", re.IGNORECASE)


def refuse_wrong_limits(memory_limit: str | None, threads: int | None) -> None:
    """Make sure that limits are a size and a number of threads; None is no limit.

    Raises
    ------
    UsageError
        If they are not.
    """
    if memory_limit is not None and not _SIZE.fullmatch(str(memory_limit).strip()):
        raise UsageError(f"memory_limit is {memory_limit!r}", "Write a size with its unit, such as 2GB or 500MB.")
    if threads is not None and not (type(threads) is int and 1 <= threads <= MOST_THREADS):
        raise UsageError(f"threads is {threads!r}", f"Write a whole number from 1 to {MOST_THREADS}.")
