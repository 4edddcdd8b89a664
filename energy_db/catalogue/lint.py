"""The rules of the catalogue: what a cost set must be before it may be added."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from os import PathLike
from pathlib import Path

from energy_db import sql
from energy_db.catalogue import files
from energy_db.catalogue.files import Problem
from energy_db.catalogue.sets import (
    ADDITIVE_SCOPES,
    REFERENCE_SCOPES,
    SCOPES,
    STATUSES,
    Chip,
    Cost,
    CostSet,
)
from energy_db.guess import did_you_mean

AnyPath = str | PathLike[str]
Versions = Mapping[tuple[str, str], str]
Complaint = tuple[str, str]

# A published energy of a whole sample: it can be shown, but what it was spent on is not what a run counts.
WHOLE_SAMPLE = "inference"
SECOND = "second"

_CHIP_NAME = re.compile(r"[a-z0-9_]+")
_NAME = re.compile(r"[a-z0-9_.-]+")
_RESERVED = ("all",)  # what report --chip takes for every chip


def lint_files(paths: Collection[AnyPath] | None, known_drivers: Mapping[str, str], stored: Versions) -> list[Problem]:
    """Return everything that keeps cost files out of the catalogue, file by file.

    Parameters
    ----------
    paths : collection of path-like or None
        The files; None for those of this release, which must also be named as their chips.
    known_drivers, stored : mapping
        As of `problems`.
    """
    found: list[Problem] = []
    for path in sql.cost_files() if paths is None else paths:
        chip, unreadable = files.examine(path)
        found += unreadable
        if chip is not None:
            found += problems(chip, known_drivers, stored)
            if paths is None and chip.name != Path(path).stem:
                found.append(Problem(chip.file, "", "", f"the chip is {chip.name!r}", "Name the file as its chip"))
    return found


def problems(chip: Chip, known_drivers: Mapping[str, str], stored: Versions) -> list[Problem]:
    """Return everything that keeps a chip's cost sets out of the catalogue.

    Parameters
    ----------
    chip : Chip
        The chip, with the cost sets to add.
    known_drivers : mapping of str to str
        The drivers that need no declaration, and what one unit of each is.
    stored : mapping of (str, str) to str
        The content hash of every (chip, version) in the catalogue.
    """
    drivers = {WHOLE_SAMPLE: "", **known_drivers, **chip.drivers}
    found = [Problem(chip.file, "", "", *complaint) for complaint in _of_chip(chip, known_drivers)]
    for cost_set in chip.versions:
        complaints = [*_of_version(cost_set), *_of_sums(cost_set), *_of_history(cost_set, stored)]
        found += [Problem(chip.file, cost_set.version, "", *complaint) for complaint in complaints]
        for cost in cost_set.costs:
            complaints = [*_of_cost(cost, cost_set), *_of_range(cost), *_of_driver(cost, drivers)]
            found += [Problem(chip.file, cost_set.version, cost.operation, *complaint) for complaint in complaints]
    return found


def is_chip_name(name: str) -> bool:
    """Whether a chip can be called so."""
    return bool(_CHIP_NAME.fullmatch(name)) and name not in _RESERVED


def _of_chip(chip: Chip, known_drivers: Mapping[str, str]) -> Iterator[Complaint]:
    if not _CHIP_NAME.fullmatch(chip.name):
        yield f"the chip's name is {chip.name!r}", "Use small letters, digits and _ only"
    if chip.name in _RESERVED:
        yield f"no chip can be called {chip.name!r}", "It stands for every chip; choose another name"
    for name, count in Counter(cost_set.version for cost_set in chip.versions).items():
        if count > 1:
            yield f"the version {name!r} is there {count} times", "Give each cost set a name of its own"
    for driver, meaning in chip.drivers.items():
        if not _NAME.fullmatch(driver):
            yield f"the driver's name is {driver!r}", "Use small letters, digits and _.- only"
        if not meaning.strip():
            yield f"the driver {driver!r} has no meaning", "Say what one unit of it is"
        if driver in known_drivers and meaning != known_drivers[driver]:
            said = known_drivers[driver]
            yield f"the driver {driver!r} is known already, with the meaning {said!r}", "Choose another name for yours"


def _of_version(cost_set: CostSet) -> Iterator[Complaint]:
    if not _NAME.fullmatch(cost_set.version):
        yield f"the version's name is {cost_set.version!r}", "Use small letters, digits and _.- only"
    if not cost_set.source.strip():
        yield "source is empty", "Say where the numbers are from: a publication, a tool's report, your own measurement"
    yield from _of_status(cost_set.status)
    yield from _of_doi(cost_set.doi)
    if not cost_set.costs:
        yield "it has no costs", "Add a [[version.cost]] for each operation"
    for name, count in Counter(cost.operation for cost in cost_set.costs).items():
        if count > 1:
            yield f"the operation {name!r} is there {count} times", "Give each operation one cost, under its own name"
    if cost_set.in_force_from is not None and not cost_set.summed:
        yield "in_force_from is given, but all its costs are for reference only", "Leave in_force_from out"


def _of_sums(cost_set: CostSet) -> Iterator[Complaint]:
    """What is summed must be summable: additive terms with one another, a lump alone, a convention with its like."""
    summed = [cost for cost in cost_set.summed if cost.scope in SCOPES]
    kinds = {"additive" if cost.scope in ADDITIVE_SCOPES else cost.scope for cost in summed}
    if len(kinds) > 1:
        scopes = ", ".join(sorted({cost.scope for cost in summed}))
        yield (
            f"it mixes the scopes {scopes}, which cannot be added up",
            "Mark what is not to be added: reference = true",
        )
    elif kinds == {"aggregate"} and len(summed) > 1:
        names = ", ".join(cost.operation for cost in summed)
        yield (
            f"a lump stands alone, but {names} are all of scope aggregate",
            "Keep one, mark the others reference = true",
        )
    elif summed and all(cost.scope == "static" for cost in summed):
        yield (
            "all that is summed is static, which does not price activity",
            "Add what activity costs, or mark the static costs: reference = true",
        )


def _of_history(cost_set: CostSet, stored: Versions) -> Iterator[Complaint]:
    sealed = stored.get((cost_set.chip, cost_set.version))
    if sealed is not None and sealed != cost_set.content_hash:
        yield (
            f"{cost_set.chip} has a version of that name with other content",
            "Another number is another version: give it another name",
        )


def _of_cost(cost: Cost, cost_set: CostSet) -> Iterator[Complaint]:
    if not _NAME.fullmatch(cost.operation):
        yield f"the operation's name is {cost.operation!r}", "Use small letters, digits and _.- only"
    if cost.scope not in SCOPES:
        yield (
            f"scope is {cost.scope!r}, must be one of {', '.join(SCOPES)}",
            f"{did_you_mean(cost.scope, SCOPES)}docs/costs.md explains them",
        )
    if cost.scope in REFERENCE_SCOPES and not cost.is_reference:
        yield f"a figure of scope {cost.scope} is never summed", "Mark it: reference = true"
    # What is inherited is complained of once, at the version.
    if cost.source != cost_set.source and not (cost.source or "").strip():
        yield "source is empty", "Leave the key out to inherit the version's"
    if cost.status != cost_set.status:
        yield from _of_status(cost.status or "")
    if cost.doi != cost_set.doi:
        yield from _of_doi(cost.doi)


def _of_range(cost: Cost) -> Iterator[Complaint]:
    steps = {"low_pj": cost.low_pj, "energy_pj": cost.energy_pj, "high_pj": cost.high_pj}
    known = [(name, value) for name, value in steps.items() if value is not None]
    for (name, value), (next_name, next_value) in pairwise(known):
        if value > next_value:
            yield (
                f"{name} {value.normalize():f} is above {next_name} {next_value.normalize():f}",
                "It must be low <= cost <= high",
            )


def _of_driver(cost: Cost, drivers: Mapping[str, str]) -> Iterator[Complaint]:
    if not _NAME.fullmatch(cost.driver):
        yield f"the driver's name is {cost.driver!r}", "Use small letters, digits and _.- only"
    elif cost.driver not in drivers:
        advice = f"{did_you_mean(cost.driver, drivers)}Or declare it: [[driver]] with name and meaning"
        yield f"the driver {cost.driver!r} is unknown", advice
    elif cost.scope == "static" and cost.driver != SECOND:
        yield (
            f"a static cost is drawn by the second, not by {cost.driver!r}",
            'Give power_w and driver = "second", or another scope',
        )
    elif cost.driver == WHOLE_SAMPLE and not cost.is_reference:
        yield "the energy of a whole inference is never summed", "Mark it: reference = true"


def _of_status(status: str) -> Iterator[Complaint]:
    if status not in STATUSES:
        yield (
            f"status is {status!r}, must be one of {', '.join(STATUSES)}",
            f"{did_you_mean(status, STATUSES)}docs/costs.md explains them",
        )


def _of_doi(doi: str | None) -> Iterator[Complaint]:
    if doi is not None and not doi.startswith("10."):
        yield (
            f"doi is {doi!r}, must begin with 10.",
            "Leave out https://doi.org/; leave the key out where there is none",
        )
