"""Steps in series, by hand, by brute force, and by what must not matter. How often they are found: benchmarks/."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise, permutations, product
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_db.history import changepoints
from energy_db.history.accepting import accept
from energy_db.history.changepoints import ChangePoint, fewest_runs, find_steps, search
from energy_db.history.levels import levels, standing_apart
from energy_db.history.noiseless import are_noiseless, steps_without_noise
from energy_db.history.sparkline import sparkline


def noise(seed: int, n_values: int, spread: float = 0.02) -> list[float]:
    return (100 * (1 + spread * np.random.default_rng(seed).standard_normal(n_values))).tolist()


def with_step(values: Sequence[float], index: int, factor: float = 1.05) -> list[float]:
    return [value * factor if place >= index else value for place, value in enumerate(values)]


def places(steps: Sequence[ChangePoint]) -> list[int]:
    return [step.index for step in steps]


A, B, C = 100.0, 100.5, 99.0


class TestWithoutNoise:
    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            pytest.param([A] * 3 + [B] * 3, [3], id="3|3"),
            pytest.param([A] * 19 + [B], [19], id="19|1"),
            pytest.param([A] + [B] * 19, [1], id="1|19"),
            pytest.param([A] * 10 + [B] * 10, [10], id="10|10"),
            pytest.param([A] * 4 + [B] * 4 + [C] * 4, [4, 8], id="three levels"),
            pytest.param([A] * 20 + [B, C], [20, 21], id="two changes in a row"),
            pytest.param([A] * 20 + [B] * 20 + [A] * 20, [20, 40], id="there and back"),
            pytest.param([A] * 20 + [B] * 4 + [A] * 20, None, id="too short to be a level that comes back"),
            pytest.param([A] * 20 + [2 * A] + [A] * 20, [], id="one that doubles is an outlier"),
            pytest.param([A] * 4 + [2 * A] + [A] * 4, None, id="one of nine is too many"),
            pytest.param([A] * 20 + [2 * A] + [A] * 19 + [B] * 3, [40], id="an outlier hides no step"),
            pytest.param([A] * 7, [], id="constant"),
            pytest.param([A, A, B], None, id="three values prove nothing"),
            pytest.param([A, B, A, B, B, A, A, B, A, B], None, id="flipping is noise that was rounded"),
            pytest.param([A, B, C, A + 1, B + 1, C + 1], None, id="no two are alike"),
            pytest.param([A] * 6 + [B] * 2 + [A] * 6, None, id="an excursion of two is more than one in ten"),
        ],
    )
    def test_where_it_changes(self, values: list[float], expected: list[int] | None) -> None:
        assert steps_without_noise(values) == expected
        assert are_noiseless([values]) is (expected is not None or len(values) == 3)

    def test_a_coin_seldom_looks_like_a_step(self) -> None:
        # Of all 256 ways to toss a coin eight times, 14 are one side and then the other; and 6 are one side, five or
        # six times the other, and the first again.
        found = [steps_without_noise([float(side) for side in tosses]) for tosses in product((0, 1), repeat=8)]
        assert sum(bool(steps) for steps in found) == 20

    @pytest.mark.parametrize("values", [[A] * 3 + [B] * 3, [A] * 19 + [B]])
    def test_half_a_per_cent_is_found(self, values: list[float]) -> None:
        [(step,)] = find_steps([values])
        assert (step.before, step.after, step.p_value, step.evidence) == (100.0, 100.5, None, "exact")
        assert step.share == pytest.approx(0.005)

    def test_unless_a_larger_change_is_asked_for(self) -> None:
        assert find_steps([[A] * 5 + [B] * 5], least_change=0.006) == [()]
        assert find_steps([[A] * 5 + [B] * 5], least_change=0.004) != [()]

    def test_from_zero_there_is_no_share(self) -> None:
        [(step,)] = find_steps([[0.0] * 5 + [3.0] * 5])
        assert (step.share, step.before, step.after) == (None, 0.0, 3.0)


def brute_force_p(values: Sequence[float]) -> float:
    """Share of all orders with a difference of means, over all splits of two or more a side, as large as this order."""

    def statistic(ordered: Sequence[float]) -> float:
        size, largest = len(ordered), 0.0
        for left in range(2, size - 1):
            means = sum(ordered[:left]) / left - sum(ordered[left:]) / (size - left)
            largest = max(largest, abs(means) / math.sqrt(1 / left + 1 / (size - left)))
        return largest

    own = statistic(values) - 1e-9
    return sum(statistic(order) >= own for order in permutations(values)) / math.factorial(len(values))


class TestWithNoise:
    @pytest.mark.parametrize(
        "values",
        [
            # Neighbours differ by 2 in the middle, so that no value is far enough away to be drawn in.
            pytest.param([1.0, 3.0, 2.0, 6.0, 8.0, 7.0, 9.0], id="three against four"),
            pytest.param([1.0, 3.0, 1.5, 8.0, 9.5, 7.5], id="three against three"),
            pytest.param([1.0, 3.0, 9.0, 8.0, 10.0, 7.0, 9.5], id="two against five"),
        ],
    )
    def test_p_is_the_share_of_all_orders(self, values: list[float]) -> None:
        [(step,)] = find_steps([values], fdr=0.2)
        assert step.evidence == "permutation"
        expected = brute_force_p(values)
        # Of 199 orders or more, p is known to three standard errors.
        assert step.p_value == pytest.approx(expected, abs=3 * math.sqrt(expected / 199))

    def test_levels_are_medians(self) -> None:
        values = [10.0, 10.1, 9.9, 10.2, 9.8, 10.05, 12.0, 12.1, 11.9, 12.2, 11.8, 12.05]
        [(step,)] = find_steps([values])
        assert (step.index, step.before, step.after) == (6, pytest.approx(10.025), pytest.approx(12.025))
        assert levels(values, [step.index]) == [pytest.approx(10.025)] * 6 + [pytest.approx(12.025)] * 6

    def test_several_steps(self) -> None:
        values = with_step(with_step(noise(1, 60), 20, 1.1), 40, 0.9)
        [steps] = find_steps([values])
        assert [abs(found - true) <= 1 for found, true in zip(places(steps), (20, 40), strict=True)] == [True, True]

    def test_one_outlier_is_no_step(self) -> None:
        for seed in range(10):
            values = noise(seed, 30)
            for place in (0, 14, 28, 29):
                doubled = [2 * value if at == place else value for at, value in enumerate(values)]
                [steps] = find_steps([doubled])
                assert not [step for step in steps if abs(step.index - place) <= 2]

    def test_the_newest_alone_is_no_step(self) -> None:
        # Of 600 values, the largest stands at one of the two ends in 1 of 300 orders: below 0.01.
        values = noise(1, 600)
        values[-1] *= 2
        assert find_steps([values]) == [()]

    def test_p_is_never_zero(self) -> None:
        """The order that was seen is one of those that are possible."""
        for n_series in (1, 40):
            found = find_steps([with_step(noise(seed, 40), 20, 2.0) for seed in range(n_series)])
            assert all(1e-5 <= min(step.p_value for step in steps) < 0.001 for steps in found)

    @pytest.mark.thorough
    @pytest.mark.parametrize("n_values", [10, 12, 16])
    def test_p_is_never_below_the_least_possible(self, n_values: int) -> None:
        """However many orders are drawn: of C(n, k) ways to choose a side, two are as extreme."""
        for index in range(3, n_values - 2):
            for seed in range(5):
                for step in find_steps([with_step(noise(seed, n_values), index, 2.0)], fdr=0.1)[0]:
                    assert step.p_value >= 2 / math.comb(n_values, step.index)

    @pytest.mark.thorough
    def test_p_does_not_depend_on_what_is_asked(self) -> None:
        series = [with_step(noise(seed, 40), 20, 1 + seed / 400) for seed in range(20)]
        found = {fdr: find_steps(series, fdr=fdr) for fdr in (0.001, 0.01, 0.05, 0.5)}
        for steps in zip(*found.values(), strict=True):
            firsts = {(step.index, step.p_value) for of_fdr in steps for step in of_fdr if abs(step.index - 20) <= 1}
            assert len({p for index, p in firsts}) <= 1

    def test_a_level_does_not_begin_with_an_outlier(self) -> None:
        """The run before the step counts double: the new level begins behind it."""
        for seed in range(20):
            values = with_step(noise(seed, 40), 20, 1.1)
            values[19] *= 2
            [steps] = find_steps([values])
            assert 19 not in places(steps)
            assert min(abs(place - 20) for place in places(steps)) <= 1

    def test_the_largest_and_the_smallest_numbers(self) -> None:
        for scale in (5e305, 1e-320):
            [(step,)] = find_steps([[scale * value for value in with_step(noise(2, 30), 20, 1.2)]])
            assert (step.index, step.share) == (20, pytest.approx(0.2, abs=0.05))

    def test_an_outlier_hides_no_step(self) -> None:
        values = with_step(noise(4, 30), 20, 1.1)
        values[7] *= 2
        [(step,)] = find_steps([values])
        assert abs(step.index - 20) <= 2
        assert standing_apart(values, [step.index]) == [place == 7 for place in range(30)]

    def test_a_small_change_is_no_step_however_sure(self) -> None:
        values = with_step(noise(4, 200, spread=0.001), 100, 1.005)
        assert find_steps([values]) == [()]
        [(step,)] = find_steps([values], least_change=0.004)
        assert (step.index, step.p_value < 0.001) == (100, True)

    def test_small_ones_go_and_their_neighbours_are_measured_anew(self) -> None:
        # 100, 100.5, 103: the first change is half a per cent, and the levels on both sides of it become one.
        values = [
            *noise(5, 40, 0.0005),
            *with_step(noise(6, 40, 0.0005), 0, 1.005),
            *with_step(noise(7, 40, 0.0005), 0, 1.03),
        ]
        [(step,)] = find_steps([values])
        assert step.index == 80
        assert step.before == pytest.approx(100.25, abs=0.2)

    def test_too_few_orders_to_tell(self) -> None:
        # 4|4 is one of 70 splits, either way up 2 of 70: never below 0.01. 5|5 is 2 of 252.
        assert fewest_runs(0.01) == 10
        for n_values, is_found in ((8, False), (10, True)):
            values = with_step(noise(8, n_values), n_values // 2, 2.0)
            assert bool(find_steps([values])[0]) is is_found


class TestFamilies:
    def test_benjamini_and_hochberg_by_hand(self) -> None:
        # Of five at 0.05, ranked p must not exceed 0.01, 0.02, 0.03, 0.04, 0.05: the third passes, though the second
        # does not.
        tests = [SimpleNamespace(p_value=p) for p in (0.028, 0.9, 0.005, 0.025, 0.2)]
        level, chosen = changepoints._benjamini_hochberg(tests, 0.05)
        assert level == pytest.approx(0.03)
        assert [test.p_value for test in chosen] == [0.028, 0.005, 0.025]

    def test_none_passes(self) -> None:
        assert changepoints._benjamini_hochberg([SimpleNamespace(p_value=0.02)] * 3, 0.01) == (0.0, [])

    @pytest.mark.thorough
    def test_noise_among_noise_is_not_found(self) -> None:
        # At 0.05, some of these hundred are found when each is asked alone; as a family, none is.
        series = [noise(seed, 20) for seed in range(100)]
        alone = sum(bool(find_steps([values], fdr=0.05)[0]) for values in series)
        assert 1 <= alone <= 12
        assert find_steps(series, fdr=0.05) == [()] * 100

    def test_one_that_steps_among_many_that_do_not(self) -> None:
        series = [noise(seed, 40) for seed in range(50)]
        series[17] = with_step(series[17], 20, 1.1)
        found = find_steps(series)
        assert [place for place, steps in enumerate(found) if steps] == [17]
        # It takes a p of 0.01 / 50 at least, so more orders are drawn than for one alone.
        assert found[17][0].p_value < 0.0002

    def test_what_is_constant_is_no_test(self) -> None:
        """It makes it no harder for others."""
        noisy = with_step(noise(2, 25), 20, 1.045)
        alone = find_steps([noisy])[0]
        assert places(alone) == [20]
        assert find_steps([noisy, *([[A] * 25] * 100)])[0] == alone

    def test_nothing_is_certain_while_others_vary(self) -> None:
        """Half a per cent is certain where nothing varies; 19|1 proves nothing beside a layer that does."""
        steady, newest_alone = [A] * 10 + [B] * 10, [A] * 19 + [B]
        [(certain,), (alone,)] = find_steps([steady, newest_alone])
        assert (certain.evidence, alone.evidence) == ("exact", "exact")
        assert find_steps([steady, newest_alone, noise(1, 20)]) == [(), (), ()]
        [(tested,), _] = find_steps([[A] * 10 + [2 * A] * 10, noise(1, 20)])
        assert tested.evidence == "permutation"

    @pytest.mark.thorough
    def test_nearly_silent_layers_show_no_step(self) -> None:
        """Counts that are mostly 0 have ties by chance: none of ten families of 60 noisy and 40 such layers steps."""
        n_certain_alone = 0
        for seed in range(10):
            random = np.random.default_rng(seed)
            silent = [random.poisson(0.1, 20).astype(float).tolist() for _ in range(40)]
            n_certain_alone += sum(bool(steps_without_noise(values)) for values in silent)
            assert not any(find_steps([*silent, *(noise(100 * seed + layer, 20) for layer in range(60))]))
        assert n_certain_alone > 10

    def test_too_few_runs_for_so_many_layers(self) -> None:
        # 4 of 12: 2 of 495 orders, 0.00404; of four layers, one alone has to reach 0.0025.
        layers = [noise(seed, 12) for seed in range(3)] + [with_step(noise(3, 12), 8, 1.5)]
        found = search(layers)
        assert [entry.steps for entry in found] == [()] * 4
        few = found[3].too_few
        assert few is not None
        assert (few.n_values, few.n_apart, few.n_tests) == (12, 4, 4)
        assert (few.least_p, few.needed_p, few.enough_fdr) == pytest.approx((2 / 495, 0.0025, 8 / 495))
        assert [entry.too_few for entry in found[:3]] == [None] * 3
        assert places(search(layers, fdr=0.02)[3].steps) == [8]
        early = search([*layers[:3], with_step(noise(3, 12), 3, 1.5)])[3].too_few
        assert early is not None
        assert (early.n_apart, early.least_p) == (3, pytest.approx(2 / 220))

    def test_the_order_of_series_does_not_matter(self) -> None:
        series = [with_step(noise(seed, 20 + seed % 3), 12, 1.0 + seed / 100) for seed in range(12)]
        order = np.random.default_rng(0).permutation(len(series))
        found = find_steps(series)
        assert 2 < sum(map(bool, found)) < 12
        assert find_steps([series[place] for place in order]) == [found[place] for place in order]

    def test_no_series_has_no_steps(self) -> None:
        assert find_steps([]) == []
        assert find_steps([[], [1.0], [1.0, 2.0]]) == [(), (), ()]


VALUES = st.lists(st.integers(1, 10**6).map(float), min_size=1, max_size=40)
STEPPED = st.builds(
    lambda seed, at, percent: with_step(noise(seed, 30), at, 1 + percent / 100),
    st.integers(0, 10**6), st.integers(5, 25), st.integers(-20, 20),
)  # fmt: skip


class TestWhatDoesNotMatter:
    @pytest.mark.thorough
    @given(STEPPED, st.sampled_from([0.001, 1000.0, 2.0**40]))
    @settings(max_examples=30, deadline=None)
    def test_the_unit(self, values: list[float], factor: float) -> None:
        [steps], [scaled] = find_steps([values]), find_steps([[factor * value for value in values]])
        assert [(step.index, step.p_value) for step in scaled] == [(step.index, step.p_value) for step in steps]
        assert [step.after for step in scaled] == pytest.approx([factor * step.after for step in steps])

    @pytest.mark.thorough
    @given(STEPPED, st.sampled_from([-1000.0, 64.0, 10000.0]))
    @settings(max_examples=30, deadline=None)
    def test_where_zero_is(self, values: list[float], shift: float) -> None:
        """Except for the least change, which is a share."""
        [steps] = find_steps([values], least_change=0)
        [shifted] = find_steps([[value + shift for value in values]], least_change=0)
        assert [(step.index, step.p_value) for step in shifted] == [(step.index, step.p_value) for step in steps]

    @pytest.mark.thorough
    @given(STEPPED)
    @settings(max_examples=30, deadline=None)
    def test_which_way_is_up(self, values: list[float]) -> None:
        [steps], [mirrored] = find_steps([values]), find_steps([[-value for value in values]])
        assert [(step.index, step.p_value) for step in mirrored] == [(step.index, step.p_value) for step in steps]

    @pytest.mark.thorough
    @given(VALUES)
    @settings(max_examples=60, deadline=None)
    def test_asking_twice(self, values: list[float]) -> None:
        assert find_steps([values]) == find_steps([values])

    @given(st.integers(-(10**9), 10**9), st.integers(1, 60))
    def test_a_constant_has_no_step(self, value: int, n_values: int) -> None:
        assert find_steps([[float(value)] * n_values]) == [()]

    @pytest.mark.thorough
    @given(VALUES)
    @settings(max_examples=60, deadline=None)
    def test_steps_are_what_they_say(self, values: list[float]) -> None:
        [steps] = find_steps([values], fdr=0.3)
        edges = [0, *places(steps), len(values)]
        assert edges == sorted(set(edges))
        medians = [float(np.median(values[start:stop])) for start, stop in pairwise(edges)]
        assert [(step.before, step.after) for step in steps] == list(pairwise(medians))


def blessed(values: Sequence[float], *at: int) -> tuple[list[tuple[int, str]], dict[int, int]]:
    """Return the steps with their evidence, and which runs accept which of them."""
    [found] = find_steps([values])
    steps, accepted_by = accept(values, found, at, is_noiseless=are_noiseless([values]))
    return [(step.index, step.evidence) for step in steps], accepted_by


class TestAccepting:
    @pytest.mark.thorough
    @given(
        st.one_of(STEPPED, STEPPED.map(lambda values: [float(round(value)) for value in values])),
        st.lists(st.integers(0, 29), max_size=5),
    )
    @settings(max_examples=100, deadline=None)
    def test_no_step_that_was_found_is_lost(self, values: list[float], at: list[int]) -> None:
        [found] = find_steps([values])
        steps, accepted_by = accept(values, found, at, is_noiseless=are_noiseless([values]))
        marks = {(step.index, step.p_value, step.evidence) for step in steps}
        assert {(step.index, step.p_value, step.evidence) for step in found} <= marks
        added = {step.index for step in steps} - {step.index for step in found}
        assert added <= set(accepted_by)
        assert {step.index for step in steps if step.evidence == "accepted"} == added
        assert all(start <= place for start, place in accepted_by.items())

    def test_flat_noise_stays_flat(self) -> None:
        """Whatever run is accepted: of 300 histories of 12 to 40 runs, at most 2 % show a step that was none before."""
        invented = 0
        for seed in range(300):
            values = noise(seed, 12 + seed % 29)
            steps, _ = accept(values, (), [seed * 7 % len(values)])
            invented += bool(steps)
        assert invented <= 6

    def test_a_step_is_accepted_by_any_run_at_its_level(self) -> None:
        values = with_step(noise(1, 30), 20, 1.1)
        for place in (20, 21, 25, 29):
            assert blessed(values, place) == ([(20, "permutation")], {20: place})

    def test_not_by_a_run_before_it(self) -> None:
        """It was found; a blessing of an earlier run must not hide it."""
        values = with_step(noise(1, 30), 20, 1.1)
        for place in (0, 1, 16, 18):
            assert blessed(values, place) == ([(20, "permutation")], {})

    def test_a_level_of_one_run_begins_where_it_is_accepted(self) -> None:
        values = with_step(noise(2, 30), 29, 1.25)
        assert blessed(values) == ([], {})
        assert blessed(values, 29) == ([(29, "accepted")], {29: 29})

    def test_a_level_begins_where_it_did_not_where_it_was_accepted(self) -> None:
        values = with_step(noise(3, 23), 20, 1.1)
        steps, accepted_by = accept(values, (), [22])
        assert ([step.index for step in steps], accepted_by) == ([20], {20: 22})

    def test_an_older_step_is_not_what_a_later_level_accepts(self) -> None:
        values = with_step(with_step(noise(7, 41), 15, 1.2), 40, 1.2)
        assert blessed(values) == ([(15, "permutation")], {})
        assert blessed(values, 40) == ([(15, "permutation"), (40, "accepted")], {40: 40})
        assert blessed(values, 30) == ([(15, "permutation")], {15: 30})

    def test_what_stands_apart_accepts_nothing(self) -> None:
        """One run that counts double, in the middle of a level: a mark, and no level."""
        values = with_step(noise(4, 40), 15, 1.2)
        values[25] *= 2
        assert blessed(values, 25) == ([(15, "permutation")], {})
        steady = [A] * 10 + [B] * 12 + [2 * B] + [B] * 10
        assert blessed(steady, 22) == ([(10, "exact")], {})
        assert blessed(steady, 23) == ([(10, "exact")], {10: 23})

    def test_a_change_that_is_too_small_to_show_is_none(self) -> None:
        values = with_step(noise(5, 40, spread=0.0005), 30, 1.008)
        assert accept(values, (), [35]) == ((), {})
        assert accept(values, (), [35], 0.005)[1] == {30: 35}


class TestStandingApart:
    @pytest.mark.parametrize("n_values", [5, 10, 12, 20, 40])
    def test_noise_alone_has_none(self, n_values: int) -> None:
        """In at most 2 % of histories."""
        flagged = sum(any(standing_apart(noise(seed, n_values), [])) for seed in range(500))
        assert flagged <= 10

    def test_a_short_level_knows_the_noise_of_the_others(self) -> None:
        values = with_step(noise(1, 20), 15, 1.3)
        assert not any(standing_apart(values, [15]))
        values[17] *= 1.5
        assert standing_apart(values, [15]) == [place == 17 for place in range(20)]

    def test_two_in_a_row_at_the_end_may_be_a_level(self) -> None:
        values = with_step(noise(1, 30), 28, 1.5)
        assert not any(standing_apart(values, []))
        values[28] = 100.0
        assert standing_apart(values, []) == [place == 29 for place in range(30)]

    def test_ties_say_nothing_of_noise_unless_there_is_none(self) -> None:
        values = [0.0] * 15 + [1.0] + [0.0] * 4
        assert not any(standing_apart(values, []))
        assert standing_apart(values, [], is_noiseless=True) == [place == 15 for place in range(20)]

    def test_of_three_values_nobody_knows_which_stands_apart(self) -> None:
        assert standing_apart([899.3, 826.8, 219.7], [], is_noiseless=True) == [False] * 3
        assert standing_apart([5.0, 5.0, 7.0, 5.0], [], is_noiseless=True) == [False, False, True, False]


class TestSparkline:
    def test_the_lowest_and_the_highest(self) -> None:
        # Eighths of the range from 0 to 8: [0, 1) is the lowest block, [7, 8] the highest.
        assert sparkline([0, 0.99, 1, 4, 6.99, 7, 8]) == "▁▁▂▅▇██"
        assert sparkline([0, 0.99, 1, 4, 6.99, 7, 8], is_plain=True) == "__.=*##"

    def test_steps_are_bars(self) -> None:
        assert sparkline([1, 1, 1, 3, 3], [3]) == "▁▁▁│██"

    def test_an_outlier_does_not_flatten_the_others(self) -> None:
        assert sparkline([1, 2, 90, 1, -90], apart={2, 4}) == "▁██▁▁"
        assert sparkline([1, 2], apart={0, 1}) == "▁█"

    def test_a_constant_is_in_the_middle(self) -> None:
        assert sparkline([5, 5, 5]) == "▅▅▅"
        assert sparkline([]) == ""

    def test_many_are_averaged_within_their_level(self) -> None:
        # 121 values take three to a block: 60 of the first level make 20, and 61 of the second 20 and one of one value.
        line = sparkline([1.0] * 60 + [2.0] * 61, [60])
        assert line == "▁" * 20 + "│" + "█" * 21

    def test_the_largest_numbers(self) -> None:
        assert sparkline([-1e308, 1e308, 1e308]) == "▁██"
