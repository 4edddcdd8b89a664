"""What changed between two runs, chip by chip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from energy_db.comparisons import reading, verdict
from energy_db.comparisons.rows import Disparity, Effects
from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError
from energy_db.runs import Run

SCHEMA = "energy-db/compare-chips/1"


@dataclass(frozen=True)
class ChipChange:
    """What changed on a chip under the costs in force; energies in pJ.

    Attributes
    ----------
    chip, cost_version : str
        The chip and the cost set.
    total_a_pj, total_b_pj, change_pj : float
        Energy of both runs, of the operations that take part, and the second less the first.
    change_share : float or None
        The change as a share of the first energy; None if that is zero.
    effects : Effects
        What the change is made of.
    n_operations, n_compared : int
        Operations of the cost set, and how many of them take part.
    """

    chip: str
    cost_version: str
    total_a_pj: float
    total_b_pj: float
    change_pj: float
    change_share: float | None
    effects: Effects
    n_operations: int
    n_compared: int


@dataclass(frozen=True)
class ChipChanges:
    """What changed between two runs on every chip that can price both; made by `EnergyStore.compare_chips`.

    Attributes
    ----------
    a, b : Run
        The run before and the run after.
    chips : tuple of ChipChange
        The chips, the largest saving first.
    comparable : bool
        Whether the two may be held against each other at all.
    differs : tuple of Disparity
        In what the runs differ beside their spikes and the operations that take part.
    """

    a: Run
    b: Run
    chips: tuple[ChipChange, ...]
    comparable: bool
    differs: tuple[Disparity, ...]


def compare_chips(engine: Engine, a: Run, b: Run) -> ChipChanges:
    """Hold a run against another one on every chip, under the costs in force.

    Raises
    ------
    NotFoundError
        If no chip can price both.
    """
    both = [a.run_id, b.run_id]
    totals = engine.records("SELECT * FROM comparison WHERE run_id_a = ? AND run_id_b = ?", both)
    counts = engine.rows(
        "SELECT chip, count(*), count(*) - count(left_out) FROM comparison_by_operation "
        "WHERE run_id_a = ? AND run_id_b = ? GROUP BY chip",
        both,
    )
    operations = {chip: numbers for chip, *numbers in counts}
    chips = [_change(row, operations[row["chip"]]) for row in totals]
    if not chips:
        raise NotFoundError(f"no chip can price both {a.name} and {b.name}", "See: energy-db costs list")
    differs = verdict.of_runs(engine, [a], [b])
    return ChipChanges(
        a=a,
        b=b,
        chips=tuple(sorted(chips, key=lambda change: (change.change_share or 0.0, change.chip))),
        comparable=not any(disparity.matters for disparity in differs),
        differs=differs,
    )


def _change(row: dict[str, Any], operations: Sequence[int]) -> ChipChange:
    before, change = row["energy_a_pj"], row["change_pj"]
    return ChipChange(
        chip=row["chip"],
        cost_version=row["cost_version_a"],
        total_a_pj=float(before),
        total_b_pj=float(row["energy_b_pj"]),
        change_pj=float(change),
        change_share=float(change / before) if before else None,
        effects=reading.effects_of(row),
        n_operations=operations[0],
        n_compared=operations[1],
    )
