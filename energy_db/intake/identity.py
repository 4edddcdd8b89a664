"""Is it stored already? The same content is one run, whatever its row order, integer widths or compression."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping

from energy_db import runs, sql
from energy_db.engines.duckdb import Engine
from energy_db.errors import DuplicateRunError
from energy_db.intake import counters
from energy_db.intake import declaration as declared
from energy_db.intake.contract import RunFile
from energy_db.intake.counter_sources import CounterRows
from energy_db.intake.counters import Counters
from energy_db.intake.declaration import Declaration
from energy_db.intake.incoming import Incoming
from energy_db.runs import Run

_FACTS = ("kind", "seed", "git_commit", "recorded_at")


def same_file(
    engine: Engine, run_file: RunFile, sha256: str, said: Declaration, counter_rows: CounterRows | None
) -> Run | None:
    """Return the run that came from the very same bytes and whose network and counters are not contradicted."""
    keys = engine.rows(
        "SELECT run_key FROM runs WHERE source_sha256 = ? AND column_map IS NOT DISTINCT FROM ? ORDER BY run_key",
        [sha256, run_file.column_map],
    )
    stored = (runs.load(engine, key) for (key,) in keys)
    return next((run for run in stored if _agrees(engine, run, said, counter_rows)), None)


def same_activity(
    engine: Engine, incoming: Incoming, activity_hash: str, counter_rows: CounterRows | None
) -> Run | None:
    """Return the run that has the very same events and whose network and counters are not contradicted."""
    for (key,) in engine.rows("SELECT run_key FROM runs WHERE activity_hash = ? ORDER BY run_key", [activity_hash]):
        run = runs.load(engine, key)
        agrees = _agrees(engine, run, incoming.said, counter_rows)
        if agrees and (not run.has_events or _same_events(engine, key)):
            return run
    return None


def _agrees(engine: Engine, run: Run, said: Declaration, counter_rows: CounterRows | None) -> bool:
    return not declared.contradictions(said, run.declaration) and counters.are_those_of(engine, counter_rows, run)


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
        notes += ("its single events are not kept, and that stays so: a new store would keep them",)
    if said.name not in (None, run.name) or run_id not in (None, run.run_id):
        notes += (f"it is stored already, and keeps the name {run.name!r} and the id {run.run_id!r}",)
    facts = [f for f in _FACTS if getattr(said, f) not in (None, getattr(run, f))]
    if facts:
        notes += (f"it is stored already, and its {', '.join(facts)} were left as they are",)
    if new_tags:
        notes += (of_other_tags(run, new_tags),)
    return runs.with_status(run, "unchanged", notes)


def of_other_tags(run: Run, tags: Mapping[str, str]) -> str:
    """Return the note on tags that a stored run does not have, and how it gets them."""
    assignments = " ".join(shlex.quote(f"{tag}={value}") for tag, value in tags.items())
    return f"its tags were left as they are; set them with: energy-db tag {run.run_id} {assignments}"


def free_id(engine: Engine, wanted: str, reserved: Collection[str] = ()) -> str:
    """Return an id, numbered if it is taken or reserved for another run."""
    ids = {row[0] for row in engine.rows("SELECT run_id FROM runs WHERE starts_with(run_id, ?)", [wanted])}
    ids |= {run_id for run_id in reserved if run_id.startswith(wanted)}
    copies = (f"{wanted}-{number}" for number in range(2, len(ids) + 3))
    return wanted if wanted not in ids else next(copy for copy in copies if copy not in ids)


def refuse_taken(
    engine: Engine,
    incoming: Incoming,
    run_id: str | None,
    counter_rows: CounterRows | None,
    counted: Counters | None,
) -> None:
    """Raise if a run's name, or the id that somebody chose for it, is taken by other content.

    Raises
    ------
    DuplicateRunError
        With what differs.
    """
    for what, column, wanted in (("id", "run_id", run_id), ("name", "run_name", incoming.name)):
        taken = engine.rows(f"SELECT run_key FROM runs WHERE {column} = ? ORDER BY run_key", [wanted])
        if taken:
            stored = runs.load(engine, taken[-1][0])
            of_counters = counters.differences(counted, stored.counters)
            found = _differences(incoming, stored) + of_counters
            if not found and not counters.are_those_of(engine, counter_rows, stored):
                of_counters = found = ["the same sums of its counters, by other layers or neurons"]
            differences = "; ".join(found or ["the same number of spikes, by other neurons or at other times"])
            advice = "Counters are part of a run's content, and stay as they were stored. " if of_counters else ""
            raise DuplicateRunError(
                f"{incoming.run_file.path}: another run has the {what} {wanted!r}, with other content: {differences}",
                f"{advice}Store it as a new run with --on-duplicate new, or give it another --name or --run-id.",
            )


def _differences(incoming: Incoming, stored: Run) -> list[str]:
    found = declared.contradictions(incoming.network, stored.declaration)
    for key, now in (("spikes", incoming.n_spikes), ("events", incoming.n_events)):
        before = getattr(stored, f"n_{key}")
        if before != now:
            found.append(f"{key}: stored {before}, now {now}")
    return found
