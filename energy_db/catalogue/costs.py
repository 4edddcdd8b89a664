"""The cost catalogue: what an operation costs on a chip, under which version of the published numbers.

Append-only: a version is added once and never changed or removed; other numbers are another version.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from energy_db import sql
from energy_db.engines.duckdb import Engine
from energy_db.errors import CostError, NotFoundError, UsageError
from energy_db.guess import did_you_mean


@dataclass(frozen=True)
class Cost:
    """What one unit of an operation costs.

    Attributes
    ----------
    operation, driver : str
        What the hardware does, and what it is charged on.
    scope : str
        What the number includes (docs/method.md).
    energy_pj, low_pj, high_pj : Decimal or None
        Energy of one unit and its published range, in pJ; None where the source leaves it blank.
    node_nm, supply_v : Decimal or None
        Process node in nm and supply voltage in V that the number holds for.
    note : str
        What to know of this number.
    """

    operation: str
    driver: str
    scope: str
    energy_pj: Decimal | None
    low_pj: Decimal | None = None
    high_pj: Decimal | None = None
    node_nm: Decimal | None = None
    supply_v: Decimal | None = None
    note: str = ""


@dataclass(frozen=True)
class CostSet:
    """One version of a chip's costs, with where it is from and how far to trust it.

    Attributes
    ----------
    chip, version, label, status, source, note : str
        Which it is; how the numbers came about; where they were published; what to know of them.
    doi : str or None
        Digital object identifier of the source.
    published_on, in_force_from : date or None
        When the source was published; the first day on which the version is in force (None: never).
    costs : tuple of Cost
        The numbers.
    """

    chip: str
    version: str
    label: str
    status: str
    source: str
    note: str
    doi: str | None
    published_on: date | None
    in_force_from: date | None
    costs: tuple[Cost, ...]

    @property
    def content_hash(self) -> str:
        """SHA-256 over the numbers: a changed one under an old name shows."""
        return _hash(
            (cost.operation, cost.driver, cost.scope, cost.energy_pj, cost.low_pj, cost.high_pj) for cost in self.costs
        )


@dataclass(frozen=True)
class Chip:
    """A chip and the cost sets that its file ships.

    Attributes
    ----------
    name, title, note : str
        What reports call it, its full name, what to know before comparing it with another.
    versions : tuple of CostSet
        Its cost sets.
    """

    name: str
    title: str
    note: str
    versions: tuple[CostSet, ...]


def read_chip(path: Path) -> Chip:
    """Read a chip's cost file.

    Raises
    ------
    CostError
        If the file is not TOML, or a key is missing.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        chip = content["chip"]
        versions = tuple(_cost_set(chip["name"], entry) for entry in content["version"])
        return Chip(chip["name"], chip["title"], chip["note"], versions)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CostError(f"{path}: cannot be read as TOML: {error}") from error
    except KeyError as error:
        raise CostError(f"{path}: the key {error} is missing") from error


def install_shipped(engine: Engine) -> None:
    """Add the chips and versions that this release ships and the store does not have yet."""
    known = set(engine.rows("SELECT chip, cost_version FROM cost_versions"))
    known_chips = {row[0] for row in engine.rows("SELECT chip FROM chips")}
    chips = [read_chip(path) for path in sql.cost_files()]
    new_chips = [[chip.name, chip.title, chip.note] for chip in chips if chip.name not in known_chips]
    engine.insert("chips", new_chips)
    shipped = [cost_set for chip in chips for cost_set in chip.versions]
    _add(engine, [cost_set for cost_set in shipped if (cost_set.chip, cost_set.version) not in known])


def version_for(engine: Engine, chip: str, cost_version: str | None = None) -> str:
    """Return the cost version to price with: the one asked for, or the one in force.

    Raises
    ------
    NotFoundError
        If the chip or the version is not in the catalogue.
    """
    if not isinstance(chip, str):
        raise UsageError(f"the chip is {chip!r}, must be the name of one")
    chips = [row[0] for row in engine.rows("SELECT chip FROM chips ORDER BY chip")]
    if chip not in chips:
        raise NotFoundError(f"unknown chip {chip!r}", f"{did_you_mean(chip, chips)}The store knows {', '.join(chips)}.")
    if cost_version is None:
        in_force = engine.value("SELECT cost_version FROM cost_version_in_force WHERE chip = ?", [chip])
        if in_force is None:
            raise NotFoundError(f"no cost version is in force for {chip!r} today", "Name one: --cost VERSION.")
        return str(in_force)
    versions = engine.rows("SELECT cost_version FROM cost_versions WHERE chip = ? ORDER BY cost_version", [chip])
    if (cost_version,) not in versions:
        known = [row[0] for row in versions]
        hint = f"{did_you_mean(cost_version, known)}It has {', '.join(known)}."
        raise NotFoundError(f"{chip} has no cost version {cost_version!r}", hint)
    return cost_version


def changed_versions(engine: Engine) -> list[dict[str, Any]]:
    """Return the stored versions whose numbers are no longer those that were added."""
    rows = engine.rows(
        "SELECT chip, cost_version, content_hash, operation, driver, scope, energy_pj, low_pj, high_pj "
        "FROM cost_versions JOIN costs USING (chip, cost_version) ORDER BY ALL"
    )
    numbers: dict[tuple[str, str, str], list[tuple[Any, ...]]] = {}
    for chip, version, content_hash, *cost in rows:
        numbers.setdefault((chip, version, content_hash), []).append(tuple(cost))
    return [
        {"chip": chip, "cost_version": version}
        for (chip, version, content_hash), costs in numbers.items()
        if _hash(costs) != content_hash
    ]


def _add(engine: Engine, cost_sets: Sequence[CostSet]) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    versions, numbers, in_force = [], [], []
    for new in cost_sets:
        key = [new.chip, new.version]
        origin = [new.label, new.status, new.source, new.doi, new.published_on, new.note]
        versions.append([*key, *origin, new.content_hash, now])
        for cost in new.costs:
            amounts = [cost.energy_pj, cost.low_pj, cost.high_pj]
            circumstances = [cost.scope, cost.node_nm, cost.supply_v, cost.note]
            numbers.append([*key, cost.operation, cost.driver, *amounts, *circumstances])
        if new.in_force_from is not None:
            in_force.append([*key, new.in_force_from, now, "shipped with energy-db"])
    engine.insert("cost_versions", versions)
    engine.insert("costs", numbers)
    engine.insert("cost_in_force", in_force)


def _cost_set(chip: str, entry: dict[str, Any]) -> CostSet:
    return CostSet(
        chip=chip,
        version=entry["name"],
        label=entry["label"],
        status=entry["status"],
        source=entry["source"],
        note=entry["note"],
        doi=entry.get("doi"),
        published_on=entry.get("published_on"),
        in_force_from=entry.get("in_force_from"),
        costs=tuple(_cost(cost) for cost in entry["cost"]),
    )


def _cost(entry: dict[str, Any]) -> Cost:
    return Cost(
        operation=entry["operation"],
        driver=entry["driver"],
        scope=entry["scope"],
        energy_pj=_exact(entry.get("energy_pj")),
        low_pj=_exact(entry.get("low_pj")),
        high_pj=_exact(entry.get("high_pj")),
        node_nm=_exact(entry.get("node_nm")),
        supply_v=_exact(entry.get("supply_v")),
        note=entry.get("note", ""),
    )


def _exact(value: Decimal | int | None) -> Decimal | None:
    """Return a number with six decimals: DuckDB 1.5 misreads decimals that are written with an exponent."""
    if value is None:
        return None
    rounded = Decimal(value).quantize(Decimal("0.000001"))
    if rounded != value:
        raise CostError(f"{value} has more than 6 decimals, the store keeps 6")
    return rounded


def _hash(costs: Iterable[tuple[Any, ...]]) -> str:
    canonical = sorted([f"{value:.6f}" if isinstance(value, Decimal) else value for value in cost] for cost in costs)
    return hashlib.sha256(json.dumps(canonical).encode()).hexdigest()
