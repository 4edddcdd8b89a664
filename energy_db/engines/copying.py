"""What the copies of a store have in common: names that mean the copy, and the tables that there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from energy_db.engines.duckdb import Engine
from energy_db.engines.wording import identifier


@contextmanager
def inside(engine: Engine, database: str) -> Iterator[None]:
    """Let names of the block mean another attached database; around its transaction, as one that failed takes no more.

    Parameters
    ----------
    engine : Engine
        The store.
    database : str
        The name under which the other one is attached.
    """
    store = str(engine.value("SELECT current_database()"))
    engine.run(f"USE {identifier(database)}")
    try:
        yield
    finally:
        engine.run(f"USE {identifier(store)}")


def name_of_copy(store: str) -> str:
    """Return under which name to attach the copy of a store: neither the store's, nor that of a schema of anybody's."""
    return f"{store} anew"


def tables_here(engine: Engine) -> list[tuple[str, str]]:
    """Return schema and name of the tables of the current database, in the order in which they were made."""
    rows = engine.rows(
        "SELECT schema_name, table_name FROM duckdb_tables() "
        "WHERE database_name = current_database() AND NOT internal ORDER BY table_oid"
    )
    return [(str(schema), str(table)) for schema, table in rows]
