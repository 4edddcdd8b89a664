"""A whole store as files, table by table, and a store from such files.

export.json says what there is. Tables of runs lie in a folder for each run: `spike_events/run_id=.../data_0.parquet`.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import energy_db
from energy_db import lifecycle, sql
from energy_db.engines.duckdb import Engine, EngineError
from energy_db.engines.own_file import remove_unfinished, take_name
from energy_db.engines.wording import first_line, literal
from energy_db.errors import StoreError, StoreLockedError, StoreVersionError
from energy_db.exporting.writing import names_of, read_arrow, write_by_run, write_file
from energy_db.tables import write_folder

SCHEMA = "energy-db/export/1"
MANIFEST = "export.json"

_KEY = "run_key"
# What a store makes for itself.
_OWN = ("alembic_version", "store_info")


def export_store(engine: Engine, folder: Path, form: str, events: bool) -> dict[str, Any]:
    """Write all tables of a store to a folder; whole or not at all. Returns the manifest.

    Raises
    ------
    UsageError
        If the folder holds something.
    EnergyDbError
        If it cannot be written.
    """
    manifest: dict[str, Any] = {
        "schema": SCHEMA,
        "schema_revision": sql.newest_revision(),
        "energy_db_version": energy_db.__version__,
        "exported_at": datetime.now(UTC).replace(tzinfo=None, microsecond=0).isoformat(sep=" "),
        "store_path": engine.path,
        "format": form,
        "has_events": events,
        "tables": [],
    }

    def fill(unfinished: Path) -> None:
        with engine.transaction():
            for table in sql.tables():
                if table.name not in _OWN:
                    manifest["tables"].append(_export_table(engine, unfinished, table, form, events))
        (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")

    write_folder(folder, fill)
    return manifest


def _export_table(engine: Engine, folder: Path, table: sql.SqlObject, form: str, events: bool) -> dict[str, Any]:
    is_of_runs = _KEY in table.columns and table.name != "runs"
    condition = "" if events or table.name != "spike_events" else " WHERE false"
    columns = names_of(list(table.columns))
    if not events and table.name == "runs":
        columns = columns.replace(names_of(["has_events"]), "false AS has_events")
    n_rows = int(engine.value(f"SELECT count(*) FROM main.{table.name}{condition}"))
    place = f"{table.name}/*/*.{form}" if is_of_runs else f"{table.name}.{form}"
    if is_of_runs:
        if n_rows:
            query = (
                f"SELECT runs.run_id, rows.* FROM (SELECT {columns} FROM main.{table.name}{condition}) AS rows "
                f"INNER JOIN main.runs AS runs USING ({_KEY})"
            )
            write_by_run(engine, query, folder / table.name, form, exact=True)
    else:
        write_file(engine, f"SELECT {columns} FROM main.{table.name}", folder / place, form, exact=True)
    types = engine.rows(f"DESCRIBE main.{table.name}")
    return {
        "name": table.name,
        "rows": n_rows,
        "files": place,
        "columns": [{"name": str(name), "type": str(kind)} for name, kind, *_ in types],
    }


def restore(folder: Path, path: Path) -> None:
    """Make a store from the files of an export; it has its name only when it is whole.

    Raises
    ------
    StoreLockedError
        If another process makes a store of this name right now.
    StoreError
        If there is a file at the path, or a file of the export is missing, damaged or not what the manifest says.
    StoreVersionError
        If the export is of another schema revision.
    """
    manifest = read_manifest(folder)
    _refuse_taken(path)
    unfinished = Path(f"{path}.init-unfinished")
    _refuse_under_way(unfinished)
    remove_unfinished(unfinished)
    engine = Engine(str(unfinished))
    try:
        try:
            lifecycle.create(engine, lambda new: _fill(new, folder, manifest))
            engine.run("CHECKPOINT")  # its log would not follow the file to its name
        finally:
            engine.close()
        _refuse_taken(path)
        take_name(unfinished, path)
    finally:
        remove_unfinished(unfinished)


def _refuse_taken(path: Path) -> None:
    if os.path.lexists(path):
        raise StoreError(f"{path} is there already", "Name a store that is not: --db PATH")
    if os.path.lexists(log := f"{path}.wal"):
        raise StoreError(
            f"{log} is there already: the new store would take it for its own log", "Move it away, or name another."
        )


def _refuse_under_way(unfinished: Path) -> None:
    """Make sure that nobody fills a file; one that was cut short is held by none, and may be no database yet."""
    if unfinished.exists():
        try:
            Engine(str(unfinished), read_only=True).close()
        except StoreLockedError:
            raise
        except StoreError:
            pass


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return what an export says of itself.

    Raises
    ------
    StoreError
        If it is none.
    StoreVersionError
        If it is of another schema revision.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder / MANIFEST} cannot be read: {error}", "Name the folder of an export.") from error
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise StoreError(f"{folder / MANIFEST} is not of an export of this kind, {SCHEMA}")
    found, wanted = manifest["schema_revision"], sql.newest_revision()
    if found != wanted:
        raise StoreVersionError(
            f"{folder} was exported at schema revision {found}, this energy-db wants {wanted}",
            f"Make a store of it with energy-db {manifest['energy_db_version']}, then: energy-db migrate",
        )
    return manifest


def _fill(engine: Engine, folder: Path, manifest: dict[str, Any]) -> None:
    for table in manifest["tables"]:
        try:
            n_rows = _fill_table(engine, folder, table, manifest["format"])
        except (EngineError, OSError, ValueError) as error:
            what = first_line(error) if isinstance(error, EngineError) else str(error)
            raise StoreError(f"{folder / table['files']} cannot be read: {what}", "Export the store again.") from error
        if n_rows != table["rows"]:
            raise StoreError(
                f"{folder / table['files']} has {n_rows} rows, but {MANIFEST} says {table['rows']}",
                "A file is missing, or was changed: export the store again.",
            )


def _fill_table(engine: Engine, folder: Path, table: dict[str, Any], form: str) -> int:
    columns = [column["name"] for column in table["columns"]]
    target = f"main.{table['name']} ({names_of(columns)})"
    files = sorted(folder.glob(table["files"]))
    if form == "arrow":
        for file in files:
            with engine.reading(read_arrow(file), "exported"):
                engine.run(f"INSERT INTO {target} SELECT {names_of(columns)} FROM exported")
    elif files:
        engine.run(f"INSERT INTO {target} SELECT {names_of(columns)} FROM {_reader(files, columns, form)}")
    return int(engine.value(f"SELECT count(*) FROM main.{table['name']}"))


def _reader(files: list[Path], columns: list[str], form: str) -> str:
    named = f"[{', '.join(literal(str(file)) for file in files)}]"
    if form == "parquet":
        return f"read_parquet({named}, hive_partitioning = false)"
    types = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in columns)
    signs = "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', allow_quoted_nulls = false"
    return f"read_csv({named}, hive_partitioning = false, {signs}, columns = {{{types}}})"
