"""What a number is over several runs: how many, their mean, and how far they scatter."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

FEWEST_TO_SCATTER = 2


@dataclass(frozen=True)
class Spread:
    """A number over several runs.

    Attributes
    ----------
    n : int
        How many runs it is known of.
    mean, least, most : float
        Its mean, and its ends.
    sd : float or None
        Its standard deviation, estimated from a sample (the sum of squares over n - 1); None of a single run.
    """

    n: int
    mean: float
    sd: float | None
    least: float
    most: float

    @property
    def variance_of_mean(self) -> float | None:
        """How far the mean itself would scatter: the squared standard error; None of a single run."""
        return None if self.sd is None else self.sd**2 / self.n


def spread_of(values: Sequence[float | None]) -> Spread | None:
    """Return the spread of the values that are known; None if none is.

    >>> spread_of([2.0, 4.0, 4.0, 6.0, None])
    Spread(n=4, mean=4.0, sd=1.632993161855452, least=2.0, most=6.0)
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    sd = statistics.stdev(known) if len(known) >= FEWEST_TO_SCATTER else None
    return Spread(len(known), statistics.mean(known), sd, min(known), max(known))
