"""Counters on their way in: from a Parquet or CSV file, a table, or rows, as text that is not judged yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from energy_db import sql, tables
from energy_db.engines.duckdb import Engine, EngineBug, EngineError
from energy_db.engines.wording import first_line, identifier, literal
from energy_db.errors import RunFileError, UsageError
from energy_db.guess import did_you_mean
from energy_db.intake.declaration import DeclaredCounters
from energy_db.intake.given_files import literal_pattern, refuse_what_is_no_file

_COLUMNS = ("layer", "neuron", "driver", "count")
_COUNT_NAMES = ("count", "driver_count")
_OPTIONAL = ("layer", "neuron")
_CSV = "all_varchar = true, header = true, skip = 0, comment = '', delim = ',', quote = '\"', escape = '\"'"
_PARQUET_SIGN = b"PAR1"


@dataclass(frozen=True)
class CounterRows:
    """Counters that were read; their rows are in the engine's table of incoming counter texts.

    Attributes
    ----------
    where : str
        What to call them in errors.
    columns : dict of str to str
        Their own name for each of the columns layer, neuron, driver and count that they have.
    notes : tuple of str
        What their reader should know.
    """

    where: str
    columns: dict[str, str]
    notes: tuple[str, ...]


def read(engine: Engine, source: Any) -> CounterRows | None:
    """Read counters into the table of incoming counter texts; None if there are none to read.

    Parameters
    ----------
    engine : Engine
        Where to put them.
    source : path-like, Arrow-like table, mapping of columns, sequence of rows, or DeclaredCounters
        The counters.

    Raises
    ------
    UsageError
        If the source is nothing that holds rows.
    RunFileError
        If the file cannot be read, or lacks a column.
    """
    if source is None:
        return None
    if isinstance(source, str | PathLike):
        return _read_file(engine, Path(fspath(source)))
    if hasattr(source, "__arrow_c_stream__"):
        with engine.reading(tables.as_arrow(source), "given_counters"):
            return _read_scan(engine, "counters", "given_counters")
    declared = source if isinstance(source, DeclaredCounters) else DeclaredCounters("counters", source)
    return _read_columns(engine, declared.where, _columns_of(declared.rows, declared.where))


def _read_columns(engine: Engine, where: str, columns: Mapping[str, list[Any]]) -> CounterRows:
    rows = _found(where, list(columns))
    n_rows = {len(values) for values in columns.values()}
    if len(n_rows) > 1:
        lengths = ", ".join(f"{name} has {len(values)}" for name, values in columns.items())
        raise RunFileError(f"{where}: one entry per row is needed in each column, but {lengths}")
    texts = {name: [_text(value) for value in columns[theirs]] for name, theirs in rows.columns.items()}
    nothing = [None] * max(n_rows)
    _make_table(engine)
    engine.run(sql.ingest_step("read_counters"), {f"{name}s": texts.get(name, nothing) for name in _COLUMNS})
    return rows


def _read_file(engine: Engine, path: Path) -> CounterRows:
    refuse_what_is_no_file(path, engine.path, "a file of counters")
    with path.open("rb") as stream:
        is_parquet = stream.read(len(_PARQUET_SIGN)) == _PARQUET_SIGN or path.suffix.lower() in (".parquet", ".pq")
    if not is_parquet and path.suffix.lower() != ".csv":
        raise RunFileError(f"{path}: is neither a .parquet nor a .csv file", "Counters come from one of these two.")
    options = "" if is_parquet else f", {_CSV}"
    kind = "parquet" if is_parquet else "csv"
    try:
        return _read_scan(
            engine, str(path), f"read_{kind}({literal(literal_pattern(path))}, hive_partitioning = false{options})"
        )
    except EngineBug:
        raise
    except EngineError as error:
        raise _unreadable(path, is_parquet, error) from error


def _read_scan(engine: Engine, where: str, scan: str) -> CounterRows:
    types = {row[0]: row[1] for row in engine.rows(f"DESCRIBE SELECT * FROM {scan}")}
    rows = _found(where, list(types))
    fields = ", ".join(_field(rows.columns.get(name), types) for name in _COLUMNS)
    _make_table(engine)
    engine.run(f"INSERT INTO incoming_counter_texts SELECT row_number() OVER () - 1, {fields} FROM {scan}")
    return rows


def _unreadable(path: Path, is_parquet: bool, error: EngineError) -> RunFileError:
    if is_parquet:
        return RunFileError(
            f"{path}: is not a readable Parquet file: {first_line(error)}", "Was it written completely?"
        )
    reason = "its lines do not have the same fields" if "sniffing" in str(error) else first_line(error)
    return RunFileError(
        f"{path}: is not a readable CSV file: {reason}",
        "Its first line names the columns; every other one needs as many fields, between commas, in UTF-8.",
    )


def _make_table(engine: Engine) -> None:
    texts = ", ".join(f"{name} VARCHAR" for name in ("layer", "neuron", "driver", "driver_count"))
    engine.run(f"CREATE OR REPLACE TEMPORARY TABLE incoming_counter_texts (row_number BIGINT, {texts})")


def _field(theirs: str | None, types: Mapping[str, str]) -> str:
    """Return the SQL that reads a column as text; what is no number or an empty text is nothing."""
    if theirs is None:
        return "NULL"
    column = identifier(theirs)
    # DuckDB 2.0 says of no number of a Parquet file that it is none: isnan trusts statistics, which leave NaN out.
    nothing = "nan" if types[theirs] in ("FLOAT", "DOUBLE") else ""
    return f"nullif(CAST({column} AS VARCHAR), '{nothing}')"


def _columns_of(source: Any, where: str) -> dict[str, list[Any]]:
    """Return the columns of counters that are no file."""
    if isinstance(source, Mapping):
        for name, values in source.items():
            if isinstance(values, str) or not isinstance(values, Iterable):
                hint = 'One row goes into a list of rows: [{"driver": "mac", "count": 1200}].'
                raise RunFileError(f"{where}: column {name!r} must be a list with one entry per row", hint)
        return {str(name): list(values) for name, values in source.items()}
    if not isinstance(source, Sequence) or isinstance(source, str | bytes):
        raise UsageError(
            f"{where} is {source!r}, must be a file, a table, or a list of rows",
            'A row is a mapping such as {"layer": "hidden", "driver": "hop", "count": 12}.',
        )
    for number, row in enumerate(source):
        if not isinstance(row, Mapping):
            raise RunFileError(
                f"{where}: row {number} is {row!r}, must be an object with the keys driver and count, "
                "and optionally layer and neuron"
            )
    names = dict.fromkeys(str(name) for row in source for name in row)
    return {name: [row.get(name) for row in source] for name in names} or {"driver": [], "count": []}


def _text(value: Any) -> str | None:
    if value is None or value != value or value == "":  # noqa: PLR0124 (what is no number differs from itself)
        return None
    # JSON can spell halves of a character, which the engine does not take.
    return str(value).encode("utf-8", "backslashreplace").decode()


def _found(where: str, names: Sequence[str]) -> CounterRows:
    """Find the columns of counters, and refuse what would be read as something that it is not."""
    counts = [name for name in _COUNT_NAMES if name in names]
    if len(counts) > 1:
        raise RunFileError(f"{where}: has both {' and '.join(counts)}", "They mean the same: leave one of them out.")
    columns = {name: name for name in _COLUMNS if name in names}
    if counts:
        columns["count"] = counts[0]
    has = f"It has {', '.join(names) or 'no columns'}."
    if missing := [repr(name) for name in ("driver", "count") if name not in columns]:
        what = f"columns {' and '.join(missing)} are" if len(missing) > 1 else f"column {missing[0]} is"
        raise RunFileError(
            f"{where}: {what} missing", f"{has} A counter has driver and count, and, optionally, layer and neuron."
        )
    ignored = sorted(set(names) - set(columns.values()))
    for name in ignored:
        if guess := did_you_mean(name, [wanted for wanted in _OPTIONAL if wanted not in columns]):
            raise RunFileError(
                f"{where}: has a column {name!r}, which no counter has", f"{guess}Rename it, or leave it out."
            )
    notes = (f"ignored columns of the counters: {', '.join(ignored)}",) if ignored else ()
    return CounterRows(where, columns, notes)
