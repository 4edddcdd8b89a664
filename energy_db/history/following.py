"""Makes trends: a metric of many runs, in their order, with the steps of its level and the reason for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise

from energy_db.catalogue import ledger
from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError
from energy_db.guess import did_you_mean
from energy_db.history import filters, metrics
from energy_db.history.metrics import Metric, RunFacts
from energy_db.history.question import Question
from energy_db.history.series import History, all_series
from energy_db.history.trend import Blessing, LeftOut, Trend
from energy_db.reports.receipt import cost_source

_BLESSED = (
    "SELECT run_key, layer, reason, blessed_at, blessed_by FROM blessings "
    "WHERE chip = ? AND run_key IN (SELECT unnest(?::INTEGER[])) "
    "AND blessing_number NOT IN (SELECT blessing_number FROM blessing_revocations) ORDER BY blessing_number"
)


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
    elif question.chip is not None:
        ledger.known_chip(engine, question.chip)
    runs = _runs(engine, question, pinned)
    versions, missing = _versions(engine, question, metric, runs, pinned)
    reading = metrics.read(engine, metric, runs, question.chip, versions, question.by == "layer")
    missing = {**reading.missing, **missing}
    shown = [run for run in runs if run.run_key not in missing]
    if not shown:
        raise _nothing_left(metric, runs, missing)
    blessings = _blessings(engine, question, shown) if metric.is_energy else []
    history = History(engine, question, metric, shown, versions, blessings)
    total, *rest = all_series(history, reading.values)
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
        series=tuple(rest) if question.by else (total,),
        total=total if question.by else None,
        blessings=tuple(blessing for _, blessing in blessings),
        left_out=tuple(
            LeftOut(run.run_id, run.run_name, missing[run.run_key]) for run in runs if run.run_key in missing
        ),
        warnings=tuple(_warnings(history, len(runs))),
        costs=tuple(
            cost_source(engine, str(question.chip), version)
            for version in dict.fromkeys(versions[run.run_key] for run in shown if run.run_key in versions)
        ),
        question=question,
    )


def _runs(engine: Engine, question: Question, pinned: str | None) -> list[RunFacts]:
    keys = filters.select_runs(
        engine,
        question.where,
        name=question.name,
        chip=question.chip,
        cost_version=pinned or _version_of_conditions(engine, question),
    )
    runs = metrics.run_facts(engine, keys) if keys else []
    if question.since is not None:
        since = filters.moment("since", question.since)
        runs = [run for run in runs if run.ran_at >= since]
    if runs:
        return runs if question.last is None else runs[-question.last :]
    names = [row[0] for row in engine.rows("SELECT DISTINCT run_name FROM runs ORDER BY run_name")]
    if not names:
        raise NotFoundError("the store has no runs yet", "Store one first: energy-db ingest run.parquet")
    if question.name is not None and question.name not in names:
        guess = did_you_mean(question.name, names)
        raise NotFoundError(f"no run is called {question.name!r}", f"{guess}energy-db runs lists them.")
    raise NotFoundError("no run meets the conditions", "energy-db runs lists all that there are.")


def _version_of_conditions(engine: Engine, question: Question) -> str | None:
    """Return the cost set that conditions on energy are meant under, where no single one prices the runs."""
    if question.chip is None or not question.asks_for_energy:
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


def _warnings(history: History, n_asked: int) -> Iterator[str]:
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
