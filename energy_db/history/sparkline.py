"""A history in one line of text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

BLOCKS, BAR = "▁▂▃▄▅▆▇█", "│"
PLAIN_BLOCKS, PLAIN_BAR = "_.-~=+*#", "|"
_WIDTH = 60


def sparkline(
    values: Sequence[float], steps: Collection[int] = (), apart: Collection[int] = (), *, is_plain: bool = False
) -> str:
    """Return values as a row of blocks, with a bar before each step; more of them than fit are averaged.

    Parameters
    ----------
    values : sequence of float
        The values.
    steps : collection of int
        Positions at which a new level begins.
    apart : collection of int
        Positions of outliers, which must not make all others look alike: they are drawn as high or low as the rest go.
    is_plain : bool
        Use signs that every terminal can show.

    Examples
    --------
    >>> sparkline([1, 2, 8, 7], [2])
    '▁▂│█▇'
    >>> sparkline([1, 2, 8, 7], [2], is_plain=True)
    '_.|#*'
    """
    if not values:
        return ""
    blocks, bar = (PLAIN_BLOCKS, PLAIN_BAR) if is_plain else (BLOCKS, BAR)
    rest = [value for place, value in enumerate(values) if place not in apart] or values
    values = [min(max(value, min(rest)), max(rest)) for value in values]
    at_once = -(-len(values) // _WIDTH)
    stretches = [values[start:stop] for start, stop in pairwise((0, *sorted(steps), len(values)))]
    means = [[_mean(part) for part in _parts(stretch, at_once)] for stretch in stretches]
    lowest, highest = min(map(min, means)), max(map(max, means))
    return bar.join("".join(_block(mean, lowest, highest, blocks) for mean in stretch) for stretch in means)


def _parts(values: Sequence[float], size: int) -> list[Sequence[float]]:
    return [values[start : start + size] for start in range(0, len(values), size)]


def _mean(values: Sequence[float]) -> float:
    # Divided before it is summed: the largest numbers that there are must not become infinite.
    return sum(value / len(values) for value in values)


def _block(value: float, lowest: float, highest: float, blocks: str) -> str:
    if highest == lowest:
        return blocks[len(blocks) // 2]
    # Halved, so that the range of the largest numbers stays finite.
    share = (value / 2 - lowest / 2) / (highest / 2 - lowest / 2)
    return blocks[min(int(share * len(blocks)), len(blocks) - 1)]
