"""Runs in the order, and in the groups, that somebody asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from energy_db.comparisons.comparing import accuracy
from energy_db.engines.duckdb import Engine
from energy_db.errors import UsageError
from energy_db.guess import did_you_mean
from energy_db.history import filters
from energy_db.history.rows import HistoryRow, RunGroup
from energy_db.history.spread import Spread, spread_of
from energy_db.intake.declaration import tag_number

_SHARED = {
    "name": "name",
    "kind": "kind",
    "seed": "seed",
    "git_commit": "git_commit",
    "timesteps": "n_timesteps",
    "samples": "n_samples",
}
_OF_RUNS = {
    **_SHARED,
    "run_id": "run_id",
    "spikes": "n_spikes",
    "recorded_at": "recorded_at",
    "ingested_at": "ingested_at",
}
_OF_ENERGIES = {
    "energy": "energy_pj",
    "per_inference": "energy_per_inference_pj",
    "change": "change_pj",
    "share": "change_share",
}
_MEANS_OF_GROUPS = ("spikes", "energy", "per_inference", "accuracy")

Item = TypeVar("Item")


def check_columns(engine: Engine, sort: str | None, group_by: str | None, has_chip: bool) -> None:
    """Raise unless runs can be sorted by a column, and grouped by another one.

    Raises
    ------
    UsageError
        If the column takes a chip, or groups do not have it.
    NotFoundError
        If it is no field, and no run has such a tag.
    """
    if group_by is not None and group_by not in _SHARED:
        filters.check_tag(engine, group_by.removeprefix(filters.TAG), tuple(_SHARED))
    if sort is None:
        return
    column, _ = _direction(sort)
    if column in ("energy", *_OF_ENERGIES) and not has_chip:
        raise UsageError(f"to sort by {column} takes a chip", "Name it: --chip loihi2")
    if group_by is not None:
        known = (group_by, "n", *_MEANS_OF_GROUPS)
        if column not in known:
            raise UsageError(
                f"groups cannot be sorted by {column!r}", f"{did_you_mean(column, known)}Known: {', '.join(known)}."
            )
    elif column not in _OF_RUNS and column not in _OF_ENERGIES:
        filters.check_tag(engine, column.removeprefix(filters.TAG), (*_OF_RUNS, *_OF_ENERGIES))


def sorted_rows(rows: Sequence[HistoryRow], sort: str) -> list[HistoryRow]:
    """Return runs sorted by a field, an energy or a tag; those of which it is not known stand last.

    'energy-desc' and '-energy' both sort downwards.
    """
    column, is_descending = _direction(sort)

    def value(row: HistoryRow) -> Any:
        if column in _OF_ENERGIES:
            return getattr(row, _OF_ENERGIES[column])
        return _fact(row, column)

    return _sorted(rows, value, is_descending)


def grouped_rows(rows: Sequence[HistoryRow], group_by: str, sort: str | None) -> list[RunGroup]:
    """Return the groups of runs that share a tag or field; sorted by what they share unless asked otherwise."""
    members: dict[str | None, list[HistoryRow]] = {}
    for row in rows:
        shared = _fact(row, group_by)
        members.setdefault(None if shared is None else str(shared), []).append(row)
    column, is_descending = _direction(sort or group_by)

    def value(group: RunGroup) -> Any:
        if column == group_by:
            return group.value
        if column == "n":
            return len(group.runs)
        spread: Spread | None = getattr(group, {"per_inference": "energy_per_inference"}.get(column, column))
        return None if spread is None else spread.mean

    return _sorted([_group(shared, same) for shared, same in members.items()], value, is_descending)


def _direction(sort: str) -> tuple[str, bool]:
    """Return the column that is meant, and whether downwards."""
    return sort.removeprefix("-").removesuffix("-desc"), sort.startswith("-") or sort.endswith("-desc")


def _sorted(items: Sequence[Item], value: Callable[[Item], Any], is_descending: bool) -> list[Item]:
    known = [item for item in items if value(item) is not None]
    known.sort(key=lambda item: _rank(value(item)), reverse=is_descending)
    return known + [item for item in items if value(item) is None]


def _rank(value: Any) -> tuple[int, Any]:
    """Return what sorts texts that are numbers as numbers, and before the others."""
    number = tag_number(value) if isinstance(value, str) else value
    return (1, value) if number is None else (0, number)


def _fact(row: HistoryRow, column: str) -> Any:
    """Return a field or tag of a run; a field that nobody declared may stand in a tag of its name."""
    found = getattr(row.run, _OF_RUNS[column]) if column in _OF_RUNS else None
    if found is None and (column not in _OF_RUNS or column in filters.DECLARED):
        return row.run.tags.get(column.removeprefix(filters.TAG))
    return found


def _group(value: str | None, rows: Sequence[HistoryRow]) -> RunGroup:
    full = [row for row in rows if row.is_fully_priced]
    return RunGroup(
        value=value,
        runs=tuple(row.run.run_id for row in rows),
        spikes=spread_of([row.run.n_spikes for row in rows]),
        energy=spread_of([row.energy_pj for row in full]),
        energy_per_inference=spread_of([row.energy_per_inference_pj for row in full]),
        accuracy=spread_of([accuracy(row.run) for row in rows]),
        has_same_extent=len({(row.run.n_timesteps, row.run.n_samples) for row in rows}) == 1,
    )
