"""Two other traditions of splitting a change, at the grain of layers: what fires within a layer is not told apart.

Both see the energy of an operation in a layer as all spikes x share of the layer x units per spike x cost of a unit;
what is not charged on spikes as units x cost of a unit. So a layer whose neurons differ in their fan-out shows as work
what the exact method shows as neuron mix.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from energy_db.comparisons.reading import EFFECTS


@dataclass(frozen=True)
class Product:
    """An operation in a layer, as the product of its factors in both runs.

    Attributes
    ----------
    names : tuple of str
        The effect of each factor.
    before, after : tuple of float
        The factors; their products are the energies.
    """

    names: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]


def lmdi(product: Product) -> dict[str, float]:
    """Split the change of a product by the logarithmic mean Divisia index, LMDI-I.

    Where the product was or becomes zero, the limit is taken: the whole change belongs to the factor that is zero, and
    to several that are in equal parts. Source: Ang, Energy Policy 33 (2005) 867-871; for zeros, Wood and Lenzen,
    Energy Policy 34 (2006) 1326-1331.

    Examples
    --------
    >>> split = lmdi(Product(("spikes", "cost"), (10.0, 2.0), (20.0, 2.0)))
    >>> round(split["spikes"], 6), split["cost"]
    (20.0, 0.0)
    """
    before, after = math.prod(product.before), math.prod(product.after)
    change = after - before
    if not change:
        logarithms = before
    elif before and after:
        logarithms = change / math.log(after / before)
    else:
        gone = [not all(factor) and any(factor) for factor in zip(product.before, product.after, strict=True)]
        return {name: change * is_gone / sum(gone) for name, is_gone in zip(product.names, gone, strict=True)}
    ratios = zip(product.names, product.before, product.after, strict=True)
    return {name: logarithms * math.log(new / old) if logarithms else 0.0 for name, old, new in ratios}


def price_volume_mix(product: Product) -> dict[str, float]:
    """Split the change of a product factor by factor, in their order: each at the new value of those before it.

    Examples
    --------
    >>> price_volume_mix(Product(("spikes", "cost"), (10.0, 2.0), (20.0, 3.0)))
    {'spikes': 20.0, 'cost': 20.0}
    """
    effects = {}
    for place, name in enumerate(product.names):
        others = math.prod(product.after[:place]) * math.prod(product.before[place + 1 :])
        effects[name] = (product.after[place] - product.before[place]) * others
    return effects


SPLITS: Mapping[str, Callable[[Product], dict[str, float]]] = {"lmdi": lmdi, "pvm": price_volume_mix}


def split(rows: Sequence[Mapping[str, Any]], cells: Sequence[Mapping[str, Any]], method: str) -> list[dict[str, Any]]:
    """Return the layers of a comparison with their effects by another method; energies stay as they are.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of comparison_by_layer_all_versions.
    cells : sequence of mapping
        Rows of comparison_by_layer_operation_all_versions.
    method : {'lmdi', 'pvm'}
        The method.
    """
    layers = {row["layer"]: row for row in rows}
    n_spikes = [sum(row[side] for row in rows) for side in ("spikes_a", "spikes_b")]
    effects: dict[str | None, dict[str, float]] = {layer: dict.fromkeys(EFFECTS, 0.0) for layer in layers}
    for cell in cells:
        product = _product(cell, layers[cell["layer"]], n_spikes)
        for name, effect in SPLITS[method](product).items():
            effects[cell["layer"]][name] += effect
    return [
        {**row, **{f"{name}_effect_pj": Decimal(effect) for name, effect in effects[row["layer"]].items()}}
        for row in rows
    ]


def _product(cell: Mapping[str, Any], layer: Mapping[str, Any], n_spikes: Sequence[int]) -> Product:
    counts = [float(cell["driver_count_a"]), float(cell["driver_count_b"])]
    costs = [float(cell["cost_a_pj"] or 0), float(cell["cost_b_pj"] or 0)]
    if cell["grain"] != "spike":
        return Product(("other_drivers", "cost"), (counts[0], costs[0]), (counts[1], costs[1]))
    spikes = [layer["spikes_a"], layer["spikes_b"]]
    shares = _each_or_the_other(spikes, n_spikes)
    units = _each_or_the_other(counts, spikes)
    before, after = ((float(n_spikes[run]), shares[run], units[run], costs[run]) for run in (0, 1))
    return Product(("spikes", "layer_mix", "work", "cost"), before, after)


def _each_or_the_other(parts: Sequence[float], wholes: Sequence[float]) -> list[float]:
    """Return part by whole for both runs; where the whole is nothing, that of the other run."""
    ratios = [part / whole if whole else None for part, whole in zip(parts, wholes, strict=True)]
    return [own if own is not None else other or 0.0 for own, other in (ratios, ratios[::-1])]
