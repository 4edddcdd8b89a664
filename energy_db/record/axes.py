"""What the axes of a framework's array mean: time, batch and neurons, in any order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

from energy_db.errors import UsageError

TIME, BATCH = "T", "B"
# Neurons are numbered by channel, then depth, row and column, whatever the order of an array's axes.
_NEURON_AXES = "NCDHW"


@dataclass(frozen=True)
class Axes:
    """The meaning of an array's axes.

    Attributes
    ----------
    names : str
        One letter for each axis, as `T`, `B`, and `N` or some of `C`, `D`, `H`, `W`; the batch is always `B` here.
    """

    names: str

    @cached_property
    def of_neurons(self) -> str:
        """The axes that number the neurons, the slowest first."""
        return "".join(name for name in _NEURON_AXES if name in self.names)

    @cached_property
    def without_batch(self) -> Axes:
        """The axes of the array's sum over its batch."""
        return Axes(self.names.replace(BATCH, ""))


def read_axes(text: str, n_axes: int, what: str) -> Axes:
    """Read the names of an array's axes.

    Parameters
    ----------
    text : str
        Such as 'TBN', 'BTN', 'NCT' or 'TBCHW': T is time, B the batch, N the neurons, and C, D, H, W their channels,
        depth, rows and columns. Beside C, N is the batch, as in 'NCHWT'.
    n_axes : int
        How many axes the array has.
    what : str
        What to call the array in errors.

    Raises
    ------
    UsageError
        If a letter is unknown or stands twice, no axis numbers neurons, or the array has more or fewer axes.
    """
    axes = _read(text)
    if len(axes.names) != n_axes:
        raise UsageError(
            f"{what} has {n_axes} axes, but {text!r} names {len(axes.names)}",
            "Name every axis: T time, B batch, N neurons, or C, H, W for channels, rows and columns.",
        )
    return axes


@cache
def _read(text: str) -> Axes:
    """Read names of axes; they are read for every array of a recording."""
    names = text.replace("N", BATCH) if "C" in text and BATCH not in text else text
    known = TIME + BATCH + _NEURON_AXES
    if not names or set(names) - set(known) or len(set(names)) < len(names):
        raise UsageError(f"axes are {text!r}, must be different letters of {', '.join(known)}, such as 'TBN' or 'NCT'")
    axes = Axes(names)
    if not axes.of_neurons or ("N" in names and axes.of_neurons != "N"):
        raise UsageError(f"axes are {text!r}: neurons are either N, or channels C with D, H and W")
    return axes
