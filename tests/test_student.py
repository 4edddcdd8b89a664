"""Student's t against published tables and against closed forms of few degrees of freedom."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy_db.history.student import quantile, two_sided_p

# NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2: upper critical values, here of both sides.
TABLE = {
    1: {0.80: 3.078, 0.90: 6.314, 0.95: 12.706, 0.98: 31.821, 0.99: 63.657, 0.998: 318.313},
    2: {0.80: 1.886, 0.90: 2.920, 0.95: 4.303, 0.98: 6.965, 0.99: 9.925, 0.998: 22.327},
    3: {0.80: 1.638, 0.90: 2.353, 0.95: 3.182, 0.98: 4.541, 0.99: 5.841, 0.998: 10.215},
    4: {0.80: 1.533, 0.90: 2.132, 0.95: 2.776, 0.98: 3.747, 0.99: 4.604, 0.998: 7.173},
    5: {0.80: 1.476, 0.90: 2.015, 0.95: 2.571, 0.98: 3.365, 0.99: 4.032, 0.998: 5.893},
    10: {0.80: 1.372, 0.90: 1.812, 0.95: 2.228, 0.98: 2.764, 0.99: 3.169, 0.998: 4.144},
    30: {0.80: 1.310, 0.90: 1.697, 0.95: 2.042, 0.98: 2.457, 0.99: 2.750, 0.998: 3.385},
    100: {0.80: 1.290, 0.90: 1.660, 0.95: 1.984, 0.98: 2.364, 0.99: 2.626, 0.998: 3.174},
}
NORMAL = {0.80: 1.282, 0.90: 1.645, 0.95: 1.960, 0.98: 2.326, 0.99: 2.576, 0.998: 3.090}
CELLS = [(degrees, confidence, t) for degrees, row in TABLE.items() for confidence, t in row.items()]


@pytest.mark.parametrize(("degrees", "confidence", "t"), CELLS)
def test_quantiles_are_those_of_the_table(degrees: int, confidence: float, t: float) -> None:
    # The table prints 318.313 for 1 degree, whose closed form is tan(0.499 pi) = 318.3088: a slip in its last digits.
    assert quantile(confidence, degrees) == pytest.approx(t, abs=0.0006 if t < 100 else 0.005)


@pytest.mark.parametrize(("confidence", "z"), NORMAL.items())
def test_many_degrees_are_the_normal_distribution(confidence: float, z: float) -> None:
    assert quantile(confidence, 1e6) == pytest.approx(z, abs=0.0006)


@given(st.floats(0, 1e6))
def test_closed_forms_of_one_two_and_four_degrees(t: float) -> None:
    assert two_sided_p(t, 1) == pytest.approx(2 * math.atan2(1, t) / math.pi, rel=1e-10)
    assert two_sided_p(t, 2) == pytest.approx(1 - t / math.sqrt(2 + t * t), rel=1e-9, abs=1e-13)
    x = t / math.sqrt(4 + t * t)
    assert two_sided_p(t, 4) == pytest.approx(1 - x * (3 - x * x) / 2, rel=1e-9, abs=1e-13)


@given(st.floats(0.01, 0.9999), st.floats(0.5, 1e4))
def test_quantile_and_p_undo_each_other(confidence: float, degrees: float) -> None:
    assert two_sided_p(quantile(confidence, degrees), degrees) == pytest.approx(1 - confidence, rel=1e-9)


@given(st.floats(-1e3, 1e3), st.floats(0.5, 1e5))
def test_both_sides_are_alike(t: float, degrees: float) -> None:
    assert two_sided_p(t, degrees) == two_sided_p(-t, degrees)
    assert 0 <= two_sided_p(t, degrees) <= 1


def test_the_ends() -> None:
    assert two_sided_p(0.0, 3) == 1.0
    assert two_sided_p(math.inf, 3) == 0.0
    assert two_sided_p(1e200, 3) == 0.0
