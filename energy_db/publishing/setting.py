"""Whether, and where, a store publishes after each ingest: a fact of the store's own."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from energy_db.engines.duckdb import Engine

FACT = "publish_after_ingest"


@dataclass(frozen=True)
class Setting:
    """How a store is published.

    Attributes
    ----------
    to : str
        The folder.
    keep : int
        How many publications stay in it.
    events : bool
        Whether single spike events are published, too.
    chips : tuple of str
        The chips that facts are priced on; empty for all.
    parquet : bool
        Whether facts are written as Parquet files, too.
    """

    to: str
    keep: int = 3
    events: bool = False
    chips: tuple[str, ...] = ()
    parquet: bool = True


def read_setting(engine: Engine) -> Setting | None:
    """Return how the store publishes after each ingest; None if it does not."""
    text = engine.value("SELECT fact_value FROM store_info WHERE fact = ?", [FACT])
    if text is None:
        return None
    said: dict[str, Any] = json.loads(text)
    return Setting(**{**said, "chips": tuple(said["chips"])})


def write_setting(engine: Engine, setting: Setting | None) -> None:
    """Let the store publish so after each ingest from now on; None ends it."""
    with engine.transaction():
        engine.run("DELETE FROM store_info WHERE fact = ?", [FACT])
        if setting is not None:
            engine.insert("store_info", [[FACT, json.dumps(asdict(setting))]])
