"""Times become timesteps, by a stated length of a timestep and a stated rounding rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from energy_db.errors import UsageError
from energy_db.intake.reading import LARGEST_COUNT, LARGEST_INDEX
from energy_db.record.arrays import as_array

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Rounding = Literal["floor", "ceil", "nearest"]
# What a spike is stamped with: the time at which its timestep starts, or at which it ends.
Stamped = Literal["start", "end"]
# A time on the grid is a hair off it as a binary fraction: so near, in timesteps, it is taken to be on it.
_ON_THE_GRID = 1e-6


def steps_of(
    times: Any, dt: float, *, start: float = 0.0, rounding: Rounding = "floor", what: str = "times"
) -> NDArray[np.int64]:
    """Return the timestep of each time, from 0.

    Parameters
    ----------
    times : array-like of float, shape (events,)
        Times, in the unit of dt and start.
    dt : float
        Length of a timestep.
    start : float
        The time at which timestep 0 begins; with 'nearest', on which it lies.
    rounding : {'floor', 'ceil', 'nearest'}
        'floor': timestep k reaches from start + k dt up to, but not including, start + (k + 1) dt; 'ceil': it includes
        its end, but not its beginning. A time within a millionth of a timestep of the grid lies on it. 'nearest':
        timestep k is the grid's nearest point, halves go up.
    what : str
        What to call the times in errors.

    Raises
    ------
    UsageError
        If dt is not positive, the rule is unknown, or a time is not finite, lies before the start or is so late that
        its timestep has no number in a run file.

    Examples
    --------
    >>> from energy_db.adapters.timing import steps_of
    >>> steps_of([0.0, 0.3, 0.39], dt=0.1)
    array([0, 3, 3])
    """
    import numpy as np

    if not dt > 0 or not np.isfinite(dt):
        raise UsageError(f"dt is {dt}, must be a positive number")
    if rounding not in ("floor", "ceil", "nearest"):
        raise UsageError(f"rounding is {rounding!r}, must be floor, ceil or nearest")
    exact = (as_array(times, what).astype(np.float64) - start) / dt
    if exact.ndim != 1:
        raise UsageError(f"{what} has {exact.ndim} axes, must have one")
    if not np.isfinite(exact).all():
        raise UsageError(f"{what}[{int(np.flatnonzero(~np.isfinite(exact))[0])}] is not a finite time")
    grid = np.floor(exact + 0.5)
    on_the_grid = grid - 1 if rounding == "ceil" else grid
    is_on_it = np.abs(exact - grid) <= _ON_THE_GRID
    steps = grid if rounding == "nearest" else np.where(is_on_it, on_the_grid, np.floor(exact))
    if steps.size and steps.min() < 0:
        first = int(np.flatnonzero(steps < 0)[0])
        place = "must lie behind" if rounding == "ceil" else "lies before"
        raise UsageError(f"{what}[{first}] {place} the start, {start}")
    if steps.size and steps.max() > LARGEST_INDEX:
        first = int((steps > LARGEST_INDEX).argmax())
        raise UsageError(
            f"{what}[{first}] is in timestep {steps[first]:.10g}, more than can be numbered: {LARGEST_INDEX}",
            "Is dt in the same unit as the times?",
        )
    return steps.astype(np.int64)


def rounding_of(stamped: str) -> Rounding:
    """Return the rounding rule of spikes that are stamped with the start, or with the end, of their timestep.

    Raises
    ------
    UsageError
        If it is neither.

    Examples
    --------
    >>> from energy_db.adapters.timing import rounding_of, steps_of
    >>> steps_of([0.1, 0.2], dt=0.1, rounding=rounding_of("end"))
    array([0, 1])
    """
    if stamped not in ("start", "end"):
        raise UsageError(f"stamped is {stamped!r}, must be start or end: of the timestep in which a spike is fired")
    return "floor" if stamped == "start" else "ceil"


def n_steps(duration: float, dt: float) -> int:
    """Return how many timesteps a duration takes, one that is only begun included.

    Raises
    ------
    UsageError
        If either is not a positive number, or the timesteps are more than a run can have.

    Examples
    --------
    >>> from energy_db.adapters.timing import n_steps
    >>> n_steps(0.3, dt=0.1), n_steps(0.31, dt=0.1)
    (3, 4)
    """
    for name, value in (("dt", dt), ("duration", duration)):
        if not 0 < value < float("inf"):
            raise UsageError(f"{name} is {value}, must be a positive number")
    exact = duration / dt
    if exact > LARGEST_COUNT:
        raise UsageError(
            f"a duration of {duration} has more timesteps of {dt} than can be counted", "Are both in the same unit?"
        )
    nearest = round(exact)
    return nearest if nearest and abs(exact - nearest) <= _ON_THE_GRID else int(exact) + 1


def refuse_beyond(steps: NDArray[np.int64], n_timesteps: int, what: str) -> None:
    """Raise if a timestep lies before the run or beyond its end.

    Raises
    ------
    UsageError
        With the first of them.
    """
    wrong = (steps < 0) | (steps >= n_timesteps)
    if wrong.any():
        first = int(wrong.argmax())
        raise UsageError(
            f"{what}[{first}] is in timestep {steps[first]}, but the run has {n_timesteps} timesteps, from 0",
            "Are dt and the duration right, and in the same unit as the times?",
        )
