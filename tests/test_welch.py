"""The difference of two means: a published example, exact cases, symmetry, and how often the interval holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy_db.history.spread import Spread, spread_of
from energy_db.history.welch import Difference, difference

# "Student" (1908), the additional hours of sleep under two drugs; R's manual prints the Welch test of them:
# t = -1.8608, df = 17.776, p-value = 0.07939, 95 percent interval of the first less the second -3.3654832 to 0.2054832.
SLEEP_A = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_B = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]

numbers = st.lists(st.integers(-1000, 1000).map(float), min_size=2, max_size=8)


def differ(a: list[float], b: list[float], confidence: float = 0.95) -> Difference:
    found = difference(a, b, confidence)
    assert found is not None
    return found


def test_the_sleep_data() -> None:
    found = differ(SLEEP_A, SLEEP_B)
    assert (found.a.mean, found.b.mean) == (pytest.approx(0.75), pytest.approx(2.33))
    assert found.degrees == pytest.approx(17.776, abs=0.0005)
    assert found.p_value == pytest.approx(0.07939, abs=0.000005)
    assert (found.low, found.high) == (pytest.approx(-0.2054832, abs=5e-8), pytest.approx(3.3654832, abs=5e-8))
    assert not found.is_beyond_chance


def test_by_hand() -> None:
    # Means 10 and 16, both variances 2 over 2 runs: the error is the root of 2, the degrees are 2, and of these the
    # p value is 1 - t / sqrt(2 + t * t) with t * t = 18; the table's t of 95 % is 4.303.
    found = differ([9.0, 11.0], [15.0, 17.0])
    assert (found.change, found.change_share) == (6.0, 0.6)
    assert found.degrees == pytest.approx(2.0)
    assert found.p_value == pytest.approx(1 - (18 / 20) ** 0.5)
    assert found.low == pytest.approx(6 - 4.3027 * 2**0.5, abs=1e-3)
    assert not found.is_beyond_chance
    assert differ([9.0, 11.0], [15.0, 17.0], confidence=0.90).is_beyond_chance


def test_groups_without_scatter_differ_exactly() -> None:
    assert differ([3.0, 3.0], [5.0, 5.0, 5.0]) == Difference(
        Spread(2, 3.0, 0.0, 3.0, 3.0), Spread(3, 5.0, 0.0, 5.0, 5.0), 2.0, 2.0, 2.0, 0.0, None
    )
    same = differ([3.0, 3.0], [3.0, 3.0])
    assert (same.change, same.low, same.high, same.p_value, same.degrees) == (0.0, 0.0, 0.0, 1.0, None)
    assert not same.is_beyond_chance


def test_one_group_without_scatter_leaves_the_degrees_of_the_other() -> None:
    assert differ([3.0, 3.0], [5.0, 6.0, 7.0]).degrees == pytest.approx(2.0)


@pytest.mark.parametrize(("a", "b"), [([], [1.0, 2.0]), ([1.0], [1.0, 2.0]), ([1.0, 2.0], [1.0, None])])
def test_one_run_tells_nothing(a: list[float], b: list[float]) -> None:
    assert difference(a, b, 0.95) is None


def test_a_zero_mean_has_no_share() -> None:
    assert differ([0.0, 0.0], [1.0, 2.0]).change_share is None


@given(numbers, numbers)
def test_swapping_the_groups_flips_every_sign(a: list[float], b: list[float]) -> None:
    there, back = differ(a, b), differ(b, a)
    assert back.change == -there.change
    assert (back.low, back.high) == (-there.high, -there.low)
    assert back.p_value == there.p_value
    assert (back.a, back.b) == (there.b, there.a)


@pytest.mark.thorough
@given(numbers, numbers, st.integers(-1000, 1000), st.sampled_from([0.125, 8.0]))
def test_a_shift_changes_nothing_and_a_scale_only_the_scale(
    a: list[float], b: list[float], shift: int, scale: float
) -> None:
    first, other = differ(a, b), differ([x * scale + shift for x in a], [x * scale + shift for x in b])
    assert other.change == pytest.approx(first.change * scale, abs=1e-9)
    assert other.p_value == pytest.approx(first.p_value, abs=1e-9)
    assert other.high - other.low == pytest.approx((first.high - first.low) * scale, abs=1e-9)


@given(numbers, numbers)
def test_the_interval_leaves_out_zero_where_p_is_small(a: list[float], b: list[float]) -> None:
    found = differ(a, b)
    assert found.low <= found.change <= found.high
    if abs(found.p_value - 0.05) > 1e-6:
        assert found.is_beyond_chance == (found.p_value < 0.05)


@pytest.mark.thorough
def test_the_interval_holds_as_often_as_it_says() -> None:
    random = np.random.default_rng(20261124)
    n_series = 1000
    held = 0
    for _ in range(n_series):
        found = differ(list(random.normal(10, 1, 4)), list(random.normal(12, 3, 6)))
        held += found.low <= 2 <= found.high
    # 95 % of 1000 scatters by 0.7 %; the normal distribution in Student's place holds in about 90 %.
    assert held / n_series == pytest.approx(0.95, abs=0.02)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_the_spread_is_that_of_numpy(values: list[float]) -> None:
    spread = spread_of(values)
    assert spread is not None
    assert spread.mean == pytest.approx(np.mean(values), abs=1e-6)
    assert spread.sd == pytest.approx(np.std(values, ddof=1), abs=1e-6)
    assert (spread.n, spread.least, spread.most) == (len(values), min(values), max(values))


def test_the_spread_of_one_and_of_none() -> None:
    assert spread_of([None, 4.0]) == Spread(1, 4.0, None, 4.0, 4.0)
    assert spread_of([None]) is None
