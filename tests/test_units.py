"""Numbers as people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from energy_db import units


@pytest.mark.parametrize(
    ("pj", "text"),
    [
        (0, "0.0 pJ"),
        (2.1, "2.1 pJ"),
        (0.0021, "0.0021 pJ"),
        (999.9, "999.9 pJ"),
        (1000, "1.0 nJ"),
        (899253.2, "899.3 nJ"),
        (Decimal("2497925.5"), "2.498 µJ"),
        (3.2e9, "3.2 mJ"),
        (1.5e12, "1.5 J"),
        (4.2e15, "4200.0 J"),
        (-1500, "-1.5 nJ"),
    ],
)
def test_energy_has_the_unit_that_suits_its_size(pj: float | Decimal, text: str) -> None:
    assert units.energy(pj) == text


@pytest.mark.parametrize("pj", [999.96, 999_960.0, 999.96e6])
def test_rounding_does_not_leave_a_thousand_of_the_smaller_unit(pj: float) -> None:
    assert units.energy(pj).startswith("1.0 ")


@pytest.mark.parametrize(("pj", "text"), [(10500, "10.5 nJ"), (200, "0.2 nJ"), (1, "0.001 nJ"), (2.1, "0.0021 nJ")])
def test_nanojoules(pj: float, text: str) -> None:
    assert units.nanojoules(pj) == text


@pytest.mark.parametrize(("share", "text"), [(0.4587, "45.9%"), (1, "100.0%"), (0, "0.0%"), (0.98131, "98.1%")])
def test_percent(share: float, text: str) -> None:
    assert units.percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1000, "1000.0"), (899.2532, "899.3"), (123456.78, "123456.8"), (0.3, "0.3"), (1e-9, "0.000000001")],
)
def test_significant_digits(value: float, text: str) -> None:
    assert units.significant(value) == text
