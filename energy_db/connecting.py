"""A plain DuckDB connection to a store or a publication, for tools that want one: Polars, Ibis, Arrow, notebooks."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from energy_db import lifecycle
from energy_db.engines.duckdb import MEMORY
from energy_db.errors import UsageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def connect(path: str | PathLike[str] = "energy.duckdb", *, read_only: bool = True) -> DuckDBPyConnection:
    """Open a DuckDB connection to a store or a publication, after the checks that `EnergyStore` makes.

    A read-only connection reads that one file and nothing else: it cannot write, read other files, or change settings
    that matter. Close it, or use it in a `with` statement; until then nobody can write to the file.

    Parameters
    ----------
    path : path-like
        The file; it must exist.
    read_only : bool
        With False, the connection can do all that SQL can do, also to the store's own tables, and needs the file alone.
        It is meant for views and tables of your own.

    Returns
    -------
    duckdb.DuckDBPyConnection
        A DB-API connection, which Polars and Ibis take; ``sql(query)`` gives ``df()``, ``pl()`` and
        ``to_arrow_table()``.

    Raises
    ------
    StoreError
        If the file does not exist, cannot be opened or is not an energy-db store.
    StoreLockedError
        If another process holds it, or this one has it open in another mode: then use ``store.engine`` of the
        `EnergyStore` that has.
    StoreVersionError
        If it was made by another version of energy-db; the message names the command to run.
    UsageError
        If it is ':memory:'.

    Examples
    --------
    >>> import tempfile
    >>> import energy_db
    >>> path = tempfile.mkdtemp() + "/energy.duckdb"
    >>> with energy_db.EnergyStore(path) as store:
    ...     run = store.ingest("examples/digits-baseline.parquet")
    >>> with energy_db.connect(path) as connection:
    ...     connection.sql("SELECT run_name, n_spikes FROM activity_by_run").fetchall()
    [('digits-baseline', 528507)]
    """
    name = str(path)
    if name == MEMORY:
        raise UsageError(
            "a store in memory has no file to connect to", "Use the engine of its EnergyStore: store.engine."
        )
    lifecycle.refuse_missing(name)
    return lifecycle.open_store(name, read_only).hand_over()
