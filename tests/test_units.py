"""Numbers as people read them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

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


@pytest.mark.parametrize(
    ("text", "pj"),
    [
        ("1 pJ", "1"),
        ("12.5nJ", "12500"),
        ("1 uJ", "1000000"),
        ("1 \u00b5J", "1000000"),
        ("1 \u03bcJ", "1000000"),
        (" -2mJ ", "-2000000000"),
        ("+.5 J", "500000000000"),
        ("0.000000000000000001 J", "0.000001"),
    ],
)
def test_an_energy_is_read(text: str, pj: str) -> None:
    assert units.read_energy(text) == Decimal(pj)


@pytest.mark.parametrize("text", ["", "pJ", "12", "1e3 pJ", "1 PJ", "1 kJ", "1,5 nJ", "- 1 pJ", "١ pJ", 12, None])
def test_what_is_no_energy(text: Any) -> None:
    assert units.read_energy(text) is None


def test_a_percentage_is_read() -> None:
    assert units.read_share(" 0.1 %") == Decimal("0.001")
    assert units.read_share("-5%") == Decimal("-0.05")
    assert [units.read_share(text) for text in ("", "%", "5", "5 %%", 0.05)] == [None] * 5


@pytest.mark.parametrize(
    ("pj", "text"),
    [
        (2100.0, "+2.1 nJ"),
        (-2.1, "-2.1 pJ"),
        (0.0, "0.0 pJ"),
        (1e-6, "+0.000001 pJ"),
        (9e-7, "0.0 pJ"),
        (-9e-7, "0.0 pJ"),
    ],
)
def test_a_change_has_its_sign_unless_rounding_made_it(pj: float, text: str) -> None:
    assert units.signed_energy(pj) == text
