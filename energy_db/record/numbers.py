"""Numbers that a training loop hands over: of Python, NumPy or a tensor; judged, and as Python's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from energy_db.errors import UsageError
from energy_db.intake.reading import LARGEST_INDEX


def whole(value: Any, what: str, least: int) -> int:
    """Return a whole number.

    Raises
    ------
    UsageError
        If it is none, or out of range.
    """
    is_whole = hasattr(value, "__index__") and not isinstance(value, bool) and getattr(value, "shape", ()) == ()
    try:
        if is_whole and least <= int(value) <= LARGEST_INDEX:
            return int(value)
    except (TypeError, ValueError):  # a tensor of floats has the method, and refuses it
        pass
    raise UsageError(f"{what} is {value!r}, must be a whole number from {least}")


def amount(value: Any, what: str) -> float:
    """Return a number from 0, off its graph and device; whole ones stay whole.

    Raises
    ------
    UsageError
        If it is none, or negative or not finite.
    """
    try:
        number = value.item() if hasattr(value, "item") else value
        if 0 <= number < float("inf"):
            return int(number) if isinstance(number, int) else float(number)
    except (TypeError, ValueError, RuntimeError):
        pass
    raise UsageError(f"{what} is {value!r}, must be a number from 0")


def refuse_unequal(what: str, sizes: Mapping[str, int]) -> None:
    """Raise if layers differ in how many timesteps or samples they have.

    Raises
    ------
    UsageError
        With the number of each.
    """
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{layer} has {size}" for layer, size in sizes.items())
        raise UsageError(f"all layers must have as many {what}, but {listed}")
