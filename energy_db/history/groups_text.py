"""The faces of a comparison of groups: a page of text or Markdown for people, rows for machines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from energy_db import units
from energy_db.comparisons.faces import verdict_lines
from energy_db.history.comparing_groups import chance
from energy_db.history.groups import GroupComparison
from energy_db.history.welch import Difference
from energy_db.tables import markdown_table, printable, text_table

Row = dict[str, Any]

_LABELS = {
    "energy_pj": "energy",
    "energy_per_inference_pj": "energy per inference",
    "spikes": "spikes",
    "accuracy": "accuracy",
}


def page(comparison: GroupComparison) -> str:
    """Return the whole comparison as text."""
    sections = [f"{heading}\n{text_table(rows)}" for heading, rows in _sections(comparison)]
    return "\n\n".join([_title(comparison), "\n".join(_head(comparison)), *sections])


def markdown(comparison: GroupComparison) -> str:
    """Return the whole comparison as Markdown."""
    head = "\n".join(f"- {line}" for line in _head(comparison))
    sections = [f"## {heading}\n\n{markdown_table(rows)}" for heading, rows in _sections(comparison)]
    return "\n\n".join([f"# {_title(comparison)}", head, *sections])


def measure_rows(comparison: GroupComparison) -> list[Row]:
    """Return a row for each thing that was compared, for eyes."""
    return [
        {
            "": _LABELS[name],
            **(_of_energy(found) if name.endswith("_pj") else _columns(found, units.significant, _signed)),
        }
        for name, found in comparison.measures.items()
    ]


def layer_rows(comparison: GroupComparison) -> list[Row]:
    """Return a row for the energy of each layer, for eyes."""
    return [
        {"layer": "(no layer)" if row.layer is None else row.layer, **_of_energy(row.energy)}
        for row in comparison.layers
    ]


def machine_rows(comparison: GroupComparison) -> list[Row]:
    """Return a row for each thing that was compared, and for the energy of each layer; energies in pJ."""
    whole = [{"measure": name, "layer": None, **_numbers(found)} for name, found in comparison.measures.items()]
    layers = [{"measure": "energy_pj", "layer": row.layer, **_numbers(row.energy)} for row in comparison.layers]
    return whole + [{**row, "layer": "(no layer)" if row["layer"] is None else row["layer"]} for row in layers]


def _title(comparison: GroupComparison) -> str:
    sides = " -> ".join(f"{printable(group.label)} ({len(group.runs)} runs)" for group in (comparison.a, comparison.b))
    return f"{sides} on {comparison.chip} (costs {comparison.cost_version})"


def _head(comparison: GroupComparison) -> list[str]:
    energy = comparison.energy
    share = "" if energy.change_share is None else f" ({units.signed_percent(energy.change_share)})"
    means = f"{units.energy(energy.a.mean)} -> {units.energy(energy.b.mean)}"
    return [
        *verdict_lines(comparison.comparable, comparison.differs),
        f"Mean energy: {means}, {units.signed_energy(energy.change)}{share}",
        f"Interval of {_confidence(comparison)}: {_interval(energy, units.signed_energy)} (Welch)",
        f"Why: {printable(comparison.why)}",
    ]


def _sections(comparison: GroupComparison) -> list[tuple[str, list[Row]]]:
    return [("Per run", measure_rows(comparison)), ("Energy by layer", layer_rows(comparison))]


def _confidence(comparison: GroupComparison) -> str:
    return f"{100 * comparison.confidence:g} %"


def _of_energy(found: Difference) -> Row:
    return _columns(found, units.energy, units.signed_energy)


def _columns(found: Difference, shown: Callable[[float], str], signed: Callable[[float], str]) -> Row:
    return {
        "before": shown(found.a.mean),
        "sd before": shown(found.a.sd or 0.0),
        "after": shown(found.b.mean),
        "sd after": shown(found.b.sd or 0.0),
        "change": signed(found.change),
        "share": "" if found.change_share is None else units.signed_percent(found.change_share),
        "interval": _interval(found, signed),
        "chance": "none, exact" if found.degrees is None else chance(found.p_value),
    }


def _interval(found: Difference, signed: Callable[[float], str]) -> str:
    return f"{signed(found.low)} to {signed(found.high)}"


def _signed(number: float) -> str:
    return f"{'+' if number > 0 else ''}{units.significant(number)}"


def _numbers(found: Difference) -> Row:
    sides = {
        f"{side}_{part}": getattr(spread, attribute)
        for side, spread in (("a", found.a), ("b", found.b))
        for part, attribute in (("n", "n"), ("mean", "mean"), ("sd", "sd"), ("min", "least"), ("max", "most"))
    }
    names = ("change", "change_share", "low", "high", "p_value", "degrees")
    return {**sides, **{name: getattr(found, name) for name in names}}
