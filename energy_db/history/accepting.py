"""What accepted levels say of a series: which steps they accept, and which they add. They take no evidence away."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from energy_db.history.changepoints import LEAST_CHANGE, ChangePoint, Mark, change_points
from energy_db.history.levels import accepted_start, far_off


def accept(
    values: Sequence[float],
    steps: Sequence[ChangePoint],
    places: Iterable[int],
    least_change: float | None = None,
    *,
    is_noiseless: bool = False,
) -> tuple[tuple[ChangePoint, ...], dict[int, int]]:
    """Return the steps, with those that an accepted run makes plain, and for each accepted one the run that does it.

    Every step that was found stays. An accepted run accepts the step that began its level. If the level changed
    within the stretch since then, plainly though no test could tell, there is a step where it did, and that is
    accepted instead. A run that lies at no level accepts none.

    Parameters
    ----------
    values : sequence of float
        The values of the series, in the order of time.
    steps : sequence of ChangePoint
        Its steps, as they were found.
    places : iterable of int
        Positions of the accepted runs, in the order in which they count: of two at one level, the last one accepts it.
    least_change : float, optional
        The smallest change that a step is added for, as a share of the level before; by default 0.01.
    is_noiseless : bool
        Whether the history has no noise: then every change is a step already.
    """
    marks: dict[int, Mark] = {step.index: (step.p_value, step.evidence) for step in steps}
    accepted_by: dict[int, int] = {}
    for place in places:
        starts = sorted(marks)
        begins = None if is_noiseless else _added_start(values, starts, place, least_change)
        if begins is not None:
            marks[begins] = (None, "accepted")
            accepted_by[begins] = place
        elif (at := bisect_right(starts, place)) and not far_off(values, starts, is_noiseless=is_noiseless)[place]:
            accepted_by[starts[at - 1]] = place
    return change_points(values, marks), accepted_by


def _added_start(values: Sequence[float], starts: Sequence[int], place: int, least_change: float | None) -> int | None:
    begins = accepted_start(values, starts, place)
    if begins is None:
        return None
    steps = change_points(values, dict.fromkeys([*starts, begins], (None, "accepted")))
    share = next(step.share for step in steps if step.index == begins)
    least = LEAST_CHANGE if least_change is None else least_change
    return begins if share is None or abs(share) >= least else None
