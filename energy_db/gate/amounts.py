"""Energies and percentages as people write them in a budget: none is below zero."""

from __future__ import annotations

from decimal import Decimal

from energy_db import units

ENERGY_EXAMPLE = "12.5 nJ"
INCREASE_EXAMPLE = "5 %"


def read_energy(text: object) -> Decimal | None:
    """Return an energy in pJ; None if the text is none, or has a sign.

    >>> read_energy("12.5 nJ"), read_energy("3uJ"), read_energy("-3uJ")
    (Decimal('12500.0'), Decimal('3000000'), None)
    """
    return None if _has_sign(text) else units.read_energy(text)


def read_share(text: object) -> Decimal | None:
    """Return a percentage as a share of 1; None if the text is none, or has a sign.

    >>> read_share("5 %"), read_share("0.25%"), read_share("-5 %")
    (Decimal('0.05'), Decimal('0.0025'), None)
    """
    return None if _has_sign(text) else units.read_share(text)


def _has_sign(text: object) -> bool:
    return isinstance(text, str) and text.strip().startswith(("+", "-"))
