"""Rows as text: for eyes, for documents, for machines. Nothing is ever cut off."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow

Row = Mapping[str, Any]

_AMOUNT = re.compile(r"(-?[\d.]+ ?(%|[pnµm]?J))?")  # a number with its unit, as energy_db.units writes it


def text_table(rows: Sequence[Row]) -> str:
    """Return rows as aligned columns under a header; numbers stand to the right."""
    if not rows:
        return ""
    columns = list(rows[0])
    cells = [[printable(row[column]) for column in columns] for row in rows]
    widths = [max(map(_width, (column, *(row[i] for row in cells)))) for i, column in enumerate(columns)]
    to_the_right = [all(_is_number(row[column]) for row in rows) for column in columns]
    lines = [columns, ["-" * width for width in widths], *cells]
    return "\n".join(_aligned(line, widths, to_the_right) for line in lines)


def markdown_table(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table."""
    if not rows:
        return ""
    columns = list(rows[0])
    to_the_right = [all(_is_number(row[column]) for row in rows) for column in columns]
    rule = ["---:" if right else "---" for right in to_the_right]
    cells = [[printable(row[column]).replace("|", "\\|") for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in [columns, rule, *cells])


def csv_text(rows: Sequence[Row], columns: Sequence[str] | None = None) -> str:
    """Return rows as CSV with a header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns or (list(rows[0]) if rows else []))
    writer.writerows([machine_value(value) for value in row.values()] for row in rows)
    return out.getvalue().rstrip("\n")


def json_text(value: Any) -> str:
    """Return a value as JSON; decimals become numbers, times ISO 8601 in UTC."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=machine_value, allow_nan=False)


def machine_value(value: Any) -> Any:
    """Return a database value as JSON and CSV know it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def printable(value: Any) -> str:
    """Return a value on one line and without control characters, which a terminal would obey."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        value = f"{value.normalize():f}" if value else "0"
    elif isinstance(value, datetime):
        value = value.isoformat(sep=" ", timespec="seconds")
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in str(value))


def _is_number(value: Any) -> bool:
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


def write_parquet(table: pyarrow.Table, path: str) -> None:
    """Write an Arrow table as a Parquet file."""
    from pyarrow import parquet

    parquet.write_table(table, path)


def arrow_table(rows: Sequence[Row]) -> pyarrow.Table:
    """Return rows as an Arrow table."""
    import pyarrow

    return pyarrow.Table.from_pylist([dict(row) for row in rows])
