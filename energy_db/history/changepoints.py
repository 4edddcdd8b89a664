"""Steps in series: where a level changed for good, and how likely chance alone would show as much (docs/trend.md).

A series is split where the means of its two sides differ most (CUSUM), if few of its own random orders show as large
a difference; then each side is split in turn. Where no series has any noise, no test is needed: any difference is
real. Several series are one family: of the series in which steps are found, the share that has none is controlled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import comb
from statistics import median
from typing import Literal

from energy_db.history.levels import far_off
from energy_db.history.noiseless import are_noiseless, steps_without_noise
from energy_db.history.permuting import LEAST_SIDE, OrderTest, permute, scores_of

FDR = 0.01
LEAST_CHANGE = 0.01
"""Of noisy series, as a share: what is smaller is seldom worth a person's time, however sure it is."""


Evidence = Literal["exact", "permutation", "accepted"]
Mark = tuple[float | None, Evidence]
_Span = tuple[int, int]
_CERTAIN: Mark = (None, "exact")


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
    evidence : {'exact', 'permutation', 'accepted'}
        Why it is one: there is no noise; a test; or somebody accepted the level, and it is plain to see.
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


@dataclass(frozen=True)
class TooFew:
    """Why a series shows no step, however clear it looks: no test could tell one in so few values.

    Attributes
    ----------
    n_values, n_apart : int
        How many values there are, and how many of them stand on the shorter side of the place most like a step.
    least_p, needed_p : float
        The least p that is possible there, and the one that it takes.
    n_tests : int
        How many series are tested together.
    enough_fdr : float
        The `fdr` at which the least p is enough.
    """

    n_values: int
    n_apart: int
    least_p: float
    needed_p: float
    n_tests: int
    enough_fdr: float


@dataclass(frozen=True)
class Finding:
    """The steps of a series, and why there can be none; None if there could be."""

    steps: tuple[ChangePoint, ...]
    too_few: TooFew | None = None


def find_steps(
    series: Sequence[Sequence[float]], fdr: float = FDR, least_change: float | None = None
) -> list[tuple[ChangePoint, ...]]:
    """Return the steps of each series; see `search`."""
    return [found.steps for found in search(series, fdr, least_change)]


def search(
    series: Sequence[Sequence[float]],
    fdr: float = FDR,
    least_change: float | None = None,
    is_noiseless: bool | None = None,
) -> list[Finding]:
    """Look for the steps of each series; they are the same in every order of the series, and every time.

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
    is_noiseless : bool, optional
        Whether no series has noise, so that any change is a step; by default as the series look (`are_noiseless`).
    """
    if are_noiseless(series) if is_noiseless is None else is_noiseless:
        certain = [dict.fromkeys(steps_without_noise(values) or (), _CERTAIN) for values in series]
        return [
            Finding(_without_small(values, marks, least_change)) for values, marks in zip(series, certain, strict=True)
        ]
    found: list[dict[int, Mark]] = [{} for _ in series]
    tests = _tests(series, [(number, (0, len(values))) for number, values in enumerate(series)], fdr)
    permute(tests)
    level, splits = _benjamini_hochberg(tests, fdr)
    too_few = _too_few(tests, len(splits), fdr)
    share = len(splits) / max(1, len(tests))
    while splits:
        for test in splits:
            found[test.series][test.span[0] + test.split] = (test.p_value, "permutation")
        # Within a series that was chosen from a family, the level that chose it holds on (Benjamini & Bogomolov 2014).
        tests = _tests(series, [side for test in splits for side in _sides(test)], level)
        permute(tests, share)
        splits = [test for test in tests if test.p_value <= level]
    return [
        Finding(_steps(values, marks, least_change), None if marks else too_few.get(number))
        for number, (values, marks) in enumerate(zip(series, found, strict=True))
    ]


def fewest_runs(fdr: float = FDR) -> int:
    """Return how many noisy values it takes at least: with fewer, too many orders are as extreme as the most extreme.

    >>> fewest_runs(0.01)
    10
    """
    size = 2 * LEAST_SIDE
    while 2 / comb(size, size // 2) > fdr:
        size += 1
    return size


def _sides(test: OrderTest) -> tuple[tuple[int, _Span], tuple[int, _Span]]:
    (start, stop), middle = test.span, test.span[0] + test.split
    return (test.series, (start, middle)), (test.series, (middle, stop))


def _tests(series: Sequence[Sequence[float]], spans: Sequence[tuple[int, _Span]], level: float) -> list[OrderTest]:
    """Return the tests of those stretches that vary and are long enough: of others it is known that none would pass."""
    fewest = fewest_runs(level)
    return [
        OrderTest(number, (start, stop), scores_of(stretch))
        for number, (start, stop) in spans
        if len(stretch := series[number][start:stop]) >= fewest and len(set(stretch)) > 1
    ]


def _too_few(tests: Sequence[OrderTest], n_chosen: int, fdr: float) -> dict[int, TooFew]:
    """Return for each series that cannot show a step, however clear it looks, why."""
    found = {}
    for test in tests:
        n_values = len(test.scores)
        rank = min(n_chosen + 1, len(tests))
        needed = fdr * rank / len(tests)
        # As clear as can be at its own place; or wherever it was, for so few values.
        split = test.split if test.has_sides_apart else n_values // 2
        least = 2 / comb(n_values, split)
        if least > needed:
            enough = least * len(tests) / rank
            found[test.series] = TooFew(n_values, min(split, n_values - split), least, needed, len(tests), enough)
    return found


def _benjamini_hochberg(tests: Sequence[OrderTest], fdr: float) -> tuple[float, list[OrderTest]]:
    """Return the level that chooses, and the tests that it chooses."""
    ranked = sorted(test.p_value for test in tests)
    passing = [rank for rank, p_value in enumerate(ranked, 1) if p_value <= fdr * rank / len(ranked)]
    if not passing:
        return 0.0, []
    level = fdr * passing[-1] / len(ranked)
    return level, [test for test in tests if test.p_value <= level]


def _steps(values: Sequence[float], marks: dict[int, Mark], least_change: float | None) -> tuple[ChangePoint, ...]:
    """Return the change points, of which no small one is left, and none begins with an outlier."""
    steps = _without_small(values, marks, least_change)
    far = far_off(values, [step.index for step in steps])
    stops = [*(step.index for step in steps[1:]), len(values)]
    moved = {
        step.index + (far[step.index] and step.index + 1 < stop): marks[step.index]
        for step, stop in zip(steps, stops, strict=False)
    }
    return steps if moved.keys() == marks.keys() else _without_small(values, moved, least_change)


def change_points(values: Sequence[float], marks: Mapping[int, Mark]) -> tuple[ChangePoint, ...]:
    """Return change points at positions, in their order, each with its p and evidence; the levels between are medians.

    Parameters
    ----------
    values : sequence of float
        The values.
    marks : mapping of int to (float or None, str)
        For each position, p and the evidence.
    """
    edges = (0, *sorted(marks), len(values))
    levels = [median(values[start:stop]) for start, stop in pairwise(edges)]
    return tuple(
        ChangePoint(index, before, after, *marks[index])
        for index, (before, after) in zip(edges[1:-1], pairwise(levels), strict=True)
    )


def _without_small(
    values: Sequence[float], marks: dict[int, Mark], least_change: float | None
) -> tuple[ChangePoint, ...]:
    """Return the change points, after the smallest ones are taken out until each is as large as is asked for."""
    while marks:
        steps = change_points(values, marks)
        small = [step for step in steps if _is_small(step, least_change)]
        if not small:
            return steps
        del marks[min(small, key=lambda step: abs(step.share or 0.0)).index]
    return ()


def _is_small(step: ChangePoint, least_change: float | None) -> bool:
    if least_change is None:
        least_change = 0.0 if step.evidence == "exact" else LEAST_CHANGE
    return step.after == step.before or (step.share is not None and abs(step.share) < least_change)
