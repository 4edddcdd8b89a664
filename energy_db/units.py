"""Numbers for human eyes; what machines read stays in pJ and is never rounded."""

from __future__ import annotations

from decimal import Decimal

_SCALES = ((1e12, "J"), (1e9, "mJ"), (1e6, "µJ"), (1e3, "nJ"), (1.0, "pJ"))
_DIGITS = 4
# From so many times as much on, a change is said as a factor.
_FACTOR = 10.0

PICOJOULES = {"pJ": 1.0, "nJ": 1e3, "µJ": 1e6, "uJ": 1e6, "mJ": 1e9, "J": 1e12}
"""The units of energy that people may write, each in pJ."""


def significant(value: float | Decimal, digits: int = _DIGITS) -> str:
    """Format a number with a fixed number of significant digits and at least one decimal.

    Trailing zeros go, small numbers never round to zero, large ones keep their integer part.

    >>> significant(10.5), significant(899.2532), significant(0.0021), significant(1000)
    ('10.5', '899.3', '0.0021', '1000.0')
    """
    number = Decimal(value) if isinstance(value, Decimal) else Decimal(repr(float(value)))
    decimals = max(1, digits - 1 - number.adjusted()) if number else 1
    whole, _, fraction = f"{number:.{decimals}f}".partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def energy(pj: float | Decimal) -> str:
    """Format an energy given in pJ with the unit that suits its size.

    >>> energy(899253.2), energy(2.1), energy(0)
    ('899.3 nJ', '2.1 pJ', '0.0 pJ')
    """
    rounded = abs(float(f"{float(pj):.{_DIGITS}g}"))
    factor, unit = next(((f, u) for f, u in _SCALES if rounded >= f), (1.0, "pJ"))
    return f"{significant(float(pj) / factor)} {unit}"


def nanojoules(pj: float | Decimal) -> str:
    """Format an energy given in pJ in nJ, as the tutorial does.

    >>> nanojoules(10500), nanojoules(200)
    ('10.5 nJ', '0.2 nJ')
    """
    return f"{significant(float(pj) * 0.001)} nJ"


def exact(value: Decimal) -> str:
    """Format a decimal with all the digits that it needs.

    >>> exact(Decimal("1000.500000")), exact(Decimal("2E+3"))
    ('1000.5', '2000')
    """
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float) -> str:
    """Format a share of 1 as a percentage.

    >>> percent(0.4587)
    '45.9%'
    """
    return f"{100 * share:.1f}%"


def signed_percent(share: float) -> str:
    """Format a share of change, with its sign; what is ten times as much or more reads better as a factor.

    >>> signed_percent(-0.7557), signed_percent(0.031), signed_percent(0.0), signed_percent(972.656)
    ('-75.6 %', '+3.1 %', '0.0 %', 'x 973.7')
    """
    if share >= _FACTOR - 1:
        return f"x {significant(1 + share)}"
    text = f"{100 * share:+.1f} %"
    return "0.0 %" if text in ("+0.0 %", "-0.0 %") else text
