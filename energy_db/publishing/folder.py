"""The folder of publications: each in a folder of its own, the newest under names that stay.

energy.duckdb               the newest database
marts/                      its facts as Parquet files
catalog.json                what is in them, and which publication it is
publications/000012/        each publication: energy.duckdb, marts/, catalog.json
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from energy_db.engines.duckdb import MEMORY
from energy_db.errors import StoreLockedError, UsageError
from energy_db.publishing.catalog import SCHEMA

DATABASE, MARTS, CATALOG = "energy.duckdb", "marts", "catalog.json"
_VERSIONS = "publications"
_UNFINISHED = ".unfinished"
_READ_ONLY = 0o444


class PublicationFolder:
    """A folder that the publications of one store lie in.

    Parameters
    ----------
    path : Path
        The folder; it is made when something is published.
    store : str
        The store, or ':memory:'.

    Raises
    ------
    UsageError
        If something else is in its place, or in that of the files that would be written.
    """

    def __init__(self, path: Path, store: str) -> None:
        self.path = path.resolve()
        self.database = self.path / DATABASE
        self._store = store
        self._refuse_others()

    def version(self, number: int) -> Path:
        """Return the folder of a publication."""
        return self.path / _VERSIONS / f"{number:06}"

    def numbers(self) -> list[int]:
        """Return the numbers of the publications that are there, the oldest first."""
        found = (self.path / _VERSIONS).glob("[0-9]*")
        return sorted(int(path.name) for path in found if path.name.isdigit())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody else publish here during the block.

        Raises
        ------
        StoreLockedError
            If somebody else does.
        """
        (self.path / _VERSIONS).mkdir(parents=True, exist_ok=True)
        with (self.path / _VERSIONS / ".lock").open("a") as file:
            with suppress(ImportError):
                import fcntl

                try:
                    fcntl.lockf(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError as error:
                    raise StoreLockedError(
                        f"another process publishes to {self.path} right now", "Try again when it is done."
                    ) from error
            yield

    @contextmanager
    def new_version(self, number: int) -> Iterator[Path]:
        """Give a folder to be filled, which is there whole behind the block, or not at all."""
        for leftover in (self.path / _VERSIONS).glob(f"*{_UNFINISHED}"):
            shutil.rmtree(leftover)
        unfinished = self.version(number).with_suffix(_UNFINISHED)
        unfinished.mkdir()
        try:
            yield unfinished
            for path in unfinished.rglob("*"):
                if path.is_file():
                    _settle(path)
            unfinished.replace(self.version(number))
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def make_newest(self, number: int) -> tuple[str, ...]:
        """Let the names that stay lead to a publication; returns what stands in the way of that, if something does."""
        version = self.version(number)
        notes = []
        try:
            # The log of somebody who wrote to an earlier publication would be replayed into this one.
            self.database.with_name(f"{DATABASE}.wal").unlink(missing_ok=True)
            self._replace(DATABASE, lambda new: _link_or_copy(version / DATABASE, new))
        except PermissionError:
            notes.append(
                f"{self.database} is open elsewhere and stays as it is: {CATALOG} names the newest publication"
            )
        try:
            self._replace_marts(version / MARTS)
        except OSError:
            notes.append(f"{self.path / MARTS} cannot be a link here: {CATALOG} names the newest publication")
        self._replace(CATALOG, lambda new: shutil.copyfile(version / CATALOG, new))
        return tuple(notes)

    def keep_newest(self, n_kept: int) -> None:
        """Remove the oldest publications; what is open elsewhere stays readable there, or stays."""
        for number in self.numbers()[:-n_kept]:
            shutil.rmtree(self.version(number), ignore_errors=True)

    def _replace_marts(self, target: Path) -> None:
        if target.is_dir():
            relative = target.relative_to(self.path)
            self._replace(MARTS, lambda new: new.symlink_to(relative, target_is_directory=True))
        else:
            (self.path / MARTS).unlink(missing_ok=True)

    def _replace(self, name: str, make: Any) -> None:
        new = self.path / f".{name}.new"
        new.unlink(missing_ok=True)
        make(new)
        new.replace(self.path / name)

    def _refuse_others(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{self.path} is a file, not a folder", "Name a folder: --to DIR")
        if self._store != MEMORY and self.database.exists() and self.database.samefile(self._store):
            raise UsageError(f"{self.database} is the store itself", "Publish to a folder of its own: --to DIR")
        if not self.database.exists() and not (self.path / MARTS).exists():
            return
        about = self._published()
        if about is None:
            raise UsageError(
                f"{self.path} holds {DATABASE} or {MARTS}, but no {CATALOG} of energy-db: they are not replaced",
                "Publish to an empty folder: --to DIR",
            )
        other = str(about.get("store_path"))
        if other != self._store and Path(other).exists() and not _is_same_file(other, self._store):
            raise UsageError(
                f"{self.path} holds the publications of another store, {other}",
                "Publish to a folder of its own: --to DIR",
            )

    def _published(self) -> dict[str, Any] | None:
        """Return what the folder's catalogue says of its newest publication; None if it is not one of ours."""
        try:
            catalog = json.loads((self.path / CATALOG).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        is_ours = isinstance(catalog, dict) and catalog.get("schema") == SCHEMA
        return catalog.get("publication") if is_ours else None


def _is_same_file(one: str, other: str) -> bool:
    return Path(other).exists() and Path(one).samefile(other)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # the file system has no links; nobody holds the file yet, so that a copy is safe
        shutil.copyfile(source, target)
        target.chmod(_READ_ONLY)


def _settle(path: Path) -> None:
    """Bring a file to the disk, and keep others from writing to it."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    path.chmod(_READ_ONLY)
