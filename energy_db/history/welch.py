"""The difference of two means, and how sure it is: Welch's test, which does not take both to scatter alike.

B. L. Welch, "The generalization of 'Student's' problem when several different population variances are involved",
Biometrika 34 (1947), 28-35.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from energy_db.history import student
from energy_db.history.spread import FEWEST_TO_SCATTER, Spread, spread_of


@dataclass(frozen=True)
class Difference:
    """A number in two groups of runs, and by how much its means differ.

    Attributes
    ----------
    a, b : Spread
        The number over the runs of both groups.
    change : float
        The second mean less the first.
    low, high : float
        The interval that holds the true difference with the confidence that was asked for.
    p_value : float
        How likely a difference as large is by chance, if there is none.
    degrees : float or None
        Degrees of freedom; None if neither group scatters: then the difference is exact, and no matter of chance.
    """

    a: Spread
    b: Spread
    change: float
    low: float
    high: float
    p_value: float
    degrees: float | None

    @property
    def change_share(self) -> float | None:
        """The change as a share of the first mean; None if that is zero."""
        return self.change / self.a.mean if self.a.mean else None

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def difference(a: Sequence[float | None], b: Sequence[float | None], confidence: float) -> Difference | None:
    """Return how a number differs between two groups; None if it is known of less than two runs of either.

    Parameters
    ----------
    a, b : sequence of float or None
        The number of each run of the first and the second group.
    confidence : float
        How likely the interval shall hold the true difference, between 0 and 1.

    >>> found = difference([27.5, 21.0, 19.0, 23.6], [17.0, 15.6, 21.1], 0.95)
    >>> round(found.change, 3), round(found.degrees, 2)
    (-4.875, 4.95)
    """
    spread_a, spread_b = spread_of(a), spread_of(b)
    if spread_a is None or spread_b is None or min(spread_a.n, spread_b.n) < FEWEST_TO_SCATTER:
        return None
    change = spread_b.mean - spread_a.mean
    part_a, part_b = (spread.variance_of_mean or 0.0 for spread in (spread_a, spread_b))
    squared_error = part_a + part_b
    if squared_error == 0:
        return Difference(spread_a, spread_b, change, change, change, 0.0 if change else 1.0, None)
    # As shares of the whole, which neither overflow nor vanish when squared.
    share_a, share_b = part_a / squared_error, part_b / squared_error
    degrees = 1 / (share_a**2 / (spread_a.n - 1) + share_b**2 / (spread_b.n - 1))
    error = squared_error**0.5
    margin = student.quantile(confidence, degrees) * error
    p_value = student.two_sided_p(change / error, degrees)
    return Difference(spread_a, spread_b, change, change - margin, change + margin, p_value, degrees)
