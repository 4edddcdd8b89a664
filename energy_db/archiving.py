"""Runs whose single events are dropped, their roll-ups kept; and the file of the store, which becomes smaller.

The file is written anew without the events and takes the old one's place in one step: a crash leaves one or the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from energy_db import runs
from energy_db.engines.copying import inside, name_of_copy, tables_here
from energy_db.engines.duckdb import MEMORY, Engine, EngineError
from energy_db.engines.own_file import remove_unfinished, take_rights
from energy_db.engines.wording import first_line, identifier, literal
from energy_db.errors import StoreError, UsageError
from energy_db.history.filters import moment
from energy_db.runs import Run

_EVENTS = "spike_events"
_SHORT_AGE = re.compile(r"(?P<number>\d{1,6})\s*(?P<unit>[hdwmy])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks", "m": "months", "y": "years"}
_LONG_AGE = re.compile(r"\d{1,6}\s+[a-z]+", re.IGNORECASE)


@dataclass(frozen=True)
class Archived:
    """What an archive did, or would do.

    Attributes
    ----------
    runs : tuple of Run
        The runs whose events it dropped, as they were before.
    without_events : tuple of Run
        Runs that were meant, but have no events.
    n_events : int
        Events that it dropped.
    bytes_before, bytes_after : int or None
        Size of the store's file; None in memory, and `bytes_after` where nothing was done.
    """

    runs: tuple[Run, ...]
    without_events: tuple[Run, ...]
    n_events: int
    bytes_before: int | None
    bytes_after: int | None


def older_than(engine: Engine, age: str | datetime) -> list[int]:
    """Return the keys of the runs that came into the store before a moment, or longer ago than an age like '30 days'.

    Raises
    ------
    UsageError
        If neither is meant, or one that has not come yet.
    """
    until = _moment_of(age)
    if until > datetime.now(UTC).replace(tzinfo=None):
        raise UsageError(f"{age!r} has not come yet", "That would be all runs; name a moment that is past.")
    found = engine.rows("SELECT run_key FROM runs WHERE ingested_at < ? ORDER BY ingested_at, run_key", [until])
    return [int(key) for (key,) in found]


def archive(engine: Engine, run_keys: Sequence[int], dry_run: bool = False) -> Archived:
    """Drop the events of runs, and make the file of the store smaller.

    Raises
    ------
    StoreLockedError
        If this process has further connections to the store.
    StoreError
        If the new file cannot be written; the store is as it was.
    """
    meant = runs.load_many(engine, list(dict.fromkeys(run_keys)))
    kept = [run for run in meant if run.has_events]
    keys = [run.run_key for run in kept]
    n_events = int(
        engine.value(f"SELECT count(*) FROM {_EVENTS} WHERE run_key IN (SELECT unnest(?::INTEGER[]))", [keys])
    )
    before = None if engine.path == MEMORY else engine.file.stat().st_size
    if kept and not dry_run:
        if before is None:
            _drop_events(engine, keys)
        else:
            _write_anew(engine, keys)
    after = None if before is None or dry_run else engine.file.stat().st_size
    return Archived(tuple(kept), tuple(run for run in meant if not run.has_events), n_events, before, after)


def _drop_events(engine: Engine, keys: list[int]) -> None:
    with engine.transaction():
        engine.run("DELETE FROM spike_events WHERE list_contains(?::INTEGER[], run_key)", [keys])
        engine.run("UPDATE runs SET has_events = false WHERE list_contains(?::INTEGER[], run_key)", [keys])


def _write_anew(engine: Engine, keys: list[int]) -> None:
    engine.refuse_further_connections()
    unfinished = Path(f"{engine.file}.archive-unfinished")
    store = str(engine.value("SELECT current_database()"))
    copy = name_of_copy(store)
    try:
        remove_unfinished(unfinished)
        with engine.building(str(unfinished), identifier(copy)), inside(engine, copy), engine.transaction():
            take_rights(unfinished, engine.file)
            engine.run(f"COPY FROM DATABASE {identifier(store)} TO {identifier(copy)} (SCHEMA)")
            for schema, table in tables_here(engine):
                _copy_table(engine, store, schema, table, keys)
        engine.put_in_place(str(unfinished))
    except (EngineError, OSError) as error:
        raise StoreError(
            f"{unfinished} cannot be written: {first_line(error)}", "Nothing was archived; the store is as it was."
        ) from error
    finally:
        remove_unfinished(unfinished)


def _copy_table(engine: Engine, store: str, schema: str, table: str, keys: list[int]) -> None:
    own = f"{identifier(schema)}.{identifier(table)}"
    columns, condition = "*", ""
    # Not list_contains, which would go through the keys anew for each event.
    is_archived = f"run_key IN (SELECT unnest({literal(str(keys))}::INTEGER[]))"
    if (schema, table) == ("main", _EVENTS):
        condition = f" WHERE NOT {is_archived}"
    elif (schema, table) == ("main", "runs"):
        columns = f"* REPLACE (has_events AND NOT {is_archived} AS has_events)"
    engine.run(f"INSERT INTO {own} SELECT {columns} FROM {identifier(store)}.{own}{condition}")


def _moment_of(age: str | datetime) -> datetime:
    text = age.strip() if isinstance(age, str) else age
    if isinstance(text, str):
        if short := _SHORT_AGE.fullmatch(text):
            text = f"{short['number']} {_UNITS[short['unit']]} ago"
        elif _LONG_AGE.fullmatch(text):
            text = f"{text} ago"
    try:
        return moment("older_than", text)
    except UsageError as error:
        raise UsageError(
            f"{age!r} is neither an age nor a moment", "Write for example 30d, '2 weeks' or 2026-01-31."
        ) from error
