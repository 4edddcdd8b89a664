"""Makes trends: a metric of many runs, in their order, with the steps of its level and the reason for each."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from energy_db import runs as stored
from energy_db.catalogue import ledger
from energy_db.comparisons import comparing, explaining
from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError
from energy_db.guess import did_you_mean
from energy_db.history import changepoints, filters, metrics
from energy_db.history.changepoints import ChangePoint
from energy_db.history.metrics import Metric, RunFacts
from energy_db.history.question import Question
from energy_db.history.trend import NO_LAYER, TOTAL, Blessing, LeftOut, Series, Step, Trend, TrendPoint
from energy_db.reports.receipt import cost_source

if TYPE_CHECKING:
    from energy_db.comparisons.comparison import Comparison

FEWEST = 4

_BLESSED = (
    "SELECT run_key, layer, reason, blessed_at, blessed_by FROM blessings "
    "WHERE chip = ? AND run_key IN (SELECT unnest(?::INTEGER[])) "
    "AND blessing_number NOT IN (SELECT blessing_number FROM blessing_revocations) ORDER BY blessing_number"
)


@dataclass
class _History:
    """The runs that are followed, and what is known of them."""

    engine: Engine
    question: Question
    metric: Metric
    runs: Sequence[RunFacts]
    versions: Mapping[int, str]
    blessings: Sequence[tuple[int, Blessing]]
    _compared: dict[tuple[int, int], Comparison] = field(default_factory=dict)

    def compared(self, before: RunFacts, after: RunFacts) -> Comparison:
        """Hold two runs against each other; once, however many layers ask."""
        key = (before.run_key, after.run_key)
        if key not in self._compared:
            run_a, run_b = stored.load_many(self.engine, key)
            version_a, version_b = (self.versions[run_key] for run_key in key)
            chip = str(self.question.chip)
            self._compared[key] = comparing.compare(self.engine, run_a, run_b, chip, version_a, version_b)
        return self._compared[key]


def follow(engine: Engine, question: Question) -> Trend:
    """Follow a metric over the runs of a store.

    Parameters
    ----------
    engine : Engine
        The store.
    question : Question
        What is asked for.

    Raises
    ------
    UsageError
        If it cannot be meant.
    NotFoundError
        If the chip, cost version, tag or name is not in the store, or no run is left.
    """
    metric = question.check()
    pinned = None
    if metric.is_energy and not question.as_recorded:
        pinned = ledger.version_for(engine, str(question.chip), question.cost_version)
    elif metric.is_energy:
        ledger.known_chip(engine, str(question.chip))
    runs = _runs(engine, question, pinned)
    versions, missing = _versions(engine, question, metric, runs, pinned)
    reading = metrics.read(engine, metric, runs, question.chip, versions, question.by == "layer")
    missing = {**reading.missing, **missing}
    shown = [run for run in runs if run.run_key not in missing]
    if not shown:
        raise _nothing_left(metric, runs, missing)
    blessings = _blessings(engine, question, shown) if metric.is_energy else []
    history = _History(engine, question, metric, shown, versions, blessings)
    return Trend(
        metric=metric.name,
        unit=metric.unit,
        chip=question.chip if metric.is_energy else None,
        cost_version=pinned,
        as_recorded=question.as_recorded and metric.is_energy,
        by=question.by,
        name=question.name,
        n_runs=len(runs),
        fdr=question.fdr,
        least_change=question.least_change,
        series=tuple(_all_series(history, reading.values)),
        blessings=tuple(blessing for _, blessing in blessings),
        left_out=tuple(
            LeftOut(run.run_id, run.run_name, missing[run.run_key]) for run in runs if run.run_key in missing
        ),
        warnings=tuple(_warnings(history, len(runs))),
        costs=tuple(
            cost_source(engine, str(question.chip), version)
            for version in dict.fromkeys(versions[run.run_key] for run in shown if run.run_key in versions)
        ),
    )


def _runs(engine: Engine, question: Question, pinned: str | None) -> list[RunFacts]:
    keys = filters.select_runs(
        engine,
        question.where,
        name=question.name,
        since=question.since,
        limit=question.last,
        chip=question.chip,
        cost_version=pinned or _version_of_conditions(engine, question),
    )
    if keys:
        return metrics.run_facts(engine, keys)
    names = [row[0] for row in engine.rows("SELECT DISTINCT run_name FROM runs ORDER BY run_name")]
    if not names:
        raise NotFoundError("the store has no runs yet", "Store one first: energy-db ingest run.parquet")
    if question.name is not None and question.name not in names:
        guess = did_you_mean(question.name, names)
        raise NotFoundError(f"no run is called {question.name!r}", f"{guess}energy-db runs lists them.")
    raise NotFoundError("no run meets the conditions", "energy-db runs lists all that there are.")


def _version_of_conditions(engine: Engine, question: Question) -> str | None:
    """Return the cost set that conditions on energy are meant under, where no single one prices the runs."""
    asked = [filters.read_condition(text).name for text in question.where]
    if question.chip is None or filters.ENERGY not in asked:
        return None
    return ledger.version_for(engine, question.chip, question.cost_version)


def _versions(
    engine: Engine, question: Question, metric: Metric, runs: Sequence[RunFacts], pinned: str | None
) -> tuple[dict[int, str], dict[int, str]]:
    """Return the cost set of each run, and for each that has none, why."""
    if not metric.is_energy:
        return {}, {}
    if pinned is not None:
        return dict.fromkeys((run.run_key for run in runs), pinned), {}
    of_day: dict[date, str | None] = {}
    for day in dict.fromkeys(run.ingested_at.date() for run in runs):
        try:
            of_day[day] = ledger.version_for(engine, str(question.chip), as_of=day)
        except NotFoundError:
            of_day[day] = None
    versions = {run.run_key: of_day[run.ingested_at.date()] for run in runs}
    missing = {key: "no cost version was in force when it came in" for key, found in versions.items() if found is None}
    return {key: found for key, found in versions.items() if found is not None}, missing


def _blessings(engine: Engine, question: Question, runs: Sequence[RunFacts]) -> list[tuple[int, Blessing]]:
    """Return the accepted levels of these runs, in their order, each with the key of its run."""
    places = {run.run_key: place for place, run in enumerate(runs)}
    rows = engine.rows(_BLESSED, [question.chip, list(places)])
    found = [(key, Blessing(runs[places[key]].run_id, *about)) for key, *about in rows]
    return sorted(found, key=lambda pair: places[pair[0]])


def _nothing_left(metric: Metric, runs: Sequence[RunFacts], missing: Mapping[int, str]) -> NotFoundError:
    reason, n_runs = Counter(missing[run.run_key] for run in runs).most_common(1)[0]
    return NotFoundError(
        f"none of {len(runs)} runs has a value of {metric.name}; of {n_runs}: {reason}",
        "energy-db show RUN says what is known of a run; another cost version may price it: --cost VERSION",
    )


def _all_series(history: _History, values: Mapping[str, Mapping[int, float]]) -> Iterator[Series]:
    """Yield the series with their steps; all of them are one family."""
    question = history.question
    runs_of = {name: [run for run in history.runs if run.run_key in of_run] for name, of_run in values.items()}
    rows = [[values[name][run.run_key] for run in runs] for name, runs in runs_of.items()]
    found = changepoints.find_steps(rows, question.fdr, question.least_change)
    marks = [_marks(history, name, runs) for name, runs in runs_of.items()]
    cuts = [
        # A blessing within a level that a step began accepts that step; any other begins a level of its own.
        [place for place in places if not bisect_right([step.index for step in steps], place)]
        for places, steps in zip(marks, found, strict=True)
    ]
    if any(place for places in cuts for place in places):
        found = changepoints.find_steps(rows, question.fdr, question.least_change, cuts)
    for (name, runs), row, steps, places in zip(runs_of.items(), rows, found, marks, strict=True):
        yield Series(
            name=name,
            points=tuple(_points(history, runs, row, steps)),
            steps=tuple(_steps(history, name, runs, steps, places)),
            note=_note(row, question.fdr),
        )


def _marks(history: _History, name: str, runs: Sequence[RunFacts]) -> dict[int, Blessing]:
    """Return the blessings that hold for a series, by the position of their run in it."""
    places = {run.run_key: place for place, run in enumerate(runs)}
    return {
        places[key]: blessing for key, blessing in history.blessings if key in places and blessing.layer in (None, name)
    }


def _points(
    history: _History, runs: Sequence[RunFacts], values: Sequence[float], steps: Sequence[ChangePoint]
) -> Iterator[TrendPoint]:
    levels = changepoints.levels(values, steps)
    apart = changepoints.standing_apart(values, steps)
    for run, value, level, is_apart in zip(runs, values, levels, apart, strict=True):
        version = history.versions.get(run.run_key)
        yield TrendPoint(run.run_id, run.run_name, run.ingested_at, value, level, is_apart, version)


def _steps(
    history: _History,
    name: str,
    runs: Sequence[RunFacts],
    found: Sequence[ChangePoint],
    marks: Mapping[int, Blessing],
) -> Iterator[Step]:
    edges = [*(step.index for step in found), len(runs)]
    for step, end in zip(found, edges[1:], strict=True):
        # A level may be accepted where nothing changed: then it is a mark, and no step.
        if step.evidence == "cut" and abs(step.share or 0.0) < changepoints.LEAST_CHANGE:
            continue
        before, after = runs[step.index - 1], runs[step.index]
        accepted = [blessing for place, blessing in marks.items() if step.index <= place < end]
        why = history.compared(before, after) if history.metric.is_energy else None
        layer = why and next((row for row in why.layers if (row.layer or NO_LAYER) == name), None)
        yield Step(
            run_id=after.run_id,
            run_name=after.run_name,
            ingested_at=after.ingested_at,
            previous_run_id=before.run_id,
            index=step.index,
            before=step.before,
            after=step.after,
            change=step.after - step.before,
            share=step.share,
            p_value=step.p_value,
            evidence=step.evidence,
            n_runs=end - step.index,
            cost_version_before=history.versions.get(before.run_key),
            cost_version_after=history.versions.get(after.run_key),
            why=_why(why, name) if why else None,
            effects=layer.effects if layer else why.effects if why else None,
            comparable=why.comparable if why else None,
            accepted=accepted[-1] if accepted else None,
        )


def _why(compared: Comparison, name: str) -> str:
    """Return the reason of a change of the whole, or of one layer."""
    if name == TOTAL:
        return compared.why
    versions = (compared.cost_version_a, compared.cost_version_b)
    for row in compared.layers:
        if (row.layer or NO_LAYER) == name:
            return explaining.explain(row.energy_a_pj, versions, [row], row.change_pj, row.effects)
    return compared.why


def _note(values: Sequence[float], fdr: float) -> str | None:
    """Say why no step could be told, if there are too few runs for it."""
    if len(values) < FEWEST:
        return f"too few runs to tell a step from chance: {len(values)}, and it takes {FEWEST} or more"
    fewest = changepoints.fewest_runs(fdr)
    if len(values) < fewest and changepoints.needs_test(values):
        return f"too few runs to tell a step from chance: {len(values)} that vary, and it takes {fewest} or more"
    return None


def _warnings(history: _History, n_asked: int) -> Iterator[str]:
    names = sorted({run.run_name for run in history.runs})
    if len(names) > 1:
        yield f"runs of {len(names)} names in one history: a step may be the next name; --name NAME follows one"
    for what, values in (
        ("timesteps", [run.n_timesteps for run in history.runs]),
        ("samples", [run.n_samples for run in history.runs]),
    ):
        counts = Counter(values)
        if len(counts) > 1:
            shown = ", ".join(f"{value} in {n_runs}" for value, n_runs in counts.most_common(3))
            yield f"not all runs have as many {what} ({shown}): a step may be theirs"
    if history.question.as_recorded:
        for before, after in pairwise(history.runs):
            versions = history.versions.get(before.run_key), history.versions.get(after.run_key)
            if versions[0] != versions[1]:
                yield f"from {after.run_id} on, the costs are {versions[1]}, and {versions[0]} before"
    if n_left_out := n_asked - len(history.runs):
        yield f"{n_left_out} of {n_asked} runs left out: they have no value to compare"
