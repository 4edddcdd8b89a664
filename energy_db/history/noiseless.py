"""Series without noise, in which any difference is real: the same network, input and seed count the same spikes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, groupby

_FEWEST_VALUES = 4
# How many values in a row make a level that may come back: a coin seldom falls so often on the same side.
_LASTING = 5
# How long an excursion from a level may be, and to how many values in all one that leaves it is allowed.
_LONGEST_EXCURSION = 2
_VALUES_TO_AN_EXCURSION = 10

_Block = tuple[float, int]


def are_noiseless(series: Sequence[Sequence[float]]) -> bool:
    """Whether a history has no noise: then no series of it has, the whole run or any layer.

    A layer that is nearly silent has ties by chance. That is no evidence while others of the same runs vary.

    Examples
    --------
    >>> are_noiseless([[5.0] * 6, [1.0] * 3 + [2.0] * 3]), are_noiseless([[5.0] * 6, [1.1, 0.9, 1.2, 1.0, 1.3, 0.8]])
    (True, False)
    """
    return all(len(values) < _FEWEST_VALUES or steps_without_noise(values) is not None for values in series)


def steps_without_noise(values: Sequence[float]) -> list[int] | None:
    """Return where a series without noise changes; None if it has noise.

    Noise has no ties. So there is none where values hold on for two runs on average, and come back, if at all, only as
    levels that last: what flips between a few values is noise that was rounded.

    Examples
    --------
    >>> steps_without_noise([5.0, 5.0, 5.0, 6.0]), steps_without_noise([5.1, 4.9, 5.2, 6.0])
    ([3], None)
    """
    blocks = _without_excursions([(value, len(list(same))) for value, same in groupby(values)], len(values))
    if len(blocks) <= 1:
        return []
    is_new_each_time = len({value for value, _ in blocks}) == len(blocks)
    lasts_each_time = all(length >= _LASTING for _, length in blocks[1:-1])
    holds_on = len(values) >= max(_FEWEST_VALUES, 2 * len(blocks))
    if not (holds_on and (is_new_each_time or lasts_each_time)):
        return None
    return list(accumulate(length for _, length in blocks[:-1]))


def _without_excursions(blocks: list[_Block], n_values: int) -> list[_Block]:
    """Take the few blocks out that leave a lasting level for a moment and come back to it."""
    kept: list[_Block] = []
    n_taken = 0
    for block in blocks:
        kept.append(block)
        if len(kept) > 2 and _is_excursion(*kept[-3:]):  # noqa: PLR2004  a level, what leaves it, the level again
            (value, before), (_, away), (_, after) = kept[-3:]
            kept[-3:] = [(value, before + away + after)]
            n_taken += away
    return kept if n_taken <= n_values // _VALUES_TO_AN_EXCURSION else blocks


def _is_excursion(before: _Block, away: _Block, after: _Block) -> bool:
    return before[0] == after[0] and before[1] >= _LASTING and away[1] <= _LONGEST_EXCURSION
