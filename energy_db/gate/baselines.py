"""What a run is held against: another run, the mean of a group, or the level that was blessed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Any

from energy_db import runs, units
from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError
from energy_db.gate.levels import Level, level_of
from energy_db.history import student
from energy_db.history.filters import select_runs
from energy_db.runs import Run

BLESSED = "blessed"
GROUP = "group:"
CONFIDENCE = 0.95
_FEWEST_TO_PREDICT = 3


class MissingBaselineError(NotFoundError):
    """The store does not have what a run is to be held against."""


@dataclass(frozen=True)
class Scope:
    """What of a run is meant: on which chip, under which costs, which layer, and of which unit.

    Attributes
    ----------
    chip, cost_version : str
        What prices it.
    layer : str or None
        The layer; None for the whole run.
    per : {'run', 'inference'}
        The whole run, or its mean sample.
    """

    chip: str
    cost_version: str
    layer: str | None
    per: str


@dataclass(frozen=True)
class Baseline:
    """What a run is held against.

    Attributes
    ----------
    title : str
        What it is, for people.
    runs : tuple of Run
        Its runs, the newest first; the run whose level was blessed.
    cost_version : str
        The cost set that prices both sides.
    energy_pj : Fraction or None
        Its energy in pJ, without rounding; None if a part of it is not known.
    missing : str or None
        What is not known of it; None if all is.
    notes : tuple of str
        What the reader should know of it.
    """

    title: str
    runs: tuple[Run, ...]
    cost_version: str
    energy_pj: Fraction | None
    missing: str | None = None
    notes: tuple[str, ...] = ()


def find_baseline(engine: Engine, selector: str, run: Run, scope: Scope) -> Baseline:
    """Return what a run is held against.

    Parameters
    ----------
    engine : Engine
        The store.
    selector : str
        A run (see `EnergyStore.run`), `group:TAG=VALUE`, or `blessed`.
    run : Run
        The run that is checked; it is no member of its own group.
    scope : Scope
        What of it is meant. A blessed level is held at the cost version that priced it.

    Raises
    ------
    MissingBaselineError
        If it is not in the store.
    NotFoundError
        If it has no such layer.
    """
    if selector == BLESSED:
        return _blessed(engine, run, scope)
    try:
        if selector.startswith(GROUP):
            keys = select_runs(engine, [selector.removeprefix(GROUP)])
        else:
            keys = [runs.find(engine, selector)]
    except NotFoundError as error:
        raise _missing(selector, error.message, error.hint) from error
    if selector.startswith(GROUP):
        members = [member for member in runs.load_many(engine, keys) if member.run_key != run.run_key]
        if not members:
            raise _missing(selector, "no other run is in it")
        return _mean(engine, selector, members, scope)
    found = runs.load(engine, keys[0])
    level = level_of(engine, found, scope.chip, scope.cost_version, scope.layer)
    title = f"run {found.run_id} ({found.name})"
    return Baseline(title, (found,), scope.cost_version, level.per(scope.per, found.n_samples), level.missing)


def scatter(energies: Sequence[Fraction]) -> tuple[float, float] | None:
    """Return between which energies one more run of a group lies in 19 of 20 cases; None for too few runs.

    >>> [round(end, 3) for end in scatter([Fraction(9), Fraction(10), Fraction(11)])]
    [5.032, 14.968]
    """
    if len(energies) < _FEWEST_TO_PREDICT:
        return None
    values = [float(energy) for energy in energies]
    reach = student.quantile(CONFIDENCE, len(values) - 1) * statistics.stdev(values) * sqrt(1 + 1 / len(values))
    mean = statistics.fmean(values)
    return mean - reach, mean + reach


def _mean(engine: Engine, selector: str, members: Sequence[Run], scope: Scope) -> Baseline:
    condition = selector.removeprefix(GROUP)
    title = f"the mean of {len(members)} run{'s' * (len(members) != 1)} with {condition}"
    levels = [level_of(engine, member, scope.chip, scope.cost_version, scope.layer) for member in members]
    known = [
        energy
        for member, level in zip(members, levels, strict=True)
        if (energy := level.per(scope.per, member.n_samples)) is not None
    ]
    if len(known) < len(members):
        why = next(level.missing for level in levels if level.missing)
        missing = f"of {len(members) - len(known)} of its runs: {why}"
        return Baseline(title, tuple(members), scope.cost_version, None, missing)
    notes: tuple[str, ...] = ()
    if between := scatter(known):
        ends = " to ".join(units.energy(max(end, 0.0)) for end in between)
        notes = (f"the {len(known)} runs with {condition} scatter: one more of them lies in {ends}, 19 times of 20",)
    return Baseline(title, tuple(members), scope.cost_version, sum(known, Fraction(0)) / len(known), notes=notes)


def _blessed(engine: Engine, run: Run, scope: Scope) -> Baseline:
    in_force = engine.records(
        "SELECT * FROM blessed_levels WHERE is_in_force AND chip = ? ORDER BY blessing_number DESC", [scope.chip]
    )
    fitting = [row for row in in_force if row["layer"] in (None, scope.layer)]
    if not fitting:
        only = ", only for layers" if in_force else ""
        raise _missing(
            BLESSED,
            f"no level is blessed on {scope.chip}{only}",
            f'Bless one: energy-db bless RUN --chip {scope.chip} --reason "..."',
        )
    # The run's own history first, then the layer's own level; of several, the newest.
    row = min(fitting, key=lambda row: (row["run_name"] != run.name, row["layer"] != scope.layer))
    return _of_blessing(engine, row, run, scope)


def _of_blessing(engine: Engine, row: dict[str, Any], run: Run, scope: Scope) -> Baseline:
    number, version = row["blessing_number"], row["cost_version"]
    blessed = runs.load(engine, runs.find(engine, row["run_id"]))
    title = f"blessing {number} (run {blessed.run_id}: {row['reason']})"
    notes = []
    if row["run_name"] != run.name:
        notes.append(f"no level of {run.name!r} is blessed: held against blessing {number}, of {row['run_name']!r}")
    if version != scope.cost_version:
        notes.append(
            f"blessing {number} was priced with {scope.chip} {version}, not {scope.cost_version}: "
            "both runs are priced with it"
        )
    level = Level(row["energy_pj"])
    if row["layer"] != scope.layer:
        level = level_of(engine, blessed, scope.chip, version, scope.layer)
    energy = level.per(scope.per, blessed.n_samples)
    return Baseline(title, (blessed,), version, energy, level.missing, tuple(notes))


def _missing(selector: str, why: str, hint: str | None = None) -> MissingBaselineError:
    first = "If there is none yet, as in a first run, say so: --allow-missing"
    return MissingBaselineError(f"there is no baseline {selector!r}: {why}", f"{hint} {first}" if hint else first)
