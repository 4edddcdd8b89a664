"""The embedded engine: the one place that imports duckdb."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from energy_db.engines import vetting
from energy_db.engines.limits import NO_LIMITS, Limits
from energy_db.engines.open_here import refuse_open_here, remember, remember_handed_over
from energy_db.engines.own_file import OwnFile
from energy_db.engines.patience import patiently
from energy_db.engines.wording import CLOSE_IT, literal, open_error, other_kind, trouble_of_all, write_error
from energy_db.errors import QueryError, StoreError, StoreLockedError

if TYPE_CHECKING:
    import pyarrow

EngineError = duckdb.Error
# What a statement of ours cannot cause unless it is wrong itself: never to be taken for bad input.
EngineBug = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
MEMORY = ":memory:"
_ROWS_OF_A_BATCH = 100_000

_EXPLAIN = re.compile(r"^\s*EXPLAIN\s+(ANALYZE\s+|\([^)]*\)\s*)?", re.IGNORECASE)
_PIVOT_HINT = "Ask one at a time; a PIVOT is one if it names its values: PIVOT ... ON column IN ('a', 'b')."

Parameters = Sequence[Any] | Mapping[str, Any]

# The block size makes a store a third smaller, the storage version lets tools that embed DuckDB 1.5 open it.
_STORE_CONFIG = {"default_block_size": "131072", "storage_compatibility_version": "v1.5.0"}
# A database of another kind is not worth a download.
_STORE_CONFIG |= {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
# Groups are packed into as few bits as a run file's statistics allow; where they lie, rows end up in a wrong group.
_STORE_CONFIG |= {"disabled_optimizers": "statistics_propagation"}
_FILE_OF_THE_DATABASE = "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"

# Harmless settings that each further connection makes, ours or that of a tool: Ibis sets the two before the limits.
_NEVER_LOCKED = ["enable_progress_bar", "enable_progress_bar_print", "TimeZone", "python_enable_replacements"]
_NEVER_LOCKED += ["memory_limit", "threads"]


class Engine:
    """One connection to one DuckDB database.

    Parameters
    ----------
    path : str
        The database file, or ':memory:'.
    read_only : bool
        Refuse to write, and share the file with other readers.
    limits : Limits
        How much memory and how many threads statements take.

    Raises
    ------
    StoreLockedError
        If another process, or this one with another mode, holds the file.
    StoreError
        If the file cannot be opened.
    """

    def __init__(self, path: str, read_only: bool = False, limits: Limits = NO_LIMITS) -> None:
        self.path = path
        self.read_only = read_only
        self._limits = limits
        self._file = OwnFile(path)
        self._open()
        remember(self)

    def _open(self) -> None:
        self._opened = self._file.opened(self._connect, duckdb.DuckDBPyConnection.close)
        self.is_open, self._is_replaced = True, False
        self._configure()
        for setting, wanted in self._limits.settings():
            self._connection.execute(f"SET {setting} = {literal(wanted)}")

    def _connect(self) -> duckdb.DuckDBPyConnection:
        try:
            connection = duckdb.connect(self._file.name, read_only=self.read_only, config=dict(_STORE_CONFIG))
        except duckdb.Error as error:
            raise open_error(self.path, error) from error
        # A table (.parquet, .csv, .json) is taken for a view of a database in memory, in which all would be lost. To
        # look into the file before would drop the lock that this process may have on it.
        if self.path != MEMORY and connection.execute(_FILE_OF_THE_DATABASE).fetchall() == [(None,)]:
            connection.close()
            raise other_kind(self.path)
        return connection

    def _configure(self) -> None:
        self._connection.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
        if self.value("SELECT current_setting('lock_configuration')"):
            return  # this process reads the file already, and readers of a file share all that follows
        # The cache of DuckDB 1.5 serves the old bytes of a file that was rewritten within the same second.
        self._connection.execute("SET enable_external_file_cache = false")
        # What a statement does not find is not to be looked for among Python's variables.
        self._connection.execute("SET python_enable_replacements = false")
        if self.read_only:
            # Whoever may only look at a store must not read or write other files through it.
            self._connection.execute(f"SET enable_external_access = false; SET allowed_configs = {_NEVER_LOCKED}")
            self._connection.execute("SET lock_configuration = true")

    @property
    def file(self) -> Path:
        """The file itself: absolute, and where a symbolic link leads to."""
        return self._file.resolved

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        self.refuse_closed()
        if self._is_replaced:
            self._open()
        return self._opened

    def refuse_closed(self) -> None:
        """Raise if the connection is closed."""
        if not self.is_open:
            raise StoreError(f"the store {self.path} is closed", "Ask it while it is open, or open it again.")

    def close(self) -> None:
        """Close the connection; what is committed is on disk."""
        self.is_open = False
        self._opened.close()

    def refuse_further_connections(self) -> None:
        """Make sure that nobody in this process would go on with the old file when another takes its place.

        Raises
        ------
        StoreLockedError
            If this process has further connections to the file.
        """
        if (n_connections := self.value("SELECT * FROM duckdb_connection_count()")) > 1:
            raise StoreLockedError(f"{self.path} has {n_connections} open connections in this process", CLOSE_IT)

    def put_in_place(self, path: str) -> None:
        """Put another file in the place of this engine's own, in one step, and go on with it when it is needed.

        Until then others may have it: who waited for the old file must not make this look as if it had failed.

        Raises
        ------
        StoreLockedError
            If this process has further connections to the file.
        """
        self.refuse_further_connections()
        # Nothing may be left to be written when the old file is closed: its log would be that of the new one.
        self.run("CHECKPOINT")
        self._file.replace_by(path)
        self._opened.close()
        self._is_replaced = True

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a second connection to the same database, for the SQLAlchemy door."""
        return self._connection.cursor()

    def hand_over(self) -> duckdb.DuckDBPyConnection:
        """Return the connection itself, to be used and closed without this engine."""
        remember_handed_over(self._connection, str(self.file), _is_open)
        return self._connection

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Let Ctrl-C be what it is elsewhere: the engine reports it as an error of its own; and say other trouble."""
        try:
            yield
        except (RuntimeError, duckdb.InterruptException) as error:
            if isinstance(error, duckdb.InterruptException) or "interrupted" in str(error):
                raise KeyboardInterrupt from error
            raise
        except duckdb.Error as error:
            if trouble := trouble_of_all(self.path, error):
                raise trouble from error
            raise

    def run(self, sql: str, parameters: Parameters = ()) -> None:
        """Execute statements whose result nobody needs."""
        self.rows(sql, parameters)

    def rows(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Execute a query and return its rows."""
        with self._interruptible():
            return self._connection.execute(sql, parameters).fetchall()

    def records(self, sql: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
        """Execute a query and return its rows as dictionaries by column name."""
        with self._interruptible():
            result = self._connection.execute(sql, parameters)
            names = [column[0] for column in result.description or []]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def value(self, sql: str, parameters: Parameters = ()) -> Any:
        """Execute a query and return the first column of its first row, or None if it has no rows."""
        rows = self.rows(sql, parameters)
        return rows[0][0] if rows else None

    def arrow(self, sql: str, parameters: Parameters = ()) -> pyarrow.Table:
        """Execute a query and return its result as an Arrow table."""
        with self._interruptible():
            return self._connection.sql(sql, params=parameters or None).to_arrow_table()

    def batches(self, sql: str) -> pyarrow.RecordBatchReader:
        """Execute a query and return its result batch by batch, while it is worked out."""
        return self._connection.sql(sql).to_arrow_reader(_ROWS_OF_A_BATCH)

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Append rows to a table, each with a value for every column; by columns, which is six times as fast."""
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            self.run(f"INSERT INTO {table} SELECT {', '.join(['unnest(?)'] * len(columns))}", columns)

    @contextmanager
    def reading(self, table: pyarrow.Table, name: str) -> Iterator[None]:
        """Let the statements of the block read an Arrow table under a name."""
        self._connection.register(name, table)
        try:
            yield
        finally:
            self._connection.unregister(name)

    @contextmanager
    def attached(self, path: str, name: str) -> Iterator[None]:
        """Let the statements of the block read another database under a name.

        Raises
        ------
        StoreLockedError
            If another process holds the file, or this one has it open.
        StoreError
            If it cannot be opened.
        """
        refuse_open_here(path)
        try:
            self._connection.execute(f"ATTACH {literal(path)} AS {name} (READ_ONLY)")
        except duckdb.Error as error:
            raise open_error(path, error) from error
        try:
            yield
        finally:
            self._connection.execute(f"DETACH {name}")

    @contextmanager
    def building(self, path: str, name: str) -> Iterator[None]:
        """Let the statements of the block write a new database under a name; behind it, all is in its file."""
        self._connection.execute(f"ATTACH {literal(path)} AS {name} (STORAGE_VERSION 'v1.5.0')")
        try:
            yield
            self.run(f"CHECKPOINT {name}")
        finally:
            self._connection.execute(f"DETACH {name}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all that the block does, or nothing of it."""
        self._connection.execute("BEGIN TRANSACTION")
        try:
            yield
            if self.path != MEMORY:
                self._file.refuse_replaced()
            self._commit()
        except BaseException:
            with suppress(duckdb.Error):  # a failed COMMIT has rolled back already
                self._connection.execute("ROLLBACK")
            raise

    def _commit(self) -> None:
        try:
            with self._interruptible():
                self._connection.execute("COMMIT")
        except duckdb.Error as error:
            raise write_error(self.path, error) from error

    def read_only_query(self, sql: str, parameters: Parameters = (), timeout: float | None = None) -> pyarrow.Table:
        """Execute one query of a user's in a transaction that cannot write; None or 0 seconds are no limit.

        Raises
        ------
        QueryError
            If it is not exactly one SELECT, SHOW, DESCRIBE or EXPLAIN of what is in the store, or if it is wrong.
        QueryTimeoutError
            If it takes longer.
        """
        read = self.vet(sql)
        if isinstance(parameters, Mapping):
            vetting.refuse_parameters(read, parameters)
        with _query_errors():
            self._connection.execute("BEGIN TRANSACTION READ ONLY")
            try:
                table: pyarrow.Table = patiently(lambda: self.arrow(sql, parameters), timeout, self.interrupt)
                return table
            finally:
                self._connection.execute("ROLLBACK")

    def vet(self, sql: str) -> vetting.Reading:
        """Make sure that a user's query only reads the store, and return what it reads.

        Raises
        ------
        QueryError
            If it does not, or if that cannot be told.
        """
        with _query_errors():
            statements = duckdb.extract_statements(sql)
            if len(statements) != 1:
                raise QueryError(f"expected one query, found {len(statements)}", _PIVOT_HINT if statements else None)
            asked = statements[0]
            if asked.type == duckdb.StatementType.EXPLAIN:  # EXPLAIN ANALYZE runs what it explains
                asked = duckdb.extract_statements(_EXPLAIN.sub("", asked.query))[0]
            if asked.type.name == "MULTI":  # what DuckDB 2.0 makes of a PIVOT that looks for its values first
                raise QueryError("expected one query, found several", _PIVOT_HINT)
            if asked.type != duckdb.StatementType.SELECT:
                raise QueryError(
                    f"a query must not change anything, but this is a {asked.type.name} statement",
                    "Only SELECT, SHOW, DESCRIBE, SUMMARIZE and EXPLAIN of a SELECT are allowed here.",
                )
            read = vetting.reading(self.value("SELECT json_serialize_sql(?)", [asked.query]))
            macros = self.rows(vetting.TABLE_MACROS) if read.functions else []
            vetting.refuse_unknown(read, self.rows(vetting.TABLES_AND_VIEWS), [name for (name,) in macros])
            return read

    def progress(self) -> float:
        """Return how far the running statement is, from 0 to 1; 0 if nothing runs or nobody knows."""
        return max(0.0, float(self._connection.query_progress())) / 100

    def interrupt(self) -> None:
        """Stop the running statement."""
        self._connection.interrupt()


@contextmanager
def _query_errors() -> Iterator[None]:
    """Say what the engine says of a user's query as an error of ours."""
    try:
        yield
    except duckdb.Error as error:
        raise QueryError(f"the query failed: {str(error).strip()}") from error


def _is_open(connection: duckdb.DuckDBPyConnection) -> bool:
    try:
        connection.query_progress()  # the one question that leaves an unfinished result alone
    except duckdb.ConnectionException:
        return False
    return True
