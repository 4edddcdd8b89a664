"""Is it stored already? The same content is one run, whatever its row order, integer widths or compression."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from energy_db import runs, sql
from energy_db.engines.duckdb import Engine
from energy_db.errors import DuplicateRunError
from energy_db.intake import declaration as declared
from energy_db.intake.contract import RunFile
from energy_db.intake.declaration import Declaration
from energy_db.intake.incoming import Incoming
from energy_db.runs import Run

_FACTS = ("kind", "seed", "git_commit", "recorded_at")


def same_file(engine: Engine, run_file: RunFile, sha256: str, said: Declaration) -> Run | None:
    """Return the run that came from the very same bytes and whose network is not contradicted."""
    keys = engine.rows(
        "SELECT run_key FROM runs WHERE source_sha256 = ? AND column_map IS NOT DISTINCT FROM ? ORDER BY run_key",
        [sha256, run_file.column_map],
    )
    stored = (runs.load(engine, key) for (key,) in keys)
    return next((run for run in stored if not declared.contradictions(said, run.declaration)), None)


def same_activity(engine: Engine, incoming: Incoming, activity_hash: str) -> Run | None:
    """Return the run that has the very same events and whose network is not contradicted."""
    for (key,) in engine.rows("SELECT run_key FROM runs WHERE activity_hash = ? ORDER BY run_key", [activity_hash]):
        run = runs.load(engine, key)
        if declared.contradictions(incoming.said, run.declaration):
            continue
        if not run.has_events or _same_events(engine, key):
            return run
    return None


def _same_events(engine: Engine, run_key: int) -> bool:
    incoming = engine.rows(sql.ingest_step("fingerprint_incoming_events"))
    return incoming == engine.rows(sql.ingest_step("fingerprint_stored_events"), {"run_key": run_key})


def unchanged(run: Run, incoming: RunFile, said: Declaration, run_id: str | None, same_bytes: bool) -> Run:
    """Return the run that is stored already, with a note on what was asked of it in vain."""
    new_tags = {tag: value for tag, value in said.tags.items() if run.tags.get(tag) != value}
    notes = incoming.notes
    if not run.has_events and not same_bytes:
        notes += ("its events were not kept, so only the counts per neuron and per timestep could be compared",)
    elif not run.has_events:
        notes += ("it was stored without its single events, and stays so",)
    if said.name not in (None, run.name) or run_id not in (None, run.run_id):
        notes += (f"it is stored already, and keeps the name {run.name!r} and the id {run.run_id!r}",)
    facts = [f for f in _FACTS if getattr(said, f) not in (None, getattr(run, f))]
    if facts:
        notes += (f"it is stored already, and its {', '.join(facts)} were left as they are",)
    if new_tags:
        command = f"energy-db tag {run.run_id} {_assignments(new_tags)}"
        notes += (f"its tags were left as they are; set them with: {command}",)
    return runs.with_status(run, "unchanged", notes)


def _assignments(tags: Mapping[str, str]) -> str:
    return " ".join(shlex.quote(f"{tag}={value}") for tag, value in tags.items())


def free_id(engine: Engine, incoming: Incoming, content_hash: str, run_id: str | None, rename: bool) -> str:
    """Return the id to store a run under.

    Raises
    ------
    DuplicateRunError
        If its name, or the id that somebody chose for it, is taken by other content and it must not be renamed.
    """
    wanted = run_id or content_hash[: runs.LENGTH_OF_ID]
    if not rename:
        _refuse_taken(engine, incoming, "id", "run_id", run_id)
        _refuse_taken(engine, incoming, "name", "run_name", incoming.name)
    ids = {row[0] for row in engine.rows("SELECT run_id FROM runs WHERE starts_with(run_id, ?)", [wanted])}
    copies = (f"{wanted}-{number}" for number in range(2, len(ids) + 3))
    return wanted if wanted not in ids else next(copy for copy in copies if copy not in ids)


def _refuse_taken(engine: Engine, incoming: Incoming, what: str, column: str, wanted: str | None) -> None:
    taken = engine.rows(f"SELECT run_key FROM runs WHERE {column} = ? ORDER BY run_key", [wanted])
    if taken:
        differences = "; ".join(_differences(incoming, runs.load(engine, taken[-1][0])))
        raise DuplicateRunError(
            f"{incoming.run_file.path}: another run has the {what} {wanted!r}, with other content: {differences}",
            "Store it as a new run with --on-duplicate new, or give it another --name or --run-id.",
        )


def _differences(incoming: Incoming, stored: Run) -> list[str]:
    found = declared.contradictions(incoming.network, stored.declaration)
    for key, now in (("spikes", incoming.n_spikes), ("events", incoming.n_events)):
        before = getattr(stored, f"n_{key}")
        if before != now:
            found.append(f"{key}: stored {before}, now {now}")
    return found or ["the same number of spikes, by other neurons or at other times"]
