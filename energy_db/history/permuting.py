"""How many random orders of a series look as much like a step as the series itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import comb, sqrt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_SIDE = 2
"""A level needs two values: of one alone, noise or outlier, nobody can tell."""

FINEST = 0.001
"""The smallest share that may be asked for: p is told no finer."""

_SEED = 20261123
# Random orders drawn at each stage; whose p is known well enough is not asked again. 99,999 in all: p can be 0.00001.
_STAGES = (199, 1_800, 18_000, 80_000)
# Well enough is: clearly below this, or more clearly the fewer of a family can still be steps. It is not what is asked
# for, so that p does not depend on that.
_CLEARLY_BELOW = 0.003
# So many orders as extreme as the series itself tell its p to a tenth: if it has not passed by then, it will not.
_ENOUGH_EXTREME = 100
_BLOCK = 2**18
# Values beyond so many (robust) standard deviations count as being just there: one outlier makes no step.
_WIDEST = 4.0
_MAD_TO_SD = 1.4826


@dataclass
class OrderTest:
    """One stretch of one series under test, and how many random orders were as extreme so far."""

    series: int
    span: tuple[int, int]
    scores: NDArray[Any]
    split: int = 0
    observed: float = 0.0
    n_extreme: int = 0
    n_drawn: int = 0
    weights: NDArray[Any] = field(init=False)

    def __post_init__(self) -> None:
        import numpy

        size = len(self.scores)
        left = numpy.arange(1, size)
        self.weights = numpy.sqrt(size / (left * (size - left)))
        self.weights[(left < LEAST_SIDE) | (size - left < LEAST_SIDE)] = 0.0
        sums = self._sums(self.scores)
        self.split = int(sums.argmax()) + 1
        # Orders that are the same but for rounding are as extreme, not less.
        self.observed = float(sums.max()) * (1 - 1e-9)

    def _sums(self, ordered: NDArray[Any]) -> NDArray[Any]:
        """Return the difference between both sides' means at every split, scaled so that chance favours none."""
        import numpy

        sums = numpy.cumsum(ordered, axis=-1)[..., :-1]
        numpy.abs(sums, out=sums)
        sums *= self.weights
        return sums

    def draw(self, orders: NDArray[Any]) -> None:
        """Count how many of these orders are as extreme."""
        self.n_extreme += int((self._sums(self.scores[orders]).max(axis=1) >= self.observed).sum())
        self.n_drawn += len(orders)

    @property
    def least_p(self) -> float:
        """Share of the orders that are as extreme for sure: those that mix neither side, either way round."""
        return 2 / comb(len(self.scores), self.split)

    @property
    def p_value(self) -> float:
        """Share of orders that are as extreme, the series' own order among them."""
        return max((1 + self.n_extreme) / (1 + self.n_drawn), self.least_p)

    @property
    def has_sides_apart(self) -> bool:
        """Whether all values of one side lie above all of the other, so that no order looks more like a step."""
        before, after = self.scores[: self.split], self.scores[self.split :]
        return bool(before.max() < after.min() or after.max() < before.min())

    def is_clearly_below(self, level: float) -> bool:
        """Whether more orders would hardly bring p above a level: three standard errors away, and some for the few."""
        return (self.n_extreme + 3 * (1 + sqrt(1 + self.n_extreme))) / (1 + self.n_drawn) <= level


def scores_of(values: Sequence[float]) -> NDArray[Any]:
    """Return the values with outliers drawn in, around their mean."""
    import numpy

    scores = numpy.asarray(values, dtype=float)
    # The largest numbers that there are must not become infinite.
    scores = scores / abs(scores).max()
    # Noise is taken from neighbours: a step in the middle would make the spread around the median as wide as itself.
    noise = _MAD_TO_SD * float(numpy.median(abs(numpy.diff(scores)))) / sqrt(2)
    if noise > 0:
        centre = float(numpy.median(scores))
        scores = numpy.clip(scores, centre - _WIDEST * noise, centre + _WIDEST * noise)
    centred: NDArray[Any] = scores - scores.mean()
    return centred


def permute(tests: Sequence[OrderTest], share: float | None = None) -> None:
    """Draw random orders until every p is known well enough.

    How well that is depends on the share of a family that can be steps: the one that was chosen, or else what is left.
    """
    undecided = list(tests)
    for stage, size in enumerate(_STAGES):
        for n_values, alike in groupby(sorted(undecided, key=_length), _length):
            same_length = list(alike)
            for orders in _orders(n_values, stage, size):
                for test in same_length:
                    test.draw(orders)
        hopeful = [test for test in tests if test.n_extreme < _ENOUGH_EXTREME]
        needed = _CLEARLY_BELOW * (share or len(hopeful) / max(1, len(tests)))
        undecided = [test for test in hopeful if not test.is_clearly_below(needed)]


def _length(test: OrderTest) -> int:
    return len(test.scores)


def _orders(n_values: int, stage: int, size: int) -> Iterator[NDArray[Any]]:
    """Yield random orders of so many values; the same ones for every series of that length."""
    import numpy

    random = numpy.random.default_rng([_SEED, n_values, stage])
    at_once = max(1, _BLOCK // n_values)
    for first in range(0, size, at_once):
        in_order = numpy.tile(numpy.arange(n_values), (min(at_once, size - first), 1))
        yield random.permuted(in_order, axis=1)
