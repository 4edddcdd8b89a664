"""The best trades of energy for something else: runs that no other run beats in both."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

Point = tuple[float, float]


def beaten_by(points: Sequence[Point]) -> list[int | None]:
    """Return, for each point, who beats it; None for the points of the front, which nobody beats.

    A point beats another if it costs no more and is worth no less, and is better in one of the two. Of those that beat
    a point, the cheapest of the front is named. Equal points do not beat each other.

    Parameters
    ----------
    points : sequence of (float, float)
        Of each, what it costs (less is better) and what it is worth (more is better).

    >>> beaten_by([(10.0, 0.98), (6.0, 0.94), (11.0, 0.97)])
    [None, None, 0]
    """
    front: list[int] = []
    by_cost = sorted(range(len(points)), key=lambda index: (points[index][0], -points[index][1]))
    for index in by_cost:
        if not front or points[index][1] > points[front[-1]][1]:
            front.append(index)
    worths = [points[index][1] for index in front]
    beaten: list[int | None] = []
    for point in points:
        # Along the front both numbers rise: the first that is worth as much is the cheapest that can beat the point.
        best = front[bisect_left(worths, point[1])]
        beaten.append(None if points[best] == point else best)
    return beaten
