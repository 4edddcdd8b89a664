"""Which files this process has open: to open and close one beside would drop the lock that it has on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakSet

from energy_db.engines.own_file import is_same_file
from energy_db.engines.wording import CLOSE_IT
from energy_db.errors import StoreLockedError


class Opener(Protocol):
    """What has a database open."""

    is_open: bool

    @property
    def file(self) -> Path:
        """The file, as an absolute path."""


_openers: WeakSet[Any] = WeakSet()
_handed_over: WeakKeyDictionary[Any, tuple[str, Callable[[Any], bool]]] = WeakKeyDictionary()


def remember(opener: Opener) -> None:
    """Remember what has a database open, for as long as it lives."""
    _openers.add(opener)


def remember_handed_over(connection: object, path: str, is_open: Callable[[Any], bool]) -> None:
    """Remember a connection that somebody else uses and closes, and how to ask it whether it is open."""
    _handed_over[connection] = path, is_open


def refuse_open_here(path: str) -> None:
    """Make sure that this process does not have a file open.

    Raises
    ------
    StoreLockedError
        If it has.
    """
    open_here = [str(opener.file) for opener in _openers if opener.is_open]
    open_here += [of for connection, (of, is_open) in _handed_over.items() if is_open(connection)]
    if any(is_same_file(of, path) for of in open_here):
        raise StoreLockedError(f"{path} is already open in this process", CLOSE_IT)
