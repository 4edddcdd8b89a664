"""What a run is held against: another run, the mean of a group, or the level that was blessed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import sqrt
from typing import Any

from energy_db import runs, selectors, units
from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError
from energy_db.gate.levels import Level, Levels
from energy_db.history import student
from energy_db.history.filters import select_runs
from energy_db.history.groups import GROUP, is_group
from energy_db.runs import Run

BLESSED = "blessed"
CONFIDENCE = 0.95
_FEWEST_TO_PREDICT = 3
_IF_FIRST = "If there is none yet, as in a first run, say so: --allow-missing"


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


class Baselines:
    """Looks up what a run is held against, for one scope after the other.

    Parameters
    ----------
    engine : Engine
        The store.
    levels : Levels
        What runs cost.
    selector : str
        A run (see `EnergyStore.run`), `group:TAG=VALUE`, or `blessed`.
    run : Run
        The run that is checked; it is no member of its own group.
    """

    def __init__(self, engine: Engine, levels: Levels, selector: str, run: Run) -> None:
        self._engine = engine
        self._levels = levels
        self._selector = selector
        self._run = run

    def find(self, scope: Scope) -> Baseline:
        """Return what the run is held against.

        Parameters
        ----------
        scope : Scope
            What of it is meant. A blessed level is held at the cost version that priced it.

        Raises
        ------
        MissingBaselineError
            If it, or its layer, is not in the store.
        """
        if self._selector == BLESSED:
            return self._blessed(scope)
        if is_group(self._selector):
            return self._mean(self._members, scope)
        [found] = self._members
        level = self._level(found, scope.cost_version, scope)
        title = f"run {found.run_id} ({found.name})"
        return Baseline(title, (found,), scope.cost_version, level.per(scope.per, found.n_samples), level.missing)

    @cached_property
    def _members(self) -> list[Run]:
        """The runs that the selector names, the newest first."""
        try:
            if not is_group(self._selector):
                return [selectors.load(self._engine, self._selector)]
            keys = select_runs(self._engine, [self._selector.removeprefix(GROUP)])
        except NotFoundError as error:
            raise _missing(self._selector, error.message, error.hint) from error
        others = [key for key in keys if key != self._run.run_key]
        if not others:
            raise _missing(self._selector, "no other run is in it")
        return runs.load_many(self._engine, others)

    def _mean(self, members: Sequence[Run], scope: Scope) -> Baseline:
        condition = self._selector.removeprefix(GROUP)
        title = f"the mean of {len(members)} run{'s' * (len(members) != 1)} with {condition}"
        for member in members:
            _refuse_without_layer(member, scope.layer, f"{title}: run {member.run_id}")
        levels = self._levels.of_each(members, scope.chip, scope.cost_version, scope.layer)
        known = [
            energy
            for member, level in zip(members, levels, strict=True)
            if (energy := level.per(scope.per, member.n_samples)) is not None
        ]
        if len(known) < len(members):
            why = next(level.missing for level in levels if level.missing)
            missing = f"of {len(members) - len(known)} of its runs: {why}"
            return Baseline(title, tuple(members), scope.cost_version, None, missing)
        mean = sum(known, Fraction(0)) / len(known)
        return Baseline(title, tuple(members), scope.cost_version, mean, notes=_scattering(known, condition))

    def _blessed(self, scope: Scope) -> Baseline:
        in_force = self._engine.records(
            "SELECT * FROM blessed_levels WHERE is_in_force AND chip = ? ORDER BY blessing_number DESC", [scope.chip]
        )
        own = [row for row in in_force if row["run_name"] == self._run.name]
        # Of the levels that are about the layer, that of the run included, the newest is what was said last.
        for row in own:
            if row["layer"] in (None, scope.layer):
                return self._of_blessing(row, scope)
        only = ", only of layers" if own else ""
        others = list(dict.fromkeys(repr(row["run_name"]) for row in in_force if row["run_name"] != self._run.name))
        hint = f'Bless one: energy-db bless RUN --chip {scope.chip} --reason "...".'
        if others:
            hint = f"Levels of other histories are no baseline: {', '.join(others)}. {hint}"
        raise _missing(BLESSED, f"no level of {self._run.name!r} is blessed on {scope.chip}{only}", hint)

    def _of_blessing(self, row: dict[str, Any], scope: Scope) -> Baseline:
        number, version = row["blessing_number"], row["cost_version"]
        blessed = selectors.load(self._engine, row["run_id"])
        title = f"blessing {number} (run {blessed.run_id}: {row['reason']})"
        notes: tuple[str, ...] = ()
        if version != scope.cost_version:
            notes = (
                f"blessing {number} was priced with {scope.chip} {version}, not {scope.cost_version}: "
                "both runs are priced with it",
            )
        level = Level(row["energy_pj"])
        if row["layer"] != scope.layer:
            level = self._level(blessed, version, scope)
        return Baseline(title, (blessed,), version, level.per(scope.per, blessed.n_samples), level.missing, notes)

    def _level(self, run: Run, cost_version: str, scope: Scope) -> Level:
        _refuse_without_layer(run, scope.layer, f"run {run.run_id} ({run.name})")
        return self._levels.of(run, scope.chip, cost_version, scope.layer)


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


def _scattering(energies: Sequence[Fraction], condition: str) -> tuple[str, ...]:
    if (between := scatter(energies)) is None:
        return ()
    ends = " to ".join(units.energy(max(end, 0.0)) for end in between)
    return (f"the {len(energies)} runs with {condition} scatter: one more of them lies in {ends}, 19 times of 20",)


def _refuse_without_layer(run: Run, layer: str | None, title: str) -> None:
    names = [known.name for known in run.layers]
    if layer is not None and layer not in names:
        raise MissingBaselineError(
            f"the baseline, {title}, has no layer {layer!r}",
            f"Its layers are {', '.join(names)}. If the layer is new, say so: --allow-missing",
        )


def _missing(selector: str, why: str, hint: str | None = None) -> MissingBaselineError:
    return MissingBaselineError(
        f"there is no baseline {selector!r}: {why}", f"{hint} {_IF_FIRST}" if hint else _IF_FIRST
    )
