"""Runs that must stay within limits."""

from __future__ import annotations

from energy_db.tracked import TrackedRuns


class GatedRuns(TrackedRuns):
    """Runs that can be checked against budgets and baselines, and whose level can be accepted."""
