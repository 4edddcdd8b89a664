"""What changes from one cost version to another: each operation, and every run of the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from energy_db.catalogue import ledger
from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError, UsageError
from energy_db.reports.cells import full_energy


@dataclass(frozen=True)
class Difference:
    """What changes from one cost version of a chip to another; energies are exact, in pJ.

    Attributes
    ----------
    chip, old, new : str
        The chip and the two versions.
    operations : tuple of dict
        Each operation with both costs (`old_pj`, `new_pj`), the change, and a remark where they cannot be compared.
    runs : tuple of dict
        Each stored run with its energy under both, and the change where both price every operation of theirs.
    """

    chip: str
    old: str
    new: str
    operations: tuple[dict[str, Any], ...]
    runs: tuple[dict[str, Any], ...]

    @property
    def totals(self) -> dict[str, Any]:
        """The energy of all runs that both versions price in full, under each, and the change."""
        compared = [run for run in self.runs if run["change_pj"] is not None]
        sums = {name: sum((run[name] for run in compared), Decimal(0)) for name in ("old_pj", "new_pj", "change_pj")}
        share = float(sums["change_pj"] / sums["old_pj"]) if sums["old_pj"] else None
        return {"n_runs": len(self.runs), "n_compared": len(compared), **sums, "change_share": share}


def diff(engine: Engine, old: str, new: str, chip: str | None = None) -> Difference:
    """Return what changes from one version of a chip to another.

    Raises
    ------
    NotFoundError
        If a version is not in the catalogue, or no chip has both.
    UsageError
        If several chips have both and none is named, or both are the same.
    """
    if old == new:
        raise UsageError(f"{old!r} is held against itself", "Name two versions.")
    chip = chip or _chip_of_both(engine, old, new)
    before, after = (_costs(engine, chip, ledger.known_version(engine, chip, version)) for version in (old, new))
    names = list(dict.fromkeys([*before, *after]))
    operations = tuple(_operation(name, before.get(name), after.get(name), old, new) for name in names)
    return Difference(chip, old, new, operations, _runs(engine, chip, old, new))


def _chip_of_both(engine: Engine, old: str, new: str) -> str:
    rows = engine.rows("SELECT DISTINCT chip FROM cost_versions WHERE cost_version = ? ORDER BY chip", [old])
    others = engine.rows("SELECT DISTINCT chip FROM cost_versions WHERE cost_version = ?", [new])
    chips = [chip for (chip,) in rows if (chip,) in others]
    if not chips:
        raise NotFoundError(f"no chip has both {old!r} and {new!r}", "See: energy-db costs list")
    if len(chips) > 1:
        raise UsageError(f"{', '.join(chips)} all have {old!r} and {new!r}", f"Name one: {chips[0]} {old} {new}")
    return str(chips[0])


def _costs(engine: Engine, chip: str, version: str) -> dict[str, dict[str, Any]]:
    query = "SELECT * FROM costs WHERE chip = ? AND cost_version = ? ORDER BY is_reference, operation"
    return {cost["operation"]: cost for cost in engine.records(query, [chip, version])}


def _operation(
    name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, old: str, new: str
) -> dict[str, Any]:
    known = {version: cost for version, cost in ((old, before), (new, after)) if cost is not None}
    remarks = [f"not in {version}" for version in (old, new) if version not in known]
    remarks += [f"blank in {version}" for version, cost in known.items() if cost["energy_pj"] is None]
    remarks += [f"for reference in {version}" for version, cost in known.items() if cost["is_reference"]]
    if before and after and before["driver"] != after["driver"]:
        remarks.append(f"charged on {before['driver']} in {old}")
    return {
        "operation": name,
        "driver": next(reversed(known.values()))["driver"],
        "old_pj": before["energy_pj"] if before else None,
        "new_pj": after["energy_pj"] if after else None,
        "change_pj": after["energy_pj"] - before["energy_pj"] if before and after and not remarks else None,
        "remark": ", ".join(remarks),
    }


def _runs(engine: Engine, chip: str, old: str, new: str) -> tuple[dict[str, Any], ...]:
    rows = engine.records(
        "SELECT run_id, run_name, cost_version, energy_pj, n_operations, n_priced FROM energy_by_chip_all_versions "
        "WHERE chip = ? AND cost_version IN (?, ?)",
        [chip, old, new],
    )
    priced = {(row["run_id"], row["cost_version"]): row for row in rows}
    runs = engine.rows("SELECT run_id, run_name FROM runs ORDER BY ingested_at, run_key")
    return tuple(_run(run_id, name, priced.get((run_id, old)), priced.get((run_id, new))) for run_id, name in runs)


def _run(run_id: str, name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, Any]:
    old_pj, new_pj = (None if row is None else full_energy(row) for row in (before, after))
    change = None if old_pj is None or new_pj is None else new_pj - old_pj
    return {
        "run_id": run_id,
        "run_name": name,
        "old_pj": old_pj,
        "new_pj": new_pj,
        "change_pj": change,
        "change_share": float(change / old_pj) if change is not None and old_pj else None,
    }
