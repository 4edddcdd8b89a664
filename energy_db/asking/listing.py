"""What there is to ask: the views of the store with what a row of each stands for, and their columns with units."""

from __future__ import annotations

import re
from dataclasses import dataclass

from energy_db import sql
from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError
from energy_db.guess import did_you_mean

# For people who ask, what is flat and stays comes first.
_ROOMS = (sql.MART, "activity", "energy", "compare")
YOURS = "your own"
_UNIT = re.compile(r"\s*\[([^\]]*)\]$")
_CATALOGUE = """
    SELECT schema_name, view_name, 'view', comment FROM duckdb_views()
    WHERE NOT internal AND database_name IN (current_database(), 'temp')
    UNION ALL
    SELECT schema_name, table_name, 'table', comment FROM duckdb_tables()
    WHERE NOT internal AND database_name IN (current_database(), 'temp')
    ORDER BY ALL
"""
_COLUMNS = """
    SELECT column_name, data_type, comment FROM duckdb_columns()
    WHERE database_name IN (current_database(), 'temp') AND schema_name = ? AND table_name = ? ORDER BY column_index
"""


@dataclass(frozen=True)
class ViewInfo:
    """A view or table that can be asked.

    Attributes
    ----------
    name : str
        Its name as it stands in a query.
    room : {'mart', 'activity', 'energy', 'compare', 'checks', 'tables', 'your own'}
        What it is about; docs/views.md explains the rooms.
    kind : {'view', 'table'}
        Whether it is computed or stored.
    grain : str
        What one row stands for; empty if nobody said.
    about : str
        What it is; empty if nobody said.
    """

    name: str
    room: str
    kind: str
    grain: str
    about: str


@dataclass(frozen=True)
class ColumnInfo:
    """A column of a view or table.

    Attributes
    ----------
    name : str
        Its name.
    type : str
        Its type in SQL.
    unit : str
        The unit of its numbers; empty if it has none.
    about : str
        What it means; empty if nobody said.
    """

    name: str
    type: str
    unit: str
    about: str


def views(engine: Engine) -> list[ViewInfo]:
    """Return the public views, by room, and then the views and tables that are the user's own."""
    order = [*_ROOMS, YOURS]
    public = [view for view in _all(engine) if view.room in order and not _is_private(view.name)]
    return sorted(public, key=lambda view: (order.index(view.room), view.name))


def describe(engine: Engine, name: str) -> list[ColumnInfo]:
    """Return the columns of a view or table.

    Raises
    ------
    NotFoundError
        If there is none of this name.
    """
    found = known_name(engine, name)
    schema, _, plain = found.rpartition(".")
    thing = _documented().get(found)
    texts = thing.columns if thing else {}
    return [
        _column(column, kind, texts.get(column) or comment or "")
        for column, kind, comment in engine.rows(_COLUMNS, [schema or "main", plain])
    ]


def known_name(engine: Engine, name: str) -> str:
    """Return the name of a view or table as it stands in the store, with its schema if that is not main.

    Raises
    ------
    NotFoundError
        If there is none of this name.
    """
    known = {view.name.lower(): view.name for view in _all(engine)}
    found = known.get(name.lower().removeprefix("main."))
    if found is None:
        elsewhere = [full for full in known.values() if full.lower().endswith(f".{name.lower()}")]
        guess = f"Did you mean {elsewhere[0]!r}? " if elsewhere else did_you_mean(name, known.values())
        raise NotFoundError(f"the store has no view {name!r}", f"{guess}energy-db sql --views lists them.")
    return found


def _all(engine: Engine) -> list[ViewInfo]:
    return [
        _view(name if schema == "main" else f"{schema}.{name}", kind, comment or "")
        for schema, name, kind, comment in engine.rows(_CATALOGUE)
    ]


def _view(name: str, kind: str, comment: str) -> ViewInfo:
    thing = _documented().get(name)
    if thing is not None:
        room = thing.room if thing.kind == "VIEW" else "tables"
        return ViewInfo(name, room, kind, thing.grain, thing.sentence)
    about, _, grain = comment.partition(" Grain: ")
    room = sql.MART if name.startswith(f"{sql.MART}.") else YOURS
    return ViewInfo(name, room, kind, grain, about)


def _documented() -> dict[str, sql.SqlObject]:
    return {thing.name: thing for thing in (*sql.tables(), *sql.views())}


def _is_private(name: str) -> bool:
    return name.rpartition(".")[2].startswith("_")


def _column(name: str, kind: str, text: str) -> ColumnInfo:
    unit = _UNIT.search(text)
    return ColumnInfo(name, kind, unit[1] if unit else "", _UNIT.sub("", text))
