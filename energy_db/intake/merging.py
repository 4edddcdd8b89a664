"""Runs of another store on their way into this one: with all that belongs to them, and each only once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

from energy_db import lifecycle, runs, sql
from energy_db.catalogue import shipped
from energy_db.engines.duckdb import MEMORY, Engine, EngineBug, EngineError
from energy_db.engines.open_here import refuse_open_here
from energy_db.engines.own_file import is_same_file
from energy_db.engines.wording import first_line
from energy_db.errors import RunFileError, StoreError
from energy_db.intake import identity
from energy_db.runs import Run

# Where a DuckDB file says that it is one, behind a checksum.
_SIGN, _PLACE_OF_SIGN = b"DUCK", 8
_MOST_NAMED = 3


class _DryRunError(Exception):
    """Leaves the transaction of a merge that is not to be kept."""


def is_database(path: Path, own_path: str) -> bool:
    """Whether a file is a DuckDB database, and not the store itself.

    Parameters
    ----------
    path : Path
        The file.
    own_path : str
        The store that is open: its file is never looked into, which would drop the engine's lock on it.
    """
    if not path.is_file():
        return False
    if own_path != MEMORY and Path(own_path).exists() and path.samefile(own_path):
        return False
    try:
        with path.open("rb") as stream:
            return stream.read(_PLACE_OF_SIGN + len(_SIGN)).endswith(_SIGN)
    except OSError:  # who reads it as a run file says why
        return False


def merge_store(engine: Engine, path: Path, dry_run: bool, on_stage: Callable[[float], None]) -> list[Run]:
    """Copy the runs of another store that this one does not have, in one transaction.

    Parameters
    ----------
    engine : Engine
        The store.
    path : Path
        The other store.
    dry_run : bool
        Do everything but keep it.
    on_stage : callable
        Called with the share of the work, from 0 to 1, that is done when a stage begins.

    Returns
    -------
    list of Run
        For each run of the other store the run that this one has now, in the order in which they came in there.

    Raises
    ------
    RunFileError
        If there is no such file, or it is the store itself.
    StoreError
        If it is not a store, stands at another revision, is held by a writer, or cannot be read.
    """
    _refuse_itself(engine, path)
    refuse_open_here(str(path))
    on_stage(0.0)
    theirs = _runs_of(path)
    status = "would be stored" if dry_run else "stored"
    try:
        with engine.attached(str(path), "merged"):
            same = _same_runs(engine, theirs)
            new = [run for run in theirs if run.run_key not in same]
            on_stage(0.3)
            copies = _copy(engine, new, dry_run)
            notes = _of_costs(engine, path)
    except EngineBug:
        raise
    except EngineError as error:
        raise StoreError(
            f"{path}: cannot be merged: {first_line(error)}", f"Nothing was stored; {engine.path} is as it was."
        ) from error
    results = {key: _unchanged(run, same[key]) for run in theirs if (key := run.run_key) in same}
    for run, copy in zip(new, copies, strict=True):
        results[run.run_key] = runs.with_status(copy, status, _of_other_id(run, copy))
    merged = [results[run.run_key] for run in theirs]
    return [runs.with_status(run, run.status, run.notes + notes * (place == 0)) for place, run in enumerate(merged)]


def _refuse_itself(engine: Engine, path: Path) -> None:
    if not path.exists():
        raise RunFileError(f"{path}: no such file")
    if not path.is_file():
        raise RunFileError(f"{path}: is not a file")
    if is_same_file(engine.path, str(path)):
        raise RunFileError(f"{path}: is the store itself, not another one")


def _runs_of(path: Path) -> list[Run]:
    """Return the runs of another store, the first one first, if this release can read it."""
    if not is_database(path, MEMORY):
        raise StoreError(f"{path}: is not a DuckDB database, and so not a store")
    with closing(Engine(str(path), read_only=True)) as other:
        try:
            lifecycle.refuse_other_revision(other)
            keys = [key for (key,) in other.rows("SELECT run_key FROM runs ORDER BY run_key")]
            return runs.load_many(other, keys)
        except EngineError as error:
            raise StoreError(f"{path}: cannot be read: {first_line(error)}", "Is the file damaged?") from error


def _same_runs(engine: Engine, theirs: Sequence[Run]) -> dict[int, Run]:
    """Return, by the keys of the other store, the runs that this one has already."""
    by_key = {run.run_key: run for run in theirs}
    pairs = engine.rows(sql.ingest_step("find_merged_runs"))
    own_keys = sorted({our_key for _, our_key in pairs})
    own = dict(zip(own_keys, runs.load_many(engine, own_keys), strict=True))
    same: dict[int, Run] = {}
    for their_key, our_key in pairs:
        if their_key not in same and _are_the_same(engine, by_key[their_key], own[our_key]):
            same[their_key] = own[our_key]
    return same


def _are_the_same(engine: Engine, theirs: Run, ours: Run) -> bool:
    """Whether two runs of the same activity agree in all that they declare, in their counters and single events."""
    keys = {"their_key": theirs.run_key, "our_key": ours.run_key}
    if theirs.declaration != ours.declaration or engine.value(sql.ingest_step("compare_merged_counters"), keys):
        return False
    if not (theirs.has_events and ours.has_events):
        return True
    if theirs.source_sha256 is not None and theirs.source_sha256 == ours.source_sha256:
        return True
    their_events = engine.rows(sql.ingest_step("fingerprint_merged_events"), {"run_key": theirs.run_key})
    return their_events == engine.rows(sql.ingest_step("fingerprint_stored_events"), {"run_key": ours.run_key})


def _copy(engine: Engine, new: Sequence[Run], dry_run: bool) -> list[Run]:
    """Copy runs of the attached store under keys and ids that are free; return the copies."""
    copies: list[Run] = []
    with suppress(_DryRunError), engine.transaction():
        keys = _give_keys(engine, new)
        engine.run(sql.ingest_step("merge_runs"))
        for key in keys:
            engine.run(sql.ingest_step("store_driver_counts"), {"run_key": key})
        copies = runs.load_many(engine, keys)
        if dry_run:
            raise _DryRunError
    return copies


def _give_keys(engine: Engine, new: Sequence[Run]) -> list[int]:
    """Write down which key and id each run gets here: its own id, unless another run has it."""
    first = int(engine.value("SELECT coalesce(max(run_key), 0) + 1 FROM runs"))
    taken = {run_id for (run_id,) in engine.rows("SELECT run_id FROM runs")}
    reserved = {run.run_id for run in new}
    rows = []
    for key, run in enumerate(new, first):
        run_id = identity.free_id(engine, run.run_id, reserved) if run.run_id in taken else run.run_id
        rows.append([run.run_key, key, run_id])
    engine.run("CREATE OR REPLACE TEMPORARY TABLE merged_keys (their_key INTEGER, run_key INTEGER, run_id VARCHAR)")
    engine.insert("merged_keys", rows)
    return list(range(first, first + len(rows)))


def _of_other_id(theirs: Run, copy: Run) -> tuple[str, ...]:
    if theirs.run_id == copy.run_id:
        return ()
    return (f"its id {theirs.run_id!r} is taken by another run here, so it has the id {copy.run_id!r}",)


def _unchanged(theirs: Run, ours: Run) -> Run:
    """Return a run that is stored already, with a note on what the other store says otherwise."""
    notes: tuple[str, ...] = ()
    if theirs.has_events != ours.has_events:
        kept = "there" if theirs.has_events else "here"
        notes += (f"its events are only kept {kept}, so only the counts per neuron and per timestep could be compared",)
    if (theirs.name, theirs.run_id) != (ours.name, ours.run_id):
        notes += (f"it is stored already, and keeps the name {ours.name!r} and the id {ours.run_id!r}",)
    new_tags = {tag: value for tag, value in theirs.tags.items() if ours.tags.get(tag) != value}
    if new_tags:
        notes += (identity.of_other_tags(ours, new_tags),)
    return runs.with_status(ours, "unchanged", notes)


def _of_costs(engine: Engine, path: Path) -> tuple[str, ...]:
    """Return a note on what the other store has beside its runs, and this one lacks."""
    found = engine.rows(sql.ingest_step("find_unmerged_costs"), {"shipped": shipped.REASON})
    if not found:
        return ()
    kinds: dict[str, list[str]] = {}
    for what, which in found:
        kinds.setdefault(what, []).append(which)
    listed = "; ".join(
        f"{len(all_of)} {what}{'s' * (len(all_of) > 1)} ({', '.join(all_of[:_MOST_NAMED])}"
        f"{', ...' * (len(all_of) > _MOST_NAMED)})"
        for what, all_of in kinds.items()
    )
    return (f"only runs are merged; {path} also has, and this store lacks: {listed}",)
