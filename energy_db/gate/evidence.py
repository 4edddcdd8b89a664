"""What a check looks up of a run: its energies, its baselines, what changed since; each of it once."""

from __future__ import annotations

from energy_db.catalogue import ledger
from energy_db.comparisons.comparing import compare
from energy_db.comparisons.comparison import Comparison
from energy_db.comparisons.verdict import of_runs
from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError
from energy_db.gate.baselines import Baseline, Baselines, Scope
from energy_db.gate.levels import Level, Levels, layer_index
from energy_db.gate.question import Question
from energy_db.reports.pricing import build
from energy_db.reports.report import Report
from energy_db.runs import Run


class Evidence:
    """What a check looks up of a run; what was looked up for one limit is at hand for the next.

    Parameters
    ----------
    engine : Engine
        The store.
    run : Run
        The run.
    question : Question
        What is to be checked.
    """

    def __init__(self, engine: Engine, run: Run, question: Question) -> None:
        self._engine = engine
        self._run = run
        self._question = question
        self.reports: dict[tuple[str, str], Report] = {}
        self.baselines: dict[Scope, Baseline | NotFoundError] = {}
        self._levels = Levels(engine)
        self._lookup = Baselines(engine, self._levels, question.against or "", run)
        self._contradictions: dict[tuple[tuple[int, ...], str, str], str] = {}
        self._comparisons: dict[tuple[str, str, str], Comparison | None] = {}

    def version(self, chip: str) -> str:
        """Return the cost version that prices the run on a chip."""
        return ledger.version_for(self._engine, chip, self._question.cost_version)

    def report(self, chip: str, cost_version: str) -> Report:
        """Return the run's report."""
        key = (chip, cost_version)
        if key not in self.reports:
            self.reports[key] = build(self._engine, self._run, chip, cost_version)
        return self.reports[key]

    def lacks(self, layer: str | None) -> str | None:
        """Return that the run does not have a layer; None if it does."""
        if layer is None:
            return None
        try:
            layer_index(self._run, layer)
        except NotFoundError as error:
            return in_one_line(error)
        return None

    def level(self, scope: Scope) -> Level:
        """Return what the run, or its layer, costs; a layer that it does not have is missing."""
        self.report(scope.chip, scope.cost_version)
        try:
            return self._levels.of(self._run, scope.chip, scope.cost_version, scope.layer)
        except NotFoundError as error:
            return Level(None, in_one_line(error))

    def baseline(self, scope: Scope) -> Baseline | NotFoundError:
        """Return what the run is held against, or why there is nothing."""
        if scope not in self.baselines:
            try:
                self.baselines[scope] = self._lookup.find(scope)
            except NotFoundError as error:
                self.baselines[scope] = error
        return self.baselines[scope]

    def is_itself(self, baseline: Baseline) -> bool:
        """Whether the run is its own baseline."""
        return [run.run_key for run in baseline.runs] == [self._run.run_key]

    def contradictions(self, baseline: Baseline, chip: str) -> str | None:
        """Return why the run and its baseline may not be held against each other; None if they may."""
        key = (tuple(run.run_key for run in baseline.runs), chip, baseline.cost_version)
        if key not in self._contradictions:
            self._contradictions[key] = "; ".join(self._disparities(baseline, chip))
        if not (found := self._contradictions[key]):
            return None
        return f"the run and its baseline, {baseline.title}, are not comparable ({found})"

    def change(self, baseline: Baseline, chip: str) -> Comparison | None:
        """Return what changed since the baseline, of a group since its newest run; None where that says nothing."""
        if self.is_itself(baseline):
            return None
        found = self._comparison(baseline.runs[0], chip, baseline.cost_version)
        return found if found is not None and (found.comparable or self._question.allow) else None

    def _disparities(self, baseline: Baseline, chip: str) -> list[str]:
        comparison = self._comparison(baseline.runs[0], chip, baseline.cost_version)
        differs = [] if comparison is None else list(comparison.differs)
        if len(baseline.runs) > 1:
            # Of the same cost version, what is priced differs by what a run brings: its level would say so.
            differs += of_runs(self._engine, baseline.runs, [self._run])
        said = {entry.what: f"{entry.what}: {entry.b} now, {entry.a} before" for entry in differs if entry.matters}
        return list(said.values())

    def _comparison(self, before: Run, chip: str, cost_version: str) -> Comparison | None:
        key = (before.run_id, chip, cost_version)
        if key not in self._comparisons:
            try:
                found = compare(self._engine, before, self._run, chip, cost_version, cost_version)
            except NotFoundError:  # nothing of them can be priced
                found = None
            self._comparisons[key] = found
        return self._comparisons[key]


def in_one_line(error: NotFoundError) -> str:
    """Return what is not there, and what to do about it."""
    return f"{error.message}. {error.hint}" if error.hint else error.message
