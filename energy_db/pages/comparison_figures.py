"""The figures of a comparison, each with its numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from energy_db import units
from energy_db.comparisons import faces
from energy_db.pages import charts
from energy_db.pages.markup import Figure, Table
from energy_db.pages.theme import Key
from energy_db.tables import printable

if TYPE_CHECKING:
    from energy_db.comparisons.comparison import Comparison

MOST_LAYERS = 24
MOST_NEURONS = 20
_KEYS = [Key("energy of a run", "total"), Key("more energy", "up"), Key("less energy", "down")]


def effect_figure(comparison: Comparison) -> Figure:
    """Return the change as a waterfall: from the energy of the first run, effect by effect, to that of the second."""
    before, after = comparison.total_a_pj, comparison.total_b_pj
    rows = [
        charts.Row(f"before: {printable(comparison.a.name)}", units.energy(before), ((0, before, "total"),), before)
    ]
    effects = [(faces.EFFECT_NAMES[name], amount) for name, amount in vars(comparison.effects).items()]
    reached = before
    for name, amount in [*effects, ("residual", comparison.residual_pj)]:
        if not faces.is_seen(amount):
            continue
        label = f"{faces.signed(amount)}{_share(comparison, amount)}"
        piece = (reached, reached + amount, "up" if amount > 0 else "down")
        rows.append(charts.Row(name, label, (piece,), max(piece[:2])))
        reached += amount
    rows.append(
        charts.Row(f"after: {printable(comparison.b.name)}", units.energy(after), ((0, after, "total"),), after)
    )
    idle = [name for name, amount in effects if not faces.is_seen(amount)]
    keys = _keys_of(rows)
    nothing = f" Without effect: {', '.join(idle)}." if idle else ""
    return Figure(
        f"What the change is made of: the effects lead from the energy before to the energy after.{nothing}",
        charts.bars(_title(comparison), rows, keys, is_waterfall=True),
        keys,
        [Table("What the change is made of", faces.effect_rows(comparison))],
    )


def layer_figure(comparison: Comparison) -> Figure | None:
    """Return the change of each layer, the largest one first; None if no layer changed."""
    changes = {layer.layer: layer.change_pj for layer in comparison.layers if faces.is_seen(layer.change_pj)}
    if not changes:
        return None
    ordered = sorted(changes, key=lambda name: -abs(changes[name]))
    shown, rest = (ordered, []) if len(ordered) <= MOST_LAYERS else (ordered[:MOST_LAYERS], ordered[MOST_LAYERS:])
    rows = [_change_row(comparison, _layer_name(name), changes[name]) for name in shown]
    if rest:
        others = _change_row(comparison, f"{len(rest)} other layers", sum(changes[name] for name in rest))
        rows.append(charts.beside(others, rows))
    first = ordered[0]
    says = f"Change by layer: {_layer_name(first)} changes most, by {faces.signed(changes[first])}."
    return _figure(f"{_title(comparison)}, by layer", says, rows, Table("Layers", faces.layer_rows(comparison)))


def operation_figure(comparison: Comparison) -> Figure | None:
    """Return the change of each operation, the largest one first; None if none changed."""
    changes = {
        entry.operation: entry.change_pj
        for entry in comparison.operations
        if entry.change_pj is not None and faces.is_seen(entry.change_pj)
    }
    if not changes:
        return None
    ordered = sorted(changes, key=lambda name: -abs(changes[name]))
    rows = [_change_row(comparison, printable(name), changes[name]) for name in ordered]
    says = f"Change by operation: {ordered[0]} changes most, by {faces.signed(changes[ordered[0]])}."
    table = Table("Operations", faces.operation_rows(comparison))
    return _figure(f"{_title(comparison)}, by operation", says, rows, table)


def neuron_figure(comparison: Comparison) -> Figure | None:
    """Return the neurons that changed most; None if none changed."""
    entries = [entry for entry in comparison.neurons(MOST_NEURONS) if faces.is_seen(entry.change_pj)]
    if not entries:
        return None
    rows = [_change_row(comparison, f"{printable(entry.layer)} / {entry.neuron}", entry.change_pj) for entry in entries]
    says = f"The {len(entries)} neurons whose energy changed most, either way; of what is charged on spikes."
    table = Table("The neurons that changed most", faces.neuron_rows(comparison, len(entries)))
    return _figure(f"{_title(comparison)}, by neuron", says, rows, table)


def _figure(title: str, says: str, rows: Sequence[charts.Row], table: Table) -> Figure:
    keys = _keys_of(rows)
    return Figure(says, charts.bars(title, rows, keys), keys, [table])


def _keys_of(rows: Sequence[charts.Row]) -> list[Key]:
    """Return what the colours that rows show stand for."""
    shown = {colour for row in rows for _, _, colour in row.segments}
    return [key for key in _KEYS if key.colour in shown]


def _change_row(comparison: Comparison, name: str, change: float) -> charts.Row:
    label = f"{faces.signed(change)}{_share(comparison, change)}"
    piece = (change, 0.0, "down") if change < 0 else (0.0, change, "up")
    return charts.Row(name, label, (piece,), change, is_leftward=change < 0)


def _share(comparison: Comparison, pj: float) -> str:
    return f" · {units.signed_percent(pj / comparison.total_a_pj)}" if comparison.total_a_pj else ""


def _title(comparison: Comparison) -> str:
    return f"{printable(comparison.a.name)} → {printable(comparison.b.name)} on {comparison.chip}"


def _layer_name(name: str | None) -> str:
    return "(no layer)" if name is None else printable(name)
