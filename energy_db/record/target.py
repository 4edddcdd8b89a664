"""Where recordings go: to a run file, a spool or a store; and where their journals are until then."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, TypeAlias

from energy_db.engines.duckdb import MEMORY
from energy_db.errors import EnergyDbError, UsageError
from energy_db.record import journal
from energy_db.record.spool import Spool

if TYPE_CHECKING:
    from energy_db.record.journal import JournaledRun
    from energy_db.runs import Run
    from energy_db.store import EnergyStore

    Target: TypeAlias = Path | Spool | EnergyStore


def journal_folder(target: Target, name: str | None, chosen: str | PathLike[str] | None) -> Path:
    """Return where the journal of a recording is to be.

    Parameters
    ----------
    target : Path, Spool or EnergyStore
        Where the recording goes.
    name : str, optional
        What the run is called; needed for a spool or a store.
    chosen : path-like, optional
        The folder that somebody chose.

    Raises
    ------
    UsageError
        If the target is a file that exists, or a spool or a store and nobody says what to call the run.
    StoreError
        If the spool cannot be made.
    """
    if isinstance(target, Path):
        if target.exists():
            raise UsageError(f"{target} exists already", "Remove it, or choose another name.")
        return target.with_suffix(journal.SUFFIX) if chosen is None else Path(chosen)
    if name is None:
        where = "spool" if isinstance(target, Spool) else "store"
        raise UsageError(f"a run that goes to a {where} needs a name", "Give it: name='evaluation'.")
    if isinstance(target, Spool):
        target.make()
        return target.journal_folder(name) if chosen is None else Path(chosen)
    beside = Path(gettempdir()) if target.path == MEMORY else Path(target.path).parent
    return beside / journal.folder_name(name, os.getpid()) if chosen is None else Path(chosen)


def publish(finished: JournaledRun, target: Target) -> Run | Path:
    """Make a finished recording visible, at once and whole, and remove its journal.

    Raises
    ------
    EnergyDbError
        If it cannot be written or stored; the journal stays then.
    """
    try:
        published = _published(finished, target)
    except EnergyDbError as error:
        kept = f"The recording is kept: energy-db ingest {finished.folder}"
        error.hint = f"{error.hint} {kept}" if error.hint else kept
        raise
    journal.remove(finished.folder)
    return published


def _published(finished: JournaledRun, target: Target) -> Run | Path:
    if isinstance(target, Path):
        return finished.write(target)
    if isinstance(target, Spool):
        return target.publish(finished)
    # Runs of one name are a history; and nobody wants to hear at the end of a training that its name is taken.
    return target.ingest(finished, on_duplicate="new")
