"""The store's own life: made new from schema/, recognised, refreshed, stepped from an old revision to today's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from glob import escape
from pathlib import Path

from energy_db import sql
from energy_db.catalogue import shipped
from energy_db.engines.duckdb import MEMORY, Engine, EngineBug, EngineError
from energy_db.engines.limits import NO_LIMITS, Limits
from energy_db.engines.own_file import remove_unfinished
from energy_db.engines.wording import first_line
from energy_db.errors import StoreError, StoreVersionError

_UNFINISHED = ".unfinished"
_ONLY_IN_FILES = ("alembic_version", "saved_queries", "spike_events", "store_info")


def open_store(path: str, read_only: bool = False, limits: Limits = NO_LIMITS) -> Engine:
    """Open a store, or make it, and make sure that this code can work with it.

    Raises
    ------
    StoreError
        If it cannot be opened, is no energy-db store, or, to be read only, does not exist.
    StoreVersionError
        If it was made by another version of energy-db.
    """
    if read_only and path != MEMORY:
        refuse_missing(path)
    engine = Engine(path, read_only and path != MEMORY, limits)
    try:
        check(engine)
    except BaseException:
        engine.close()
        raise
    return engine


def refuse_missing(path: str) -> None:
    """Make sure that a file exists, where none is to be made.

    Raises
    ------
    StoreError
        If it does not.
    """
    if not Path(path).exists():
        raise StoreError(
            f"there is no store at {path}",
            "Make one: energy-db ingest run.parquet; or name another with --db or ENERGY_DB.",
        )


def scratch_store(views: Iterable[str], chips: Collection[str] | None = None) -> Engine:
    """Make a store in memory for what is priced but not kept.

    Parameters
    ----------
    views : iterable of str
        The views that it has, beside those that they read.
    chips : collection of str, optional
        The chips whose costs it has, by default all that are shipped: reading every cost file takes time.
    """
    engine = Engine(MEMORY)
    for thing in (*sql.tables(), *sql.views_behind(views)):
        if thing.name not in _ONLY_IN_FILES:
            engine.run(thing.statement)
    shipped.install_shipped(engine, chips)
    return engine


def create(engine: Engine, fill: Callable[[Engine], None] = lambda engine: None) -> None:
    """Make a fresh store: the tables of schema/, stamped with the newest revision, the views and the shipped costs.

    Parameters
    ----------
    engine : Engine
        An empty database.
    fill : callable
        Fills the tables, in the same transaction and before the shipped costs, of which it may have brought some.
    """
    with engine.transaction():
        for table in sql.tables():
            engine.run(table.statement)
        engine.run("INSERT INTO alembic_version VALUES (?)", [sql.newest_revision()])
        fill(engine)
        _install_shipped(engine)


def check(engine: Engine) -> None:
    """Make sure that the store is one that this code works with; make an empty database one.

    Raises
    ------
    StoreError
        If the database is not an energy-db store.
    StoreVersionError
        If it was made by an older or newer energy-db.
    """
    found = _stamp(engine)
    if found is None and not engine.read_only and not _tables(engine):
        create(engine)
        return
    _refuse_other_revision(engine, found)
    if _is_current(engine):
        return
    if engine.read_only:
        raise StoreVersionError(
            f"{engine.path} holds the views and costs of another release of energy-db",
            f"Refresh them: energy-db --db {engine.path} migrate",
        )
    refresh(engine)


def refuse_other_revision(engine: Engine) -> None:
    """Make sure that a database is a store whose tables are those of this release.

    Raises
    ------
    StoreError
        If it is not an energy-db store.
    StoreVersionError
        If it was made by an older or newer energy-db.
    """
    _refuse_other_revision(engine, _stamp(engine))


def _refuse_other_revision(engine: Engine, stamp: str | None) -> None:
    found, wanted = _known(engine, stamp), sql.newest_revision()
    if found < wanted:
        raise StoreVersionError(
            f"{engine.path} is at schema revision {found}, this energy-db wants {wanted}",
            f"Bring it up to date (a backup is made first): energy-db --db {engine.path} migrate",
        )
    if found > wanted:
        raise StoreVersionError(
            f"{engine.path} is at schema revision {found}, newer than {wanted}, the newest that this energy-db knows",
            "Upgrade the package: pip install --upgrade energy-db",
        )


def _stamp(engine: Engine) -> str | None:
    """Return the revision that a database says it is at; None if it says none."""
    # To list the tables first would take a third of opening a store.
    try:
        found = engine.rows("SELECT version_num FROM main.alembic_version")
    except EngineBug:
        return None
    return str(found[0][0]) if len(found) == 1 else None


def _known(engine: Engine, stamp: str | None) -> str:
    if stamp is None:
        raise StoreError(
            f"{engine.path} is a DuckDB database, but not an energy-db store",
            "Choose another file with --db or ENERGY_DB; energy-db makes it if it does not exist.",
        )
    return stamp


def refresh(engine: Engine) -> None:
    """Install the views of this release anew, and the shipped costs that the store does not have yet.

    Raises
    ------
    StoreError
        If a table or view of the user's has the name of one of these views.
    """
    _refuse_taken_names(engine)
    with engine.transaction():
        _install_shipped(engine)


def migrate(path: str, dry_run: bool = False) -> tuple[str, str, str | None]:
    """Step a store to the newest revision, after a backup beside it.

    Parameters
    ----------
    path : str
        The store.
    dry_run : bool
        Only look.

    Returns
    -------
    tuple of (str, str, str or None)
        The revision found, the revision now, and the backup's path (None if nothing had to be done).
    """
    if not Path(path).exists():
        raise StoreError(f"there is no store at {path}")
    engine = Engine(path, read_only=dry_run)
    try:
        return _migrate(engine, dry_run)
    finally:
        engine.close()


def _migrate(engine: Engine, dry_run: bool) -> tuple[str, str, str | None]:
    found, wanted = _known(engine, _stamp(engine)), sql.newest_revision()
    if dry_run and found <= wanted:
        return found, wanted, None
    if found >= wanted:
        check(engine)
        _name_finished_backups(engine)
        return found, found, None
    _refuse_taken_names(engine)
    backup = Path(f"{engine.path}.backup-{found}")
    if backup.exists():
        raise StoreError(f"{backup} is in the way of the backup", "Move it away, then migrate again.")
    unfinished = _back_up(engine, backup)
    from energy_db.engines import alchemy

    try:
        alchemy.upgrade(engine, sql.root() / "migrations")
    except BaseException as error:
        unfinished.unlink()
        if isinstance(error, alchemy.UpgradeError):
            raise StoreError(f"{engine.path} cannot be migrated: {error}", "The store is as it was.") from error
        raise
    refresh(engine)
    unfinished.replace(backup)
    return found, wanted, str(backup)


def _name_finished_backups(engine: Engine) -> None:
    """Name the backup of a migration that was killed at its very end; beside a store of today, it is whole."""
    path = Path(engine.path)
    for unfinished in path.parent.glob(f"{escape(path.name)}.backup-*{_UNFINISHED}"):
        unfinished.replace(unfinished.with_suffix(""))


def _tables(engine: Engine) -> set[str]:
    return {row[0] for row in engine.rows("SELECT table_name FROM duckdb_tables() WHERE NOT temporary")}


def _refuse_taken_names(engine: Engine) -> None:
    """Make sure that views of this release take no name that a user gave: to replace what has it would lose it."""
    rows = engine.rows(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database() UNION ALL "
        "SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = current_database() AND NOT internal"
    )
    found = {f"{room}.{name}" if room == sql.MART else name for room, name in rows if room in {"main", sql.MART}}
    ours = {name for (name,) in engine.rows("SELECT fact_value FROM store_info WHERE fact = 'view'")}
    if taken := sorted((found - ours) & {view.name for view in sql.views()}):
        raise StoreError(
            f"{engine.path}: {', '.join(taken)} of your own is in the way of a view of this release",
            "Rename or drop it with a tool that writes DuckDB files, then migrate again. Nothing was changed.",
        )


def _install_shipped(engine: Engine) -> None:
    engine.run(f"CREATE SCHEMA IF NOT EXISTS {sql.MART}")
    for view in sql.views():
        engine.run(view.statement)
    views = {view.name for view in sql.views()}
    # Only views that an earlier release installed may go: users keep views of their own in the store.
    for (name,) in engine.rows("SELECT fact_value FROM store_info WHERE fact = 'view'"):
        if name not in views:
            engine.run(f"DROP VIEW IF EXISTS {name}")
    if engine.path != MEMORY:
        public = [view for view in sql.views() if not view.is_private and view.room != "checks"]
        engine.run("".join(thing.comments for thing in (*sql.tables(), *public)))
    shipped.install_shipped(engine)
    # What drives costs may be counted otherwise than in the release that rolled the runs up.
    engine.run("DELETE FROM driver_counts")
    engine.run(sql.ingest_step("store_driver_counts"), {"run_key": None})
    engine.run("DELETE FROM store_info WHERE fact IN ('shipped_fingerprint', 'view')")
    facts = [("shipped_fingerprint", sql.shipped_fingerprint()), *(("view", name) for name in sorted(views))]
    engine.insert("store_info", facts)


def _is_current(engine: Engine) -> bool:
    fingerprint = engine.value("SELECT fact_value FROM store_info WHERE fact = 'shipped_fingerprint'")
    return bool(fingerprint == sql.shipped_fingerprint())


def _back_up(engine: Engine, backup: Path) -> Path:
    """Copy the store by SQL: copying its file would miss what is not checkpointed, and drop the engine's lock.

    It has its name only when the migration is done: one that was killed before must not be in the way of the next.
    """
    unfinished = Path(f"{backup}{_UNFINISHED}")
    remove_unfinished(unfinished)
    database = engine.value("SELECT current_database()")
    try:
        with engine.building(str(unfinished), "backup"):
            engine.run(f'COPY FROM DATABASE "{database}" TO backup')
    except BaseException as error:
        remove_unfinished(unfinished)
        if isinstance(error, EngineError):
            reason = f"{backup}: the backup failed: {first_line(error)}"
            raise StoreError(reason, "Nothing was migrated.") from error
        raise
    return unfinished
