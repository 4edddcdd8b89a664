"""The figures of a report, each with its numbers as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from math import ceil
from typing import TYPE_CHECKING, Any

from energy_db import units
from energy_db.pages import charts
from energy_db.pages.markup import Figure, Table
from energy_db.pages.theme import N_SERIES, Key
from energy_db.reports import faces
from energy_db.tables import printable

if TYPE_CHECKING:
    from energy_db.reports.ranking import ChipEnergy, Ranking
    from energy_db.reports.report import Report
    from energy_db.reports.rows import StepEnergy

MOST_LAYERS = 24
MOST_NEURONS = 20
MOST_STRIPS = 5
MOST_STEPS = 120
_NO_LAYER = "(no layer)"


def operation_keys(report: Report) -> list[Key]:
    """Return each priced operation with its colour, the costliest first; those beyond the colours share one."""
    names = [printable(entry.operation) for entry in report.operations if entry.energy_pj is not None]
    if len(names) == 1:
        return [Key(names[0], "bar")]
    n_own = len(names) if len(names) <= N_SERIES else N_SERIES - 1
    keys = [Key(name, f"series_{index}") for index, name in enumerate(names[:n_own])]
    others = len(names) - n_own
    return [*keys, Key(f"{others} other operations", "others")] if others else keys


def layer_figure(report: Report) -> Figure | None:
    """Return the energy by layer and operation; None if nothing is priced."""
    total = report.total_energy_pj
    cells = {cell: float(pj) for cell, pj in report.by_layer_and_operation().items()}
    layers: dict[str | None, float] = {layer.layer: layer.energy_pj or 0.0 for layer in report.layers}
    if report.unlayered_energy_pj is not None:
        layers[None] = report.unlayered_energy_pj
    if not total:
        return None
    keys = operation_keys(report)
    ordered = sorted(layers, key=lambda name: -layers[name])
    shown, rest = (ordered, []) if len(ordered) <= MOST_LAYERS else (ordered[:MOST_LAYERS], ordered[MOST_LAYERS:])
    rows = [_layer_row(report, [name], _layer_name(name), cells, keys) for name in shown]
    if rest:
        rows.append(charts.beside(_layer_row(report, rest, f"{len(rest)} other layers", cells, keys), rows))
    largest = f"{_layer_name(ordered[0])} burns most, {_energy_and_share(layers[ordered[0]], total)}"
    top = f"The {MOST_LAYERS} costliest of {len(ordered)} layers and the rest. " if rest else ""
    return Figure(
        f"{top}Energy by layer and operation: {largest}.",
        charts.bars(f"{printable(report.run.name)} on {report.chip}: energy by layer and operation", rows, keys),
        keys,
        [Table("Layers", faces.layer_rows(report)), *_split_table(report, cells)],
    )


def _layer_row(
    report: Report,
    names: Sequence[str | None],
    label: str,
    cells: Mapping[tuple[str | None, str], float],
    keys: Sequence[Key],
) -> charts.Row:
    colour_of = {key.meaning: key.colour for key in keys}
    parts: dict[str, float] = {key.colour: 0.0 for key in keys}
    for entry in report.operations:
        colour = colour_of.get(printable(entry.operation), "others")
        if entry.energy_pj is not None:
            parts[colour] += sum(cells.get((name, entry.operation), 0.0) for name in names)
    pj = sum(parts.values())
    pieces = [(value, colour) for colour, value in parts.items() if value]
    return charts.stacked(label, pieces, _energy_and_share(pj, report.total_energy_pj or 0.0))


def _split_table(report: Report, cells: Mapping[tuple[str | None, str], float]) -> list[Table]:
    operations = [entry.operation for entry in report.operations if entry.energy_pj is not None]
    if len(operations) == 1:
        return []
    names: list[str | None] = [layer.layer for layer in report.layers]
    names += [] if report.unlayered_energy_pj is None else [None]
    rows = [
        {
            "layer": _layer_name(name),
            **{operation: units.energy(cells.get((name, operation), 0.0)) for operation in operations},
        }
        for name in names
    ]
    return [Table("Energy by layer and operation", rows)]


def operation_figure(report: Report) -> Figure | None:
    """Return the energy by operation, in the colours that the layers are split in; None if nothing is priced."""
    total = report.total_energy_pj
    priced = [entry for entry in report.operations if entry.energy_pj is not None]
    if not total:
        return None
    colour_of = {key.meaning: key.colour for key in operation_keys(report)}
    rows = [
        charts.stacked(
            printable(entry.operation),
            [(entry.energy_pj or 0.0, colour_of.get(printable(entry.operation), "others"))],
            _energy_and_share(entry.energy_pj or 0.0, total),
        )
        for entry in priced
    ]
    first = priced[0]
    says = f"Energy by operation: {first.operation} takes {units.percent(first.share or 0.0)}."
    return Figure(
        says,
        charts.bars(f"{printable(report.run.name)} on {report.chip}: energy by operation", rows),
        [],
        [Table("Operations", faces.operation_rows(report))],
    )


def neuron_figure(report: Report) -> Figure | None:
    """Return the neurons that burn most; None if none does."""
    entries = [entry for entry in report.neurons(MOST_NEURONS) if entry.energy_pj > 0]
    if not entries:
        return None
    rows = [
        charts.stacked(
            f"{printable(entry.layer)} / {entry.neuron}",
            [(entry.energy_pj, "bar")],
            f"{units.energy(entry.energy_pj)} · {units.percent(entry.share)}",
        )
        for entry in entries
    ]
    together = units.percent(sum(entry.share for entry in entries))
    n_neurons = sum(layer.n_neurons for layer in report.layers)
    says = f"The {len(entries)} costliest of {n_neurons:,} neurons burn {together} of the energy together."
    return Figure(
        says,
        charts.bars(f"{printable(report.run.name)} on {report.chip}: the costliest neurons", rows),
        [],
        [Table("The costliest neurons", faces.neuron_rows(report, len(entries)))],
    )


def step_figure(report: Report) -> Figure | None:
    """Return the energy over the timesteps of a sample; None if none is known by timestep."""
    n_timesteps = report.run.n_timesteps
    every = max(1, ceil(n_timesteps / MOST_STEPS))
    entries = [entry for entry in report.timeline(every) if entry.energy_pj > 0]
    if not entries:
        return None
    n_bins = ceil(n_timesteps / every)
    lines, n_others = _lines_over_time(entries, every, n_bins)
    total = [sum(values) for values in zip(*lines.values(), strict=True)]
    content = [charts.Strip("all layers", _peak(total, every), total, max(total), "bar", 72)]
    content += _strips(lines, n_others, every) if len(lines) > 1 else []
    gathered = "" if every == 1 else f", {every} timesteps gathered into one"
    scale = " The layers share one scale" if len(lines) > 1 else ""
    scale += "; what is left of them has its own." if n_others else "." if scale else ""
    says = f"Energy over time, summed over {faces.plural(report.run.n_samples, 'sample')}{gathered}.{scale}"
    table = [
        {"timestep": at * every, "all layers": units.energy(total[at])}
        | {name: units.energy(values[at]) for name, values in lines.items()}
        for at in range(n_bins)
    ]
    return Figure(
        says,
        charts.strips(f"{printable(report.run.name)} on {report.chip}: energy over time", content, every, n_timesteps),
        [],
        [Table("Energy over time", table)],
    )


def _strips(lines: Mapping[str, Sequence[float]], n_others: int, every: int) -> list[charts.Strip]:
    """Return a strip for each layer, on one scale, and one for what is left of them, on its own."""
    own = list(lines)[: len(lines) - (n_others > 0)]
    most = max(max(lines[name]) for name in own)
    strips = [charts.Strip(name, _peak(lines[name], every), lines[name], most, "bar", 30) for name in own]
    rest = [
        charts.Strip(name, _peak(v, every), v, max(v), "others", 30) for name, v in lines.items() if name not in own
    ]
    return [*strips, *rest]


def _lines_over_time(entries: Sequence[StepEnergy], every: int, n_bins: int) -> tuple[dict[str, list[float]], int]:
    """Return the energy of the costliest layers in each bin, the costliest first; last that of so many others."""
    by_layer: dict[str, list[float]] = defaultdict(lambda: [0.0] * n_bins)
    for entry in entries:
        by_layer[entry.layer][entry.timestep // every] += entry.energy_pj
    ordered = sorted(by_layer, key=lambda name: -sum(by_layer[name]))
    n_own = len(ordered) if len(ordered) <= MOST_STRIPS + 1 else MOST_STRIPS
    lines = {printable(name): by_layer[name] for name in ordered[:n_own]}
    if rest := ordered[n_own:]:
        together = [sum(values) for values in zip(*(by_layer[name] for name in rest), strict=True)]
        lines[f"{len(rest)} other layers"] = together
    return lines, len(rest)


def _peak(values: Sequence[float], every: int) -> str:
    most = max(values)
    return f"at most {units.energy(most)}, at timestep {values.index(most) * every}"


def chip_figures(ranking: Ranking, chip: str | None = None) -> list[tuple[str, Figure]]:
    """Return a figure for each group of chips whose figures compare, with the group's name.

    Parameters
    ----------
    ranking : Ranking
        The chips.
    chip : str, optional
        The chip that the page is about.
    """
    found = []
    for group, members in groupby(ranking.chips, key=lambda entry: entry.scope_group):
        ranked = [entry for entry in members if entry.rank is not None and entry.total_energy_pj]
        if len(ranked) > 1:
            found.append((group, _chip_figure(ranking, group, ranked, chip)))
    return found


def _chip_figure(ranking: Ranking, group: str, ranked: Sequence[ChipEnergy], chip: str | None) -> Figure:
    dots = [
        charts.Dot(
            f"{entry.chip} (this page)" if entry.chip == chip else entry.chip,
            units.energy(entry.total_energy_pj or 0.0),
            entry.total_energy_pj or 0.0,
            entry.energy_low_pj,
            entry.energy_high_pj,
            "up" if entry.chip == chip else "bar",
        )
        for entry in ranked
    ]
    first, last = ranked[0], ranked[-1]
    factor = _times((last.total_energy_pj or 0.0) / (first.total_energy_pj or 1.0))
    ranges = " Bars are published ranges." if any(entry.energy_low_pj for entry in ranked) else ""
    says = (
        f"{first.chip} takes least; {last.chip} takes {factor} times as much. "
        f"The scale is one of powers of ten.{ranges}"
    )
    rows: list[dict[str, Any]] = [
        {
            "chip": entry.chip,
            "cost version": entry.cost_version,
            "status": entry.status,
            "energy": units.energy(entry.total_energy_pj or 0.0),
            "low": faces.optional_energy(entry.energy_low_pj),
            "high": faces.optional_energy(entry.energy_high_pj),
        }
        for entry in ranked
    ]
    title = f"{printable(ranking.run.name)}: energy by chip, {group}"
    return Figure(says, charts.dots(title, dots), [], [Table(f"Chips, {group}", rows)])


def _layer_name(name: str | None) -> str:
    return _NO_LAYER if name is None else printable(name)


def _energy_and_share(pj: float, total: float) -> str:
    return f"{units.energy(pj)} · {units.percent(pj / total if total else 0.0)}"


def _times(factor: float) -> str:
    """Return a factor with three digits, such as '7.47' or '16,500,000'."""
    return units.significant(factor, 3) if factor < 100 else f"{float(f'{factor:.3g}'):,.0f}"  # noqa: PLR2004
