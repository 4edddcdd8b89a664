"""Writes what a query answers: as Parquet, CSV or Arrow, to one file or to a folder for each run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from energy_db.engines.duckdb import Engine
from energy_db.engines.wording import identifier
from energy_db.errors import UsageError

if TYPE_CHECKING:
    import pyarrow

FORMATS = ("parquet", "csv", "arrow")

# What Parquet cannot say, or what readers such as Spark refuse to read.
_AS_TEXT = ("UUID", "TIME", "INTERVAL", "BIT", "TIME WITH TIME ZONE")
_AS_TIMESTAMP = ("TIMESTAMP_NS", "TIMESTAMP_S", "TIMESTAMP_MS")
_AS_DECIMAL = ("HUGEINT", "UHUGEINT")


def known_format(form: str) -> str:
    """Return a format's name.

    Raises
    ------
    UsageError
        If there is no such format.
    """
    if form not in FORMATS:
        raise UsageError(f"format is {form!r}, must be one of {', '.join(FORMATS)}")
    return form


def portable(engine: Engine, query: str) -> str:
    """Return a query whose columns have types that other programs read."""
    described = engine.rows(f"DESCRIBE {query}")
    columns = ", ".join(_cast(str(name), str(kind)) for name, kind, *_ in described)
    return f"SELECT {columns} FROM ({query})"


def write_file(
    engine: Engine, query: str, path: Path, form: str, *, exact: bool = False, about: Mapping[str, str] | None = None
) -> None:
    """Write the rows of a query to one file, as they are worked out.

    Parameters
    ----------
    engine : Engine
        The store; one that is only read cannot write files itself.
    query : str
        The query.
    path : Path
        The file.
    form : str
        'parquet', 'csv' or 'arrow'.
    exact : bool
        Whether CSV shall tell a missing value from an empty text: by the quotes of what is there.
    about : mapping of str to str, optional
        Metadata of a Parquet file.
    """
    from pyarrow import csv, ipc, parquet

    batches = engine.batches(query)
    schema = batches.schema.with_metadata(dict(about)) if about else batches.schema
    writer: Any
    if form == "parquet":
        writer = parquet.ParquetWriter(path, schema, compression="zstd")
    elif form == "csv":
        writer = csv.CSVWriter(path, schema, write_options=_csv_options(exact))
    else:
        writer = ipc.new_file(str(path), schema)
    with writer:
        for batch in batches:
            writer.write_batch(batch.cast(schema) if about else batch)


def csv_pieces(engine: Engine, query: str) -> Iterator[bytes]:
    """Yield the rows of a query as CSV, piece by piece, as `write_file` writes them."""
    import pyarrow
    from pyarrow import csv

    batches = engine.batches(query)
    for part in itertools.chain([batches.schema.empty_table()], batches):
        piece = pyarrow.BufferOutputStream()
        is_head = isinstance(part, pyarrow.Table)
        csv.write_csv(part, piece, csv.WriteOptions(include_header=is_head, **_csv_settings(exact=False)))
        yield piece.getvalue().to_pybytes()


def write_by_run(engine: Engine, query: str, folder: Path, form: str, *, exact: bool = False) -> None:
    """Write the rows of a query to a folder for each run: `run_id=.../data_0.parquet`.

    Parameters
    ----------
    engine, query, form, exact
        As in `write_file`; the query has a column run_id.
    folder : Path
        The folder.
    """
    import pyarrow
    from pyarrow import dataset

    n_runs = int(engine.value(f"SELECT count(DISTINCT run_id) FROM ({query})"))
    kind = {"parquet": dataset.ParquetFileFormat(), "csv": dataset.CsvFileFormat(), "arrow": dataset.IpcFileFormat()}
    options = {"parquet": {"compression": "zstd"}, "csv": _csv_settings(exact), "arrow": {}}
    dataset.write_dataset(
        engine.batches(query),
        folder,
        basename_template=f"data_{{i}}.{form}",
        format=kind[form],
        file_options=kind[form].make_write_options(**options[form]),
        partitioning=dataset.partitioning(pyarrow.schema([("run_id", pyarrow.string())]), flavor="hive"),
        existing_data_behavior="overwrite_or_ignore",
        max_partitions=n_runs + 1,
    )


def read_arrow(path: Path) -> pyarrow.Table:
    """Return the rows of an Arrow file.

    Raises
    ------
    ValueError
        If it is none, or damaged.
    """
    import pyarrow

    with pyarrow.memory_map(str(path)) as source:
        return pyarrow.ipc.open_file(source).read_all()


def names_of(columns: Sequence[str]) -> str:
    """Return columns as they stand in a query."""
    return ", ".join(identifier(column) for column in columns)


def _csv_settings(exact: bool) -> dict[str, Any]:
    return {"quoting_style": "all_valid" if exact else "needed"}


def _csv_options(exact: bool) -> Any:
    from pyarrow import csv

    return csv.WriteOptions(**_csv_settings(exact))


def _cast(name: str, kind: str) -> str:
    column = identifier(name)
    targets = {
        **dict.fromkeys(_AS_TEXT, "VARCHAR"),
        **dict.fromkeys(_AS_TIMESTAMP, "TIMESTAMP"),
        **dict.fromkeys(_AS_DECIMAL, "DECIMAL(38, 0)"),
    }
    return f"CAST({column} AS {targets[kind]}) AS {column}" if kind in targets else column
