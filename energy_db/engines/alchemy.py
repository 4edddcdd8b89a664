"""The SQLAlchemy door: for pandas, BI tools and Alembic; the data paths do not go through it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy
from alembic import command
from alembic.config import Config
from duckdb_engine import ConnectionWrapper
from sqlalchemy.pool import NullPool

from energy_db.engines.duckdb import Engine
from energy_db.engines.wording import first_line


class UpgradeError(Exception):
    """A step of a migration that the engine refused; all steps are rolled back."""


class _Cursor(ConnectionWrapper):
    """A further connection to an open store."""

    def __init__(self, engine: Engine) -> None:
        self._opened = engine.cursor()
        self._engine = engine
        super().__init__(self._opened)

    def rollback(self) -> None:
        """Undo what is not committed; a store that is closed has done so."""
        if self._engine.is_open:
            self._opened.rollback()


def engine_for(engine: Engine) -> sqlalchemy.Engine:
    """Return a SQLAlchemy engine whose connections are further cursors of an open store."""

    def connect(*_: Any, **__: Any) -> ConnectionWrapper:
        return _Cursor(engine)

    return sqlalchemy.create_engine("duckdb:///", creator=connect, poolclass=NullPool)


def upgrade(engine: Engine, migrations: Path) -> None:
    """Step the store through the migrations that it has not seen yet, in one transaction.

    Raises
    ------
    UpgradeError
        If a step is refused.
    """
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    alchemy_engine = engine_for(engine)
    try:
        with alchemy_engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except sqlalchemy.exc.DBAPIError as error:
        raise UpgradeError(first_line(error.orig or error)) from error
    finally:
        alchemy_engine.dispose()
