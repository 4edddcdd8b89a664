"""The faces of a report for people: a summary, a page of text, HTML for notebooks. Machines read `Report.to_dict`."""

from __future__ import annotations

import html as escaping
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from energy_db import units
from energy_db.tables import html_table, markdown_table, printable, text_table

if TYPE_CHECKING:
    from energy_db.reports.advice import Advice
    from energy_db.reports.ranking import ChipEnergy, Ranking
    from energy_db.reports.recost import Recost
    from energy_db.reports.report import Report

Rows = list[dict[str, Any]]


def layer_lines(layers: Sequence[Any]) -> list[str]:
    """Return a line for each layer, as the tutorial prints it."""
    lines = []
    for layer in layers:
        per_spike = (
            "" if layer.energy_per_spike_pj is None else f" × {units.significant(layer.energy_per_spike_pj)} pJ/spike"
        )
        energy = "nothing charged by layer"
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
        parts.append(f"<h4>{escaping.escape(heading)}</h4>{html_table(rows)}")
    parts.append(f"<p>{escaping.escape(report.why)}</p>")
    items = "".join(f"<li>{escaping.escape(line)}</li>" for line in _advice_lines(report))
    return "".join(parts) + (f"<ul>{items}</ul>" if items else "")


def optional_energy(pj: float | None) -> str:
    """Return an energy for eyes, and a question mark where nobody knows it."""
    return "?" if pj is None else units.energy(pj)


def chip_rows(chips: Sequence[ChipEnergy]) -> Rows:
    """Return a row for each chip that a run was priced on, for eyes."""
    return [
        {
            "compares with": entry.scope_group,
            "rank": entry.rank,
            "chip": entry.chip,
            "cost version": entry.cost_version,
            "status": entry.status,
            "energy": optional_energy(entry.total_energy_pj),
            "per inference": optional_energy(entry.energy_per_inference_pj),
            "per spike": _per_spike(entry.energy_per_spike_pj),
            "priced": f"{entry.n_priced} of {entry.n_operations}",
            "dominant layer": entry.dominant_layer or "",
        }
        for entry in chips
    ]


def ranking_notes(ranking: Ranking) -> list[str]:
    """Return what to know before comparing the chips of a ranking."""
    notes = ["chips are ranked only among those that they compare with: other costs include other things"]
    if partial := [entry.chip for entry in ranking if entry.unpriced]:
        notes.append(f"not ranked, because only a part could be priced: {', '.join(partial)}")
    if ranking.unpriced:
        names = ", ".join(entry.chip for entry in ranking.unpriced)
        notes.append(f"not shown, because the run brings none of their counters: {names}")
    drawn = [entry for entry in ranking.robustness if entry.share is not None]
    ranged = {entry.chip: f"{entry.chip} ({entry.n_ranged} of {entry.n_operations} ranged)" for entry in ranking}
    notes += [
        f"{ranged[entry.cheaper]} stays cheaper than {ranged[entry.dearer]} in {units.percent(entry.share or 0.0)} of "
        "draws from the published ranges; what has none was not varied"
        for entry in drawn
    ]
    notes += [
        f"the costs {e.chip} {e.cost_version} are withdrawn: energy-db costs list" for e in ranking if e.is_withdrawn
    ]
    ranked = [entry for entry in ranking if entry.rank is not None]
    if len({entry.n_operations for entry in ranked}) > 1:
        few = ", ".join(entry.chip for entry in ranked if entry.n_operations == 1)
        notes.append(f"a source that prices fewer operations looks cheaper; only one is priced for {few}")
    if len(drawn) < len(ranking.robustness):
        notes.append("how robust the other ranks are, nobody can tell: no range is published")
    return notes


def recost_rows(recost: Recost) -> Rows:
    """Return a row for each run and chip under two cost versions, for eyes."""
    return [
        {
            "run": row.name,
            "chip": row.chip,
            "before": optional_energy(row.before_pj),
            "after": optional_energy(row.after_pj),
            "factor": "?" if row.ratio is None else f"x {units.significant(row.ratio)}",
            "priced": f"{row.before_priced}, {row.after_priced}",
            "layers before": " > ".join(row.layers_before),
            "layers after": "the same" if not row.layers_change else " > ".join(row.layers_after),
            "rank before": row.rank_before or "",
            "rank after": row.rank_after or "",
        }
        for row in recost.rows
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
    ] + _unlayered_row(report)


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


def _unlayered_row(report: Report) -> Rows:
    """Return the row of what belongs to no layer, so that the table adds up to the total."""
    if report.unlayered_energy_pj is None or report.total_energy_pj is None:
        return []
    share = report.unlayered_energy_pj / report.total_energy_pj if report.total_energy_pj else 0.0
    empty = dict.fromkeys(("role", "neurons", "active", "spikes"))
    energy = {"energy": units.energy(report.unlayered_energy_pj), "share": units.percent(share)}
    return [{"layer": "(no layer)", **empty, "per spike": "", **energy}]


def lineage(report: Report) -> str:
    """Return the receipt of a report: its content, each cost with its source, its views, and its hash."""
    known = report.provenance
    facts = {
        "run": report.run.run_id or "not stored",
        "content hash": known["content_hash"],
        "source": known["source_path"],
        "costs": f"{report.chip} {report.cost_version}",
        "costs' content hash": known["costs"]["content_hash"],
        "report hash": known["report_hash"] or "none: the run is not stored, so its content has no identity",
    }
    columns = ("operation", "driver", "energy_pj", "scope", "status", "source", "doi")
    costs = [{column: row[column] for column in columns} for row in known["cost_rows"]]
    views = [{"view": name, "version": version} for name, version in known["views"].items()]
    parts = [
        text_table([{"fact": name, "value": value} for name, value in facts.items()]),
        f"Costs\n{text_table(costs)}",
        f"Views\n{text_table(views)}",
    ]
    return "\n\n".join(parts)


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
        f"{report.total_spikes} spikes in {plural(run.n_samples, 'sample')} of {plural(run.n_timesteps, 'timestep')}"
    )
    return f"Total {total}{coverage}, {_per_inference(report)}: {activity}\n{_range(report)}"


def _range(report: Report) -> str:
    if report.energy_low_pj is None or report.energy_high_pj is None:
        return f"Range: none is published for {report.chip} {report.cost_version}"
    ends = f"{units.energy(report.energy_low_pj)} to {units.energy(report.energy_high_pj)}"
    return f"Range: {ends} (published for {report.n_ranged} of {plural(report.n_operations, 'operation')})"


def _per_inference(report: Report) -> str:
    return f"{optional_energy(report.energy_per_inference_pj)} per inference"


def plural(number: int, noun: str) -> str:
    """Return a number of things, such as '1 sample' or '3 samples'."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _advice_lines(report: Report) -> list[str]:
    return [f"{saving(entry)}: {printable(entry.action)}" for entry in report.advice]


def saving(advice: Advice) -> str:
    """Return what an advice would save, for eyes."""
    if not advice.saving_pj:
        return "no energy per spike"
    return f"{units.energy(advice.saving_pj)} ({units.percent(advice.saving_share)})"


def _per_spike(pj: float | None) -> str:
    return "" if pj is None else units.energy(pj)


def _optional_percent(share: float | None) -> str:
    return "" if share is None else units.percent(share)
