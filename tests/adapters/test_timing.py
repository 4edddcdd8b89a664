"""Times become timesteps as exact arithmetic on the decimal numbers says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy_db.adapters.timing import n_steps, steps_of
from energy_db.errors import UsageError


@given(st.integers(0, 10**6), st.sampled_from(["0.1", "0.001", "0.0001", "1", "0.3"]))
def test_times_on_the_grid_lie_on_it_in_spite_of_binary_fractions(k: int, dt: str) -> None:
    time = float(Decimal(dt) * k)
    for rounding in ("floor", "nearest"):
        assert steps_of([time], float(dt), rounding=rounding).tolist() == [k]


@given(st.integers(0, 10**5), st.integers(1, 999))
def test_times_between_belong_to_the_step_that_they_are_in(k: int, thousandths: int) -> None:
    time = float((k + Decimal(thousandths) / 1000) * Decimal("0.1"))
    assert steps_of([time], 0.1).tolist() == [k]
    assert steps_of([time], 0.1, rounding="nearest").tolist() in ([k], [k + 1])


@given(st.integers(1, 10**6), st.integers(0, 999))
def test_a_duration_takes_the_step_that_it_only_begins(k: int, thousandths: int) -> None:
    duration = float((k + Decimal(thousandths) / 1000) * Decimal("0.001"))
    assert n_steps(duration, 0.001) == k + (thousandths > 0)


def test_a_start_moves_the_grid() -> None:
    assert steps_of([5.0, 5.25], 0.25, start=5.0).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("times", "dt", "message"),
    [
        ([0.0], 0.0, "dt is 0.0"),
        ([0.0], float("nan"), "dt is nan"),
        ([0.0, float("nan")], 1.0, r"times\[1\] is not a finite time"),
        ([0.0, -2.0], 1.0, r"times\[1\] lies before the start"),
        ([0.0, 1e300], 1.0, r"times\[1\] is in timestep 1e\+300, more than can be numbered"),
        ([0.0, 2.0**31], 1.0, r"times\[1\] is in timestep 2147483648, more than can be numbered"),
        (0.5, 1.0, "times has 0 axes, must have one"),
        ([[0.5]], 1.0, "times has 2 axes, must have one"),
    ],
)
def test_what_is_no_time_is_refused(times: Any, dt: float, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        steps_of(times, dt)


@given(st.integers(1, 10**5), st.integers(1, 1000))
def test_stamped_with_its_end_a_time_is_in_the_step_before_it(k: int, thousandths: int) -> None:
    # (k dt, (k + 1) dt] is timestep k
    time = float((k + Decimal(thousandths) / 1000) * Decimal("0.1"))
    assert steps_of([time], 0.1, rounding="ceil").tolist() == [k]


def test_the_last_step_that_can_be_numbered() -> None:
    assert steps_of([2.0**31 - 1], 1.0).tolist() == [2**31 - 1]


@pytest.mark.parametrize(
    ("duration", "dt", "message"),
    [
        (float("nan"), 1.0, "duration is nan"),
        (0.0, 1.0, "duration is 0.0"),
        (1.0, -1.0, "dt is -1.0"),
        (1e300, 1e-300, r"a duration of 1e\+300 has more timesteps of 1e-300 than can be counted"),
        (2.0**63, 1.0, "has more timesteps of 1.0 than can be counted"),
    ],
)
def test_what_is_no_duration_is_refused(duration: float, dt: float, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        n_steps(duration, dt)
