"""Files that somebody names for the engine to read: whether they are files, and stay the same."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from energy_db.engines.open_here import refuse_open_here
from energy_db.engines.own_file import is_same_file
from energy_db.errors import RunFileError


def refuse_what_is_no_file(path: Path, store: str, wanted: str) -> None:
    """Raise if a path is not that of a file with content that may be read."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise RunFileError(f"{path!a}: its name is not UTF-8", "Rename it.") from error
    try:
        is_there = path.exists()
    except OSError as error:
        raise RunFileError(f"{str(path)[:60]}...: {error.strerror}", "Is this the name of a file?") from error
    if not is_there:
        raise RunFileError(f"{path}: no such file")
    if not path.is_file():
        raise RunFileError(f"{path}: is not a file")
    # Opening the store's own file here would drop the engine's lock on it.
    if is_same_file(store, str(path)):
        raise RunFileError(f"{path}: is the store itself, not {wanted}")
    refuse_open_here(str(path))
    if path.stat().st_size == 0:
        raise RunFileError(f"{path}: is empty (0 bytes)", "Did the recording stop before anything was written?")
    if not os.access(path, os.R_OK):
        raise RunFileError(f"{path}: may not be read", "Change its permissions, or run as its owner.")


def stamp_of(path: Path) -> tuple[int, ...]:
    """Return by what a file is known to be the same later; nothing if it is gone."""
    try:
        seen = path.stat()
    except OSError:
        return ()
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns


def length_of_footer(path: Path) -> int:
    """Return how many bytes at the end of a Parquet file say what is in it; 0 if it is no Parquet file."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(max(size - 8, 0))
        length, sign = int.from_bytes(stream.read(4), "little"), stream.read(4)
    return length if sign == b"PAR1" and length < size else 0


def literal_pattern(path: Path) -> str:
    """Return a path as the engine takes it literally: without globs, and without a home folder behind a tilde."""
    return glob.escape(str(path.absolute()))
