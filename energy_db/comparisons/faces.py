"""The faces of a comparison for people: a page of text or Markdown. Machines read `Comparison.to_dict`."""

from __future__ import annotations

import html as escaping
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from energy_db import units
from energy_db.tables import html_table, markdown_table, printable, text_table

if TYPE_CHECKING:
    from energy_db.comparisons.chips import ChipChanges
    from energy_db.comparisons.comparison import Comparison
    from energy_db.comparisons.limits import Outcome
    from energy_db.comparisons.rows import Disparity, Fingerprint

Rows = list[dict[str, Any]]
is_seen = units.is_seen
signed = units.signed_energy

EFFECT_NAMES = {
    "spikes": "spikes, in all",
    "layer_mix": "mix of layers",
    "neuron_mix": "mix of neurons",
    "work": "work per spike",
    "other_drivers": "other drivers",
    "cost": "cost version",
}
_METHODS = {
    "shapley": "Shapley, by neuron",
    "lmdi": "LMDI, by layer",
    "pvm": "price-volume-mix, by layer",
}


def page(
    comparison: Comparison, top: int | None, relative: bool, only_changed: bool, outcomes: Sequence[Outcome] = ()
) -> str:
    """Return the whole comparison as text, and which limits it kept."""
    parts = [_title(comparison), "\n".join(_head(comparison))]
    sections = [*_limits(outcomes), *_sections(comparison, top, relative, only_changed)]
    parts += [f"{heading}\n{text_table(rows)}" for heading, rows in sections]
    return "\n\n".join(parts)


def markdown(
    comparison: Comparison, top: int | None, relative: bool, only_changed: bool, outcomes: Sequence[Outcome] = ()
) -> str:
    """Return the whole comparison as Markdown, and which limits it kept."""
    parts = [f"# {_title(comparison)}", "\n".join(f"- {line}" for line in _head(comparison))]
    sections = [*_limits(outcomes), *_sections(comparison, top, relative, only_changed)]
    parts += [f"## {heading}\n\n{markdown_table(rows)}" for heading, rows in sections]
    return "\n\n".join(parts)


def html(comparison: Comparison) -> str:
    """Return the comparison as an HTML fragment for notebooks; every name in it is escaped."""
    lines = "".join(f"<li>{escaping.escape(line)}</li>" for line in _head(comparison))
    parts = [f"<h3>{escaping.escape(_title(comparison))}</h3><ul>{lines}</ul>"]
    for heading, rows in _sections(comparison, top=10, relative=False, only_changed=False):
        parts.append(f"<h4>{escaping.escape(heading)}</h4>{html_table(rows)}")
    return "".join(parts)


def layer_rows(comparison: Comparison, relative: bool = False, only_changed: bool = False, split: bool = True) -> Rows:
    """Return a row for each layer; split, with its effects that are not zero everywhere.

    A layer's effects may be larger than its change and cancel: all spikes of a run weigh on every layer of it.
    """
    show = _amount(comparison, relative)
    shown = [name for name in EFFECT_NAMES if any(is_seen(getattr(la.effects, name)) for la in comparison.layers)]
    return [
        {
            "layer": "(no layer)" if layer.layer is None else layer.layer,
            "spikes before": layer.spikes_a if layer.in_a else "",
            "spikes after": layer.spikes_b if layer.in_b else "",
            "before": units.energy(layer.energy_a_pj),
            "after": units.energy(layer.energy_b_pj),
            "change": show(layer.change_pj),
            **{EFFECT_NAMES[name]: show(getattr(layer.effects, name)) for name in shown if split},
        }
        for layer in comparison.layers
        if not only_changed or is_seen(layer.change_pj)
    ]


def operation_rows(comparison: Comparison, relative: bool = False, only_changed: bool = False) -> Rows:
    """Return a row for each operation."""
    show = _amount(comparison, relative)
    return [
        {
            "operation": entry.operation,
            "charged on": entry.driver,
            "count before": _count(entry.count_a),
            "count after": _count(entry.count_b),
            "before": "?" if entry.energy_a_pj is None else units.energy(entry.energy_a_pj),
            "after": "?" if entry.energy_b_pj is None else units.energy(entry.energy_b_pj),
            "change": f"left out: {entry.left_out}" if entry.change_pj is None else show(entry.change_pj),
        }
        for entry in comparison.operations
        if not only_changed or entry.change_pj != 0
    ]


def neuron_rows(comparison: Comparison, top: int | None, relative: bool = False) -> Rows:
    """Return a row for each of the neurons whose energy changed most."""
    show = _amount(comparison, relative)
    return [
        {
            "neuron": f"{entry.layer}/{entry.neuron}",
            "spikes before": entry.spikes_a,
            "spikes after": entry.spikes_b,
            "before": units.energy(entry.energy_a_pj),
            "after": units.energy(entry.energy_b_pj),
            "change": show(entry.change_pj),
        }
        for entry in comparison.neurons(top)
        if entry.change_pj != 0
    ]


def effect_rows(comparison: Comparison, relative: bool = False, only_changed: bool = False) -> Rows:
    """Return a row for each effect, and what is left."""
    show = _amount(comparison, relative)
    rows = [
        {"because of": EFFECT_NAMES[name], "change": show(amount), "share of before": _share(comparison, amount)}
        for name, amount in vars(comparison.effects).items()
        if not only_changed or is_seen(amount)
    ]
    if comparison.method != "shapley":
        rows.append({"because of": "residual", "change": show(comparison.residual_pj), "share of before": ""})
    total = comparison.change_pj
    return [*rows, {"because of": "in all", "change": show(total), "share of before": _share(comparison, total)}]


def chip_rows(changes: ChipChanges) -> Rows:
    """Return a row for each chip."""
    return [
        {
            "chip": change.chip,
            "cost version": change.cost_version,
            "compared": f"{change.n_compared} of {change.n_operations}",
            "before": units.energy(change.total_a_pj),
            "after": units.energy(change.total_b_pj),
            "change": signed(change.change_pj),
            "share": "" if change.change_share is None else units.signed_percent(change.change_share),
            "mostly because of": EFFECT_NAMES[change.effects.largest] if change.change_pj else "",
        }
        for change in changes.chips
    ]


def verdict_lines(comparable: bool, differs: Sequence[Disparity]) -> list[str]:
    """Return whether two runs may be compared, and in what they differ."""
    found = [f"{entry.what}: {printable(entry.a)} / {printable(entry.b)}" for entry in differs]
    serious = [line for line, entry in zip(found, differs, strict=True) if entry.matters]
    others = [line for line, entry in zip(found, differs, strict=True) if not entry.matters]
    lines = ["Comparable: yes" if comparable else f"NOT comparable: {'; '.join(serious)}"]
    return [*lines, *([f"Differs: {'; '.join(others)}"] if others else [])]


_BY_SUMS = " by neuron and by timestep (single spikes are not kept of both)"


def fingerprint_line(fingerprint: Fingerprint) -> list[str]:
    """Return where two runs part that should be identical, or that they do not."""
    if not fingerprint.is_equal:
        return []
    same = "Network, input, seed and timesteps are the same"
    parting = fingerprint.parting
    if parting is None:
        known = "all spikes" if fingerprint.by_events else f"the sums of spikes{_BY_SUMS}"
        return [f"{same}, and so are {known}"]
    same += ": equal weights would give equal spikes"
    where = f"layer {printable(parting.layer)}"
    if parting.neuron is not None:
        where += f", neuron {parting.neuron}"
    where = f"{where}, over all timesteps" if parting.timestep is None else f"timestep {parting.timestep}, {where}"
    if parting.sample is not None:
        where += f" (sample {parting.sample})"
    they = "They part" if fingerprint.by_events else f"The sums{_BY_SUMS} part"
    return [f"{same}. {they} first at {where}: {parting.spikes_a} before, {parting.spikes_b} after"]


def _head(comparison: Comparison) -> list[str]:
    change = signed(comparison.change_pj)
    totals = f"{units.energy(comparison.total_a_pj)} -> {units.energy(comparison.total_b_pj)}"
    share = "" if comparison.change_share is None else f" ({units.signed_percent(comparison.change_share)})"
    return [
        *verdict_lines(comparison.comparable, comparison.differs),
        f"Energy: {totals}, {change}{share}",
        *_accuracy_line(comparison),
        f"Why: {printable(comparison.why)}",
        *fingerprint_line(comparison.fingerprint),
    ]


def _accuracy_line(comparison: Comparison) -> list[str]:
    if comparison.accuracy_a is None or comparison.accuracy_b is None:
        return []
    line = f"Accuracy: {100 * comparison.accuracy_a:.1f} % -> {100 * comparison.accuracy_b:.1f} %"
    before, after = comparison.energy_per_correct_a_pj, comparison.energy_per_correct_b_pj
    if before is None or after is None:
        return [line]
    share = f" ({units.signed_percent(after / before - 1)})" if before else ""
    return [f"{line}; energy per correct answer {units.energy(before)} -> {units.energy(after)}{share}"]


def _limits(outcomes: Sequence[Outcome]) -> list[tuple[str, Rows]]:
    rows = [
        {"limit": entry.limit, "change": entry.change, "result": "FAIL" if entry.is_broken else "pass"}
        for entry in outcomes
    ]
    return [("Limits", rows)] if rows else []


def _sections(comparison: Comparison, top: int | None, relative: bool, only_changed: bool) -> list[tuple[str, Rows]]:
    neurons = neuron_rows(comparison, top, relative)
    found = [
        (
            f"What the change is made of ({_METHODS[comparison.method]})",
            effect_rows(comparison, relative, only_changed),
        ),
        ("Layers", layer_rows(comparison, relative, only_changed, split=False)),
        ("Operations", operation_rows(comparison, relative, only_changed)),
        (
            f"The {len(neurons)} neurons that changed most" if len(neurons) > 1 else "The neuron that changed most",
            neurons,
        ),
    ]
    return [(heading, rows) for heading, rows in found if rows]


def _title(comparison: Comparison) -> str:
    a, b = comparison.a, comparison.b
    versions = dict.fromkeys((comparison.cost_version_a, comparison.cost_version_b))
    names = f"{printable(a.name)} ({a.run_id}) -> {printable(b.name)} ({b.run_id})"
    return f"{names} on {comparison.chip} (costs {' -> '.join(versions)})"


def _amount(comparison: Comparison, relative: bool) -> Callable[[float], str]:
    """Return how an amount of change is shown: as energy, or as a share of the first run's energy."""
    if relative and comparison.total_a_pj:
        return lambda pj: units.signed_percent(pj / comparison.total_a_pj)
    return signed


def _share(comparison: Comparison, pj: float) -> str:
    return units.signed_percent(pj / comparison.total_a_pj) if comparison.total_a_pj else ""


def _count(number: float | None) -> int | float | str:
    if number is None:
        return "?"
    return int(number) if number == int(number) else number


@dataclass(frozen=True)
class EffectEntry:
    """An effect as a row: its name, and the change that it makes, in pJ."""

    effect: str
    change_pj: float


def effect_entries(comparison: Comparison) -> list[EffectEntry]:
    """Return the effects of a comparison as rows, and the residual."""
    effects = {**vars(comparison.effects), "residual": comparison.residual_pj}
    return [EffectEntry(name, amount) for name, amount in effects.items()]


def flat_row(entry: Any) -> dict[str, Any]:
    """Return a row of a comparison with its effects as columns of their own."""
    row = asdict(entry)
    effects = row.pop("effects", {})
    return {**row, **{f"{name}_effect_pj": amount for name, amount in effects.items()}}
