"""What one entry of a cost must be: an energy, a circumstance, a text on one line, a day."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from numbers import Integral, Real
from typing import Any

_ENERGY_DECIMALS = 6
_ENERGY_LIMIT = Decimal(10**18)
_PJ_OF_A_JOULE = Decimal(10**12)
_POWER_DECIMALS = 18
_POWER_LIMIT = Decimal(10**6)
_CIRCUMSTANCE_DECIMALS = 3
_CIRCUMSTANCE_LIMIT = Decimal(10**6)
_NO_LINE = ("Cc", "Cs", "Zl", "Zp")  # control characters, halves of characters, line and paragraph ends


def energy(value: Any) -> Decimal | None:
    """Return an energy in pJ as the store keeps it.

    Raises
    ------
    ValueError
        If it is none; the message says what it must be.
    """
    return _exact(value, _ENERGY_DECIMALS, _ENERGY_LIMIT)


def power(value: Any) -> Decimal | None:
    """Return a power in W as the store keeps it: as picojoules a second.

    Raises
    ------
    ValueError
        If it is none; the message says what it must be.
    """
    watts = _exact(value, _POWER_DECIMALS, _POWER_LIMIT)
    return None if watts is None else energy(watts * _PJ_OF_A_JOULE)


def circumstance(value: Any) -> Decimal | None:
    """Return a process node or a supply voltage as the store keeps it.

    Raises
    ------
    ValueError
        If it is none; the message says what it must be.
    """
    return _exact(value, _CIRCUMSTANCE_DECIMALS, _CIRCUMSTANCE_LIMIT)


def _exact(value: Any, decimals: int, limit: Decimal) -> Decimal | None:
    """Return a number with a fixed number of decimals: DuckDB 1.5 misreads what is written with an exponent."""
    if value is None:
        return None
    number = as_decimal(value)
    if number < 0:
        raise ValueError(f"is {value}, must not be negative")
    if number >= limit:
        raise ValueError(f"is {value}, must be below 10^{limit.adjusted()}")
    rounded = abs(number.quantize(Decimal(1).scaleb(-decimals)))
    if rounded != number:
        raise ValueError(f"is {value}, has more than the {decimals} decimals that are kept")
    return rounded


def as_decimal(value: Any) -> Decimal:
    """Return a number exactly as it is written.

    Raises
    ------
    ValueError
        If it is not a finite number.
    """
    if isinstance(value, bool) or not isinstance(value, str | Decimal | Real):
        raise ValueError(f"is {value!r}, must be a number")
    try:
        written = value if isinstance(value, str | Decimal) else int(value) if isinstance(value, Integral) else None
        number = Decimal(repr(float(value)) if written is None else written)
    except InvalidOperation:
        raise ValueError(f"is {value!r}, must be a number") from None
    if not number.is_finite():
        raise ValueError(f"is {value}, must be a finite number")
    return number


def plain_text(value: Any) -> str:
    """Return a text on one line.

    Raises
    ------
    ValueError
        If it is none.
    """
    if not isinstance(value, str):
        raise ValueError(f"is {value!r}, must be a text")
    if not value.isprintable() and any(unicodedata.category(sign) in _NO_LINE for sign in value):
        raise ValueError(f"is {value!r}, must be on one line and without control characters")
    return value


def plain_day(value: Any) -> date:
    """Return a date.

    Raises
    ------
    ValueError
        If it is none, or has a time.
    """
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError(f"is {value!r}, must be a date")
    return value
