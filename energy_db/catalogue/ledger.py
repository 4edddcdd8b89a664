"""The catalogue's tables: rows in, never changed, and which cost version is in force, since when, as known when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from energy_db import sql
from energy_db.catalogue.entries import plain_day
from energy_db.catalogue.sets import COST_COLUMNS, VERSION_COLUMNS, CostSet, content_hash, cost_row
from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError, UsageError
from energy_db.guess import did_you_mean

_VERSION_KEY = 2  # chip and cost_version stand first in both tables


@dataclass(frozen=True)
class Fact:
    """That a version is in force for a chip from a day on; what the table cost_in_force holds, without its number."""

    chip: str
    cost_version: str
    in_force_from: date
    recorded_at: datetime
    reason: str


def now() -> datetime:
    """Return this moment in UTC, as the store keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)


def stored_hashes(engine: Engine) -> dict[tuple[str, str], str]:
    """Return the seal of every version of the catalogue, as it was written when the version was added."""
    return {
        (chip, version): seal
        for chip, version, seal in engine.rows("SELECT chip, cost_version, content_hash FROM cost_versions")
    }


def recomputed_hashes(engine: Engine) -> dict[tuple[str, str], str]:
    """Return the seal of every version of the catalogue, as its rows are now."""
    costs: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for chip, version, *cost in engine.rows(f"SELECT chip, cost_version, {', '.join(COST_COLUMNS)} FROM costs"):
        costs.setdefault((chip, version), []).append(tuple(cost))
    versions = engine.rows(f"SELECT {', '.join(VERSION_COLUMNS)} FROM cost_versions")
    return {row[:_VERSION_KEY]: content_hash(row, costs.get(row[:_VERSION_KEY], ())) for row in versions}


def recomputed_hash(engine: Engine, chip: str, cost_version: str) -> str:
    """Return the seal of one version, as its rows are now."""
    key, one = [chip, cost_version], "WHERE chip = ? AND cost_version = ?"
    [version] = engine.rows(f"SELECT {', '.join(VERSION_COLUMNS)} FROM cost_versions {one}", key)
    return content_hash(version, engine.rows(f"SELECT {', '.join(COST_COLUMNS)} FROM costs {one}", key))


def known_drivers(engine: Engine) -> dict[str, str]:
    """Return the drivers that the store knows, and what one unit of each is."""
    return dict(engine.rows("SELECT driver, meaning FROM drivers"))


def add_chips(engine: Engine, chips: Mapping[str, tuple[str, str]]) -> None:
    """Add the chips that are new, each with its full name and note."""
    known = {name for (name,) in engine.rows("SELECT chip FROM chips")}
    engine.insert("chips", [[name, *about] for name, about in chips.items() if name not in known])


def add_drivers(engine: Engine, drivers: Mapping[str, tuple[str, bool]]) -> None:
    """Add the drivers that are new, each with its meaning and whether runs must bring the count."""
    known = known_drivers(engine)
    engine.insert("drivers", [[name, *about] for name, about in drivers.items() if name not in known])


def add_versions(engine: Engine, cost_sets: Iterable[CostSet]) -> None:
    """Add cost sets; none of them may be there yet."""
    added_at = now()
    versions, costs = [], []
    for new in cost_sets:
        versions.append([*new.version_row, new.content_hash, added_at])
        costs += [_in_table_order(new, cost_row(cost)) for cost in new.costs]
    engine.insert("cost_versions", versions)
    engine.insert("costs", costs)


def _in_table_order(cost_set: CostSet, row: list[Any]) -> list[Any]:
    return [cost_set.chip, cost_set.version, *row]


def add_facts(engine: Engine, facts: Iterable[Fact]) -> None:
    """Append facts, numbered on from those that are there."""
    first = 1 + (engine.value("SELECT max(fact_number) FROM cost_in_force") or 0)
    rows = [[f.chip, f.cost_version, f.in_force_from, f.recorded_at, f.reason] for f in facts]
    engine.insert("cost_in_force", [[number, *row] for number, row in enumerate(rows, first)])


def chips_with_facts(engine: Engine) -> set[str]:
    """Return the chips of which it was ever said which version is in force."""
    return {chip for (chip,) in engine.rows("SELECT DISTINCT chip FROM cost_in_force")}


def facts(engine: Engine, chip: str | None = None, as_of: date | None = None) -> list[dict[str, Any]]:
    """Return the facts, by chip and day, each with whether it is the one that holds; as of a day, as known then."""
    condition = "WHERE chip = ?" if chip else ""
    rows = engine.records(
        f"SELECT * FROM cost_in_force {condition} ORDER BY chip, in_force_from, fact_number", [chip] if chip else []
    )
    on = as_of or now().date()
    known = [row for row in rows if as_of is None or row["recorded_at"].date() <= as_of]
    # Sorted as they are, the last fact of a chip that has begun is the one that holds.
    holding = {row["chip"]: row["fact_number"] for row in known if row["in_force_from"] <= on}
    return [{**row, "is_in_force": holding.get(row["chip"]) == row["fact_number"]} for row in known]


def as_day(argument: str, value: date | str) -> date:
    """Return a day that somebody names, as a date or as YYYY-MM-DD.

    Raises
    ------
    UsageError
        If it is none.
    """
    try:
        return date.fromisoformat(value) if isinstance(value, str) else plain_day(value)
    except ValueError:
        raise UsageError(f"{argument} is {value!r}, must be a date", "Write it as 2026-01-31.") from None


def midnight(day: date) -> datetime:
    """Return the first moment of a day."""
    return datetime.combine(day, time())


def known_chip(engine: Engine, chip: str) -> str:
    """Return the name of a chip of the catalogue.

    Raises
    ------
    NotFoundError
        If it is none.
    """
    if not isinstance(chip, str):
        raise UsageError(f"the chip is {chip!r}, must be the name of one")
    chips = [row[0] for row in engine.rows("SELECT chip FROM chips ORDER BY chip")]
    if chip not in chips:
        shipped = {path.stem for path in sql.cost_files()}
        hint = f"{did_you_mean(chip, {*chips, *shipped})}energy-db costs list shows the chips that there are."
        raise NotFoundError(f"unknown chip {chip!r}", hint)
    return chip


def known_version(engine: Engine, chip: str, cost_version: str) -> str:
    """Return the name of a cost version of a chip.

    Raises
    ------
    NotFoundError
        If the catalogue does not have it.
    """
    versions = _names(engine, "cost_versions", known_chip(engine, chip))
    if not isinstance(cost_version, str):
        raise UsageError(f"the cost version is {cost_version!r}, must be the name of one", f"Name one: {versions[0]}.")
    if cost_version not in versions:
        hint = f"{did_you_mean(cost_version, versions)}It has {', '.join(versions)}."
        raise NotFoundError(f"{chip} has no cost version {cost_version!r}", hint)
    return cost_version


def version_for(engine: Engine, chip: str, cost_version: str | None = None, as_of: date | str | None = None) -> str:
    """Return the cost version to price with.

    Parameters
    ----------
    engine : Engine
        The store.
    chip : str
        The chip.
    cost_version : str, optional
        The version, if one is asked for.
    as_of : date or str, optional
        Else the one that was in force on this day, as was known then; by default the one in force today.

    Raises
    ------
    NotFoundError
        If the catalogue does not have it, or it has reference figures only, which are never summed.
    """
    known_chip(engine, chip)
    if cost_version is None:
        return _in_force(engine, chip, None if as_of is None else as_day("as_of", as_of))
    known_version(engine, chip, cost_version)
    can_price = pricing_versions(engine, chip)
    if cost_version not in can_price:
        others = f"Price with {', '.join(can_price)}." if can_price else f"No version of {chip} can price a run."
        raise NotFoundError(
            f"{chip} {cost_version} has reference figures only, which are shown but never summed", others
        )
    return cost_version


def shown_version(engine: Engine, chip: str, cost_version: str | None = None) -> str:
    """Return the version of a chip to look at: the one asked for, the one in force today, or the only one.

    Raises
    ------
    NotFoundError
        If the catalogue does not have it, or nobody can tell which is meant.
    """
    if cost_version is not None:
        return known_version(engine, chip, cost_version)
    versions = _names(engine, "cost_versions", known_chip(engine, chip))
    if len(versions) == 1:
        return versions[0]
    if not pricing_versions(engine, chip):
        commands = [f"energy-db costs show {chip} --cost {version}" for version in versions]
        raise NotFoundError(
            f"{chip} has {len(versions)} versions, all for reference only: which of them?",
            "\n    ".join(["Name one:", *commands]),
        )
    return _in_force(engine, chip, None)


def pricing_versions(engine: Engine, chip: str) -> list[str]:
    """Return the versions of a chip that a run can be priced with."""
    return _names(engine, "costs", chip, "AND NOT is_reference")


def chips_priced_by(engine: Engine, cost_version: str) -> list[str]:
    """Return the chips that have a version of this name that a run can be priced with.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    query = "SELECT DISTINCT chip FROM costs WHERE cost_version = ? AND NOT is_reference ORDER BY chip"
    if chips := [row[0] for row in engine.rows(query, [cost_version])]:
        return chips
    raise NotFoundError(
        f"no chip has a cost version {cost_version!r} that can price a run", "See: energy-db costs list"
    )


def withdrawal(engine: Engine, chip: str, cost_version: str) -> str | None:
    """Return why a version was withdrawn; None if it was not."""
    query = "SELECT reason FROM cost_withdrawals WHERE chip = ? AND cost_version = ? ORDER BY withdrawn_at"
    rows = engine.rows(query, [chip, cost_version])
    return str(rows[0][0]) if rows else None


def _in_force(engine: Engine, chip: str, as_of: date | None) -> str:
    history = facts(engine, chip, as_of)
    for fact in history:
        if fact["is_in_force"]:
            return str(fact["cost_version"])
    can_price = pricing_versions(engine, chip)
    if not can_price:
        raise NotFoundError(
            f"{chip} has reference figures only, which are shown but never summed",
            f"See them: energy-db costs list --chip {chip}; for costs of your own: energy-db costs template.",
        )
    when = "today" if as_of is None else f"on {as_of}, as known then"
    raise NotFoundError(
        f"no cost version is in force for {chip!r} {when}",
        f"Name one: --cost {can_price[0]}; energy-db costs in-force {chip} shows since when which one is.",
    )


def _names(engine: Engine, table: str, chip: str, condition: str = "") -> list[str]:
    query = f"SELECT DISTINCT cost_version FROM {table} WHERE chip = ? {condition} ORDER BY cost_version"
    return [row[0] for row in engine.rows(query, [chip])]
