"""Says what a publication holds, for tools that do not speak DuckDB: catalog.json."""

from __future__ import annotations

import os
import re
from typing import Any

from energy_db import sql
from energy_db.publishing.publication import Publication
from energy_db.publishing.snapshot import Counted, Snapshot, file_of

SCHEMA = "energy-db/catalog/1"

_UNIT = re.compile(r"(?P<meaning>.*\S)\s*\[(?P<unit>[^\]]+)\]$", re.DOTALL)


def catalog_of(publication: Publication, store: str, snapshot: Snapshot, has_files: bool) -> dict[str, Any]:
    """Return the content of catalog.json.

    Parameters
    ----------
    publication : Publication
        What is published.
    store : str
        The store that it is from.
    snapshot : Snapshot
        What its database holds.
    has_files : bool
        Whether the views of the mart are there as Parquet files, too.
    """
    about = publication.to_dict()
    # The folder may be mounted elsewhere where it is read.
    about |= {place: os.path.relpath(about[place], about["folder"]) for place in ("database", "version")}
    del about["folder"], about["notes"]
    counted = {entry.name: entry for entry in snapshot.contents}
    public = [view for view in sql.views() if not view.is_private and view.room != "checks"]
    things = (*sorted(public, key=lambda view: (view.room != sql.MART, view.name)), *sql.publication_tables())
    objects = [_object(thing, snapshot, counted.get(thing.name), has_files) for thing in things]
    return {"schema": SCHEMA, "publication": {**about, "store_path": store}, "objects": objects}


def _object(thing: sql.SqlObject, snapshot: Snapshot, counted: Counted | None, has_files: bool) -> dict[str, Any]:
    return {
        "name": thing.name,
        "kind": counted.kind if counted else thing.kind.lower(),
        "sentence": thing.sentence,
        "grain": thing.grain,
        "n_rows": counted.n_rows if counted else None,
        "file": f"marts/{file_of(thing)}" if has_files and thing.room == sql.MART else None,
        "columns": [_column(name, snapshot.types[thing.name, name], text) for name, text in thing.columns.items()],
    }


def _column(name: str, kind: str, text: str) -> dict[str, Any]:
    found = _UNIT.fullmatch(text)
    meaning, unit = (found["meaning"], found["unit"]) if found else (text, None)
    return {"name": name, "type": kind, "unit": unit, "meaning": meaning}
