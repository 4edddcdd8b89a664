"""Why the energy changed, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from energy_db import units
from energy_db.comparisons.rows import Effects, LayerChange

# Layers are named until they explain so much of what moved; at most so many.
_ENOUGH = 0.9
_MOST_LAYERS = 3
_LEAST_COST_SHARE = 0.01


def explain(
    total_pj: float, versions: tuple[str, str], layers: Sequence[LayerChange], change_pj: float, effects: Effects
) -> str:
    """Say in one sentence by how much the energy changed, which layers did it, and what costs did to it.

    Parameters
    ----------
    total_pj : float
        Energy of the run before, in pJ.
    versions : (str, str)
        The cost sets of both runs.
    layers : sequence of LayerChange
        The layers.
    change_pj : float
        The change, in pJ.
    effects : Effects
        What it is made of.
    """
    head = _relative(change_pj, total_pj)
    moves = _moves(layers)
    causes, ending = _of_layers(moves), _of_balance(moves)
    if abs(effects.cost) > _LEAST_COST_SHARE * max(abs(total_pj), abs(change_pj)):
        costs = f"the costs of {versions[1]} instead of {versions[0]}"
        rest = _relative(change_pj - effects.cost, total_pj)
        causes.append(f"and {costs}, without which it would be {rest}" if causes else costs)
        ending = ""
    if not causes:
        return f"{head}: nothing changed" if not change_pj else head
    return f"{head}: {', '.join(causes)}{ending}"


def _relative(change_pj: float, total_pj: float) -> str:
    if not total_pj:
        return units.signed_energy(change_pj)
    return units.signed_percent(change_pj / total_pj)


def _moves(layers: Sequence[LayerChange]) -> list[tuple[float, LayerChange]]:
    """Return the layers that moved the energy and by how much, in pJ, the largest first; costs are left aside."""
    moves = [(_by_firing(layer) + _by_others(layer.effects), layer) for layer in layers]
    return sorted((move for move in moves if units.is_seen(move[0])), key=lambda move: -abs(move[0]))


def _named(moves: Sequence[tuple[float, LayerChange]]) -> Sequence[tuple[float, LayerChange]]:
    everything = sum(abs(size) for size, _ in moves)
    explained = 0.0
    for number, (size, _) in enumerate(moves[:_MOST_LAYERS]):
        if explained >= _ENOUGH * everything:
            return moves[:number]
        explained += abs(size)
    return moves[:_MOST_LAYERS]


def _of_layers(moves: Sequence[tuple[float, LayerChange]]) -> list[str]:
    """Return what happened in the layers that moved the energy most."""
    return [_of_layer(layer) for _, layer in _named(moves)]


def _of_balance(moves: Sequence[tuple[float, LayerChange]]) -> str:
    """Return the end of the sentence where layers moved, but the whole did not: without it, the head reads wrong."""
    sizes = [size for size, _ in moves]
    if abs(sum(sizes)) > (1 - _ENOUGH) * sum(map(abs, sizes)) or not sizes:
        return ""
    is_said = len({size > 0 for size, _ in _named(moves)}) > 1
    return "; they cancel out" if is_said else "; the other layers make up for it"


def _by_firing(layer: LayerChange) -> float:
    """Return what a layer's firing more or less brings; its share of the run's spikes alone is no news of the layer."""
    return layer.effects.spikes + layer.effects.layer_mix if layer.spikes_a != layer.spikes_b else 0.0


def _by_others(effects: Effects) -> float:
    return effects.neuron_mix + effects.work + effects.other_drivers


def _of_layer(layer: LayerChange) -> str:
    name = "what belongs to no layer" if layer.layer is None else layer.layer
    if not layer.in_a and layer.layer is not None:
        return f"{name} is new"
    if not layer.in_b and layer.layer is not None:
        return f"{name} is gone"
    effects = layer.effects
    by_firing = abs(_by_firing(layer))
    largest = max(by_firing, abs(effects.neuron_mix), abs(effects.work), abs(effects.other_drivers))
    if largest == by_firing:
        return _of_firing(name, layer.spikes_a, layer.spikes_b)
    if largest == abs(effects.work):
        return f"a spike of {name} triggers {_more_or_less(effects.work)}"
    if largest == abs(effects.neuron_mix):
        return f"{'costlier' if effects.neuron_mix > 0 else 'cheaper'} neurons of {name} fire"
    return f"{name} has {_more_or_less(effects.other_drivers)} to pay beside its spikes"


def _of_firing(name: str, before: int, after: int) -> str:
    if not before:
        return f"{name} fires, and did not before"
    if not after:
        return f"{name} fell silent"
    ratio = after / before
    if ratio >= 2:  # noqa: PLR2004  twice as often reads better than 100 % more
        return f"{name} fires {ratio:.1f} times as often"
    return f"{name} fires {_percent(abs(ratio - 1))} {_more_or_less(ratio - 1)}"


def _percent(share: float) -> str:
    """Format a share for a sentence: whole per cents, unless it is small or just short of all."""
    if 0.995 <= share < 1:  # noqa: PLR2004  a layer that still fires does not fire 100 % less
        return "over 99 %"
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"  # noqa: PLR2004


def _more_or_less(amount: float) -> str:
    return "more" if amount > 0 else "less"
