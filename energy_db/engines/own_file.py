"""Whether the file under a store's path is still the one that was opened, and how another takes its place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from energy_db.errors import StoreError

Opened = TypeVar("Opened")
_MOST_TRIES = 10


def is_same_file(path: str, other: str) -> bool:
    """Whether two paths lead to one file; a database in memory has none."""
    return Path(path).exists() and Path(path).samefile(other)


def take_rights(new: Path, of: Path) -> None:
    """Let a file be read and written by whom another may be, and no others; and owned by the same, if it may."""
    wanted = of.stat()
    new.chmod(wanted.st_mode & 0o7777)
    if hasattr(os, "chown"):
        with suppress(PermissionError):
            os.chown(new, wanted.st_uid, wanted.st_gid)


def take_name(new: Path, name: Path) -> None:
    """Give a file a name, in one step that outlives a crash; what has it goes."""
    new.replace(name)
    with suppress(OSError):  # not all systems can sync a folder
        folder = os.open(name.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def remove_unfinished(database: Path) -> None:
    """Remove a database that was not finished, with its log and what the engine put aside, if they are there."""
    database.unlink(missing_ok=True)
    Path(f"{database}.wal").unlink(missing_ok=True)
    shutil.rmtree(f"{database}.tmp", ignore_errors=True)


class OwnFile:
    """The file of an engine: a path, and which file that was.

    Parameters
    ----------
    path : str
        The path; one that no file has is that of a database in memory.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._absolute = Path(path).absolute()  # a process may change its folder while it has a store open
        self._identity: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """Its path as the engine is to open it, also later, from another folder."""
        return str(self._absolute) if self._identity else self._path

    @property
    def resolved(self) -> Path:
        """The file itself: where a symbolic link leads to."""
        return self._absolute.resolve()

    def opened(self, open_it: Callable[[], Opened], close: Callable[[Opened], None]) -> Opened:
        """Open the file, and make sure that no other took its place meanwhile: what is written to it would be lost.

        Raises
        ------
        StoreError
            If others do so all the time.
        """
        for _ in range(_MOST_TRIES):
            before = self._look()
            handle = open_it()
            self._identity = self._look()
            if before in (None, self._identity):
                return handle
            close(handle)
        raise StoreError(f"{self._path} is replaced again and again", "Stop what replaces it, then try again.")

    def refuse_replaced(self) -> None:
        """Make sure that what is committed will be found under the path.

        Raises
        ------
        StoreError
            If another file lies there by now, or none.
        """
        if self._identity is not None and self._look() != self._identity:
            raise StoreError(
                f"{self._path} was replaced or removed since it was opened",
                "Nothing was stored. Open the store again, and find out what moves its file.",
            )

    def replace_by(self, path: str) -> None:
        """Let another file take the place, in one step that outlives a crash."""
        self.refuse_replaced()
        target, new = self.resolved, Path(path)
        take_rights(new, target)
        take_name(new, target)

    def _look(self) -> tuple[int, int] | None:
        try:
            found = self._absolute.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
