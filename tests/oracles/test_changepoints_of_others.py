"""Steps that ruptures, asv and Apache Otava find, too: on clear cases, all must say the same.

`make oracles` installs and runs them; elsewhere this is skipped. In unclear cases they differ on purpose:
benchmarks/README.md says how often ours is wrong, and docs/trend.md why none of them is used.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from collections.abc import Callable, Sequence
from itertools import pairwise
from types import ModuleType

import numpy as np
import pytest

from energy_db.history.changepoints import find_steps

RELEASES = {"ruptures": "1.1.10", "asv": "0.6.6", "apache-otava": "0.8.0"}
MODULES = ("ruptures", "asv.step_detect", "otava.analysis")


def oracle(module: str) -> ModuleType:
    # make oracles says that they have to be here: then the absence of one is a failure.
    if os.environ.get("ORACLES") == "required":
        return importlib.import_module(module)
    return pytest.importorskip(module, reason=f"{module} is not installed: make oracles installs and runs it")


ruptures, asv, otava = map(oracle, MODULES)

Finder = Callable[[Sequence[float]], list[int]]


def of_ours(values: Sequence[float]) -> list[int]:
    [steps] = find_steps([values])
    return [step.index for step in steps]


def of_ruptures(values: Sequence[float]) -> list[int]:
    """PELT on means; its penalty must be told how large the noise is."""
    scaled = np.asarray(values) / np.median(values)
    noise = np.median(abs(np.diff(scaled))) / 0.954
    found = ruptures.Pelt(model="l2", min_size=2, jump=1).fit(scaled)
    return [int(place) for place in found.predict(pen=6 * noise**2 * np.log(len(scaled)) + 1e-9)[:-1]]


def of_asv(values: Sequence[float]) -> list[int]:
    return [left for left, *_ in asv.detect_steps(list(values))][1:]


def of_otava(values: Sequence[float]) -> list[int]:
    found, _ = otava.compute_change_points(list(values))
    return [point.index for point in found]


OTHERS = (of_ruptures, of_asv, of_otava)

CASES = {
    "up": [(0, 100.0), (30, 115.0)],
    "down": [(0, 100.0), (25, 85.0)],
    "up and further up": [(0, 100.0), (20, 115.0), (40, 135.0)],
    "down and up again": [(0, 100.0), (20, 80.0), (40, 105.0)],
    "late": [(0, 100.0), (50, 120.0)],
    "from a small number": [(0, 1e-6), (30, 2e-6)],
}


def series(levels: Sequence[tuple[int, float]], seed: int, spread: float, n_values: int = 60) -> list[float]:
    random = np.random.default_rng(seed)
    values = np.empty(n_values)
    for start, level in levels:
        values[start:] = level
    return (values * (1 + spread * random.standard_normal(n_values))).tolist()


def are_near(found: Sequence[int], expected: Sequence[int]) -> bool:
    return len(found) == len(expected) and all(abs(a - b) <= 1 for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: other.__name__.removeprefix("of_"))
@pytest.mark.parametrize("case", CASES)
class TestClearCases:
    def test_with_noise(self, case: str, other: Finder) -> None:
        """Steps of fifteen times the noise and more, each level for ten runs and more."""
        expected = [start for start, _ in CASES[case][1:]]
        for seed in range(20):
            values = series(CASES[case], seed, spread=0.01)
            ours, theirs = (largest_steps(find, values, len(expected)) for find in (of_ours, other))
            assert are_near(ours, expected), (seed, ours)
            assert are_near(theirs, expected), (seed, theirs)

    def test_without_noise(self, case: str, other: Finder) -> None:
        values = series(CASES[case], 0, spread=0.0)
        assert of_ours(values) == other(values) == [start for start, _ in CASES[case][1:]]


def largest_steps(find: Finder, values: Sequence[float], n_steps: int) -> list[int]:
    """Return the largest steps that are found: beside the clear ones, each detector finds a few that are none."""
    places = find(values)
    means = [float(np.mean(values[start:stop])) for start, stop in pairwise([0, *places, len(values)])]
    sizes = [abs(after - before) for before, after in pairwise(means)]
    largest = sorted(range(len(places)), key=lambda place: -sizes[place])[:n_steps]
    return sorted(places[place] for place in largest)


def test_half_a_per_cent_without_noise() -> None:
    values = [100.0] * 10 + [100.5] * 10
    assert [find(values) for find in (of_ours, *OTHERS)] == [[10]] * 4


def test_of_noise_alone_ours_finds_no_more_than_otava() -> None:
    quiet = [series([(0, 100.0)], seed, 0.02, 40) for seed in range(100)]
    ours, theirs = (sum(bool(find(values)) for values in quiet) for find in (of_ours, of_otava))
    assert ours <= min(theirs, 3)


def test_the_releases_that_are_spoken_of() -> None:
    assert {name: importlib.metadata.version(name) for name in RELEASES} == RELEASES
