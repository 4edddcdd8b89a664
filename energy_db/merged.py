"""Stores into which the runs of others are merged: what `EnergyStore` does with other stores."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from energy_db.gated import GatedRuns
from energy_db.intake.merging import merge_store
from energy_db.runs import Run


class MergedRuns(GatedRuns):
    """Priced runs, and those of other stores beside them."""

    def merge(
        self, path: str | PathLike[str], *, dry_run: bool = False, on_stage: Callable[[float], None] | None = None
    ) -> list[Run]:
        """Copy the runs of another store that this one does not have, with all that belongs to them, or none of them.

        Runs keep their name, their times and, where it is free, their id. Costs and blessings stay where they are.

        Parameters
        ----------
        path : path-like
            The other store; it is only read.
        dry_run : bool
            Do everything but keep it.
        on_stage : callable, optional
            Called with the share of the work, from 0 to 1, that is done when a stage begins.

        Returns
        -------
        list of Run
            For each run of the other store, in the order in which they came in there, the run that this one has now,
            with the status 'stored', 'unchanged' or 'would be stored'.

        Raises
        ------
        RunFileError
            If there is no such file, or it is this store itself.
        StoreError
            If it is not a store, or cannot be read.
        StoreVersionError
            If it was made by another version of energy-db; the message names the command to run.
        StoreLockedError
            If a writer holds it, or this process has it open.
        """
        self._refuse_read_only("merge")
        return self._announce(merge_store(self._engine, Path(path), dry_run, on_stage or (lambda share: None)))

    def _announce(self, came_in: list[Run]) -> list[Run]:
        """Do what is to be done when runs came in: here, nothing."""
        return came_in
