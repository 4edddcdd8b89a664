"""`python -m benchmarks.changepoints`: how often steps are found that are none, and how soon those that are.

It writes its table into README.md and its figures into results/changepoints.json. Every series has a seed of its own,
so the shares are the same every time; only the seconds are not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.figures import README, facts
from energy_db.history.accepting import accept
from energy_db.history.changepoints import ChangePoint, find_steps
from energy_db.history.levels import standing_apart

SCHEMA = "energy-db/benchmarks-changepoints/1"
BEGINS, ENDS = "<!-- change points: written by python -m benchmarks.changepoints -->", "<!-- end of change points -->"
NOISE = 0.02
LEVEL = 100.0
RUNS_BEFORE = 20
NEAR = 2
LAYERS, RUNS = 200, 100

Values = list[float]


@dataclass(frozen=True)
class Share:
    """How often something happened, and how often it may or must.

    Attributes
    ----------
    what : str
        What happened.
    n_hits, n_cases : int
        How often, of how many.
    at_most, at_least : float or None
        The limit, as a share; None where nobody set one.
    """

    what: str
    n_hits: int
    n_cases: int
    at_most: float | None = None
    at_least: float | None = None

    @property
    def share(self) -> float:
        return self.n_hits / self.n_cases if self.n_cases else 0.0

    @property
    def verdict(self) -> str:
        """Whether the limit is kept."""
        if self.at_most is None and self.at_least is None:
            return ""
        is_met = self.share <= (1.0 if self.at_most is None else self.at_most) and self.share >= (self.at_least or 0.0)
        return "met" if is_met else "**not met**"

    @property
    def limit(self) -> str:
        if self.at_most is not None:
            return f"at most {100 * self.at_most:.3g} %"
        return "" if self.at_least is None else f"at least {100 * self.at_least:.3g} %"


def noise(random: np.random.Generator, n_values: int) -> np.ndarray:
    return LEVEL * (1 + NOISE * random.standard_normal(n_values))


def stepped(random: np.random.Generator, n_after: int, factor: float = 1.05, n_before: int = RUNS_BEFORE) -> np.ndarray:
    values = noise(random, n_before + n_after)
    values[n_before:] *= factor
    return values


def doubled(values: np.ndarray, random: np.random.Generator) -> np.ndarray:
    values[random.integers(len(values))] *= 2
    return values


def of_two_modes(random: np.random.Generator, n_values: int) -> np.ndarray:
    return LEVEL * (1 + 0.002 * random.standard_normal(n_values)) * np.where(random.random(n_values) < 0.5, 1.0, 1.05)


def remembering(random: np.random.Generator, n_values: int, memory: float) -> np.ndarray:
    """Noise of the same size in which each run resembles the one before."""
    shocks = random.standard_normal(n_values) * np.sqrt(1 - memory**2)
    shocks[0] /= np.sqrt(1 - memory**2)
    for place in range(1, n_values):
        shocks[place] += memory * shocks[place - 1]
    return LEVEL * (1 + NOISE * shocks)


def bump(random: np.random.Generator, n_runs: int) -> np.ndarray:
    values = noise(random, 40)
    values[20 : 20 + n_runs] *= 1.05
    return values


def any_step(steps: Sequence[ChangePoint]) -> bool:
    return bool(steps)


def near(place: int) -> Callable[[Sequence[ChangePoint]], bool]:
    return lambda steps: any(abs(step.index - place) <= NEAR for step in steps)


def measure(n_series: int) -> Iterator[Share]:
    """Ask every question."""

    def ask(
        what: str,
        make: Callable[[np.random.Generator], np.ndarray],
        is_hit: Callable[[Sequence[ChangePoint]], bool] = any_step,
        **limits: float,
    ) -> Share:
        hits = 0
        for number in range(n_series):
            # The words of the question are part of the seed, so that no two questions share their noise.
            random = np.random.default_rng([number, *what.encode()])
            [steps] = find_steps([make(random).tolist()])
            hits += is_hit(steps)
        return Share(what, hits, n_series, **limits)

    for n_runs in (8, 20, 40):
        yield ask(f"any step in noise alone, {n_runs} runs", lambda r, n=n_runs: noise(r, n), at_most=0.02)
    yield ask("any step in noise alone, 100 runs", lambda r: noise(r, 100), at_most=0.02)
    for n_runs, least in ((2, {}), (3, {}), (5, {"at_least": 0.8}), (8, {"at_least": 0.8})):
        what = f"a step of +5 % after 20 runs is found {n_runs} runs later, within 2 runs"
        yield ask(what, lambda r, n=n_runs: stepped(r, n), near(RUNS_BEFORE), **least)
    for percent in (2, 3, 10):
        what = f"a step of +{percent} % after 20 runs is found 8 runs later, within 2 runs"
        yield ask(what, lambda r, p=percent: stepped(r, 8, 1 + p / 100), near(RUNS_BEFORE))
    yield ask("any step in 40 runs of which one counts double", lambda r: doubled(noise(r, 40), r), at_most=0.02)
    yield ask(
        "a step of +5 % after 30 of 40 runs is found though one counts double",
        lambda r: doubled(stepped(r, 10, n_before=30), r), near(30),
    )  # fmt: skip
    yield ask("any step in 40 runs that jump between two levels 5 % apart", lambda r: of_two_modes(r, 40), at_most=0.02)
    for n_runs in (8, 20):
        what = f"limit: any step in {n_runs} runs that toss a coin between two values"
        yield ask(what, lambda r, n=n_runs: LEVEL + r.integers(2, size=n))
    yield ask("limit: any step in 40 runs, each half like the one before", lambda r: remembering(r, 40, 0.5))
    yield ask("limit: +5 % for 5 runs, then back, is seen at all in 40", lambda r: bump(r, 5))
    yield ask("limit: +5 % for 10 runs, then back, is seen at all in 40", lambda r: bump(r, 10))


def without_noise() -> Share:
    """A step of half a per cent where nothing else varies."""
    cases = [(10, 10), (3, 3), (19, 1), (1, 19), (50, 2)]
    found = find_steps([[LEVEL] * before + [1.005 * LEVEL] * after for before, after in cases])
    hits = sum([step.index for step in steps] == [before] for steps, (before, _) in zip(found, cases, strict=True))
    what = "a step of 0.5 % without noise is found (10 + 10, 3 + 3, 19 + 1, 1 + 19, 50 + 2 runs)"
    return Share(what, hits, len(cases), at_least=1.0)


def looking_every_night(n_series: int) -> Share:
    """Whoever looks after each run looks often, and each look can be wrong."""
    hits = 0
    for number in range(n_series):
        values = noise(np.random.default_rng([number, 1]), 60).tolist()
        hits += any(find_steps([values[:n_runs]])[0] for n_runs in range(20, 61))
    return Share("limit: any step in noise alone at any of 41 looks, from 20 to 60 runs", hits, n_series)


def accepting(n_series: int) -> Iterator[Share]:
    """What an accepted level does: to steps that were found, to flat noise, to a level that only just began."""

    def ask(
        what: str,
        make: Callable[[np.random.Generator], np.ndarray],
        is_hit: Callable[[Sequence[ChangePoint], Sequence[ChangePoint]], bool],
        place: Callable[[np.random.Generator, int], int],
        **limits: float,
    ) -> Share:
        hits = 0
        for number in range(n_series):
            random = np.random.default_rng([number, *what.encode()])
            values = make(random).tolist()
            [found] = find_steps([values])
            hits += is_hit(found, accept(values, found, [place(random, len(values))])[0])
        return Share(what, hits, n_series, **limits)

    for n_runs in (12, 40):
        yield ask(
            f"a step that was none before, in {n_runs} runs of noise alone of which any one is accepted",
            lambda r, n=n_runs: noise(r, n), lambda found, shown: len(shown) > len(found),
            lambda r, n: int(r.integers(n)), at_most=0.02,
        )  # fmt: skip
    yield ask(
        "a step of +5 % after 20 of 28 runs is lost, or another is added, by accepting any run",
        lambda r: stepped(r, 8), lambda found, shown: found != shown, lambda r, n: int(r.integers(n)), at_most=0.02,
    )  # fmt: skip
    for n_runs, percent in ((1, 25), (2, 10), (3, 8)):
        yield ask(
            f"+{percent} % after 20 runs is a step, within 2 runs, once run {n_runs} of it is accepted",
            lambda r, n=n_runs, p=percent: stepped(r, n, 1 + p / 100), lambda _, shown: near(RUNS_BEFORE)(shown),
            lambda _, n: n - 1,
        )  # fmt: skip


def outliers(n_series: int) -> Iterator[Share]:
    """Runs of noise that are said to stand apart from their level."""
    for n_runs in (5, 10, 20, 40):
        series = (noise(np.random.default_rng([number, n_runs, 2]), n_runs).tolist() for number in range(n_series))
        hits = sum(any(standing_apart(values, [])) for values in series)
        yield Share(f"any run of {n_runs} that stands apart in noise alone", hits, n_series, 0.02)


def nearly_silent(n_families: int) -> Share:
    """Layers that count 0 or 1 in most runs, beside others that vary."""
    hits = 0
    for number in range(n_families):
        random = np.random.default_rng([number, 3])
        silent = [random.poisson(0.1, 20).astype(float).tolist() for _ in range(80)]
        hits += any(find_steps([*(noise(random, 20).tolist() for _ in range(LAYERS - 80)), *silent]))
    return Share(f"any step in {LAYERS} layers of which 80 are nearly silent, 20 runs", hits, n_families, 0.02)


def families(n_families: int) -> Iterator[Share | tuple[str, float]]:
    """Two hundred layers at once: how many of the layers found have no step, and how long it takes."""
    seconds = []

    def ask(what: str, n_stepped: int) -> tuple[list[list[bool]], int]:
        found = []
        for number in range(n_families):
            random = np.random.default_rng([number, n_stepped, *what.encode()])
            series = [
                stepped(random, 40, n_before=60) if layer < n_stepped else noise(random, RUNS)
                for layer in range(LAYERS)
            ]
            begun = perf_counter()
            found.append([bool(steps) for steps in find_steps([values.tolist() for values in series])])
            seconds.append(perf_counter() - begun)
        return found, n_stepped

    quiet, _ = ask("quiet", 0)
    yield Share(f"any step in {LAYERS} layers of noise alone, {RUNS} runs", sum(map(any, quiet)), n_families, 0.02)
    for n_stepped in (1, 20, 200):
        found, _ = ask("loud", n_stepped)
        true = sum(sum(layers[:n_stepped]) for layers in found)
        every = sum(map(sum, found))
        what = f"{n_stepped} of {LAYERS} layers step by +5 % after 60 of {RUNS} runs"
        yield Share(f"{what}: found of those", true, n_stepped * n_families)
        yield Share(f"{what}: none among the layers found", every - true, every, 0.02)
    yield f"{LAYERS} layers of {RUNS} runs, slowest of {len(seconds)}", max(seconds)


def text_of(shares: Sequence[Share]) -> str:
    rows = [("what", "share", "of", "limit", "verdict")]
    rows.append(("---",) * len(rows[0]))
    rows += [
        (entry.what, f"{100 * entry.share:.1f} %", str(entry.n_cases), entry.limit, entry.verdict) for entry in shares
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def write(shares: Sequence[Share], timings: dict[str, float], folder: Path) -> None:
    """Write results/changepoints.json, and the README with its table anew."""
    machine = facts()
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "measured_on": datetime.now(UTC).date().isoformat(),
        "machine": machine,
        "seconds": timings,
        "shares": [{**asdict(entry), "share": entry.share, "verdict": entry.verdict.strip("*")} for entry in shares],
    }
    (folder / "results").mkdir(parents=True, exist_ok=True)
    path = folder / "results" / "changepoints.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    before, begins, rest = README.read_text(encoding="utf-8").partition(BEGINS)
    if not begins:
        raise SystemExit(f"{README} has no place for the table: {BEGINS}")
    took = ", ".join(f"{what}: {seconds:.2g} s" for what, seconds in timings.items())
    table = f"{record['measured_on']}; numpy {np.__version__}, python {machine['python']}; {took}.\n\n{text_of(shares)}"
    (folder / README.name).write_text(f"{before}{BEGINS}\n{table}\n{ENDS}{rest.partition(ENDS)[2]}", encoding="utf-8")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.changepoints", description=__doc__)
    parser.add_argument("--series", type=int, default=300, help="series of each question")
    parser.add_argument("--families", type=int, default=20, help="families of layers of each question")
    parser.add_argument("--out", type=Path, default=README.parent, help="folder of README.md and results/")
    arguments = parser.parse_args()
    shares: list[Share] = []
    timings: dict[str, float] = {}
    for entry in (
        *measure(arguments.series),
        without_noise(),
        looking_every_night(arguments.series // 3),
        *accepting(arguments.series),
        *outliers(arguments.series),
        nearly_silent(arguments.series // 3),
        *families(arguments.families),
    ):
        if isinstance(entry, Share):
            shares.append(entry)
            print(f"{entry.what}: {100 * entry.share:.1f} % {entry.verdict}", file=sys.stderr, flush=True)
        else:
            timings[entry[0]] = entry[1]
    print(text_of(shares))
    write(shares, timings, arguments.out)


if __name__ == "__main__":
    main()
