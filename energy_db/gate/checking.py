"""Checks a run against its limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError
from energy_db.gate.baselines import Baseline, MissingBaselineError, Scope
from energy_db.gate.budget import Limit
from energy_db.gate.check import CheckReport
from energy_db.gate.evidence import Evidence, in_one_line
from energy_db.gate.question import FIELDS, Question, is_about, refuse_half_a_question
from energy_db.gate.rows import FAIL, PASS, UNCHECKED, LimitResult, Why
from energy_db.gate.ways_back import farthest_broken, ways_back
from energy_db.history.filters import check_tag
from energy_db.runs import Run


def check(engine: Engine, run: Run, question: Question) -> CheckReport:
    """Check a run against its limits.

    Parameters
    ----------
    engine : Engine
        The store.
    run : Run
        The run.
    question : Question
        The limits, and what they are held against.

    Raises
    ------
    UsageError
        If there is no limit, or a limit lacks its chip or baseline.
    NotFoundError
        If a chip or cost version is not in the store.
    """
    refuse_half_a_question(question)
    return _Checker(engine, run, question).report()


class _Checker:
    """One check, and what it gathers on its way."""

    def __init__(self, engine: Engine, run: Run, question: Question) -> None:
        self._engine = engine
        self._run = run
        self._question = question
        self._evidence = Evidence(engine, run, question)
        self._notes: list[str] = []
        self._obstacles: list[str] = []

    def report(self) -> CheckReport:
        applying = [limit for limit in self._question.limits if is_about(limit, self._run)]
        self._miss_tags()
        self._note_what_is_left_out(applying)
        results = [result for limit in applying for result in self._results(limit)]
        chips = dict.fromkeys(self._question.chip_of(limit) for limit in applying)
        why = tuple(self._why(chip) for chip in chips)
        ways = [
            way
            for broken in farthest_broken(results)
            for way in ways_back(broken, self._evidence.report(broken.chip, broken.cost_version))
        ]
        reports = self._evidence.reports.values()
        return CheckReport(
            run=self._run,
            against=self._question.against,
            verdict=self._verdict(results),
            limits=tuple(results),
            why=why,
            ways_back=tuple(ways),
            obstacles=_once(self._obstacles),
            notes=_once(self._notes),
            warnings=_once(warning for report in reports for warning in report.warnings),
            provenance=tuple(
                {
                    "run_id": report.run.run_id,
                    "chip": report.chip,
                    "cost_version": report.cost_version,
                    "report_hash": report.provenance["report_hash"],
                }
                for report in reports
            ),
        )

    def _verdict(self, results: Sequence[LimitResult]) -> str:
        if any(result.verdict == FAIL for result in results):
            return FAIL
        return UNCHECKED if self._obstacles else PASS

    def _note_what_is_left_out(self, applying: Sequence[Limit]) -> None:
        for limit in (limit for limit in self._question.limits if limit not in applying):
            tags = ", ".join(f"{tag}={value}" for tag, value in limit.where.items())
            self._notes.append(f"{limit.origin} is for runs with {tags}, not for this one")
        if not applying:
            self._miss("no limit is about this run: nothing was checked")

    def _miss_tags(self) -> None:
        """Tell a tag that no run carries: a limit that is for such runs would never be checked."""
        for limit in self._question.limits:
            for tag in (tag for tag in limit.where if tag not in FIELDS):
                try:
                    check_tag(self._engine, tag, FIELDS)
                except NotFoundError as error:
                    self._miss(f"{limit.origin}: {in_one_line(error)}")

    def _miss(self, what: str) -> None:
        """Remember what is not there: as an obstacle or, where it need not be there yet, as a note."""
        (self._notes if self._question.allow_missing else self._obstacles).append(what)

    def _results(self, limit: Limit) -> Iterable[LimitResult]:
        chip = self._question.chip_of(limit)
        scope = Scope(chip, self._evidence.version(chip), limit.layer, limit.per)
        if limit.max_energy_pj is not None:
            yield self._absolute(_blank(limit, "absolute", scope), scope, Fraction(limit.max_energy_pj))
        if limit.max_increase is not None:
            blank = replace(_blank(limit, "relative", scope), max_increase=float(limit.max_increase))
            yield self._relative(blank, scope, Fraction(limit.max_increase))

    def _absolute(self, blank: LimitResult, scope: Scope, most: Fraction) -> LimitResult:
        energy, missing = self._energy(scope)
        if energy is None:
            return self._hindered(blank, missing)
        return _judged(blank, energy, most)

    def _relative(self, blank: LimitResult, scope: Scope, increase: Fraction) -> LimitResult:
        if (lacking := self._evidence.lacks(scope.layer)) is not None:
            return self._hindered(blank, lacking)
        found = self._evidence.baseline(scope)
        if isinstance(found, NotFoundError):
            self._object(found)
            return replace(_told(blank, self._energy(scope)[0]), reason=found.message)
        self._notes += found.notes
        scope = replace(scope, cost_version=found.cost_version)
        energy, missing = self._energy(scope)
        blank = replace(
            _told(blank, energy),
            cost_version=found.cost_version,
            baseline=found.title,
            baseline_run_id=found.runs[0].run_id,
        )
        if energy is None or found.energy_pj is None:
            return self._hindered(blank, missing or f"the baseline, {found.title}: {found.missing}")
        if (contradictions := self._contradictions(found, scope.chip)) is not None:
            return self._hindered(blank, contradictions)
        before = found.energy_pj
        blank = replace(blank, baseline_pj=float(before), increase=float(energy / before - 1) if before else None)
        return _judged(blank, energy, before * (1 + increase))

    def _energy(self, scope: Scope) -> tuple[Fraction | None, str]:
        """Return the energy that is meant, and what is missing where it is not known."""
        level = self._evidence.level(scope)
        return level.per(scope.per, self._run.n_samples), level.missing or ""

    def _contradictions(self, baseline: Baseline, chip: str) -> str | None:
        """Return why the two may not be held against each other; None if they may, or shall be all the same."""
        if self._evidence.is_itself(baseline):
            self._notes.append(f"the baseline is the run itself, {self._run.run_id}: nothing can have changed")
            return None
        found = self._evidence.contradictions(baseline, chip)
        if found is not None and self._question.allow:
            self._notes.append(f"{found}, and are held against each other all the same")
            return None
        return found

    def _hindered(self, blank: LimitResult, reason: str) -> LimitResult:
        self._obstacles.append(reason)
        return replace(blank, reason=reason)

    def _object(self, error: NotFoundError) -> None:
        """Remember what is not there: as an obstacle or, where a baseline need not be there, as a note."""
        if self._question.allow_missing and isinstance(error, MissingBaselineError):
            self._notes.append(f"{error.message}; increases are not checked")
        else:
            self._obstacles.append(in_one_line(error))

    def _why(self, chip: str) -> Why:
        """Say why the run costs what it does on a chip: by what changed, where there is a baseline to tell."""
        for baseline in self._baselines_on(chip):
            if (change := self._evidence.change(baseline, chip)) is not None:
                title = f"run {change.a.run_id} ({change.a.name})"
                return Why(chip, baseline.cost_version, title, change.why)
        version = self._evidence.version(chip)
        return Why(chip, version, None, self._evidence.report(chip, version).why)

    def _baselines_on(self, chip: str) -> list[Baseline]:
        """Return the baselines that limits of a chip asked for; where none did, that of the whole run."""
        looked_up = [found for scope, found in self._evidence.baselines.items() if scope.chip == chip]
        if self._question.against is not None and not looked_up:
            whole = self._evidence.baseline(Scope(chip, self._evidence.version(chip), None, "run"))
            looked_up = [whole]
            # Whoever names a baseline wants to be told that it is not there, even if no limit needs it.
            if isinstance(whole, NotFoundError) and self._question.is_against_asked:
                self._object(whole)
            elif isinstance(whole, NotFoundError):
                self._notes.append(f"{whole.message}; no limit needs it")
        return [found for found in looked_up if isinstance(found, Baseline)]


def _blank(limit: Limit, kind: str, scope: Scope) -> LimitResult:
    """Return the result of a limit that is not checked yet."""
    return LimitResult(limit.origin, kind, scope.chip, scope.cost_version, scope.layer, scope.per, UNCHECKED)


def _told(blank: LimitResult, energy: Fraction | None) -> LimitResult:
    """Return a result that says the energy, even if the limit cannot be checked."""
    return blank if energy is None else replace(blank, energy_pj=float(energy))


def _judged(blank: LimitResult, energy: Fraction, most: Fraction) -> LimitResult:
    """Return what came of a limit; it is decided before anything is rounded."""
    return replace(
        blank,
        verdict=FAIL if energy > most else PASS,
        energy_pj=float(energy),
        limit_pj=float(most),
        excess_pj=float(energy - most),
        limit_share=float(energy / most) if most else None,
    )


def _once(texts: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(texts))
