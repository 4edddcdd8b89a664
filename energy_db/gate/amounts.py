"""Energies and percentages as people write them in a budget, read without rounding."""

from __future__ import annotations

import re
from decimal import Decimal

from energy_db.units import PICOJOULES

ENERGY_EXAMPLE = "12.5 nJ"
INCREASE_EXAMPLE = "5 %"

_NUMBER = r"(?P<number>\d{1,18}(\.\d{1,18})?)"
_ENERGY = re.compile(_NUMBER + r"\s*(?P<unit>[a-zA-Zµμ]+)", re.ASCII)
_PERCENT = re.compile(_NUMBER + r"\s*%", re.ASCII)
_GREEK_MU, _MICRO_SIGN = "\u03bc", "\u00b5"  # they look alike, and keyboards have either


def read_energy(text: object) -> Decimal | None:
    """Return an energy in pJ; None if the text is none.

    >>> read_energy("12.5 nJ"), read_energy("3uJ"), read_energy("12")
    (Decimal('12500.0'), Decimal('3000000'), None)
    """
    found = _ENERGY.fullmatch(text.strip()) if isinstance(text, str) else None
    unit = found["unit"].replace(_GREEK_MU, _MICRO_SIGN) if found else None
    if found is None or unit not in PICOJOULES:
        return None
    return Decimal(found["number"]) * int(PICOJOULES[unit])


def read_share(text: object) -> Decimal | None:
    """Return a percentage as a share of 1; None if the text is none.

    >>> read_share("5 %"), read_share("0.25%"), read_share("0.05")
    (Decimal('0.05'), Decimal('0.0025'), None)
    """
    found = _PERCENT.fullmatch(text.strip()) if isinstance(text, str) else None
    return None if found is None else Decimal(found["number"]) / 100
