"""Runs that can be held against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from energy_db.priced import PricedRuns

if TYPE_CHECKING:
    from energy_db.comparisons.comparison import Comparison
    from energy_db.runs import Run


class ComparedRuns(PricedRuns):
    """Runs that can be compared, two by two."""

    def compare(
        self,
        a: str | Run,
        b: str | Run,
        chip: str,
        *,
        cost_version_a: str | None = None,
        cost_version_b: str | None = None,
        method: str = "shapley",
    ) -> Comparison:
        """Return what changed from run a to run b, and why (work in progress)."""
        raise NotImplementedError
