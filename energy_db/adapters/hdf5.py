"""HDF5 files, through h5py, which is an extra: opened, and read with errors that name file and dataset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from energy_db.errors import RunFileError, UsageError

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def is_hdf5(path: str | PathLike[str]) -> bool:
    """Return whether a file begins as HDF5 files do; False if there is no such file."""
    try:
        with Path(path).open("rb") as file:
            return file.read(len(_SIGNATURE)) == _SIGNATURE
    except (OSError, ValueError):  # a name with a zero byte
        return False


@contextmanager
def opened(path: str | PathLike[str]) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading.

    Parameters
    ----------
    path : path-like
        The file.

    Raises
    ------
    UsageError
        If h5py is not installed.
    RunFileError
        If the file cannot be read, or is no HDF5 file.
    """
    try:
        import h5py
    except ImportError as error:
        raise UsageError(f"{path}: HDF5 files need h5py", "pip install 'energy-db[hdf5]'") from error
    if not Path(path).is_file():
        raise RunFileError(f"{path}: there is no such file")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise RunFileError(f"{path}: is no HDF5 file, or was cut short: {error}") from error
    with file:
        yield file


def group_of(parent: h5py.Group, name: str) -> h5py.Group:
    """Return a group of a file or group.

    Raises
    ------
    RunFileError
        If it is not there; the message lists what is.
    """
    import h5py

    found = parent.get(name)
    if not isinstance(found, h5py.Group):
        raise _missing(parent, name, "group")
    return found


def groups_of(parent: h5py.Group) -> dict[str, h5py.Group]:
    """Return the groups of a file or group by their names, in the file's order."""
    import h5py

    return {name: parent[name] for name in parent if isinstance(parent.get(name), h5py.Group)}


def array_of(parent: h5py.Group, name: str) -> NDArray[Any]:
    """Return a dataset of a file or group as a NumPy array.

    Raises
    ------
    RunFileError
        If it is not there, which the message says with what is, or cannot be read.
    """
    import h5py

    found = parent.get(name)
    if not isinstance(found, h5py.Dataset):
        raise _missing(parent, name, "dataset")
    try:
        array: NDArray[Any] = found[()]
    except OSError as error:
        raise RunFileError(f"{parent.file.filename}: {found.name} cannot be read: {error}") from error
    return array


def column_of(parent: h5py.Group, name: str, *, whole: bool = False) -> NDArray[Any]:
    """Return a dataset of a file or group that has one axis of finite numbers.

    Parameters
    ----------
    parent : h5py.Group
        Where it is.
    name : str
        Its name.
    whole : bool
        Whether its type must be one of whole numbers.

    Raises
    ------
    RunFileError
        If it is not there, cannot be read, or is something else; the message names the first row that is no number.
    """
    import numpy as np

    column: NDArray[Any] = np.asarray(array_of(parent, name))
    place = f"{parent.file.filename}: {parent[name].name}"
    if column.ndim != 1 or column.dtype.kind not in ("iu" if whole else "iuf"):
        kind = "whole numbers" if whole else "numbers"
        raise RunFileError(f"{place} is {column.dtype} of shape {column.shape}, must be one axis of {kind}")
    if not np.isfinite(column).all():
        row = int(np.flatnonzero(~np.isfinite(column))[0])
        raise RunFileError(f"{place}: row {row} is {column[row]}, must be a number")
    return column


def text_of(value: Any) -> str | None:
    """Return an attribute or entry as text, whether it was written as text or as bytes; None if there is none."""
    if value is None:
        return None
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def name_behind(parent: h5py.Group, value: Any) -> str | None:
    """Return the last name of what an entry refers to; an empty one if to nothing, None if it is no reference."""
    import h5py

    if not isinstance(value, h5py.Reference):
        return None
    return str(parent.file[value].name).rpartition("/")[2] if value else ""


def _missing(parent: h5py.Group, name: str, kind: str) -> RunFileError:
    there = ", ".join(parent) or "nothing"
    return RunFileError(f"{parent.file.filename}: {parent.name} has no {kind} {name!r}", f"There is {there}.")
