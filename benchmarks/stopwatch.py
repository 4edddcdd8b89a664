"""How a figure is taken: in pairs or rounds that alternate, so that a machine's moods hit both sides alike."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import TypeVar

Key = TypeVar("Key")

CHECKOUT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Paired:
    """Seconds of two ways to do the same, taken in alternation: ours, theirs, ours, theirs."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Median of the ratios of the single pairs."""
        return median(self._ratios)

    @property
    def detail(self) -> str:
        """The absolute figures behind the ratio, and how much the pairs differ."""
        times = f"{_time(median(self.ours))} against {_time(median(self.theirs))}"
        if len(self.ours) < 4:
            return times
        low, _, high = quantiles(self._ratios)
        return f"{times}; middle half of {len(self.ours)} pairs {low:.3g} to {high:.3g}"

    @property
    def _ratios(self) -> list[float]:
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]


def paired(ours: Callable[[], float], theirs: Callable[[], float], pairs: int) -> Paired:
    """Take pairs of two actions that return their own seconds, after one of each to warm up."""
    taken = [(ours(), theirs()) for _ in range(pairs + 1)][1:]
    return Paired(tuple(pair[0] for pair in taken), tuple(pair[1] for pair in taken))


def medians_ms(actions: Mapping[Key, Callable[[], object]], rounds: int) -> dict[Key, float]:
    """Return the median milliseconds of each action, all taken in turn, after one round to warm up."""
    taken = [{key: seconds(action) for key, action in actions.items()} for _ in range(rounds + 1)][1:]
    return {key: 1000 * median(times[key] for times in taken) for key in actions}


def seconds(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    begin = perf_counter()
    action()
    return perf_counter() - begin


def python(*arguments: str | Path) -> str:
    """Run a fresh Python process to its end, and return what it printed."""
    # A user's interpreter keeps its byte code, so a cold start must not compile.
    environment = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONDONTWRITEBYTECODE", "ENERGY_DB")
    }
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def whole_process(*arguments: str | Path) -> Callable[[], float]:
    """Return an action that runs a fresh Python process and returns its seconds, start-up included."""
    return lambda: seconds(lambda: python(*arguments))


def _time(taken: float) -> str:
    return f"{taken:.2f} s" if taken >= 1 else f"{1000 * taken:.3g} ms"
