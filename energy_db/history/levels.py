"""The levels between steps: which runs stand apart from theirs, and where an accepted level began."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf, sqrt
from statistics import median

_MAD_TO_SD = 1.4826
# With fewer values, nobody knows how wide the noise is.
_FEWEST = 10
_FEWEST_WITHOUT_NOISE = 4  # of fewer, nobody can tell that they have none
# So many (robust) standard deviations; a few more where these are known from a few values only: in noise alone, less
# than one history in a hundred has such a run.
_WIDEST = 4.0
_WIDER = 8.0
# The same for the difference of two medians, over all places where an accepted level can have begun.
_CLEAR = 5.0


def levels(values: Sequence[float], starts: Sequence[int]) -> list[float]:
    """Return for each value the level that it belongs to, where new ones begin at these positions."""
    return [median(stretch) for stretch in _stretches(values, starts) for _ in stretch]


def standing_apart(values: Sequence[float], starts: Sequence[int], *, is_noiseless: bool = False) -> list[bool]:
    """Return for each value whether it is an outlier: far from its own level, and no new level that only just began.

    Two of them in a row at the end may be that.

    Parameters
    ----------
    values : sequence of float
        The values.
    starts : sequence of int
        Positions at which a new level begins.
    is_noiseless : bool
        Whether the values have no noise, so that any that differs stands apart.

    Examples
    --------
    >>> standing_apart([3, 4, 5, 4, 3, 4, 5, 40, 4, 3, 4, 5], []).index(True)
    7
    """
    apart = far_off(values, starts, is_noiseless=is_noiseless)
    n_at_end = next((back for back, is_far in enumerate(reversed(apart)) if not is_far), len(apart))
    return apart if n_at_end < 2 else [*apart[: len(apart) - n_at_end], *([False] * n_at_end)]  # noqa: PLR2004


def far_off(values: Sequence[float], starts: Sequence[int], *, is_noiseless: bool = False) -> list[bool]:
    """Return for each value whether it is far from its own level; the noise is that of all levels together."""
    offsets = [abs(value - level) for value, level in zip(values, levels(values, starts), strict=True)]
    if is_noiseless:
        return [offset > 0 and len(values) >= _FEWEST_WITHOUT_NOISE for offset in offsets]
    spread = _MAD_TO_SD * median(offsets) if len(offsets) >= _FEWEST else 0.0
    limit = _WIDEST * (1 + _WIDER / max(1, len(offsets))) * spread
    return [spread > 0 and offset > limit for offset in offsets]


def accepted_start(values: Sequence[float], starts: Sequence[int], place: int) -> int | None:
    """Return where the level of an accepted run began, if that is clear and no step is there yet; else None.

    Parameters
    ----------
    values : sequence of float
        The values.
    starts : sequence of int
        Positions of the steps, in their order.
    place : int
        Position of the run.
    """
    noise = _noise(values, starts) if len(values) >= _FEWEST else 0.0
    if noise == 0:
        return None
    first, stop = next(edges for edges in pairwise((0, *starts, len(values))) if edges[0] <= place < edges[1])
    best, begins = inf, None
    for start in range(first + 2, place + 1):
        before, after = values[first:start], values[start:stop]
        centres = median(before), median(after)
        scale = noise * sqrt(1 / len(before) + 1 / len(after))
        # Of the places that are clear, the one to which the values keep best.
        offsets = sum(abs(v - centres[0]) for v in before) + sum(abs(v - centres[1]) for v in after)
        if abs(centres[1] - centres[0]) > _CLEAR * scale and offsets < best:
            best, begins = offsets, start
    return begins


def _noise(values: Sequence[float], starts: Sequence[int]) -> float:
    """Return the deviation of values from their level; from neighbours, where a step not known yet inflates nothing."""
    jumps = [abs(b - a) for stretch in _stretches(values, starts) for a, b in pairwise(stretch)]
    return _MAD_TO_SD * median(jumps) / sqrt(2) if jumps else 0.0


def _stretches(values: Sequence[float], starts: Sequence[int]) -> list[Sequence[float]]:
    return [values[start:stop] for start, stop in pairwise((0, *starts, len(values)))]
