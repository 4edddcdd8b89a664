"""Many runs at once: listed with their energies, grouped over seeds, weighed against what they are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from energy_db import runs as stored
from energy_db.catalogue import ledger
from energy_db.engines.duckdb import Engine
from energy_db.errors import UsageError
from energy_db.history import filters, sorting
from energy_db.history.pareto import Point, beaten_by
from energy_db.history.rows import History, HistoryRow
from energy_db.reports.cells import as_float

_HISTORY = "SELECT * FROM history_by_run_all_versions WHERE chip = ? AND cost_version = ?"
_COVERAGE = "SELECT run_id, n_priced, n_operations FROM energy_by_chip_all_versions WHERE chip = ? AND cost_version = ?"


@dataclass(frozen=True)
class Question:
    """What is asked about many runs; see `EnergyStore.history`."""

    chip: str | None = None
    cost_version: str | None = None
    name: str | None = None
    where: Sequence[str] = ()
    since: date | str | None = None
    limit: int | None = None
    sort: str | None = None
    group_by: str | None = None
    pareto: str | None = None
    minimize: bool = False


def history(engine: Engine, asked: Question) -> History:
    """Return the runs that a question is about, with their energies.

    Raises
    ------
    UsageError
        If the question cannot be meant.
    NotFoundError
        If the chip, the cost version or a tag is not in the store.
    """
    _refuse_contradictions(asked)
    sorting.check_columns(engine, asked.sort, asked.group_by, asked.chip is not None)
    if asked.pareto is not None:
        _refuse_no_tag(engine, asked.pareto)
    version = None if asked.chip is None else ledger.version_for(engine, asked.chip, asked.cost_version)
    is_sorted = asked.sort is not None and asked.group_by is None
    keys = filters.select_runs(
        engine,
        asked.where,
        name=asked.name,
        since=asked.since,
        limit=None if is_sorted else asked.limit,
        chip=asked.chip,
        cost_version=version,
    )
    rows = [HistoryRow(run) for run in stored.load_many(engine, keys)]
    if asked.chip is not None and version is not None:
        rows = _priced(engine, rows, asked.chip, version)
    if asked.pareto is not None:
        rows = _weighed(rows, asked.pareto, asked.minimize)
    if asked.sort is not None and is_sorted:
        rows = sorting.sorted_rows(rows, asked.sort)[: asked.limit]
    groups = sorting.grouped_rows(rows, asked.group_by, asked.sort) if asked.group_by is not None else ()
    return History(asked.chip, version, tuple(rows), asked.group_by, tuple(groups), asked.pareto)


def _refuse_contradictions(asked: Question) -> None:
    if asked.cost_version is not None and asked.chip is None:
        raise UsageError("a cost version without a chip prices nothing", "Name the chip: --chip loihi2")
    if asked.pareto is not None and asked.chip is None:
        raise UsageError("a front of energy takes a chip", "Name it: --chip loihi2")
    if asked.minimize and asked.pareto is None:
        raise UsageError("minimize is about a front, but none is asked for", "Name the tag: --pareto latency")
    if asked.pareto is not None and asked.group_by is not None:
        raise UsageError("both groups and a front are asked for", "A front is made of runs: leave one out.")
    filters.check_limit(asked.limit)


def _refuse_no_tag(engine: Engine, pareto: str) -> None:
    if pareto in filters.FIELDS and pareto not in filters.tags_in(engine):
        raise UsageError(
            f"energy is weighed against a tag, and {pareto!r} is a field",
            "Name a tag that is a number: --pareto accuracy",
        )
    filters.check_tag(engine, pareto.removeprefix(filters.TAG), fields=())


def _priced(engine: Engine, rows: Sequence[HistoryRow], chip: str, version: str) -> list[HistoryRow]:
    energies = {entry["run_id"]: entry for entry in engine.records(_HISTORY, [chip, version])}
    coverage = {run_id: counts for run_id, *counts in engine.rows(_COVERAGE, [chip, version])}
    return [_with_energy(row, energies[row.run.run_id], *coverage[row.run.run_id]) for row in rows]


def _with_energy(row: HistoryRow, entry: Mapping[str, Any], n_priced: int, n_operations: int) -> HistoryRow:
    return replace(
        row,
        energy_pj=as_float(entry["energy_pj"]),
        energy_per_inference_pj=as_float(entry["energy_per_inference_pj"]),
        n_priced=n_priced,
        n_operations=n_operations,
        previous_run_id=entry["previous_run_id"],
        change_pj=as_float(entry["change_pj"]),
        change_share=as_float(entry["change_share"]),
        has_same_extent=entry["has_same_extent"],
    )


def _weighed(rows: Sequence[HistoryRow], tag: str, minimize: bool) -> list[HistoryRow]:
    """Mark who is on the front; by the sample, so that a run of more samples is not taken for a dearer network."""
    points: list[Point] = []
    placed: list[str] = []
    for row in rows:
        worth = row.tag_number(tag)
        if row.is_fully_priced and row.energy_per_inference_pj is not None and worth is not None:
            points.append((row.energy_per_inference_pj, -worth if minimize else worth))
            placed.append(row.run.run_id)
    better = {run_id: None if by is None else placed[by] for run_id, by in zip(placed, beaten_by(points), strict=True)}
    return [
        replace(row, is_on_front=better[row.run.run_id] is None, dominated_by=better[row.run.run_id])
        if row.run.run_id in better
        else row
        for row in rows
    ]
