"""The faces of a report for people: a summary, a page of text, HTML for notebooks. Machines read `Report.to_dict`."""

from __future__ import annotations

import html as escaping
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from energy_db import units
from energy_db.tables import markdown_table, printable, text_table

if TYPE_CHECKING:
    from energy_db.reports.advice import Advice
    from energy_db.reports.report import Report

Rows = list[dict[str, Any]]


def layer_lines(layers: Sequence[Any]) -> list[str]:
    """Return a line for each layer, as the tutorial prints it."""
    lines = []
    for layer in layers:
        per_spike = (
            "" if layer.energy_per_spike_pj is None else f" × {units.significant(layer.energy_per_spike_pj)} pJ/spike"
        )
        energy = "unpriced"
        if layer.energy_pj is not None:
            energy = f"{units.nanojoules(layer.energy_pj)} ({units.percent(layer.share)})"
        lines.append(f"  {printable(layer.layer)}: {layer.spikes} spikes{per_spike} = {energy}")
    return lines


def dominant_line(layers: Sequence[Any], dominant: str | None) -> list[str]:
    """Return the line that names the dominant layer, if there is one."""
    shares = {layer.layer: layer.share for layer in layers}
    return [f"  Dominant layer: {printable(dominant)} ({units.percent(shares[dominant])})"] if dominant else []


def total_in_nanojoules(report: Any, per: str) -> str:
    """Return the total of a report in nJ, and how much of the cost version it covers."""
    total = "unknown" if report.total_energy_pj is None else f"{units.nanojoules(report.total_energy_pj)}{per}"
    return total if not report.unpriced else f"{total} ({report.coverage})"


def summary(report: Report) -> str:
    """Return the report in a few lines."""
    run = report.run
    lines = [
        f"Energy report ({report.chip}, {report.cost_version}): {printable(run.name)}",
        *layer_lines(report.layers),
    ]
    lines.append(f"  Total: {total_in_nanojoules(report, f', {_per_inference(report)}')}")
    lines += dominant_line(report.layers, report.dominant_layer)
    if neuron := report.dominant_neuron:
        lines.append(f"  Dominant neuron: {printable(neuron.layer)}/{neuron.neuron} ({units.percent(neuron.share)})")
    lines.append(f"  Why: {printable(report.why)}")
    return "\n".join(lines)


def page(report: Report, top: int | None) -> str:
    """Return the whole report as text."""
    parts = [_title(report), f"{_facts(report)}\nWhy: {printable(report.why)}"]
    for heading, rows in _sections(report, top):
        parts.append(f"{heading}\n{text_table(rows)}")
    if report.advice:
        parts.append("What to do, and what it would save\n" + "\n".join(f"  {line}" for line in _advice_lines(report)))
    return "\n\n".join(parts)


def markdown(report: Report, top: int | None) -> str:
    """Return the whole report as Markdown."""
    parts = [f"# {_title(report)}", _facts(report), f"Why: {printable(report.why)}"]
    for heading, rows in _sections(report, top):
        parts.append(f"## {heading}\n\n{markdown_table(rows)}")
    if report.advice:
        parts.append(
            "## What to do, and what it would save\n\n" + "\n".join(f"- {line}" for line in _advice_lines(report))
        )
    return "\n\n".join(parts)


def html(report: Report) -> str:
    """Return the report as an HTML fragment; every name in it is escaped."""
    parts = [f"<h3>{escaping.escape(_title(report))}</h3>", f"<p>{escaping.escape(_facts(report))}</p>"]
    for heading, rows in _sections(report, top=10):
        parts.append(f"<h4>{escaping.escape(heading)}</h4>{_html_table(rows)}")
    parts.append(f"<p>{escaping.escape(report.why)}</p>")
    items = "".join(f"<li>{escaping.escape(line)}</li>" for line in _advice_lines(report))
    return "".join(parts) + (f"<ul>{items}</ul>" if items else "")


def optional_energy(pj: float | None) -> str:
    """Return an energy for eyes, and a question mark where nobody knows it."""
    return "?" if pj is None else units.energy(pj)


def chip_rows(reports: Sequence[Report]) -> Rows:
    """Return a row for each chip that a run was priced on."""
    return [
        {
            "chip": report.chip,
            "cost version": report.cost_version,
            "energy": optional_energy(report.total_energy_pj),
            "per inference": optional_energy(report.energy_per_inference_pj),
            "per spike": _per_spike(report.energy_per_spike_pj),
            "dominant layer": report.dominant_layer or "",
        }
        for report in reports
    ]


def layer_rows(report: Report) -> Rows:
    """Return a row for each layer, for eyes."""
    return [
        {
            "layer": layer.layer,
            "role": layer.role,
            "neurons": layer.n_neurons,
            "active": layer.n_active_neurons,
            "spikes": layer.spikes,
            "per spike": _per_spike(layer.energy_per_spike_pj),
            "energy": optional_energy(layer.energy_pj),
            "share": _optional_percent(layer.share),
        }
        for layer in report.layers
    ]


def operation_rows(report: Report) -> Rows:
    """Return a row for each operation, for eyes."""
    return [
        {
            "operation": entry.operation,
            "driver": entry.driver,
            "count": "?" if entry.count is None else entry.count,
            "each": optional_energy(entry.cost_pj),
            "energy": optional_energy(entry.energy_pj),
            "share": _optional_percent(entry.share),
        }
        for entry in report.operations
    ]


def neuron_rows(report: Report, top: int | None) -> Rows:
    """Return a row for each of the costliest neurons, for eyes."""
    return [
        {
            "layer": entry.layer,
            "neuron": entry.neuron,
            "spikes": entry.spikes,
            "energy": units.energy(entry.energy_pj),
            "share": units.percent(entry.share),
        }
        for entry in report.neurons(top)
    ]


def step_rows(report: Report) -> Rows:
    """Return a row for each timestep and layer, for eyes."""
    return [
        {
            "timestep": entry.timestep,
            "layer": entry.layer,
            "spikes": entry.spikes,
            "energy": units.energy(entry.energy_pj),
        }
        for entry in report.timeline()
    ]


def _sections(report: Report, top: int | None) -> list[tuple[str, Rows]]:
    sections = [("Layers", layer_rows(report)), ("Operations", operation_rows(report))]
    neurons = neuron_rows(report, top)
    return [*sections, (f"Top {len(neurons)} neurons", neurons)] if neurons else sections


def _title(report: Report) -> str:
    run = report.run
    identity = f"run {run.run_id}" if run.run_id else "not stored"
    return f"{printable(run.name)} on {report.chip} ({identity}, costs {report.cost_version})"


def _facts(report: Report) -> str:
    run = report.run
    total = "unknown" if report.total_energy_pj is None else units.energy(report.total_energy_pj)
    coverage = f" ({report.coverage})" if report.unpriced else ""
    activity = (
        f"{report.total_spikes} spikes in {_plural(run.n_samples, 'sample')} of {_plural(run.n_timesteps, 'timestep')}"
    )
    return f"Total {total}{coverage}, {_per_inference(report)}: {activity}\n{_range(report)}"


def _range(report: Report) -> str:
    if report.energy_low_pj is None or report.energy_high_pj is None:
        return f"Range: none is published for {report.chip} {report.cost_version}"
    ends = f"{units.energy(report.energy_low_pj)} to {units.energy(report.energy_high_pj)}"
    return f"Range: {ends} (published for {report.n_ranged} of {_plural(report.n_operations, 'operation')})"


def _per_inference(report: Report) -> str:
    return f"{optional_energy(report.energy_per_inference_pj)} per inference"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _advice_lines(report: Report) -> list[str]:
    return [f"{_saving(entry)}: {printable(entry.action)}" for entry in report.advice]


def _saving(advice: Advice) -> str:
    if not advice.saving_pj:
        return "no energy per spike"
    return f"{units.energy(advice.saving_pj)} ({units.percent(advice.saving_share)})"


def _per_spike(pj: float | None) -> str:
    return "" if pj is None else units.energy(pj)


def _optional_percent(share: float | None) -> str:
    return "" if share is None else units.percent(share)


def _html_table(rows: Rows) -> str:
    head = "".join(f"<th>{escaping.escape(name)}</th>" for name in rows[0]) if rows else ""
    body = "".join(
        "<tr>" + "".join(f"<td>{escaping.escape(printable(value))}</td>" for value in row.values()) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
