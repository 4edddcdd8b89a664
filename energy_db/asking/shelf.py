"""The queries that a store's users keep in it, beside the shipped ones; nothing that was saved is ever changed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from energy_db.asking.queries import SavedQuery, explained, shipped
from energy_db.engines.duckdb import Engine, EngineError
from energy_db.engines.wording import first_line
from energy_db.errors import NotFoundError, QueryError, UsageError
from energy_db.guess import did_you_mean

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_TABLE = "saved_queries"


def save(engine: Engine, name: str, query: str, about: str | None) -> SavedQuery:
    """Keep a query under a name, as a new version if it has one already; the same again changes nothing.

    Raises
    ------
    UsageError
        If it cannot have the name.
    QueryError
        If it does not only read the store, or names what the store does not have.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a query",
            "A name begins with a letter and has up to 64 letters, digits, dashes and underscores.",
        )
    if name in shipped():
        raise UsageError(f"{name!r} is the name of a shipped query", "Choose another name.")
    _refuse_wrong(engine, query)
    text, said = query.strip(), " ".join(about.split()) if about else None
    before = versions(engine, name) if _is_there(engine) else []
    if before and (before[0].query, before[0].about) == (text, explained(name, text, said, None, None).about):
        return explained(name, text, said, before[0].version, before[0].saved_at, "unchanged")
    version, saved_at = len(before) + 1, datetime.now(UTC).replace(tzinfo=None)
    engine.insert(_TABLE, [[name, version, text, said, saved_at]])
    return explained(name, text, said, version, saved_at)


def _refuse_wrong(engine: Engine, query: str) -> None:
    """Make sure that a query only reads the store, and that the engine knows all names in it."""
    engine.vet(query)
    try:
        engine.run(f"PREPARE kept AS {query}")
        engine.run("DEALLOCATE kept")
    except EngineError as error:
        raise QueryError(f"the query would fail: {first_line(error)}") from error


def newest(engine: Engine) -> list[SavedQuery]:
    """Return the shipped queries, and then the newest version of each of the store's own, by name."""
    own = [query for query in _kept(engine) if query.name not in shipped()]
    return [*shipped().values(), *({query.name: query for query in reversed(own)}[name] for name in _names(own))]


def versions(engine: Engine, name: str) -> list[SavedQuery]:
    """Return all versions of a query, the newest first; none if there is no such query."""
    return [query for query in _kept(engine) if query.name == name]


def find(engine: Engine, selector: str) -> SavedQuery:
    """Return the query that is meant by a name, or by a name and how many versions back, as in 'name~1'.

    Raises
    ------
    NotFoundError
        If there is no such query.
    """
    name, has_steps, steps = selector.partition("~")
    known = [shipped()[name]] if name in shipped() else versions(engine, name)
    if not known:
        names = [*shipped(), *_names(_kept(engine))]
        raise NotFoundError(
            f"no query is called {name!r}", f"{did_you_mean(name, names)}energy-db sql --queries lists them."
        )
    back = int(steps or 0) if steps.isdecimal() or not has_steps else None
    if back is None or back >= len(known):
        count = "one version" if len(known) == 1 else f"{len(known)} versions"
        raise NotFoundError(
            f"{selector!r} is no version of a query: {name!r} has {count}", f"Write {name}, {name}~1, ..."
        )
    return known[back]


def _kept(engine: Engine) -> list[SavedQuery]:
    """Return all versions of all queries that the store keeps, by name and then the newest first."""
    if not _is_there(engine):
        return []
    columns = "query_name, query, about, query_version, saved_at"
    rows: list[tuple[Any, ...]] = engine.rows(f"SELECT {columns} FROM {_TABLE} ORDER BY query_name, query_version DESC")
    return [explained(*row) for row in rows]


def _is_there(engine: Engine) -> bool:
    """Whether the store can keep queries: what is published of one may leave them out."""
    return bool(engine.value("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [_TABLE]))


def _names(queries: list[SavedQuery]) -> list[str]:
    return sorted({query.name for query in queries})
