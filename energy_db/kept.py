"""A store that is looked after: checked for soundness, and made smaller."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from energy_db import selectors
from energy_db.asked import AskedRuns
from energy_db.errors import UsageError
from energy_db.runs import Run
from energy_db.verification import CheckResult, check_results

if TYPE_CHECKING:
    from energy_db.archiving import Archived


class KeptRuns(AskedRuns):
    """Runs that are looked after."""

    def verify(self, *, quick: bool = False) -> list[CheckResult]:
        """Check that all sums close, roll-ups equal events, and nothing was changed, lost or damaged.

        Parameters
        ----------
        quick : bool
            Leave out what reads every event, or prices every neuron and timestep: seconds, whatever the store holds.

        Returns
        -------
        list of CheckResult
            One result for each check; a sound store has no failures in any.

        Raises
        ------
        StoreError
            If the store cannot be read; it names the tables that are damaged.

        Examples
        --------
        >>> from energy_db import EnergyStore
        >>> with EnergyStore(":memory:") as store:
        ...     run = store.ingest("examples/digits-sparse.parquet")
        ...     [result.check for result in store.verify(quick=True) if result.n_failures]
        []
        """
        return list(check_results(self._engine, quick))

    def archive(
        self,
        runs: str | Run | Sequence[str | Run] = (),
        *,
        older_than: str | datetime | None = None,
        dry_run: bool = False,
    ) -> Archived:
        """Drop the single events of runs, and make the store's file smaller; all sums and prices stay what they are.

        What is gone is what needs single events: `energy_by_spike`, `export_run`, and the check of the roll-ups against
        them. The file is written anew, so that it takes as much free disk as the store will have; it takes the old
        one's place in one step.

        Parameters
        ----------
        runs : str, Run or sequence of them
            Selectors of runs (see `run`); a name is that of its newest run.
        older_than : str or datetime, optional
            Instead, all runs that came into the store longer ago than an age such as '30 days' or '30d', or before a
            moment such as '2026-01-31'.
        dry_run : bool
            Only say what would be dropped.

        Returns
        -------
        Archived
            The runs, how many events they had, and the size of the file before and after.

        Raises
        ------
        UsageError
            If no runs are named, or in both ways, or if the age cannot be meant.
        NotFoundError
            If there is no such run.
        StoreLockedError
            If this process has further connections to the store.
        StoreError
            If the store is read-only, or cannot be written anew; then it is as it was.

        Examples
        --------
        >>> from energy_db import EnergyStore
        >>> with EnergyStore(":memory:") as store:
        ...     run = store.ingest("examples/digits-sparse.parquet")
        ...     archived = store.archive([run])
        ...     print(archived.n_events, store.run(run.run_id).has_events)
        200500 False
        """
        from energy_db import archiving

        if bool(runs) == (older_than is not None):
            raise UsageError("name either runs or an age", "store.archive(['digits-sparse']), or older_than='30 days'.")
        named = [runs] if isinstance(runs, str | Run) else runs
        if not dry_run:
            self._refuse_read_only("archive")
        keys = (
            archiving.older_than(self._engine, older_than)
            if older_than is not None
            else [_key_of(self, run) for run in named]
        )
        return archiving.archive(self._engine, keys, dry_run)


def _key_of(store: KeptRuns, run: str | Run) -> int:
    return selectors.find(store._engine, run)
