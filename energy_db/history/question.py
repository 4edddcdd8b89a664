"""What a trend is asked for, and whether it can be meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from energy_db.errors import UsageError
from energy_db.history import changepoints, filters, metrics, permuting
from energy_db.history.metrics import Metric


@dataclass(frozen=True)
class Question:
    """What a trend is asked for; see `EnergyStore.trend`."""

    metric: str = "energy"
    chip: str | None = None
    name: str | None = None
    by: str | None = None
    cost_version: str | None = None
    as_recorded: bool = False
    where: Sequence[str] = ()
    since: date | str | None = None
    last: int | None = None
    fdr: float = changepoints.FDR
    least_change: float | None = None

    @property
    def asks_for_energy(self) -> bool:
        """Whether a condition is on the energy of the runs, whatever is followed."""
        conditions = () if isinstance(self.where, str) else self.where
        return any(filters.read_condition(text).name == filters.ENERGY for text in conditions)

    def check(self) -> Metric:
        """Return the metric that is meant.

        Raises
        ------
        UsageError
            If two answers contradict each other, or one is out of range.
        """
        metric = metrics.named(self.metric)
        if self.by not in (None, "layer"):
            raise UsageError(f"by is {self.by!r}, must be 'layer' or None")
        if self.by and metric.tag is not None:
            raise UsageError(f"{self.metric} belongs to whole runs, not to layers", "Leave by='layer' (--by) out.")
        if metric.is_energy and self.chip is None:
            raise UsageError(f"{self.metric} takes a chip", "Name it: --chip loihi2")
        if self.as_recorded and self.cost_version is not None:
            raise UsageError(
                "both a cost version and as_recorded are given",
                "One version prices all runs, or each its own: leave one out.",
            )
        if not metric.is_energy and (self.as_recorded or self.cost_version is not None) and not self.asks_for_energy:
            raise UsageError(f"{self.metric} has no costs", "Leave the cost version (--cost) out.")
        if not permuting.FINEST <= self.fdr < 1:
            raise UsageError(
                f"fdr is {self.fdr!r}, must be {permuting.FINEST} or more, and less than 1", "The usual one is 0.01."
            )
        if self.least_change is not None and not self.least_change >= 0:
            raise UsageError(f"least_change is {self.least_change!r}, must be a share of 0 or more")
        if self.last is not None and self.last < 1:
            raise UsageError(f"last is {self.last}, must be 1 or more")
        return metric
