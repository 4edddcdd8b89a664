"""Makes the series of a trend: points, steps with the reason for each, and why there is none where none can be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10

from energy_db.engines.duckdb import Engine
from energy_db.history import changepoints
from energy_db.history.accepting import accept
from energy_db.history.changepoints import ChangePoint, Finding, TooFew
from energy_db.history.levels import far_off, levels, standing_apart
from energy_db.history.metrics import Metric, RunFacts
from energy_db.history.noiseless import are_noiseless
from energy_db.history.question import Question
from energy_db.history.reasons import Reasons, typical
from energy_db.history.trend import WHOLE, Blessing, Followed, LayerPart, Series, Step, TrendPoint, name_of

FEWEST = 4


@dataclass
class History:
    """The runs that are followed, and what is known of them.

    Attributes
    ----------
    engine : Engine
        The store.
    question : Question
        What is asked for.
    metric : Metric
        What is followed.
    runs : sequence of RunFacts
        The runs that have a value, the oldest first.
    versions : mapping of int to str
        The cost set of each run by its key; empty if the metric is no energy.
    blessings : sequence of (int, Blessing)
        The accepted levels, each with the key of its run.
    """

    engine: Engine
    question: Question
    metric: Metric
    runs: Sequence[RunFacts]
    versions: Mapping[int, str]
    blessings: Sequence[tuple[int, Blessing]]


@dataclass
class _Followed:
    """A series in the making: its runs, its values, the steps that were found, and which of them are accepted."""

    what: Followed
    runs: Sequence[RunFacts]
    values: Sequence[float]
    is_noiseless: bool
    found: Finding
    steps: Sequence[ChangePoint]
    accepted: Mapping[int, Blessing]

    @property
    def starts(self) -> list[int]:
        return [step.index for step in self.steps]


def all_series(history: History, values: Mapping[Followed, Mapping[int, float]]) -> list[Series]:
    """Return the series of the whole runs, then that of each layer, with their steps.

    The layers are one family, and the whole is none of it.

    Parameters
    ----------
    history : History
        The runs.
    values : mapping of (str, str or None) to (mapping of int to float)
        For each series, the value of each run by its key.
    """
    rows = {
        what: [(run, of_run[run.run_key]) for run in history.runs if run.run_key in of_run]
        for what, of_run in values.items()
    }
    numbers = {what: [value for _, value in row] for what, row in rows.items()}
    is_noiseless = are_noiseless(list(numbers.values()))
    found: dict[Followed, Finding] = {}
    for family in ([WHOLE], [what for what in rows if what != WHOLE]):
        asked = history.question.fdr, history.question.least_change, is_noiseless
        found |= zip(family, changepoints.search([numbers[what] for what in family], *asked), strict=True)
    every = []
    for what, row in rows.items():
        marks = _marks(history, what, [run for run, _ in row])
        steps, by = accept(
            numbers[what], found[what].steps, marks, history.question.least_change, is_noiseless=is_noiseless
        )
        accepted = {start: marks[place] for start, place in by.items()}
        runs = [run for run, _ in row]
        every.append(_Followed(what, runs, numbers[what], is_noiseless, found[what], steps, accepted))
    made = _steps(history, every, values)
    return [
        Series(
            name=name_of(series.what),
            kind=series.what[0],
            layer=series.what[1],
            points=tuple(_points(history, series)),
            steps=tuple(steps),
            note=_note(series, history.question.fdr),
        )
        for series, steps in zip(every, made, strict=True)
    ]


def _marks(history: History, what: Followed, runs: Sequence[RunFacts]) -> dict[int, Blessing]:
    """Return the blessings of a series, by the position of their run: of the whole run, or of this very layer."""
    places = {run.run_key: place for place, run in enumerate(runs)}
    kind, layer = what
    return {
        places[key]: blessing
        for key, blessing in history.blessings
        if kind != "rest" and key in places and blessing.layer == layer
    }


def _points(history: History, series: _Followed) -> Iterator[TrendPoint]:
    level_of = levels(series.values, series.starts)
    apart = standing_apart(series.values, series.starts, is_noiseless=series.is_noiseless)
    for run, value, level, is_apart in zip(series.runs, series.values, level_of, apart, strict=True):
        version = history.versions.get(run.run_key)
        yield TrendPoint(run.run_id, run.run_name, run.ran_at, run.ingested_at, value, level, is_apart, version)


def _steps(
    history: History, every: Sequence[_Followed], values: Mapping[Followed, Mapping[int, float]]
) -> list[list[Step]]:
    """Return the steps of each series. Reasons are sought for the whole run first, then for the newest steps."""
    reasons = Reasons(history.engine, str(history.question.chip), history.versions)
    made: list[list[Step]] = [[] for _ in every]
    order = sorted(
        ((number, at) for number, series in enumerate(every) for at in range(len(series.steps))),
        key=lambda pair: (every[pair[0]].what != WHOLE, -every[pair[0]].steps[pair[1]].index),
    )
    for number, at in order:
        made[number].insert(0, _step(history, every[number], at, reasons, values))
    return made


def _step(
    history: History, series: _Followed, at: int, reasons: Reasons, values: Mapping[Followed, Mapping[int, float]]
) -> Step:
    runs, found = series.runs, series.steps[at]
    first, end = ([0, *series.starts][at], [*series.starts, len(runs)][at + 1])
    far = far_off(series.values, series.starts, is_noiseless=series.is_noiseless)
    sides = (
        (found.before, range(found.index - 1, first - 1, -1)),
        (found.after, range(found.index, end)),
    )
    before, after = (runs[typical(series.values, level, far, places)] for level, places in sides)
    why = None
    if history.metric.is_energy:
        keys = before.run_key, after.run_key
        why = reasons.of_run(*keys) if series.what == WHOLE else reasons.of_layer(*keys, series.what[1])
    run = runs[found.index]
    return Step(
        run_id=run.run_id,
        run_name=run.run_name,
        ran_at=run.ran_at,
        ingested_at=run.ingested_at,
        previous_run_id=runs[found.index - 1].run_id,
        typical_before_id=before.run_id,
        typical_after_id=after.run_id,
        index=found.index,
        before=found.before,
        after=found.after,
        change=found.after - found.before,
        share=found.share,
        p_value=found.p_value,
        evidence=found.evidence,
        n_runs=end - found.index,
        cost_version_before=history.versions.get(before.run_key),
        cost_version_after=history.versions.get(after.run_key),
        why=None if why is None else why.why,
        effects=None if why is None else why.effects,
        comparable=None if why is None else why.comparable,
        accepted=series.accepted.get(found.index),
        layers=_parts(history.metric, values, before, after) if series.what == WHOLE else (),
    )


def _parts(
    metric: Metric, values: Mapping[Followed, Mapping[int, float]], before: RunFacts, after: RunFacts
) -> tuple[LayerPart, ...]:
    """Return what each layer makes of a change of the whole, if layers were asked for and add up to it."""
    if not metric.is_sum:
        return ()
    changes = {
        what: of_run.get(after.run_key, 0.0) - of_run.get(before.run_key, 0.0)
        for what, of_run in values.items()
        if before.run_key in of_run or after.run_key in of_run
    }
    whole = changes.pop(WHOLE)
    parts = [LayerPart(layer, change, change / whole if whole else None) for (_, layer), change in changes.items()]
    return tuple(sorted(parts, key=lambda part: -abs(part.change)))


def _note(series: _Followed, fdr: float) -> str | None:
    """Say why no step could be told, if there are too few runs for it."""
    n_runs = len(series.values)
    begins = "too few runs to tell a step from chance"
    if n_runs < FEWEST:
        return f"{begins}: {n_runs}, and it takes {FEWEST} or more"
    fewest = changepoints.fewest_runs(fdr)
    if n_runs < fewest and not series.is_noiseless and len(set(series.values)) > 1:
        return f"{begins}: {n_runs} that vary, and it takes {fewest} or more"
    return None if series.steps or series.found.too_few is None else _too_few(series.found.too_few)


def _too_few(reason: TooFew) -> str:
    digit = 10 ** floor(log10(reason.enough_fdr))
    enough = -(-reason.enough_fdr // digit) * digit
    of = f" for {reason.n_tests} layers" if reason.n_tests > 1 else ""
    way_out = f", or --fdr {enough:.1g}" if enough < 1 else ""
    return (
        f"too few runs{of} to tell a step from chance: with {reason.n_apart} of {reason.n_values} at another level, "
        f"the least p is {reason.least_p:.2g}, and it takes {reason.needed_p:.2g}; more runs{way_out}"
    )
