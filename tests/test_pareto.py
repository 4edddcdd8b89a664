"""The Pareto front against brute force."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from energy_db.history.pareto import Point, beaten_by

# Few different numbers, so that ties of every kind come up.
points = st.lists(st.tuples(st.integers(0, 6).map(float), st.integers(0, 6).map(float)), max_size=12)


def beats(one: Point, other: Point) -> bool:
    return one[0] <= other[0] and one[1] >= other[1] and one != other


def test_by_hand() -> None:
    assert beaten_by([(3.0, 0.9), (1.0, 0.5), (4.0, 0.9), (2.0, 0.4), (9.0, 1.0)]) == [None, None, 0, 1, None]
    assert beaten_by([]) == []


def test_equal_points_stand_on_the_front_together() -> None:
    assert beaten_by([(1.0, 0.5), (1.0, 0.5), (1.0, 0.4)]) == [None, None, 0]


@given(points)
def test_the_front_is_what_nobody_beats(given_points: list[Point]) -> None:
    expected = [any(beats(other, point) for other in given_points) for point in given_points]
    assert [beater is not None for beater in beaten_by(given_points)] == expected


@given(points)
def test_who_beats_a_point_is_the_cheapest_of_the_front_that_does(given_points: list[Point]) -> None:
    found = beaten_by(given_points)
    front = [point for point, beater in zip(given_points, found, strict=True) if beater is None]
    for point, beater in zip(given_points, found, strict=True):
        if beater is not None:
            assert found[beater] is None
            assert beats(given_points[beater], point)
            assert given_points[beater][0] == min(other[0] for other in front if beats(other, point))


@given(points)
def test_the_order_of_the_points_does_not_matter(given_points: list[Point]) -> None:
    forward = [beater is None for beater in beaten_by(given_points)]
    backward = [beater is None for beater in beaten_by(given_points[::-1])]
    assert forward == backward[::-1]
