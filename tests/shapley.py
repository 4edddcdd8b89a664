"""What a change of energy is made of, by brute force: every order in which the factors may change, in fractions.

It follows docs/method.md ("Explaining a difference" there) on top of the cost model in plain Python (cost_model.py),
and shares no code with the project. Energy that is charged on spikes is, for each layer l, neuron n and operation o,

    N  x  s_l  x  s_(n|l)  x  w_(l,n,o)  x  p_o

and the effect of a factor is the mean, over all 120 orders, of what its change brings at its turn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

from cost_model import PER_SPIKE, Layer, Operation, Recording

EFFECTS = ("spikes", "layer_mix", "neuron_mix", "work", "other_drivers", "cost")
FACTORS = ("spikes", "layer_mix", "neuron_mix", "work", "cost")
ORDERS = tuple(permutations(range(len(FACTORS))))

Effects = dict[str, Fraction]


@dataclass(frozen=True)
class Charge:
    """An operation that takes part: its driver, and what a unit costs under both versions; 0 where one lacks it."""

    driver: str
    pj: tuple[Fraction, Fraction]


class Split:
    """The change between two recordings, each priced by its own operations.

    Attributes
    ----------
    charges : dict of (str, str) to Charge
        The operations that take part, by name and driver: both recordings can count their driver, and no version
        leaves them blank.
    is_whole : bool
        Whether every operation takes part.
    """

    def __init__(self, runs: Sequence[Recording], books: Sequence[Sequence[Operation]]) -> None:
        self.runs = runs
        keys = _keys(books)
        found = {key: self._charge(key, books) for key in keys}
        self.charges = {key: charge for key, charge in found.items() if charge is not None}
        self.is_whole = len(self.charges) == len(keys)
        self._spikes = [_spikes(run) for run in runs]
        self._sums = [_sums(spikes) for spikes in self._spikes]
        self._layers = [{layer.name: layer for layer in run.layers} for run in runs]

    def by_neuron(self) -> dict[tuple[str, int], Effects]:
        """Return the effects of each neuron that spikes in either run, in what is charged on spikes."""
        places = sorted(self._spikes[0].keys() | self._spikes[1].keys())
        return {(layer, neuron): self._of_neuron(layer, neuron) for layer, neuron in places}

    def by_layer(self) -> dict[str | None, Effects]:
        """Return the effects of each layer, and at None those of what belongs to none; also of other drivers."""
        found: dict[str | None, Effects] = defaultdict(lambda: dict.fromkeys(EFFECTS, Fraction(0)))
        for (layer, _), effects in self.by_neuron().items():
            for name, effect in effects.items():
                found[layer][name] += effect
        for charge in self.charges.values():
            if charge.driver not in PER_SPIKE:
                self._add_others(charge, found)
        return dict(found)

    def whole(self) -> Effects:
        """Return the effects of the whole change."""
        layers = self.by_layer().values()
        return {name: sum((effects[name] for effects in layers), Fraction(0)) for name in EFFECTS}

    def _charge(self, key: tuple[str, str], books: Sequence[Sequence[Operation]]) -> Charge | None:
        name, driver = key
        given = [[op for op in book if (op.name, op.driver) == (name, driver)] for book in books]
        is_blank = any(op.pj is None for found in given for op in found)
        if is_blank or any(run.counts(driver) is None for run in self.runs):
            return None
        before, after = (Fraction(found[0].pj or 0) if found else Fraction(0) for found in given)
        return Charge(driver, (before, after))

    def _of_neuron(self, layer: str, neuron: int) -> Effects:
        """Return what each factor brings, by all orders: a coalition is a bit for each factor that has changed."""
        worths = self._worths(layer, neuron)
        sums = [Fraction(0)] * len(FACTORS)
        for order in ORDERS:
            coalition = 0
            for factor in order:
                joined = coalition | 1 << factor
                sums[factor] += worths[joined] - worths[coalition]
                coalition = joined
        effects = dict.fromkeys(EFFECTS, Fraction(0))
        return effects | {name: total / len(ORDERS) for name, total in zip(FACTORS, sums, strict=True)}

    def _worths(self, layer: str, neuron: int) -> list[Fraction]:
        """Return the energy of a neuron for each coalition: its factors as they are after, the others as before."""
        runs = [sums[None] for sums in self._sums]
        layers = [sums.get(layer, 0) for sums in self._sums]
        neurons = [spikes.get((layer, neuron), 0) for spikes in self._spikes]
        layer_shares, neuron_shares = _shares(layers, runs), _shares(neurons, layers)
        costs = [[self._spike_cost(layer, neuron, work, book) for book in (0, 1)] for work in (0, 1)]
        found = []
        for coalition in range(2 ** len(FACTORS)):
            n, s_l, s_n, w, p = (coalition >> factor & 1 for factor in range(len(FACTORS)))
            found.append(runs[n] * layer_shares[s_l] * neuron_shares[s_n] * costs[w][p])
        return found

    def _spike_cost(self, layer: str, neuron: int, work: int, book: int) -> Fraction:
        charged = [charge for charge in self.charges.values() if charge.driver in PER_SPIKE]
        each = (self._units(work, layer, neuron, charge.driver) * charge.pj[book] for charge in charged)
        return sum(each, Fraction(0))

    def _units(self, run: int, layer: str, neuron: int, driver: str) -> int:
        for side in (run, 1 - run):
            known = self._layers[side].get(layer)
            if known is not None and (units := _units(known, neuron, driver)) is not None:
                return units
        return 0

    def _add_others(self, charge: Charge, found: dict[str | None, Effects]) -> None:
        """Add what a driver that spikes do not drive brings: two factors, so two orders."""
        counts = [_by_layer(run, charge.driver) for run in self.runs]
        for layer in counts[0].keys() | counts[1].keys():
            before, after = (Fraction(side.get(layer, 0)) for side in counts)
            found[layer]["other_drivers"] += (after - before) * sum(charge.pj) / 2
            found[layer]["cost"] += (charge.pj[1] - charge.pj[0]) * (before + after) / 2


def _keys(books: Sequence[Sequence[Operation]]) -> list[tuple[str, str]]:
    return sorted({(op.name, op.driver) for book in books for op in book})


def _spikes(run: Recording) -> dict[tuple[str, int], int]:
    found: dict[tuple[str, int], int] = defaultdict(int)
    for layer, neuron, _, _, many in run.events:
        found[layer, neuron] += many
    return dict(found)


def _sums(spikes: Mapping[tuple[str, int], int]) -> dict[str | None, int]:
    """Return the spikes of each layer, and at None of the run."""
    found: dict[str | None, int] = defaultdict(int)
    for (layer, _), many in spikes.items():
        found[layer] += many
        found[None] += many
    return found


def _shares(parts: Sequence[int], wholes: Sequence[int]) -> list[Fraction]:
    """Return part by whole before and after; where the whole is silent, the share is that of the other run."""
    own = [Fraction(part, whole) if whole else None for part, whole in zip(parts, wholes, strict=True)]
    return [share if share is not None else other or Fraction(0) for share, other in (own, own[::-1])]


def _units(layer: Layer, neuron: int, driver: str) -> int | None:
    """Return the units of a driver that a spike stands for; None for a neuron that the layer does not have."""
    is_missing = isinstance(layer.fan_out, tuple) and driver == "synaptic_event" and neuron >= len(layer.fan_out)
    return None if is_missing else layer.units(driver, neuron)


def _by_layer(run: Recording, driver: str) -> dict[str | None, Fraction]:
    found: dict[str | None, Fraction] = defaultdict(Fraction)
    for (layer, _), many in (run.counts(driver) or {}).items():
        found[layer] += Fraction(many)
    return dict(found)


def closeness(found: Fraction, expected: Fraction) -> bool:
    """Whether two energies are the same to a millionth, of themselves or of a picojoule."""
    return abs(found - expected) <= max(Fraction(1), abs(expected)) / 1_000_000


def differing(found: dict[str, Fraction], expected: dict[str, Fraction]) -> Iterator[str]:
    """Say which effects are not the same."""
    for name in EFFECTS:
        if not closeness(found[name], expected[name]):
            yield f"{name}: {float(found[name])}, expected {float(expected[name])}"
