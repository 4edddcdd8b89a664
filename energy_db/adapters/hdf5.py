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


def text_of(value: Any) -> str | None:
    """Return an attribute or entry as text, whether it was written as text or as bytes; None if there is none."""
    if value is None:
        return None
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def _missing(parent: h5py.Group, name: str, kind: str) -> RunFileError:
    there = ", ".join(parent) or "nothing"
    return RunFileError(f"{parent.file.filename}: {parent.name} has no {kind} {name!r}", f"There is {there}.")
