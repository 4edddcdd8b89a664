"""Runs that can be asked what they cost: those of a store, or the one of a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Self

from energy_db import runs, selectors
from energy_db.catalogue import ledger
from energy_db.engines.duckdb import Engine
from energy_db.errors import UsageError
from energy_db.reports import pricing
from energy_db.reports.report import Report
from energy_db.runs import Run

if TYPE_CHECKING:
    from energy_db.reports.ranking import Ranking
    from energy_db.reports.recost import Recost


class PricedRuns:
    """Runs beside a cost catalogue; `EnergyStore` keeps them, `FileReports` looks at one.

    Parameters
    ----------
    engine : Engine
        Where they are.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store; what was ingested is on disk."""
        self._engine.close()

    def run(self, selector: str | Run) -> Run:
        """Return the run that a selector names.

        Parameters
        ----------
        selector : str or Run
            A run id or its first 6 characters or more, a name (the newest run of that name), `latest`, `latest~1`,
            `@tag` or `@tag=value`.

        Raises
        ------
        NotFoundError
            If no run, or more than one, is meant.
        """
        return selectors.load(self._engine, selector)

    def report(
        self, run: str | Run, chip: str, *, cost_version: str | None = None, as_of: date | str | None = None
    ) -> Report:
        """Return what a run costs on a chip.

        Parameters
        ----------
        run : str or Run
            The run, or a selector of one (see `run`).
        chip : str
            A chip of the catalogue, such as 'loihi2'.
        cost_version : str, optional
            The cost set to price with; by default the one in force today.
        as_of : date or str, optional
            Price with the one that was in force on this day, as was known then.

        Raises
        ------
        NotFoundError
            If the run, chip or cost version is not in the store.
        UsageError
            If both a version and a day are given.

        Examples
        --------
        >>> from energy_db import EnergyStore
        >>> with EnergyStore(":memory:") as store:
        ...     run = store.ingest("examples/digits-baseline.parquet")
        ...     print(store.report(run, "loihi2").why)
        hidden1 accounts for 45.9 % of the energy; its neuron 115 fires 4.1 times its layer's mean
        """
        _one_way_to_choose(cost_version, as_of)
        version = ledger.version_for(self._engine, chip, cost_version, as_of)
        return pricing.build(self._engine, self._known(run), chip, version)

    def chips(self, run: str | Run, *, cost_version: str | None = None, as_of: date | str | None = None) -> Ranking:
        """Return what a run costs on every chip, ranked among those whose costs include the same.

        Parameters
        ----------
        run : str or Run
            The run, or a selector of one (see `run`).
        cost_version : str, optional
            The cost set, on every chip that has one of this name; by default those in force today.
        as_of : date or str, optional
            Price with those that were in force on this day, as was known then.

        Raises
        ------
        NotFoundError
            If the run is not in the store, or no chip has such a version.
        """
        _one_way_to_choose(cost_version, as_of)
        from energy_db.reports.ranking import rank

        return rank(self._engine, self._known(run), cost_version, as_of)

    def recost(
        self,
        cost_version: str,
        *,
        runs: Sequence[str | Run] | None = None,
        chip: str | None = None,
        against: str | None = None,
    ) -> Recost:
        """Price the history under another cost version; nothing is written.

        Parameters
        ----------
        cost_version : str
            The cost set.
        runs : sequence of str or Run, optional
            The runs; by default all of them.
        chip : str, optional
            Only this chip; by default every chip that has the version.
        against : str, optional
            The cost set to hold it against; by default the one in force on each chip today.

        Raises
        ------
        NotFoundError
            If a run, the chip or a version is not in the store.

        Examples
        --------
        >>> from energy_db import EnergyStore
        >>> with EnergyStore(":memory:") as store:
        ...     run = store.ingest("examples/digits-baseline.parquet")
        ...     [row] = store.recost("sc_neurocore_3_16_0", chip="akida").rows
        ...     print(row.before_version, "->", row.after_version, row.layers_before[0], "->", row.layers_after[0])
        tutorial72 -> sc_neurocore_3_16_0 hidden1 -> hidden2
        """
        from energy_db.reports.recost import recost

        if runs is None:
            ids = [row[0] for row in self._engine.rows("SELECT run_id FROM runs ORDER BY ingested_at, run_key")]
        else:
            ids = [self._known(run).run_id for run in runs]
        return recost(self._engine, list(dict.fromkeys(ids)), cost_version, against, chip)

    def _known(self, run: str | Run) -> Run:
        """Return a run of this store; one that the store itself handed out need not be read again."""
        if isinstance(run, Run) and runs.is_stored(self._engine, run):
            return run
        return self.run(run)


def _one_way_to_choose(cost_version: str | None, as_of: date | str | None) -> None:
    if cost_version is not None and as_of is not None:
        raise UsageError(
            "both a cost version and a day are given", "A version is the same on every day: leave one out."
        )
