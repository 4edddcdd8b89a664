"""A metric over the history of runs, where its level changed, and why; made by `EnergyStore.trend`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from energy_db.comparisons.rows import Effects
    from energy_db.history.question import Question

SCHEMA = "energy-db/trend/1"

Kind = Literal["total", "layer", "rest"]
Followed = tuple[Kind, str | None]
"""What a series is of: its kind, and the layer if it is one. A layer may be called like anything."""

WHOLE: Followed = ("total", None)
REST: Followed = ("rest", None)


def of_layer(layer: str | None) -> Followed:
    """Return what the series of a layer is of; without a layer, what is charged once for a run."""
    return REST if layer is None else ("layer", layer)


def name_of(followed: Followed) -> str:
    """Return what a series is called on a page."""
    kind, layer = followed
    return "total" if kind == "total" else "(no layer)" if layer is None else layer


@dataclass(frozen=True)
class TrendPoint:
    """One run in a series.

    Attributes
    ----------
    run_id, run_name : str
        The run.
    ran_at : datetime
        When it ran, if that was declared, or else when it came in, in UTC: the order of the history.
    ingested_at : datetime
        When it came in, in UTC.
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
    ran_at: datetime
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
class LayerPart:
    """What a layer makes of a step of the whole run.

    Attributes
    ----------
    layer : str or None
        The layer; None for what is charged once for a run.
    change : float
        Its change between the two runs that are compared, in the unit of the trend.
    share : float or None
        That as a share of the change of the whole; None if that is zero.
    """

    layer: str | None
    change: float
    share: float | None


@dataclass(frozen=True)
class Step:
    """Where a lasting change of the level began.

    Attributes
    ----------
    run_id, run_name : str
        The first run of the new level.
    ran_at, ingested_at : datetime
        When it ran, if that was declared, or else when it came in; and when it came in; in UTC.
    previous_run_id : str
        The last run of the level before.
    typical_before_id, typical_after_id : str
        Two runs near the step that are typical of both levels: those of which `why` speaks.
    index : int
        Position of the first run among the points of its series.
    before, after, change : float
        Both levels, and the second less the first, in the unit of the trend.
    share : float or None
        The change as a share of the level before; None if that is zero.
    p_value : float or None
        Share of random orders of the runs that show a change as large; None if there was nothing to test.
    evidence : {'exact', 'permutation', 'accepted'}
        Why it is a step: the history has no noise; a test; or the level was accepted, and is plain to see.
    n_runs : int
        How many runs it lasted, or has lasted so far.
    cost_version_before, cost_version_after : str or None
        The cost sets that price the runs on both sides; None if the metric is no energy.
    why : str or None
        What changed between the two typical runs, in one sentence; None if the metric is no energy, or if the trend has
        many newer steps.
    effects : Effects or None
        What their change in energy is made of, in pJ, of the whole run or of the layer; None as for `why`.
    comparable : bool or None
        Whether their energies may be held against each other; None as for `why`.
    accepted : Blessing or None
        The blessing of a run at this level; None if nobody accepted it.
    layers : tuple of LayerPart
        Of a step of the whole run in a trend by layer, what each layer makes of it, the largest part first.
    """

    run_id: str
    run_name: str
    ran_at: datetime
    ingested_at: datetime
    previous_run_id: str
    typical_before_id: str
    typical_after_id: str
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
    layers: tuple[LayerPart, ...] = ()

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
    kind : {'total', 'layer', 'rest'}
        What it is of: the whole runs, a layer, or what is charged once for a run.
    layer : str or None
        The layer; None if it is of none.
    points : tuple of TrendPoint
        The runs, the oldest first.
    steps : tuple of Step
        Where its level changed.
    note : str or None
        Why no step could be told; None if steps could be looked for.
    """

    name: str
    kind: Kind
    layer: str | None
    points: tuple[TrendPoint, ...]
    steps: tuple[Step, ...]
    note: str | None

    def is_meant_by(self, blessing: Blessing) -> bool:
        """Whether an accepted level is one of this series: of the whole run, or of the layer."""
        return self.kind != "rest" and self.layer == blessing.layer


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
    total : Series or None
        In a trend by layer, that of the whole runs beside them.
    blessings : tuple of Blessing
        The accepted levels among the runs, the oldest run first.
    left_out : tuple of LeftOut
        The runs that are not shown, and why.
    warnings : tuple of str
        How far not to trust it.
    costs : tuple of mapping
        The cost sets that price the runs, each with its source, as its row of cost_versions.
    question : Question
        All that was asked for.
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
    total: Series | None
    blessings: tuple[Blessing, ...]
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]
    costs: tuple[Mapping[str, Any], ...]
    question: Question

    @property
    def steps(self) -> tuple[tuple[Series, Step], ...]:
        """Every step of every series, the newest first."""
        found = [(series, step) for series in self.series for step in series.steps]
        return tuple(sorted(found, key=lambda pair: pair[1].ran_at, reverse=True))

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each run of each series, as CSV and Parquet hold them."""
        return list(self._rows())

    def _rows(self) -> Iterator[dict[str, Any]]:
        for series in self.series:
            blessed = {blessing.run_id for blessing in self.blessings if series.is_meant_by(blessing)}
            begins = {step.index for step in series.steps}
            for index, point in enumerate(series.points):
                yield {
                    "series": series.name,
                    **asdict(point),
                    "begins_step": index in begins,
                    "is_blessed": point.run_id in blessed,
                }

    def to_dict(self) -> dict[str, Any]:
        """Return the trend as plain values, as `trend --json` prints it."""
        plain = {"schema": SCHEMA, **asdict(self)}
        every, plain_ones = list(self.series), list(plain["series"])
        if self.total is not None:
            every.append(self.total)
            plain_ones.append(plain["total"])
        for series, shown in zip(every, plain_ones, strict=True):
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
