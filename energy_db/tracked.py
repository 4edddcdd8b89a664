"""Runs over time: listed with their energies, grouped, followed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Literal

from energy_db.catalogue import ledger
from energy_db.compared import ComparedRuns

if TYPE_CHECKING:
    from energy_db.history.groups import GroupComparison
    from energy_db.history.rows import History
    from energy_db.history.trend import Trend
    from energy_db.runs import Run


class TrackedRuns(ComparedRuns):
    """Runs that can be listed with their energies, grouped over seeds, and followed over time."""

    def trend(
        self,
        metric: str = "energy",
        *,
        chip: str | None = None,
        name: str | None = None,
        by: Literal["layer"] | None = None,
        cost_version: str | None = None,
        as_recorded: bool = False,
        where: Sequence[str] = (),
        since: date | str | None = None,
        last: int | None = None,
        fdr: float = 0.01,
        least_change: float | None = None,
    ) -> Trend:
        """Follow a metric over the runs: where its level changed for good, and why (docs/trend.md).

        Runs stand in the order in which they ran: by `recorded_at` where it was declared, or else by when they came
        into the store. A run of which a part could not be priced is left out, and named with the reason.

        Parameters
        ----------
        metric : str
            'energy', 'energy_per_inference' or 'energy_per_spike' (in pJ), 'spikes', 'firing_rate' (spikes per neuron
            and timestep), or 'tag:NAME' for the number in a tag.
        chip : str, optional
            The chip; energies need one.
        name : str, optional
            Only runs of this name; by default all runs make one history.
        by : {'layer'}, optional
            A series for each layer; that of the whole runs is beside them, as `Trend.total`.
        cost_version : str, optional
            The cost set that prices all runs; by default the one in force today, so that a new price makes no step.
            What is no energy has none, unless a condition asks for energies.
        as_recorded : bool
            Price each run with the cost set that was in force when it came in, as was known then.
        where : sequence of str
            Conditions on fields and tags, such as 'branch=main' or 'accuracy>=0.9'.
        since : date or str, optional
            Only what ran since then: a day, a moment, or text such as '2 weeks ago'.
        last : int, optional
            Only so many of those that ran last.
        fdr : float
            Of the noisy series in which steps are found, the share that has none, at most; of a single series, the
            chance of finding any step in noise alone; 0.001 or more.
        least_change : float, optional
            The smallest step that is shown, as a share of the level before; by default 0.01, and 0 where nothing
            varies but at the step.

        Raises
        ------
        UsageError
            If there is no such metric, or an argument cannot be meant.
        NotFoundError
            If the chip, cost version, name or tag is not in the store, or no run has the metric.

        Examples
        --------
        >>> from energy_db import EnergyStore
        >>> with EnergyStore(":memory:") as store:
        ...     for run in ("baseline", "reseeded", "sparse"):
        ...         _ = store.ingest(f"examples/digits-{run}.parquet")
        ...     [total] = store.trend("spikes").series
        ...     print([point.value for point in total.points], total.note)
        [528507.0, 491925.0, 200500.0] too few runs to tell a step from chance: 3, and it takes 4 or more
        """
        from energy_db.history.following import follow
        from energy_db.history.question import Question

        return follow(
            self._engine,
            Question(metric, chip, name, by, cost_version, as_recorded, where, since, last, fdr, least_change),
        )

    def history(
        self,
        chip: str | None = None,
        *,
        cost_version: str | None = None,
        name: str | None = None,
        where: Sequence[str] = (),
        since: date | str | None = None,
        limit: int | None = None,
        sort: str | None = None,
        group_by: str | None = None,
        pareto: str | None = None,
        minimize: bool = False,
    ) -> History:
        """Return many runs at once, with their energies, the newest first.

        Parameters
        ----------
        chip : str, optional
            The chip to price them on; without one, no energies.
        cost_version : str, optional
            The cost set that prices them all; by default the one in force today.
        name : str, optional
            Only runs of this name.
        where : sequence of str, optional
            Only runs that meet all these conditions on their fields and tags, such as 'accuracy>=0.95',
            'branch=main', 'name~digits' or, where a chip is named, 'energy<1uJ'.
        since : date or str, optional
            Only runs that came into the store since then: a day, a moment, or text such as '2 weeks ago'.
        limit : int, optional
            At most so many runs: the first in the order that is asked for, of groups the newest.
        sort : str, optional
            A field, a tag, 'energy', 'per_inference', 'change' or 'share' to sort by, downwards with a minus before it
            or '-desc' behind it.
        group_by : str, optional
            A tag or field: the runs that share it form a group, with mean and standard deviation.
        pareto : str, optional
            A tag that is a number, such as 'accuracy': marks the runs that no other beats in both this and energy.
        minimize : bool
            Whether less of that tag is better.

        Raises
        ------
        UsageError
            If a condition, a moment or an order cannot be meant, or if a chip is missing.
        NotFoundError
            If the chip, the cost version or a tag is not in the store.

        Examples
        --------
        >>> from energy_db import EnergyStore
        >>> with EnergyStore(":memory:") as store:
        ...     for name in ("baseline", "reseeded", "sparse"):
        ...         run = store.ingest(f"examples/digits-{name}.parquet")
        ...     for row in store.history("loihi2", where=["accuracy>0.95"], sort="energy").rows:
        ...         print(row.run.name, row.energy_pj)
        digits-reseeded 826847.5
        digits-baseline 899253.2
        """
        from energy_db.history.listing import Question, history

        asked = Question(chip, cost_version, name, where, since, limit, sort, group_by, pareto, minimize)
        return history(self._engine, asked)

    def compare_groups(
        self,
        a: str | Sequence[str | Run],
        b: str | Sequence[str | Run],
        chip: str,
        *,
        cost_version: str | None = None,
        confidence: float = 0.95,
        where: Sequence[str] = (),
    ) -> GroupComparison:
        """Return how the energies of two groups of runs differ, such as those of two branches over five seeds each.

        The interval is Welch's: it does not take both groups to scatter alike (docs/method.md). Runs that may not be
        compared are compared all the same: `GroupComparison.comparable` says no, and `differs` why.

        Parameters
        ----------
        a, b : str or sequence of (str or Run)
            The groups: 'group:TAG=VALUE' for all runs that carry the tag, any other condition behind 'group:' (see
            `history`), or a list of runs.
        chip : str
            A chip of the catalogue, such as 'loihi2'.
        cost_version : str, optional
            The cost set that prices all runs; by default the one in force today.
        confidence : float
            How likely each interval shall hold the true difference.
        where : sequence of str, optional
            Conditions that the runs of named groups must meet beside, such as 'name=digits'.

        Raises
        ------
        NotComparableError
            If a group has less than two runs.
        NotFoundError
            If no run is in a group, or the chip, the cost version or a tag is not in the store.
        UsageError
            If a run is in both groups, or an argument cannot be meant.

        Examples
        --------
        >>> from energy_db import EnergyStore
        >>> with EnergyStore(":memory:") as store:
        ...     dense = [store.ingest(f"examples/digits-{name}.parquet") for name in ("baseline", "reseeded")]
        ...     sparse = [store.ingest("examples/digits-sparse.parquet")]
        ...     sparse += [store.ingest("examples/digits-sparse.parquet", name="faster", timestep_us=500)]
        ...     print(store.compare_groups(dense, sparse, "loihi2").why)
        -74.5 %, more than chance (p = 0.036): hidden1 -389.7 nJ, hidden2 -247.2 nJ
        """
        from energy_db.history.comparing_groups import compare_groups, group_of

        version = ledger.version_for(self._engine, chip, cost_version)
        group_a, group_b = (
            group_of(
                self._engine,
                group if isinstance(group, str) else [self._known(run) for run in group],
                where,
                chip=chip,
                cost_version=version,
            )
            for group in (a, b)
        )
        return compare_groups(self._engine, group_a, group_b, chip, version, confidence)
