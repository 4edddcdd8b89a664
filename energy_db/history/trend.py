"""A metric over the history of runs, where its level changed, and why; made by `EnergyStore.trend`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from os import PathLike
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from energy_db.comparisons.rows import Effects

SCHEMA = "energy-db/trend/1"
TOTAL, NO_LAYER = "total", "(no layer)"


@dataclass(frozen=True)
class TrendPoint:
    """One run in a series.

    Attributes
    ----------
    run_id, run_name : str
        The run.
    ingested_at : datetime
        When it came in, in UTC: the order of the history.
    value : float
        The metric, in the unit of the trend.
    level : float
        The median of the runs between the same two steps.
    stands_apart : bool
        Whether the run lies far from that level: an outlier, which makes no step.
    cost_version : str or None
        The cost set that prices it; None if the metric is no energy.
    """

    run_id: str
    run_name: str
    ingested_at: datetime
    value: float
    level: float
    stands_apart: bool
    cost_version: str | None


@dataclass(frozen=True)
class Blessing:
    """A level that somebody accepted.

    Attributes
    ----------
    run_id : str
        The run whose level it is.
    layer : str or None
        The only layer that is meant; None for the whole run.
    reason : str
        Why it was accepted.
    blessed_at : datetime
        When, in UTC.
    blessed_by : str or None
        Who did; None if nobody said.
    """

    run_id: str
    layer: str | None
    reason: str
    blessed_at: datetime
    blessed_by: str | None


@dataclass(frozen=True)
class Step:
    """Where a lasting change of the level began.

    Attributes
    ----------
    run_id, run_name : str
        The first run of the new level.
    ingested_at : datetime
        When it came in, in UTC.
    previous_run_id : str
        The last run of the level before.
    index : int
        Position of the first run among the points of its series.
    before, after, change : float
        Both levels, and the second less the first, in the unit of the trend.
    share : float or None
        The change as a share of the level before; None if that is zero.
    p_value : float or None
        Share of random orders of the runs that show a change as large; None if there was nothing to test.
    evidence : {'exact', 'permutation', 'cut'}
        Why it is a step: neither side varies at all; a test; or the level was accepted.
    n_runs : int
        How many runs it has lasted.
    cost_version_before, cost_version_after : str or None
        The cost sets that price the runs on both sides; None if the metric is no energy.
    why : str or None
        What changed between those two runs, in one sentence; None if the metric is no energy.
    effects : Effects or None
        What their change in energy is made of, in pJ, of the whole run or of the layer.
    comparable : bool or None
        Whether their energies may be held against each other; None if the metric is no energy.
    accepted : Blessing or None
        The blessing of a run at this level; None if nobody accepted it.
    """

    run_id: str
    run_name: str
    ingested_at: datetime
    previous_run_id: str
    index: int
    before: float
    after: float
    change: float
    share: float | None
    p_value: float | None
    evidence: str
    n_runs: int
    cost_version_before: str | None
    cost_version_after: str | None
    why: str | None
    effects: Effects | None
    comparable: bool | None
    accepted: Blessing | None

    @property
    def is_of_costs(self) -> bool:
        """Whether most of what moved is a change of the cost set, not of the network."""
        if self.effects is None or self.cost_version_before == self.cost_version_after:
            return False
        moved: float = sum(abs(effect) for effect in vars(self.effects).values())
        return 2 * abs(self.effects.cost) > moved


@dataclass(frozen=True)
class Series:
    """The metric of the whole runs, or of one layer, over the history.

    Attributes
    ----------
    name : str
        'total', the layer, or '(no layer)' for what is charged once for a run.
    points : tuple of TrendPoint
        The runs, the oldest first.
    steps : tuple of Step
        Where its level changed.
    note : str or None
        Why no step could be told; None if steps could be looked for.
    """

    name: str
    points: tuple[TrendPoint, ...]
    steps: tuple[Step, ...]
    note: str | None


@dataclass(frozen=True)
class LeftOut:
    """A run that is not in the trend: the run, and why."""

    run_id: str
    run_name: str
    reason: str


@dataclass(frozen=True)
class Trend:
    """A metric over the history of runs, where its level changed, and why; made by `EnergyStore.trend`.

    Attributes
    ----------
    metric, unit : str
        What is followed, and its unit; empty for a tag.
    chip : str or None
        The chip that prices the runs; None if the metric is no energy.
    cost_version : str or None
        The cost set that prices all of them; None if each is priced as it was recorded, or the metric is no energy.
    as_recorded : bool
        Whether each run is priced with the cost set that was in force when it came in.
    by : str or None
        'layer' if there is a series for each layer.
    name : str or None
        The only name of runs that was asked for.
    n_runs : int
        How many runs were asked for; some may be left out.
    fdr, least_change : float
        Of the noisy series in which steps are found, the share that has none; and the smallest change that is shown, as
        a share. None for the usual one.
    series : tuple of Series
        One for the whole runs, or one for each layer in the order of the newest network.
    blessings : tuple of Blessing
        The accepted levels among the runs, the oldest run first.
    left_out : tuple of LeftOut
        The runs that are not shown, and why.
    warnings : tuple of str
        How far not to trust it.
    costs : tuple of mapping
        The cost sets that price the runs, each with its source, as its row of cost_versions.
    """

    metric: str
    unit: str
    chip: str | None
    cost_version: str | None
    as_recorded: bool
    by: str | None
    name: str | None
    n_runs: int
    fdr: float
    least_change: float | None
    series: tuple[Series, ...]
    blessings: tuple[Blessing, ...]
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]
    costs: tuple[Mapping[str, Any], ...]

    @property
    def steps(self) -> tuple[tuple[Series, Step], ...]:
        """Every step of every series, the newest first."""
        found = [(series, step) for series in self.series for step in series.steps]
        return tuple(sorted(found, key=lambda pair: pair[1].ingested_at, reverse=True))

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each run of each series, as CSV and Parquet hold them."""
        return list(self._rows())

    def _rows(self) -> Iterator[dict[str, Any]]:
        blessed = Counter((blessing.run_id, blessing.layer) for blessing in self.blessings)
        for series in self.series:
            begins = {step.index for step in series.steps}
            for index, point in enumerate(series.points):
                is_blessed = any((point.run_id, layer) in blessed for layer in (None, series.name))
                yield {
                    "series": series.name,
                    **asdict(point),
                    "begins_step": index in begins,
                    "is_blessed": is_blessed,
                }

    def to_dict(self) -> dict[str, Any]:
        """Return the trend as plain values, as `trend --json` prints it."""
        plain = {"schema": SCHEMA, **asdict(self)}
        for series, shown in zip(self.series, plain["series"], strict=True):
            for step, row in zip(series.steps, shown["steps"], strict=True):
                row["is_of_costs"] = step.is_of_costs
        return plain

    def to_html(self) -> str:
        """Return the trend as a page to look at: one HTML file that fetches nothing; needs the extra `plot`.

        Raises
        ------
        MissingExtraError
            If the extra is not installed.
        """
        from energy_db.pages.trend_page import trend_page

        return trend_page(self)

    def plot(self, path: str | PathLike[str]) -> None:
        """Draw the history with its steps into a file, SVG or PNG by its suffix; needs the extra `plot`.

        Parameters
        ----------
        path : path-like
            The file.

        Raises
        ------
        MissingExtraError
            If the extra is not installed.
        """
        from energy_db.pages.trend_page import plot_trend

        plot_trend(self, path)

    def _repr_html_(self) -> str:
        from energy_db.history import trend_text

        return trend_text.html(self)
