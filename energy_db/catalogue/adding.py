"""Adding to the catalogue: read, held against the rules, inserted, put in force; all of it or nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from os import PathLike
from typing import Any

from energy_db.catalogue import files, ledger, lint
from energy_db.catalogue.files import Problem
from energy_db.catalogue.ledger import Fact
from energy_db.catalogue.sets import Chip, CostSet
from energy_db.engines.duckdb import Engine
from energy_db.errors import CostError, UsageError

AnyPath = str | PathLike[str]
Source = CostSet | Chip | AnyPath

_FIRST = "the first version of the chip that can price"
_DATED = "in_force_from of the version when it was added"
_ASKED = "asked for when the version was added"


def add(engine: Engine, sources: Collection[Source], in_force: date | None) -> list[dict[str, Any]]:
    """Add cost sets to the catalogue; to be called in a transaction.

    Raises
    ------
    CostError
        If a rule is broken; it lists every one.
    """
    given: list[tuple[CostSet, bool]] = []
    problems: list[Problem] = []
    for source in sources:
        chip, found = _read(source)
        if chip is not None:
            found = [*found, *lint.problems(chip, ledger.known_drivers(engine), ledger.stored_hashes(engine))]
            given += [] if found else _insert(engine, chip)
        problems += found
    if problems:
        raise files.refusal(problems)
    facts = [_asked(given, in_force)] if in_force else [*_dated(given), *_first(engine, given)]
    for fact in facts:
        put_in_force(engine, fact)
    begins = {(fact.chip, fact.cost_version): fact.in_force_from for fact in facts}
    return [_told(cost_set, is_new, begins.get((cost_set.chip, cost_set.version))) for cost_set, is_new in given]


def put_in_force(engine: Engine, fact: Fact) -> str | None:
    """Append a fact; if it is what was last said of that chip and day, only return the reason that was given then."""
    same_day = [row for row in ledger.facts(engine, fact.chip) if row["in_force_from"] == fact.in_force_from]
    if same_day and same_day[-1]["cost_version"] == fact.cost_version:
        return str(same_day[-1]["reason"])
    ledger.add_facts(engine, [fact])
    return None


def _read(source: Source) -> tuple[Chip | None, list[Problem]]:
    if isinstance(source, Chip):
        return source, []
    if isinstance(source, CostSet):
        title = source.chip if source.chip_title is None else source.chip_title
        return Chip(source.chip, title, source.chip_note, (source,), source.drivers), []
    return files.examine(source)


def _insert(engine: Engine, chip: Chip) -> list[tuple[CostSet, bool]]:
    known = ledger.stored_hashes(engine)
    given = [(cost_set, (cost_set.chip, cost_set.version) not in known) for cost_set in chip.versions]
    ledger.add_drivers(engine, {name: (meaning, True) for name, meaning in chip.drivers.items()})
    ledger.add_chips(engine, {chip.name: (chip.title, chip.note)})
    ledger.add_versions(engine, [cost_set for cost_set, is_new in given if is_new])
    return given


def _asked(given: Collection[tuple[CostSet, bool]], day: date) -> Fact:
    can_price = list({(new.chip, new.version): new for new, _ in given if new.summed}.values())
    if len(can_price) != 1:
        raise UsageError(
            f"{len(can_price)} of the given versions can price a run: which of them is to be in force from {day}?",
            "Give in_force_from in the files, or put one in force when they are added: energy-db costs in-force.",
        )
    return _fact(can_price[0], day, _ASKED)


def _dated(given: Collection[tuple[CostSet, bool]]) -> Iterator[Fact]:
    for cost_set, is_new in given:
        if is_new and cost_set.in_force_from is not None:
            yield _fact(cost_set, cost_set.in_force_from, _DATED)


def _first(engine: Engine, given: Collection[tuple[CostSet, bool]]) -> Iterator[Fact]:
    """A chip of which nobody ever said what is in force gets its only version that can price, from today on."""
    dated = ledger.chips_with_facts(engine) | {fact.chip for fact in _dated(given)}
    for chip in sorted({cost_set.chip for cost_set, _ in given} - dated):
        can_price = [cost_set for cost_set, _ in given if cost_set.chip == chip and cost_set.summed]
        if len(can_price) > 1:
            names = ", ".join(cost_set.version for cost_set in can_price)
            raise CostError(f"{chip} would have {names}, and none in force", "Give one of them an in_force_from.")
        for cost_set in can_price:
            yield _fact(cost_set, ledger.now().date(), _FIRST)


def _fact(cost_set: CostSet, day: date, reason: str) -> Fact:
    return Fact(cost_set.chip, cost_set.version, day, ledger.now(), reason)


def _told(cost_set: CostSet, is_new: bool, in_force_from: date | None) -> dict[str, Any]:
    return {
        "status": "added" if is_new else "unchanged",
        "chip": cost_set.chip,
        "cost_version": cost_set.version,
        "n_operations": len(cost_set.summed),
        "n_reference": len(cost_set.costs) - len(cost_set.summed),
        "in_force_from": in_force_from,
        "content_hash": cost_set.content_hash,
    }
