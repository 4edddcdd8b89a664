"""Publishes a store: the snapshot, its catalogue, and the names that readers know."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from energy_db.engines.duckdb import MEMORY, Engine, EngineError
from energy_db.engines.wording import first_line
from energy_db.errors import PublicationError
from energy_db.publishing.catalog import catalog_of
from energy_db.publishing.folder import CATALOG, PublicationFolder
from energy_db.publishing.publication import Publication
from energy_db.publishing.setting import Setting
from energy_db.publishing.snapshot import Order, make_snapshot


def folder_for(engine: Engine, to: Path) -> PublicationFolder:
    """Return the folder that a store is published to.

    Raises
    ------
    UsageError
        If it is not for publications of this store.
    """
    return PublicationFolder(to, _place_of(engine))


def publish(engine: Engine, setting: Setting) -> Publication:
    """Publish a store.

    Raises
    ------
    UsageError
        If the folder is not for publications of this store.
    StoreLockedError
        If another process publishes to it.
    PublicationError
        If something cannot be written; the earlier publication stays.
    """
    folder = folder_for(engine, Path(setting.to))
    try:
        with folder.locked():
            published = _publish(engine, folder, setting)
            published = replace(published, notes=folder.make_newest(published.number))
            folder.keep_newest(setting.keep)
    except (EngineError, OSError) as error:
        what = first_line(error) if isinstance(error, EngineError) else error.strerror or str(error)
        raise PublicationError(
            f"{folder.path}: nothing was published: {what}", "What was published before is as it was."
        ) from error
    return published


def _publish(engine: Engine, folder: PublicationFolder, setting: Setting) -> Publication:
    number = max(folder.numbers(), default=0) + 1
    order = Order(number, datetime.now(UTC).replace(tzinfo=None), _place_of(engine), setting)
    with folder.new_version(number) as unfinished:
        snapshot = make_snapshot(engine, unfinished, order)
        published = Publication(
            folder=str(folder.path),
            database=str(folder.database),
            version=str(folder.version(number)),
            number=number,
            published_at=order.published_at,
            n_runs=snapshot.n_runs,
            n_spikes=snapshot.n_spikes,
            has_events=setting.events,
            chips=setting.chips,
        )
        catalog = catalog_of(published, order.store, snapshot, setting.parquet)
        text = json.dumps(catalog, indent=2, ensure_ascii=False)
        (unfinished / CATALOG).write_text(text + "\n", encoding="utf-8")
    return published


def _place_of(engine: Engine) -> str:
    return engine.path if engine.path == MEMORY else str(Path(engine.path).resolve())
