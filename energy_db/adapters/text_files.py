"""Text files with columns of numbers, read by NumPy; errors name the file and the line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from energy_db.errors import RunFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SKIPPED = "-"


def read_columns(
    path: Path, names: Sequence[str], *, delimiter: str | None, skip_lines: int
) -> Mapping[str, NDArray[Any]]:
    """Return the columns of a text file as float64, by name.

    Parameters
    ----------
    path : Path
        The file. Blank lines, and what follows a `#`, say nothing.
    names : sequence of str
        A name for each of its columns, two or more; `-` for one that is not read.
    delimiter : str, optional
        What stands between two columns. Default: any white space.
    skip_lines : int
        Lines at the beginning that are not read, such as a header.

    Raises
    ------
    RunFileError
        If a line is not one number for each column.
    """
    import numpy as np

    types = [(f"-{i}", "U1") if name == SKIPPED else (name, "f8") for i, name in enumerate(names)]
    if next(content_lines(path, skip_lines), None) is None:
        return {name: np.zeros(0) for name in names if name != SKIPPED}
    try:
        rows = np.loadtxt(
            path, np.dtype(types), delimiter=delimiter, skiprows=skip_lines, ndmin=1, encoding="utf-8-sig"
        )
    except ValueError as error:
        raise _bad_line(path, names, delimiter, skip_lines, error) from error
    return {name: rows[name] for name in names if name != SKIPPED}


def content_lines(path: Path, skip_lines: int = 0) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file that say something, each with its number from 1.

    Raises
    ------
    RunFileError
        If the file is not there, or is no text.
    """
    if not path.is_file():
        raise RunFileError(f"{path}: there is no such file")
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                content = line.partition("#")[0].strip()
                if number > skip_lines and content:
                    yield number, content
    except (OSError, UnicodeDecodeError) as error:
        raise RunFileError(f"{path}: cannot be read as text: {error}") from error


def line_of_row(path: Path, row: int, skip_lines: int) -> int:
    """Return the number of the line, from 1, that holds a row, from 0."""
    return next(number for i, (number, _) in enumerate(content_lines(path, skip_lines)) if i == row)


def is_number(text: str) -> bool:
    """Whether a cell can be read as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _bad_line(
    path: Path, names: Sequence[str], delimiter: str | None, skip_lines: int, error: ValueError
) -> RunFileError:
    """Return the error for the first line that is not as the others."""
    for number, line in content_lines(path, skip_lines):
        cells = line.split(delimiter)
        read = [cell for name, cell in zip(names, cells, strict=False) if name != SKIPPED]
        if len(cells) != len(names) or not all(map(is_number, read)):
            return RunFileError(
                f"{path}: line {number} is {line!r}, must have {len(names)} columns, and numbers in those that are "
                f"read: {' '.join(names)}",
                "Was the file cut short? '-' names a column that is not read.",
            )
    return RunFileError(f"{path}: cannot be read: {error}")
