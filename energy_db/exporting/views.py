"""The rows of a view as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from energy_db.asking import listing
from energy_db.engines.duckdb import Engine
from energy_db.engines.wording import identifier, literal
from energy_db.errors import UsageError
from energy_db.exporting.writing import portable, write_by_run, write_file
from energy_db.tables import write_folder, write_whole

_RUN, _CHIP = "run_id", "chip"


def query_of(engine: Engine, view: str, run_ids: Sequence[str], chip: str | None) -> str:
    """Return the query for the rows of a view, of some runs and on a chip, in types that other programs read.

    Raises
    ------
    NotFoundError
        If there is no such view.
    UsageError
        If it has no column to choose runs or the chip by.
    """
    name = listing.known_name(engine, view)
    schema, _, plain = name.rpartition(".")
    source = f"{identifier(schema or 'main')}.{identifier(plain)}"
    columns = [str(row[0]) for row in engine.rows(f"DESCRIBE FROM {source}")]
    conditions = []
    for column, values, option in ((_RUN, run_ids, "runs"), (_CHIP, [chip] if chip else [], "chip")):
        if values and column not in columns:
            raise UsageError(f"{name} has no column {column} to choose {option} by", f"It has {', '.join(columns)}.")
        if values:
            conditions.append(f"{column} IN ({', '.join(literal(value) for value in values)})")
    return portable(engine, f"FROM {source}" + (f" WHERE {' AND '.join(conditions)}" if conditions else ""))


def export_view(engine: Engine, query: str, path: Path, form: str, by_run: bool) -> None:
    """Write the rows of a view to a file, or, by run, to a folder; whole or not at all.

    Raises
    ------
    UsageError
        If it is to be written by run, and has no column run_id, or the folder holds something.
    EnergyDbError
        If it cannot be written.
    """
    if not by_run:
        write_whole(path, lambda file: write_file(engine, query, file, form))
        return
    if _RUN not in [row[0] for row in engine.rows(f"DESCRIBE {query}")]:
        raise UsageError(f"the view has no column {_RUN} to write it by", "Write it to one file.")
    write_folder(path, lambda folder: write_by_run(engine, query, folder, form))
