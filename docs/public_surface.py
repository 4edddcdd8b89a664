"""What others have built upon: the columns of the public views, and whether a change to them was announced.

tests/public_columns.csv pins them. `docs/generate.py` adds what is new to it; what is renamed, dropped or retyped stays
pinned, and tests/test_public_surface.py fails, until docs/changes.md says so.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from energy_db import sql
from energy_db.engines.duckdb import MEMORY, Engine

PIN = Path(__file__).parents[1] / "tests" / "public_columns.csv"
CHANGES = Path(__file__).parent / "changes.md"

UNRELEASED = "Unreleased"
WHOLE_VIEW = "all"
KINDS = ("renamed", "dropped", "retyped")

_HEADER = ["view", "column", "type"]
_TITLES = ["version", "view", "column", "change", "instead"]
_CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)

Columns = dict[tuple[str, str], str]
"""The type of each column, by view and name."""


@dataclass(frozen=True)
class Change:
    """A line of docs/changes.md.

    Attributes
    ----------
    version : str
        The release that brings the change; 'Unreleased' until there is one.
    view, column : str
        What is changed; the column 'all' stands for the whole view.
    kind : str
        'renamed', 'dropped' or 'retyped'.
    instead : str
        What to use now: begins with the new name or type in backticks, unless the column is dropped.
    """

    version: str
    view: str
    column: str
    kind: str
    instead: str

    @property
    def successor(self) -> str:
        """The new name or type."""
        found = re.match(r"`([^`]+)`", self.instead)
        return found[1] if found else ""

    def allows(self, view: str, column: str, was: str, current: Columns) -> bool:
        """Whether it announces what has become of a column."""
        if self.version != UNRELEASED or self.view != view or self.column not in {column, WHOLE_VIEW}:
            return False
        if self.kind == "retyped":
            return current.get((view, column)) == self.successor
        if (view, column) in current:
            return False
        heir = (self.successor, column) if self.column == WHOLE_VIEW else (view, self.successor)
        return self.kind == "dropped" or current.get(heir) == was

    def is_true(self, current: Columns) -> bool:
        """Whether the views are as it says."""
        views = {view for view, _ in current}
        if self.column == WHOLE_VIEW:
            return self.view not in views and (self.kind == "dropped" or self.successor in views)
        if self.kind == "retyped":
            return current.get((self.view, self.column)) == self.successor
        is_gone = (self.view, self.column) not in current
        return is_gone and (self.kind == "dropped" or (self.view, self.successor) in current)


def column_types() -> Columns:
    """Return the types of the columns of all tables and views, those of a publication too, as the engine sees them."""
    engine = Engine(MEMORY)
    try:
        engine.run(f"CREATE SCHEMA {sql.MART}")
        for thing in (*sql.tables(), *sql.views(), *sql.publication_tables()):
            engine.run(thing.statement)
        rows = engine.rows(
            "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
        )
    finally:
        engine.close()
    return {(f"{room}.{name}" if room == sql.MART else name, column): kind for room, name, column, kind in rows}


def public_columns() -> Columns:
    """Return the columns of the public views, but for the checks, and of the tables of a publication, by name."""
    types = column_types()
    views = (view for view in sql.views() if view.room != "checks" and not view.is_private)
    public = sorted((*views, *sql.publication_tables()), key=lambda thing: thing.name)
    return {(thing.name, column): types[thing.name, column] for thing in public for column in thing.columns}


def parse_pin(text: str) -> Columns:
    """Read what tests/public_columns.csv holds."""
    header, *rows = csv.reader(io.StringIO(text))
    if header != _HEADER:
        raise ValueError(f"{PIN.name} begins with {header}, must begin with {_HEADER}")
    return {(view, column): kind for view, column, kind in rows}


def pin(columns: Columns) -> str:
    """Return the text that tests/public_columns.csv has to hold."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_HEADER, *([*key, kind] for key, kind in columns.items())])
    return text.getvalue()


def parse_changes(text: str) -> list[Change]:
    """Read the table of docs/changes.md.

    Raises
    ------
    ValueError
        If a line of it cannot be meant; it says which, and what is wrong.
    """
    rows = [line for line in _CODE_BLOCK.sub("", text).splitlines() if line.startswith("|")]
    if not rows or _cells(rows[0]) != _TITLES:
        raise ValueError(f"{CHANGES.name} has no table with the columns {', '.join(_TITLES)}")
    return [_change(row) for row in rows[2:]]


def _change(row: str) -> Change:
    cells = _cells(row)
    if len(cells) != len(_TITLES) or not all(cells):
        raise ValueError(f"{CHANGES.name}: {row!r} must say {', '.join(_TITLES)}")
    version, view, column, kind, instead = cells
    change = Change(version, view.strip("`"), column.strip("`"), kind, instead)
    if kind not in KINDS:
        raise ValueError(f"{CHANGES.name}: {row!r} says {kind!r}, must say {', '.join(KINDS)}")
    if kind != "dropped" and not change.successor:
        raise ValueError(f"{CHANGES.name}: {row!r} must end with the new name or type, in backticks")
    if kind == "retyped" and column == WHOLE_VIEW:
        raise ValueError(f"{CHANGES.name}: {row!r} must name the column that is retyped")
    return change


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def unannounced(pinned: Columns, current: Columns, changes: Sequence[Change]) -> Columns:
    """Return the pinned columns that are gone or of another type, although nobody announced it."""
    return {
        (view, column): was
        for (view, column), was in pinned.items()
        if current.get((view, column)) != was
        and not any(change.allows(view, column, was, current) for change in changes)
    }


def pinned_anew(pinned: Columns, current: Columns, changes: Sequence[Change]) -> Columns:
    """Return what is to be pinned: the columns of today, and as they were those that nobody announced to change."""
    kept = {**current, **unannounced(pinned, current, changes)}
    return {key: kept[key] for key in sorted(kept, key=lambda key: key[0])}


def complaints(pinned: Columns, current: Columns, changes: Sequence[Change]) -> Iterator[str]:
    """Say of each change that nobody announced what it is, and which line in docs/changes.md would announce it."""
    views = {view for view, _ in current}
    told = {change.view for change in changes if change.version == UNRELEASED and change.column == WHOLE_VIEW}
    broken = unannounced(pinned, current, changes)
    for view in dict.fromkeys(view for view, _ in broken if view not in views | told):
        yield _complaint(f"the view {view} is gone", view, WHOLE_VIEW, _RENAMED, _DROPPED)
    for (view, column), was in broken.items():
        now = current.get((view, column))
        if now is not None:
            yield _complaint(f"{view}.{column} was {was}, and is {now}", view, f"`{column}`", f"retyped | `{now}`")
        elif view in views:
            yield _complaint(f"{view}.{column} ({was}) is gone", view, f"`{column}`", _RENAMED, _DROPPED)
        elif view in told:
            yield _complaint(f"{view}.{column} ({was}) went with its view", view, f"`{column}`", _DROPPED)


_RENAMED, _DROPPED = "renamed | `its new name`", "dropped | what to use instead"
_ADVICE = "Others have built on it. Put it back; or announce it in the table of docs/changes.md, and run make docs:"


def _complaint(what: str, view: str, column: str, *endings: str) -> str:
    lines = [f"| {UNRELEASED} | `{view}` | {column} | {ending} |" for ending in endings]
    return "\n".join([f"{what}. {_ADVICE}", *lines])
