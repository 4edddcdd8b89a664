"""Numbers for human eyes; what machines read stays in pJ and is never rounded."""

from __future__ import annotations

import re
from decimal import Decimal

_SCALES = ((1e12, "J"), (1e9, "mJ"), (1e6, "µJ"), (1e3, "nJ"), (1.0, "pJ"))
_DIGITS = 4
# From so many times as much on, a change is said as a factor.
_FACTOR = 10.0

PICOJOULES = {"pJ": 1, "nJ": 10**3, "µJ": 10**6, "uJ": 10**6, "mJ": 10**9, "J": 10**12}
"""The units of energy that people may write, each in pJ."""

_NUMBER = r"(?P<number>[+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18}))"
_ENERGY = re.compile(_NUMBER + r"\s*(?P<unit>[a-zA-Zµμ]+)", re.ASCII)
_PERCENT = re.compile(_NUMBER + r"\s*%", re.ASCII)
_GREEK_MU, _MICRO_SIGN = "\u03bc", "\u00b5"  # they look alike, and keyboards have either
# One attojoule, the last digit of every cost: less is what the rounding of sums over many neurons leaves.
_SMALLEST_PJ = 1e-6


def read_energy(text: object) -> Decimal | None:
    """Return an energy in pJ, without rounding; None if the text is none.

    >>> read_energy("12.5 nJ"), read_energy("-3uJ"), read_energy("12")
    (Decimal('12500.0'), Decimal('-3000000'), None)
    """
    found = _ENERGY.fullmatch(text.strip()) if isinstance(text, str) else None
    unit = found["unit"].replace(_GREEK_MU, _MICRO_SIGN) if found else None
    if found is None or unit not in PICOJOULES:
        return None
    return Decimal(found["number"]) * PICOJOULES[unit]


def read_share(text: object) -> Decimal | None:
    """Return a percentage as a share of 1, without rounding; None if the text is none.

    >>> read_share("5 %"), read_share("-0.25%"), read_share("0.05")
    (Decimal('0.05'), Decimal('-0.0025'), None)
    """
    found = _PERCENT.fullmatch(text.strip()) if isinstance(text, str) else None
    return None if found is None else Decimal(found["number"]) / 100


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


def is_seen(pj: float) -> bool:
    """Whether an energy in pJ is more than rounding leaves.

    >>> is_seen(-0.0021), is_seen(1e-9)
    (True, False)
    """
    return abs(pj) >= _SMALLEST_PJ


def signed_energy(pj: float) -> str:
    """Format a change of energy given in pJ, with its sign; what rounding leaves is no change.

    >>> signed_energy(2100.0), signed_energy(-2.1), signed_energy(1e-9)
    ('+2.1 nJ', '-2.1 pJ', '0.0 pJ')
    """
    if not is_seen(pj):
        return energy(0)
    return f"+{energy(pj)}" if pj > 0 else energy(pj)


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
