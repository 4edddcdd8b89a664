"""Runs over time: listed with their energies, grouped, followed."""

from __future__ import annotations

from energy_db.compared import ComparedRuns


class TrackedRuns(ComparedRuns):
    """Runs that can be listed with their energies, grouped over seeds, and followed over time."""
