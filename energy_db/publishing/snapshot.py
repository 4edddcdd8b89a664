"""Makes the database of a publication: the store's tables, its views, and the facts for BI tools as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import energy_db
from energy_db import sql
from energy_db.engines.copying import inside, name_of_copy, tables_here
from energy_db.engines.duckdb import Engine
from energy_db.engines.wording import identifier, literal
from energy_db.publishing.setting import FACT, Setting

LARGE = ("mart.neuron_energy", "mart.timestep_energy", "mart.training_step_energy")
"""Facts that stay views: as tables, they would be most of the publication."""

_EVENTS = "spike_events"


@dataclass(frozen=True)
class Order:
    """One publication that is to be made.

    Attributes
    ----------
    number : int
        Number of the publication.
    published_at : datetime
        When it is made (UTC, without a zone).
    store : str
        The store that it is made from.
    setting : Setting
        How.
    """

    number: int
    published_at: datetime
    store: str
    setting: Setting


@dataclass(frozen=True)
class Counted:
    """A table or view of a snapshot, and its rows."""

    name: str
    kind: str
    n_rows: int


@dataclass(frozen=True)
class Snapshot:
    """What a snapshot holds.

    Attributes
    ----------
    n_runs, n_spikes : int
        Runs, and spikes of all of them.
    contents : tuple of Counted
        Its tables, and the views of the mart.
    types : dict of (str, str) to str
        Type of each column, by the name of its table or view and its own.
    """

    n_runs: int
    n_spikes: int
    contents: tuple[Counted, ...]
    types: dict[tuple[str, str], str]


def make_snapshot(engine: Engine, folder: Path, order: Order) -> Snapshot:
    """Write energy.duckdb, and marts/*.parquet, into a folder.

    Everything is read in one transaction: it is the store at one moment.

    Raises
    ------
    EngineError
        If something cannot be written.
    """
    store = str(engine.value("SELECT current_database()"))
    database = str(folder / "energy.duckdb")
    copy = name_of_copy(store)
    with engine.building(database, identifier(copy)), inside(engine, copy), engine.transaction():
        engine.run(f"COPY FROM DATABASE {identifier(store)} TO {identifier(copy)} (SCHEMA)")
        _copy_tables(engine, store, order)
        _lay_marts(engine, order)
        counted = (*_count_tables(engine), *_count_views(engine, order, folder / "marts"))
        n_runs, n_spikes = _describe(engine, order, counted)
        return Snapshot(n_runs, n_spikes, counted, _types(engine))


def _copy_tables(engine: Engine, store: str, order: Order) -> None:
    """Copy what tables hold: events if they are asked for, and nothing of where the store is published to."""
    for schema, table in tables_here(engine):
        source = ".".join(identifier(name) for name in (store, schema, table))
        target = f"{identifier(schema)}.{identifier(table)}"
        columns, condition = "*", ""
        if schema == "main" and not order.setting.events:
            if table == _EVENTS:
                continue
            if table == "runs":
                columns = "* REPLACE (false AS has_events)"
        if (schema, table) == ("main", "store_info"):
            condition = f" WHERE fact <> {literal(FACT)}"
        engine.run(f"INSERT INTO {target} SELECT {columns} FROM {source}{condition}")


def _lay_marts(engine: Engine, order: Order) -> None:
    """Put tables of the same columns and comments in the place of the mart's views; the large ones stay views."""
    for view in (view for view in _mart() if view.name not in LARGE):
        engine.run(f"CREATE TABLE mart._laid AS {_selected(view, order)}")
        engine.run(f"DROP VIEW {view.name}")
        engine.run(f"ALTER TABLE mart._laid RENAME TO {view.name.removeprefix('mart.')}")
        engine.run(replace(view, kind="TABLE").comments)
    for view in (view for view in _mart() if view.name in LARGE and order.setting.chips):
        engine.run(f"CREATE OR REPLACE VIEW {view.name} AS SELECT * FROM ({view.query}) WHERE {_of_chips(order)}")
        engine.run(view.comments)


def _selected(view: sql.SqlObject, order: Order) -> str:
    """Return the query for a view's rows, of the chips that are asked for."""
    if not order.setting.chips or "chip" not in view.columns:
        return f"FROM {view.name}"
    return f"FROM {view.name} WHERE {_of_chips(order)}"


def _of_chips(order: Order) -> str:
    return f"chip IN ({', '.join(literal(chip) for chip in order.setting.chips)})"


def _count_tables(engine: Engine) -> Iterator[Counted]:
    for schema, table in tables_here(engine):
        n_rows = engine.value(f"SELECT count(*) FROM {identifier(schema)}.{identifier(table)}")
        yield Counted(table if schema == "main" else f"{schema}.{table}", "table", int(n_rows))


def _count_views(engine: Engine, order: Order, marts: Path) -> Iterator[Counted]:
    """Count the facts that are views, and write all facts as files on the way."""
    if order.setting.parquet:
        marts.mkdir()
    for view in _mart():
        n_rows = None
        if order.setting.parquet:
            path = literal(str(marts / file_of(view)))
            n_rows = engine.value(f"COPY ({_selected(view, order)}) TO {path} (FORMAT parquet, COMPRESSION zstd)")
        if view.name in LARGE:
            if n_rows is None:
                n_rows = engine.value(f"SELECT count(*) FROM {view.name}")
            yield Counted(view.name, "view", int(n_rows))


def file_of(view: sql.SqlObject) -> str:
    """Return the name of the file that holds a view's rows."""
    return f"{view.name.removeprefix('mart.')}.parquet"


def _describe(engine: Engine, order: Order, counted: Sequence[Counted]) -> tuple[int, int]:
    """Store what the publication is; returns its runs and spikes."""
    for table in sql.publication_tables():
        engine.run(table.statement)
        engine.run(table.comments)
    ((n_runs, n_spikes),) = engine.rows("SELECT count(*), CAST(coalesce(sum(n_spikes), 0) AS BIGINT) FROM main.runs")
    how = order.setting
    about = [
        order.number, order.published_at, order.store, sql.newest_revision(), energy_db.__version__,
        engine.value("SELECT version()"), n_runs, n_spikes, how.events, ", ".join(how.chips) or None,
    ]  # fmt: skip
    engine.insert("mart.publication", [about])
    engine.insert("mart.publication_contents", [[entry.name, entry.kind, entry.n_rows] for entry in counted])
    return int(n_runs), int(n_spikes)


def _types(engine: Engine) -> dict[tuple[str, str], str]:
    rows = engine.rows(
        "SELECT CASE schema_name WHEN 'main' THEN '' ELSE schema_name || '.' END || table_name, column_name, data_type "
        "FROM duckdb_columns() WHERE database_name = current_database() AND NOT internal"
    )
    return {(name, column): kind for name, column, kind in rows}


def _mart() -> list[sql.SqlObject]:
    return [view for view in sql.views() if view.room == sql.MART]
