"""Rows as text: for eyes, for documents, for machines. Nothing is ever cut off."""

from __future__ import annotations

import csv
import html
import io
import itertools
import json
import math
import re
import textwrap
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from energy_db.errors import EnergyDbError, UsageError
from energy_db.units import exact

if TYPE_CHECKING:
    import pyarrow

Row = Mapping[str, Any]

_NARROWEST = 24  # of the columns that are wrapped
_LATER_CONTROLS = re.compile("[\\x7f-\\x9f]")  # those that JSON leaves as they are
_AMOUNT = re.compile(r"([-+]?[\d.]+ ?(%|[pnµm]?[JW]))?")  # a number with its unit, as energy_db.units writes it

# Signs that Markdown obeys, on GitHub at least; an underscore within a word is none of them.
_MARKUP = re.compile(r"[\\`*\[\]<>|~#$]|&(?=#?\w+;)|_+")
_LINK = re.compile(r"(?<=[@#])(?=\w)|(?<=:)(?=//)|(?<=\bwww)(?=\.)", re.IGNORECASE)


def text_table(rows: Sequence[Row], width: int | None = None) -> str:
    """Return rows as aligned columns under a header; numbers stand to the right.

    If a width is given, long texts go on below, so that the lines are no longer where that can be done.
    """
    if not rows:
        return ""
    columns = list(rows[0])
    cells = [[printable(row[column]) for column in columns] for row in rows]
    to_the_right = [all(is_number(row[column]) for row in rows) for column in columns]
    header = [printable(column) for column in columns]
    widths = _widths(header, cells)
    if width is not None:
        limits = _narrowed(widths, width)
        cells = [line for row in cells for line in _wrapped(row, limits)]
        widths = _widths(header, cells)
    lines = [header, ["-" * width for width in widths], *cells]
    return "\n".join(_aligned(line, widths, to_the_right) for line in lines)


def _widths(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(_width, (column, *(row[i] for row in cells)))) for i, column in enumerate(columns)]


def _narrowed(widths: Sequence[int], width: int) -> list[int]:
    """Take from the widest columns what is too much for a line; what is narrow already stays."""
    limits = list(widths)
    while sum(limits) + 2 * (len(limits) - 1) > width and max(limits) > _NARROWEST:
        limits[limits.index(max(limits))] -= 1
    return limits


def _wrapped(row: Sequence[str], limits: Sequence[int]) -> list[list[str]]:
    pieces = [
        textwrap.wrap(cell, limit, break_long_words=False, break_on_hyphens=False) if len(cell) > limit else [cell]
        for cell, limit in zip(row, limits, strict=True)
    ]
    return [list(line) for line in itertools.zip_longest(*pieces, fillvalue="")]


def markdown_table(rows: Sequence[Row], *, is_markup: bool = False) -> str:
    """Return rows as a Markdown table, which shows what stands in them as it is; or, if they are Markdown, obeys it."""
    if not rows:
        return ""
    shown = _without_bars if is_markup else plain_markdown
    columns = list(rows[0])
    to_the_right = [all(is_number(row[column]) for row in rows) for column in columns]
    rule = ["---:" if right else "---" for right in to_the_right]
    header = [shown(printable(column)) for column in columns]
    cells = [[shown(printable(row[column])) for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in [header, rule, *cells])


def plain_markdown(text: str) -> str:
    """Return text that Markdown shows as it is: names of runs and layers may hold its signs.

    Backslashes do not keep GitHub from taking words for mentions, references and addresses; a comment amid them does.

    >>> plain_markdown("*hidden_1* of @octocat")
    '\\\\*hidden_1\\\\* of @<!-- -->octocat'
    """
    return _LINK.sub("<!-- -->", _MARKUP.sub(_escaped, text))


def _escaped(found: re.Match[str]) -> str:
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    if found[0].startswith("_") and before.isalnum() and after.isalnum():
        return found[0]
    return "".join(f"\\{sign}" for sign in found[0])


def _without_bars(text: str) -> str:
    return text.replace("|", "\\|")


def html_table(rows: Sequence[Row]) -> str:
    """Return rows as an HTML table; everything in it is escaped."""
    head = "".join(f"<th>{html.escape(printable(name))}</th>" for name in rows[0]) if rows else ""
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(printable(value))}</td>" for value in row.values()) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def csv_text(rows: Sequence[Row], columns: Sequence[str] | None = None) -> str:
    """Return rows as CSV with a header; decimals keep all their digits."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns or (list(rows[0]) if rows else []))
    writer.writerows([_plain(value) for value in row.values()] for row in rows)
    return out.getvalue().rstrip("\n")


def json_text(value: Any) -> str:
    """Return a value as JSON; decimals become numbers, times ISO 8601 in UTC, what is no number null."""
    text = json.dumps(_json_ready(value), indent=2, ensure_ascii=False, allow_nan=False)
    return _LATER_CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)  # a terminal may obey them, too


def _json_ready(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _json_ready(content) for key, content in value.items()}
    if isinstance(value, list | tuple):
        return [_json_ready(content) for content in value]
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else _plain(value)


def _plain(value: Any) -> Any:
    """Return a database value as text that other programs read, or as it is."""
    if isinstance(value, Decimal):
        return exact(value)
    if isinstance(value, datetime):
        return f"{_in_utc(value).isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def printable(value: Any) -> str:
    """Return a value on one line and without control characters, which a terminal would obey."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        value = exact(value)
    elif isinstance(value, datetime):
        value = _in_utc(value).isoformat(sep=" ", timespec="seconds")
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in str(value))


def is_number(value: Any) -> bool:
    """Whether a value is a number, an amount with its unit, or missing: what stands to the right in a column."""
    if isinstance(value, str):
        return bool(_AMOUNT.fullmatch(value))
    return value is None or (isinstance(value, int | float | Decimal) and not isinstance(value, bool))


def _width(text: str) -> int:
    return sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in text)


def _aligned(cells: Sequence[str], widths: Sequence[int], to_the_right: Sequence[bool]) -> str:
    padded = []
    for cell, width, right in zip(cells, widths, to_the_right, strict=True):
        gap = " " * (width - _width(cell))
        padded.append(gap + cell if right else cell + gap)
    return "  ".join(padded).rstrip()


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file that is there whole or not at all; a pipe or device takes what it is given.

    Parameters
    ----------
    path : Path
        The file.
    write : callable
        Writes the content to the path that it is given.

    Raises
    ------
    EnergyDbError
        If it cannot be written.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        write(target)
        return
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        write(unfinished)
        unfinished.replace(target)
    except OSError as error:
        raise EnergyDbError(f"{target}: cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def write_folder(path: Path, write: Callable[[Path], Any]) -> None:
    """Fill a folder that is there whole or not at all.

    Parameters
    ----------
    path : Path
        The folder; one that is there must be empty.
    write : callable
        Fills the folder that it is given.

    Raises
    ------
    UsageError
        If something is in its place.
    EnergyDbError
        If it cannot be written.
    """
    target = path.resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is there already, and not empty", "Name another folder: -o DIR/")
    unfinished = target.with_name(f".{target.name}.unfinished")
    rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir()
        write(unfinished)
        unfinished.replace(target)
    except OSError as error:
        raise EnergyDbError(f"{target}: cannot be written: {error.strerror or error}") from error
    finally:
        rmtree(unfinished, ignore_errors=True)


def write_parquet(table: pyarrow.Table, path: str) -> None:
    """Write an Arrow table as a Parquet file.

    Raises
    ------
    UsageError
        If Parquet has no type for a column.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        parquet.write_table(table, path)
    except pyarrow.ArrowException as error:
        raise UsageError(f"Parquet cannot hold this result: {error}", "Cast the column in the query.") from error


def arrow_table(rows: Sequence[Row]) -> pyarrow.Table:
    """Return rows as an Arrow table."""
    import pyarrow

    return pyarrow.Table.from_pylist([dict(row) for row in rows])


def as_arrow(table: Any) -> pyarrow.Table:
    """Return the table of another library as an Arrow table.

    Raises
    ------
    UsageError
        If a column holds values of several types.
    """
    import pyarrow

    try:
        return pyarrow.table(table)
    except pyarrow.ArrowException as error:
        raise UsageError(f"Arrow cannot hold this table: {error}", "Give each column one type.") from error


def with_unique_names(table: pyarrow.Table) -> pyarrow.Table:
    """Return an Arrow table whose columns can be told apart by name: n, n_2, n_3."""
    names: list[str] = []
    for name in table.column_names:
        copies = (f"{name}_{number}" for number in itertools.count(2))
        names.append(name if name not in names else next(copy for copy in copies if copy not in table.column_names))
    return table.rename_columns(names)
