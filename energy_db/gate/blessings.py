"""Accepted levels: what somebody said a run may cost from now on, and why; nothing of it is ever changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from energy_db.catalogue import ledger
from energy_db.catalogue.entries import plain_text
from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError, UnpricedError, UsageError
from energy_db.gate.levels import Levels
from energy_db.runs import Run


@dataclass(frozen=True)
class Blessing:
    """A level of energy that somebody accepted; made by `EnergyStore.bless`.

    Attributes
    ----------
    blessing_number : int
        Its number, in the order in which blessings were given.
    run_id, run_name : str
        The run whose level it is.
    chip, cost_version : str
        The chip, and the cost set that priced the run then.
    layer : str or None
        The layer whose level it is; None for the whole run.
    n_samples : int
        Samples that the run processed.
    energy_pj : float
        The level: its energy as it was then, in pJ.
    reason : str
        Why it was accepted.
    blessed_at : datetime
        When, in UTC.
    blessed_by : str or None
        Who accepted it; None if nobody said.
    revoked_at, revocation_reason : datetime and str, or None
        When and why it was taken back; None if it was not.
    revoked_by : str or None
        Who took it back; None if nobody said, or if it was not.
    is_in_force : bool
        Whether it is the newest that was not taken back, of its history, chip and layer.
    status : {'stored', 'blessed', 'would be blessed', 'revoked', 'would be revoked', 'unchanged'}
        What the call that returned it did; 'stored' for one that was looked up.
    """

    blessing_number: int
    run_id: str
    run_name: str
    chip: str
    cost_version: str
    layer: str | None
    n_samples: int
    energy_pj: float
    reason: str
    blessed_at: datetime
    blessed_by: str | None
    revoked_at: datetime | None
    revoked_by: str | None
    revocation_reason: str | None
    is_in_force: bool
    status: str = "stored"


def find_blessings(engine: Engine, run_name: str | None = None, chip: str | None = None) -> list[Blessing]:
    """Return the blessings, the newest first; of one history or chip only, where one is named."""
    rows = engine.records(
        "SELECT * FROM blessed_levels WHERE run_name = coalesce(?, run_name) AND chip = coalesce(?, chip) "
        "ORDER BY blessing_number DESC",
        [run_name, chip],
    )
    return [Blessing(**{**row, "energy_pj": float(row["energy_pj"])}) for row in rows]


def bless(
    engine: Engine,
    run: Run,
    chip: str,
    cost_version: str,
    *,
    layer: str | None,
    reason: str,
    blessed_by: str | None,
    dry_run: bool,
) -> Blessing:
    """Accept what a run costs. The same level, if it is the last that was said, is left as it is.

    Raises
    ------
    UsageError
        If no reason is given.
    NotFoundError
        If the run has no such layer.
    UnpricedError
        If not all of its energy is known.
    """
    why, who = _sentence("the reason", reason), None if blessed_by is None else _sentence("blessed_by", blessed_by)
    if not why:
        raise UsageError("a blessing needs a reason", "Say why this level is accepted; it is shown with every check.")
    level = Levels(engine).of(run, chip, cost_version, layer)
    if level.energy_pj is None:
        raise UnpricedError(f"run {run.run_id} cannot be blessed: {level.missing}", "A part of an energy is no level.")
    said = (run.run_id, chip, cost_version, layer)
    in_force = (known for known in find_blessings(engine, run.name, chip) if known.is_in_force)
    # Checks go by the newest level that is about a layer: what was accepted before another one is said anew.
    newest = next((known for known in in_force if layer is None or known.layer in (None, layer)), None)
    if newest is not None and (newest.run_id, newest.chip, newest.cost_version, newest.layer) == said:
        return replace(newest, status="unchanged")
    number = 1 + (engine.value("SELECT max(blessing_number) FROM blessings") or 0)
    at = ledger.now()
    if not dry_run:
        row = [number, run.run_key, chip, cost_version, layer, level.energy_pj, why, at, who or None]
        engine.insert("blessings", [row])
    return Blessing(
        blessing_number=number,
        run_id=run.run_id,
        run_name=run.name,
        chip=chip,
        cost_version=cost_version,
        layer=layer,
        n_samples=run.n_samples,
        energy_pj=float(level.energy_pj),
        reason=why,
        blessed_at=at,
        blessed_by=who or None,
        revoked_at=None,
        revoked_by=None,
        revocation_reason=None,
        is_in_force=True,
        status="would be blessed" if dry_run else "blessed",
    )


def revoke(engine: Engine, number: int, *, reason: str, revoked_by: str | None, dry_run: bool) -> Blessing:
    """Take a blessing back; the one before it is in force again. One that was taken back already stays as it is.

    Raises
    ------
    UsageError
        If no reason is given.
    NotFoundError
        If there is no blessing of this number.
    """
    why, who = _sentence("the reason", reason), None if revoked_by is None else _sentence("revoked_by", revoked_by)
    if not why:
        raise UsageError("a revocation needs a reason", "Say why this level is accepted no longer.")
    found = _numbered(engine, number)
    if found.revoked_at is not None:
        return replace(found, status="unchanged")
    at = ledger.now()
    if not dry_run:
        engine.insert("blessing_revocations", [[number, why, at, who or None]])
    status = "would be revoked" if dry_run else "revoked"
    return replace(
        found, revoked_at=at, revoked_by=who or None, revocation_reason=why, is_in_force=False, status=status
    )


def _numbered(engine: Engine, number: Any) -> Blessing:
    if isinstance(number, bool) or not isinstance(number, int):
        raise UsageError(f"the blessing is {number!r}, must be the number of one")
    known = {blessing.blessing_number: blessing for blessing in find_blessings(engine)}
    if number not in known:
        raise NotFoundError(
            f"there is no blessing {number}", "energy-db bless --list shows those that there are, with their numbers."
        )
    return known[number]


def _sentence(what: str, text: str) -> str:
    try:
        return plain_text(text).strip()
    except ValueError as error:
        raise UsageError(f"{what} {error}") from None
