"""Is the store sound? The checks of queries/checks, and the costs held against their seals and the release."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from energy_db import sql
from energy_db.catalogue import shipped
from energy_db.engines.copying import tables_here
from energy_db.engines.duckdb import MEMORY, Engine, EngineError
from energy_db.engines.wording import WAY_BACK, first_line, identifier
from energy_db.errors import StoreError


@dataclass(frozen=True)
class CheckResult:
    """What one check of a store found.

    Attributes
    ----------
    check, sentence : str
        Its name and what it looks for.
    n_failures : int
        How many rows fail it.
    first_failure : dict or None
        The first of them.
    """

    check: str
    sentence: str
    n_failures: int
    first_failure: dict[str, Any] | None


# What takes minutes on a large store: to read all events, or to price every neuron and timestep on every chip.
_SLOW = frozenset({"spike_events", "energy_by_neuron_all_versions", "energy_by_step_all_versions"})

_PUBLICATION = [sql.MART, "publication"]


def check_results(engine: Engine, quick: bool = False) -> Iterator[CheckResult]:
    """Run the checks of the store, one by one.

    Parameters
    ----------
    engine : Engine
        The store.
    quick : bool
        Leave out what reads all events, or prices every neuron and timestep.

    Raises
    ------
    StoreError
        If the store cannot be read, or lacks tables; it names them.
    """
    refuse_missing_tables(engine)
    _refuse_damaged(engine, quick)
    yield _found(
        "views_are_as_shipped", "Views that are missing, or not those of this release.", _unlike_release(engine)
    )
    for view in sql.views():
        if view.room == "checks" and not (quick and _is_slow(view)):
            yield _found(view.name, view.sentence, _failures(engine, view))
    yield _found("drivers_are_as_counted", "Driver counts that are not what their runs give.", _miscounted(engine))
    changed = shipped.changed_versions(engine)
    yield _found("costs_are_unchanged", "Cost versions whose content is not what was added.", changed)
    unpublished = shipped.unlike_published(engine)
    yield _found("shipped_costs_are_as_published", "Shipped cost versions that are missing or changed.", unpublished)


def refuse_missing_tables(engine: Engine) -> None:
    """Make sure that a store has every table of this release.

    Raises
    ------
    StoreError
        If it does not; it names those that are missing.
    """
    here = set(tables_here(engine))
    if missing := [table.name for table in sql.tables() if ("main", table.name) not in here]:
        tables = f"its table {missing[0]} is" if len(missing) == 1 else f"its tables {', '.join(missing)} are"
        raise StoreError(f"{engine.path} is damaged: {tables} missing", WAY_BACK)


def refuse_missing_tables_in(path: str) -> None:
    """Make sure of it in a store that cannot be opened, perhaps for want of the tables that opening asks.

    Raises
    ------
    StoreError
        If tables are missing, or if the file is no database.
    """
    engine = Engine(path, read_only=True)
    try:
        refuse_missing_tables(engine)
    finally:
        engine.close()


def _refuse_damaged(engine: Engine, quick: bool) -> None:
    """Make sure that every value of every table can be read; each block of the file carries a checksum."""
    damaged = f"{engine.path} is damaged: "
    troubles = {}
    for schema, table in _tables_to_read(engine, quick):
        try:
            engine.run(f"SELECT bit_xor(hash(COLUMNS(*))) FROM {identifier(schema)}.{identifier(table)}")
        except EngineError as error:
            troubles[_shown(schema, table)] = first_line(error)
        except StoreError as error:
            if not error.message.startswith(damaged):
                raise  # the trouble is the memory limit, and not the file
            troubles[_shown(schema, table)] = error.message.removeprefix(damaged)
    if troubles:
        reason = next(iter(troubles.values()))
        raise StoreError(f"{damaged}{', '.join(troubles)} cannot be read: {reason}", WAY_BACK)


def _tables_to_read(engine: Engine, quick: bool) -> list[tuple[str, str]]:
    """Return the tables of the store, those of its users among them; quickly, those of the release without events."""
    if quick:
        return [("main", table.name) for table in sql.tables() if table.name not in _SLOW]
    return tables_here(engine)


def _shown(schema: str, table: str) -> str:
    return table if schema == "main" else f"{schema}.{table}"


def _is_slow(check: sql.SqlObject) -> bool:
    return any(word in _SLOW for view in sql.views_behind([check.name]) for word in sql.words_of(view))


def _failures(engine: Engine, check: sql.SqlObject) -> list[dict[str, Any]]:
    try:
        return engine.records(f"SELECT * FROM main.{check.name}")
    except EngineError as error:
        return [{"cannot_be_asked": first_line(error)}]


def _unlike_release(engine: Engine) -> list[dict[str, Any]]:
    """Return the views whose text is not what this release would install, as the engine itself writes it."""
    stored, wanted = dict(_texts(engine)), _texts_of_release()
    # A publication has tables in the place of the mart's views.
    is_publication = engine.rows("SELECT 1 FROM duckdb_tables() WHERE schema_name = ? AND table_name = ?", _PUBLICATION)
    return [
        {"view": name, "found": "other text" if name in stored else "missing"}
        for name, text in sorted(wanted.items())
        if stored.get(name) != text and not (is_publication and name.startswith(f"{sql.MART}."))
    ]


@cache
def _texts_of_release() -> dict[str, str]:
    engine = Engine(MEMORY)
    try:
        engine.run(f"CREATE SCHEMA {sql.MART}")
        for thing in (*sql.tables(), *sql.views()):
            engine.run(thing.statement)
        return dict(_texts(engine))
    finally:
        engine.close()


def _texts(engine: Engine) -> list[tuple[Any, ...]]:
    return engine.rows(
        "SELECT CASE schema_name WHEN 'main' THEN '' ELSE schema_name || '.' END || view_name, sql "
        "FROM duckdb_views() WHERE database_name = current_database() AND NOT internal"
    )


def _miscounted(engine: Engine) -> list[dict[str, Any]]:
    """Return what is stored and not counted anew, and what is counted anew and not stored."""
    step = sql.ingest_step("store_driver_counts")
    counted = step[step.index("WITH ") :].strip().rstrip(";")
    return engine.records(
        f"WITH counted AS ({counted}) "
        "SELECT 'stored' AS found, * FROM (FROM driver_counts EXCEPT ALL FROM counted) UNION ALL "
        "SELECT 'counted' AS found, * FROM (FROM counted EXCEPT ALL FROM driver_counts) "
        "ORDER BY run_key, layer_index, driver, found DESC",
        {"run_key": None},
    )


def _found(check: str, sentence: str, failures: list[dict[str, Any]]) -> CheckResult:
    return CheckResult(check, sentence, len(failures), failures[0] if failures else None)
