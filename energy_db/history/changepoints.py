"""Steps in series: where a level changed for good, and how likely chance alone would show as much (docs/trend.md).

A series is split where the means of its two sides differ most (CUSUM), if few of its own random orders show as large
a difference; then each side is split in turn. Where there is no noise at all, no test is needed: any difference is
real. Several series are one family: of the series in which steps are found, the share that has none is controlled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from math import comb, sqrt
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from energy_db.history.noiseless import steps_without_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

FDR = 0.01
LEAST_CHANGE = 0.01
"""Of noisy series, as a share: what is smaller is seldom worth a person's time, however sure it is."""

_SEED = 20261123
# Random orders drawn at each stage; who is clearly a step, or clearly none, is not asked again. 99,999 in all: p can
# be 0.00001.
_STAGES = (199, 1_800, 18_000, 80_000)
# So many orders as extreme as the series itself tell its p to a tenth: if it has not passed by then, it will not.
_ENOUGH_EXTREME = 100
_BLOCK = 2**18
# A level needs two values: of one alone, noise or outlier, nobody can tell.
_LEAST_SIDE = 2
# Values beyond so many (robust) standard deviations count as being just there: one outlier makes no step.
_WIDEST = 4.0
_MAD_TO_SD = 1.4826
_FEWEST_TO_STAND_APART = 5

Evidence = Literal["exact", "permutation", "cut"]
_Span = tuple[int, int]


@dataclass(frozen=True)
class ChangePoint:
    """Where a level begins that differs from the one before.

    Attributes
    ----------
    index : int
        Position of the first value of the new level.
    before, after : float
        Both levels: the medians of the values from the last step to this one, and from this one to the next.
    p_value : float or None
        Share of random orders of the values that show a change as large; None if there was nothing to test.
    evidence : {'exact', 'permutation', 'cut'}
        Why it is one: neither side has any noise; a test; or somebody said so.
    """

    index: int
    before: float
    after: float
    p_value: float | None
    evidence: Evidence

    @property
    def share(self) -> float | None:
        """The change as a share of the level before; None if that is zero."""
        return (self.after - self.before) / abs(self.before) if self.before else None


@dataclass
class _Test:
    """One stretch of one series under test, and how many random orders were as extreme so far."""

    series: int
    span: _Span
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
        self.weights[(left < _LEAST_SIDE) | (size - left < _LEAST_SIDE)] = 0.0
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
    def p_value(self) -> float:
        """Share of orders that are as extreme, the series' own order among them."""
        return (1 + self.n_extreme) / (1 + self.n_drawn)

    def is_clearly_below(self, level: float) -> bool:
        """Whether more orders would hardly bring p above a level: three standard errors away, and some for the few."""
        return (self.n_extreme + 3 * (1 + sqrt(1 + self.n_extreme))) / (1 + self.n_drawn) <= level


def find_steps(
    series: Sequence[Sequence[float]],
    fdr: float = FDR,
    least_change: float | None = None,
    cuts: Sequence[Collection[int]] | None = None,
) -> list[tuple[ChangePoint, ...]]:
    """Return the steps of each series; the same in every order of the series, and every time.

    Parameters
    ----------
    series : sequence of sequence of float
        The values of each, in the order of time; finite numbers.
    fdr : float
        Of the noisy series in which steps are found, at most this share has none (Benjamini-Hochberg); of a single
        series, the chance of finding any in noise alone.
    least_change : float, optional
        Smallest change that is a step, as a share of the level before; by default 0.01 where there is noise, and 0
        where there is none.
    cuts : sequence of collection of int, optional
        For each series, positions at which a new level begins whatever the values are.
    """
    found: list[dict[int, tuple[float | None, Evidence]]] = [{} for _ in series]
    cuts = cuts or [()] * len(series)
    spans = [
        (number, span)
        for number, values in enumerate(series)
        for span in pairwise(sorted({0, len(values), *(cut for cut in cuts[number] if 0 < cut < len(values))}))
    ]
    for number, (start, _) in spans:
        if start:
            found[number][start] = (None, "cut")
    tests = _take_exact_and_prepare(series, spans, fdr, found)
    _permute(tests, fdr, is_family=True)
    level, splits = _benjamini_hochberg(tests, fdr)
    while splits:
        for test in splits:
            found[test.series][test.span[0] + test.split] = (test.p_value, "permutation")
        # Within a series that was chosen from a family, the level that chose it holds on (Benjamini & Bogomolov 2014).
        tests = _take_exact_and_prepare(series, [side for test in splits for side in _sides(test)], level, found)
        _permute(tests, level)
        splits = [test for test in tests if test.p_value <= level]
    return [_without_small(values, marks, least_change) for values, marks in zip(series, found, strict=True)]


def fewest_runs(fdr: float = FDR) -> int:
    """Return how many noisy values it takes at least: with fewer, too many orders are as extreme as the most extreme.

    >>> fewest_runs(0.01)
    10
    """
    size = 2 * _LEAST_SIDE
    while 2 / comb(size, size // 2) > fdr:
        size += 1
    return size


def needs_test(values: Sequence[float]) -> bool:
    """Whether there is noise in a series, so that only a test can tell a step from chance."""
    return steps_without_noise(values) is None


def levels(values: Sequence[float], steps: Sequence[ChangePoint]) -> list[float]:
    """Return for each value the level that it belongs to."""
    return [median(stretch) for stretch in _stretches(values, steps) for _ in stretch]


def standing_apart(values: Sequence[float], steps: Sequence[ChangePoint]) -> list[bool]:
    """Return for each value whether it lies far from its own level: an outlier, which makes no step."""
    apart = []
    for stretch in _stretches(values, steps):
        centre = median(stretch)
        spread = _MAD_TO_SD * median(abs(value - centre) for value in stretch)
        is_long = len(stretch) >= _FEWEST_TO_STAND_APART
        apart += [is_long and abs(value - centre) > _WIDEST * spread for value in stretch]
    return apart


def _stretches(values: Sequence[float], steps: Sequence[ChangePoint]) -> list[Sequence[float]]:
    edges = (0, *(step.index for step in steps), len(values))
    return [values[start:stop] for start, stop in pairwise(edges)]


def _sides(test: _Test) -> tuple[tuple[int, _Span], tuple[int, _Span]]:
    (start, stop), middle = test.span, test.span[0] + test.split
    return (test.series, (start, middle)), (test.series, (middle, stop))


def _take_exact_and_prepare(
    series: Sequence[Sequence[float]],
    spans: Sequence[tuple[int, _Span]],
    level: float,
    found: list[dict[int, tuple[float | None, Evidence]]],
) -> list[_Test]:
    """Note the steps of stretches without noise, and return the tests of those that have noise and are long enough."""
    tests = []
    for number, (start, stop) in spans:
        stretch = series[number][start:stop]
        exact = steps_without_noise(stretch)
        if exact is not None:
            found[number] |= {start + index: (None, "exact") for index in exact}
        elif len(stretch) >= fewest_runs(level):
            tests.append(_Test(number, (start, stop), _scores(stretch)))
    return tests


def _scores(values: Sequence[float]) -> NDArray[Any]:
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


def _permute(tests: Sequence[_Test], level: float, is_family: bool = False) -> None:
    """Draw random orders until every test is clearly no step, or clearly below the level that it has to reach.

    In a family, that level is the lower the fewer of the tests can still reach it.
    """
    undecided = list(tests)
    for stage, size in enumerate(_STAGES):
        for n_values, alike in groupby(sorted(undecided, key=_length), _length):
            same_length = list(alike)
            for orders in _orders(n_values, stage, size):
                for test in same_length:
                    test.draw(orders)
        hopeful = [test for test in tests if test.n_extreme < _ENOUGH_EXTREME]
        needed = level * len(hopeful) / len(tests) if is_family and tests else level
        undecided = [test for test in hopeful if not test.is_clearly_below(needed)]


def _length(test: _Test) -> int:
    return len(test.scores)


def _orders(n_values: int, stage: int, size: int) -> Iterator[NDArray[Any]]:
    """Yield random orders of so many values; the same ones for every series of that length."""
    import numpy

    random = numpy.random.default_rng([_SEED, n_values, stage])
    at_once = max(1, _BLOCK // n_values)
    for first in range(0, size, at_once):
        in_order = numpy.tile(numpy.arange(n_values), (min(at_once, size - first), 1))
        yield random.permuted(in_order, axis=1)


def _benjamini_hochberg(tests: Sequence[_Test], fdr: float) -> tuple[float, list[_Test]]:
    """Return the level that chooses, and the tests that it chooses."""
    ranked = sorted(test.p_value for test in tests)
    passing = [rank for rank, p_value in enumerate(ranked, 1) if p_value <= fdr * rank / len(ranked)]
    if not passing:
        return 0.0, []
    level = fdr * passing[-1] / len(ranked)
    return level, [test for test in tests if test.p_value <= level]


def _without_small(
    values: Sequence[float], marks: dict[int, tuple[float | None, Evidence]], least_change: float | None
) -> tuple[ChangePoint, ...]:
    """Return the change points, after the smallest ones are taken out until each is as large as is asked for."""
    while marks:
        edges = (0, *sorted(marks), len(values))
        levels = [median(values[start:stop]) for start, stop in pairwise(edges)]
        steps = [
            ChangePoint(index, before, after, *marks[index])
            for index, (before, after) in zip(edges[1:-1], pairwise(levels), strict=True)
        ]
        small = [step for step in steps if _is_small(step, least_change)]
        if not small:
            return tuple(steps)
        del marks[min(small, key=lambda step: abs(step.share or 0.0)).index]
    return ()


def _is_small(step: ChangePoint, least_change: float | None) -> bool:
    if step.evidence == "cut":
        return False
    if least_change is None:
        least_change = 0.0 if step.evidence == "exact" else LEAST_CHANGE
    return step.after == step.before or (step.share is not None and abs(step.share) < least_change)
