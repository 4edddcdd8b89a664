"""Work between the thread that records and the one that writes, within a bound of memory."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Condition
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class _Entry(Generic[Item]):
    item: Item
    n_bytes: int


class Buffer(Generic[Item]):
    """A queue that makes its filler wait while it holds too many bytes.

    Parameters
    ----------
    most_bytes : int
        The bound; a single item may be larger, and then stands alone.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = 0
        self._entries: deque[_Entry[Item]] = deque()
        self._changed = Condition()
        self._is_open = True

    def put(self, item: Item, n_bytes: int) -> None:
        """Add an item; wait until there is room, unless nobody takes items out any more."""
        with self._changed:
            self._changed.wait_for(lambda: not self._entries or self._held + n_bytes <= self._most or not self._is_open)
            self._entries.append(_Entry(item, n_bytes))
            self._held += n_bytes
            self._changed.notify_all()

    def take(self, seconds: float) -> Item | None:
        """Return the oldest item; None if there is none within that time."""
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self._entries), timeout=max(0.0, seconds)):
                return None
            entry = self._entries.popleft()
            self._held -= entry.n_bytes
            self._changed.notify_all()
            return entry.item

    def close(self) -> None:
        """Say that nobody takes items out any more: whoever waits goes on."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()
