"""The faces of many runs: rows for people, with units that suit, and rows for machines, in pJ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from energy_db import units
from energy_db.history.rows import History, HistoryRow, RunGroup
from energy_db.history.spread import Spread
from energy_db.reports.faces import optional_energy
from energy_db.runs import Run

Row = dict[str, Any]

_UNKNOWN = "?"
_ENERGY_FACTS = (
    *("energy_pj", "energy_per_inference_pj", "n_priced", "n_operations"),
    *("previous_run_id", "change_pj", "change_share", "has_same_extent"),
)


def run_facts(run: Run) -> Row:
    """Return what is known of a run without pricing it."""
    return {
        "run_id": run.run_id,
        "name": run.name,
        "kind": run.kind,
        "spikes": run.n_spikes,
        "timesteps": run.n_timesteps,
        "samples": run.n_samples,
        "layers": len(run.layers),
        "events": "kept" if run.has_events else "rolled up",
        "ingested_at": run.ingested_at,
        "tags": run.tags,
    }


def run_rows(history: History) -> list[Row]:
    """Return a row for each run, for machines."""
    return [
        {
            **run_facts(row.run),
            **(_energy_facts(row) if history.chip else {}),
            **(_front_facts(row, history.pareto) if history.pareto else {}),
        }
        for row in history.rows
    ]


def human_run_rows(history: History) -> list[Row]:
    """Return a row for each run, for eyes."""
    if history.chip is None:
        return [{key: value for key, value in run_facts(row.run).items() if key != "tags"} for row in history.rows]
    return [
        {
            "run_id": row.run.run_id,
            "name": row.run.name,
            "spikes": row.run.n_spikes,
            "samples": row.run.n_samples,
            "energy": optional_energy(row.energy_pj),
            "per inference": optional_energy(row.energy_per_inference_pj),
            "change": _change(row),
            "share": _share(row),
            "priced": f"{row.n_priced} of {row.n_operations}",
            **(_front(row, history.pareto) if history.pareto else {}),
            "ingested_at": row.run.ingested_at,
        }
        for row in history.rows
    ]


def group_rows(history: History) -> list[Row]:
    """Return a row for each group, for machines; energies in pJ."""
    return [
        {
            "group": group.value,
            "n": len(group.runs),
            **_numbers("spikes", group.spikes),
            **(_numbers("energy_pj", group.energy) if history.chip else {}),
            **(_numbers("energy_per_inference_pj", group.energy_per_inference) if history.chip else {}),
            **_numbers("accuracy", group.accuracy),
            "has_same_extent": group.has_same_extent,
            "run_ids": list(group.runs),
        }
        for group in history.groups
    ]


def human_group_rows(history: History) -> list[Row]:
    """Return a row for each group, for eyes."""
    has_accuracy = any(group.accuracy is not None for group in history.groups)
    return [
        {
            str(history.group_by): "(none)" if group.value is None else group.value,
            "runs": len(group.runs),
            **_first_columns(group, history.chip is not None),
            **(_columns("accuracy", group.accuracy, units.significant) if has_accuracy else {}),
        }
        for group in history.groups
    ]


def notes(history: History) -> list[str]:
    """Return what to know before reading the list."""
    found = []
    if history.chip is not None:
        found += _notes_on_prices(history)
    other = [group.value for group in history.groups if not group.has_same_extent]
    if other:
        names = ", ".join("(none)" if value is None else value for value in other)
        found.append(f"timesteps or samples differ within {names}: that is part of how far the runs scatter")
    if history.pareto is not None and (unplaced := sum(row.is_on_front is None for row in history.rows)):
        found.append(
            f"{unplaced} of {len(history.rows)} runs stand on no front: no number {history.pareto}, or no price"
        )
    return found


def _notes_on_prices(history: History) -> list[str]:
    found = []
    costs = f"{history.chip} {history.cost_version}"
    if partial := sum(not row.is_fully_priced for row in history.rows):
        found.append(
            f"{partial} of {len(history.rows)} runs are priced in part by {costs}: no change, and in no mean, as parts "
            "do not compare"
        )
    if other := [row.run.run_id for row in history.rows if row.change_pj is not None and not row.has_same_extent]:
        found.append(
            f"timesteps or samples differ from the previous run, so the change says little: {', '.join(other)}"
        )
    return found


def _energy_facts(row: HistoryRow) -> Row:
    return {name: getattr(row, name) for name in _ENERGY_FACTS}


def _front_facts(row: HistoryRow, tag: str) -> Row:
    return {"worth": row.tag_number(tag), "is_on_front": row.is_on_front, "dominated_by": row.dominated_by}


def _front(row: HistoryRow, tag: str) -> Row:
    worth = row.tag_number(tag)
    places = {None: _UNKNOWN, True: "on it", False: f"behind {row.dominated_by}"}
    return {tag: "" if worth is None else worth, "front": places[row.is_on_front]}


def _change(row: HistoryRow) -> str:
    if row.previous_run_id is None:
        return ""
    if row.change_pj is None:
        return _UNKNOWN
    return units.signed_energy(row.change_pj)


def _share(row: HistoryRow) -> str:
    if row.previous_run_id is None:
        return ""
    return _UNKNOWN if row.change_share is None else units.signed_percent(row.change_share)


def _numbers(name: str, spread: Spread | None) -> Row:
    stem, unit = (name.removesuffix("_pj"), "_pj") if name.endswith("_pj") else (name, "")
    if spread is None:
        return {f"{stem}_n": 0, **{f"{stem}_{part}{unit}": None for part in ("mean", "sd", "min", "max")}}
    values = {"mean": spread.mean, "sd": spread.sd, "min": spread.least, "max": spread.most}
    return {f"{stem}_n": spread.n, **{f"{stem}_{part}{unit}": value for part, value in values.items()}}


def _first_columns(group: RunGroup, has_chip: bool) -> Row:
    if has_chip:
        return _columns("energy", group.energy, units.energy)
    return _columns("spikes", group.spikes, units.significant)


def _columns(name: str, spread: Spread | None, shown: Callable[[float], str]) -> Row:
    if spread is None:
        return {f"{name} {part}": _UNKNOWN for part in ("mean", "sd", "min", "max")}
    values = {"mean": spread.mean, "sd": spread.sd, "min": spread.least, "max": spread.most}
    return {f"{name} {part}": "" if value is None else shown(value) for part, value in values.items()}
