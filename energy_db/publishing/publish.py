"""Publishes a store: the snapshot, its catalogue, and the names that readers know."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from energy_db.engines.duckdb import MEMORY, Engine, EngineError, first_line
from energy_db.errors import StoreError
from energy_db.publishing.catalog import catalog_of
from energy_db.publishing.folder import CATALOG, PublicationFolder
from energy_db.publishing.publication import Publication
from energy_db.publishing.snapshot import Order, make_snapshot


def publish(engine: Engine, to: Path, *, keep: int, events: bool, chips: Sequence[str], parquet: bool) -> Publication:
    """Publish a store to a folder.

    Parameters
    ----------
    engine : Engine
        The open store.
    to : Path
        The folder.
    keep : int
        How many publications stay there, from 1.
    events : bool
        Whether single spike events are published, too.
    chips : sequence of str
        The chips that facts are priced on; none stands for all.
    parquet : bool
        Whether facts are written as Parquet files, too.

    Raises
    ------
    UsageError
        If the folder is not for publications of this store.
    StoreLockedError
        If another process publishes to it.
    StoreError
        If something cannot be written; the earlier publication stays.
    """
    store = engine.path if engine.path == MEMORY else str(Path(engine.path).resolve())
    folder = PublicationFolder(to, store)
    try:
        with folder.locked():
            published = _publish(engine, folder, store, events, tuple(chips), parquet)
            published = replace(published, notes=folder.make_newest(published.number))
            folder.keep_newest(keep)
    except (EngineError, OSError) as error:
        what = first_line(error) if isinstance(error, EngineError) else error.strerror or str(error)
        raise StoreError(
            f"{folder.path}: nothing was published: {what}", "What was published before is as it was."
        ) from error
    return published


def _publish(
    engine: Engine, folder: PublicationFolder, store: str, events: bool, chips: tuple[str, ...], parquet: bool
) -> Publication:
    number = max(folder.numbers(), default=0) + 1
    published_at = datetime.now(UTC).replace(tzinfo=None)
    with folder.new_version(number) as unfinished:
        snapshot = make_snapshot(engine, unfinished, Order(number, published_at, events, chips, parquet))
        published = Publication(
            folder=str(folder.path),
            database=str(folder.database),
            version=str(folder.version(number)),
            number=number,
            published_at=published_at,
            n_runs=snapshot.n_runs,
            n_spikes=snapshot.n_spikes,
            has_events=events,
            chips=chips,
        )
        catalog = catalog_of(published, store, snapshot, parquet)
        text = json.dumps(catalog, indent=2, ensure_ascii=False)
        (unfinished / CATALOG).write_text(text + "\n", encoding="utf-8")
    return published
