"""How people name a stored run: by its id or a prefix of it, its name, `latest`, or a tag."""

from __future__ import annotations

import re

from energy_db import runs
from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError, UsageError
from energy_db.guess import did_you_mean
from energy_db.runs import Run

SHORTEST_ID_PREFIX = 6
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def valid_id(run_id: str | None) -> str | None:
    """Return a run id that somebody chose, if it can be told from the other ways to name a run."""
    if run_id is None or (_ID.fullmatch(run_id) and run_id.partition("~")[0] != "latest"):
        return run_id
    raise UsageError(
        f"{run_id!r} cannot be a run id",
        "An id has 1 to 64 letters, digits, dots, dashes and underscores, begins with none of the signs, "
        "and is not 'latest'.",
    )


def find(engine: Engine, selector: str | Run) -> int:
    """Return the key of the run that a selector names.

    Parameters
    ----------
    engine : Engine
        The store.
    selector : str or Run
        A run id or a prefix of it (6 characters or more), a name (the newest run of that name), `latest`, `latest~1`
        (the one before it), or `@tag` or `@tag=value` (the newest run that carries the tag).

    Raises
    ------
    NotFoundError
        If no run, or more than one, is meant.
    """
    if isinstance(selector, Run):
        selector = selector.run_id
    if not isinstance(selector, str):
        raise UsageError(f"the run is {selector!r}, must be an id, a name, latest, @tag or a Run")
    if selector == "latest" or selector.startswith("latest~"):
        return _nth_latest(engine, selector)
    if selector.startswith("@"):
        return _newest_with_tag(engine, selector)
    newest_first = "SELECT run_key FROM runs WHERE {} ORDER BY ingested_at DESC, run_key DESC"
    for condition in ("run_id = ?", "run_name = ?"):
        if keys := engine.rows(newest_first.format(condition), [selector]):
            return int(keys[0][0])
    if len(selector) >= SHORTEST_ID_PREFIX:
        keys = engine.rows(newest_first.format("starts_with(run_id, ?)"), [selector])
        if len(keys) > 1:
            raise NotFoundError(f"{selector!r} begins the ids of {len(keys)} runs", "Give more of the id.")
        if keys:
            return int(keys[0][0])
    raise _unknown_run(engine, selector)


def load(engine: Engine, selector: str | Run) -> Run:
    """Return the stored run that a selector names; raises what `find` raises."""
    return runs.load(engine, find(engine, selector))


def _nth_latest(engine: Engine, selector: str) -> int:
    back = selector.partition("~")[2] or "0"
    if not back.isdecimal():
        raise NotFoundError(f"{selector!r} is not a run", "Write latest, latest~1, latest~2, ...")
    keys = engine.rows(
        "SELECT run_key FROM runs ORDER BY ingested_at DESC, run_key DESC LIMIT 1 OFFSET ?", [min(int(back), 2**31)]
    )
    if keys:
        return int(keys[0][0])
    n_runs = engine.value("SELECT count(*) FROM runs")
    if n_runs == 0:
        raise NotFoundError("the store has no runs yet", "Store one first: energy-db ingest run.parquet")
    raise NotFoundError(f"{selector!r}: the store has {n_runs} run{'s' * (n_runs != 1)} only")


def _newest_with_tag(engine: Engine, selector: str) -> int:
    tag, has_value, value = selector[1:].partition("=")
    condition = "tag = ? AND tag_value = ?" if has_value else "tag = ?"
    keys = engine.rows(
        f"SELECT run_key FROM runs JOIN run_tags USING (run_key) WHERE {condition} "
        "ORDER BY ingested_at DESC, run_key DESC",
        [tag, value] if has_value else [tag],
    )
    if keys:
        return int(keys[0][0])
    tags = [row[0] for row in engine.rows("SELECT DISTINCT tag FROM run_tags ORDER BY tag")]
    raise NotFoundError(f"no run carries the tag {selector!r}", f"Tags in the store: {', '.join(tags) or 'none'}.")


def _unknown_run(engine: Engine, selector: str) -> NotFoundError:
    names = [row[0] for row in engine.rows("SELECT DISTINCT run_name FROM runs ORDER BY run_name")]
    ids = [row[0] for row in engine.rows("SELECT run_id FROM runs")]
    if not names:
        return NotFoundError("the store has no runs yet", "Store one first: energy-db ingest run.parquet")
    is_file = selector.endswith(".parquet")
    guess = f"Ingest the file first: {selector}. " if is_file else did_you_mean(selector, names + ids)
    return NotFoundError(f"no run is called {selector!r}", f"{guess}energy-db runs lists them.")
