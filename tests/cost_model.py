"""The cost model in plain Python, one spike after the other: what the views must agree with on any run and any costs.

It follows docs/method.md and shares no code with the project. A driver is counted at places: (layer, neuron) where it
is known by neuron, (layer, None) where by layer, (None, None) where once for the run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

Place = tuple[str | None, int | None]
Number = int | Decimal
Event = tuple[str, int, int, int, int]
"""Layer, neuron, timestep, sample, n_spikes."""

ROLES = ("input", "hidden", "readout")
BY_ROLE = {
    "spike": {"input": 1, "hidden": 1, "readout": 1},
    "neuron_spike": {"input": 0, "hidden": 1, "readout": 1},
    "generated_spike": {"input": 0, "hidden": 1, "readout": 0},
    "transmitted_spike": {"input": 1, "hidden": 1, "readout": 0},
}
PER_SPIKE = (*BY_ROLE, "synaptic_event", "synop_fanin")
DERIVED = (*PER_SPIKE, "neuron_step", "second")
LAST_DIGIT = Decimal("0.000001")


@dataclass(frozen=True)
class Layer:
    """A layer of a network; fan-out is one for all neurons, one for each, or unknown."""

    name: str
    role: str
    n_neurons: int
    n_inputs: int | None = None
    fan_out: int | tuple[int, ...] | None = None

    def units(self, driver: str, neuron: int) -> int | None:
        """Return the units of a driver that one spike of a neuron stands for; None if nobody said."""
        if driver in BY_ROLE:
            return BY_ROLE[driver][self.role]
        if driver == "synop_fanin":
            return 0 if self.role == "input" else self.n_inputs
        if isinstance(self.fan_out, tuple):
            return self.fan_out[neuron]
        return 0 if self.fan_out is None and self.role == "readout" else self.fan_out


@dataclass(frozen=True)
class Recording:
    """A run: its network, its spikes, how long it took, and what it counted beside its spikes."""

    layers: tuple[Layer, ...]
    events: list[Event]
    n_timesteps: int
    n_samples: int
    timestep_us: Decimal | None = None
    counters: Mapping[str, Mapping[Place, int]] = field(default_factory=dict)

    def counts(self, driver: str) -> dict[Place, Number] | None:
        """Return how often a driver was counted at each place; None if it cannot be counted."""
        if driver in PER_SPIKE:
            return self._driven_by_spikes(driver)
        if driver == "neuron_step":
            steps = self.n_timesteps * self.n_samples
            return {(la.name, n): steps for la in self.layers if la.role != "input" for n in range(la.n_neurons)}
        if driver == "second":
            lasts_us = None if self.timestep_us is None else self.n_timesteps * self.n_samples * self.timestep_us
            return {(None, None): lasts_us / 1_000_000} if lasts_us is not None and lasts_us % 1 == 0 else None
        return dict(self.counters[driver]) if driver in self.counters else None

    def _driven_by_spikes(self, driver: str) -> dict[Place, Number] | None:
        found: dict[Place, Number] = defaultdict(int)
        by_name = {layer.name: layer for layer in self.layers}
        for name, neuron, _, _, n_spikes in self.events:
            units = by_name[name].units(driver, neuron)
            if units is None:
                return None
            found[name, neuron] += n_spikes * units
        return found


@dataclass(frozen=True)
class Operation:
    """What one unit of a driver costs; None where a source leaves it blank."""

    name: str
    driver: str
    pj: Decimal | None
    low_pj: Decimal | None = None
    high_pj: Decimal | None = None

    @property
    def is_ranged(self) -> bool:
        return self.low_pj is not None and self.high_pj is not None

    def at(self, end: str) -> Decimal:
        """Return its cost, or that at an end of its range: 'pj', 'low_pj' or 'high_pj'."""
        return Decimal(getattr(self, end) if self.is_ranged else self.pj or 0)

    def times(self, factor: int) -> Operation:
        """Return the operation at so many times its cost."""
        low, high = (None if pj is None else pj * factor for pj in (self.low_pj, self.high_pj))
        return Operation(self.name, self.driver, None if self.pj is None else self.pj * factor, low, high)


class Priced:
    """A recording under the operations of a cost set."""

    def __init__(self, run: Recording, operations: Iterable[Operation]) -> None:
        self.run = run
        self.operations = list(operations)
        counts = {op.name: run.counts(op.driver) for op in self.operations}
        self.counts = {op: counts[op.name] or {} for op in self.operations if self.is_priced(op, counts[op.name])}

    @staticmethod
    def is_priced(operation: Operation, counts: Mapping[Place, Number] | None) -> bool:
        return operation.pj is not None and counts is not None

    def energies(self, pj: str = "pj") -> dict[tuple[Place, str], Decimal]:
        """Return the energy of each operation at each place."""
        cells = {}
        for op, counts in self.counts.items():
            for place, count in counts.items():
                cells[place, op.name] = (count * op.at(pj)).quantize(LAST_DIGIT, ROUND_HALF_UP)
        return cells

    def total(self, pj: str = "pj") -> Decimal | None:
        return sum(self.energies(pj).values(), Decimal(0)) if self.counts else None

    @property
    def n_ranged(self) -> int:
        return sum(op.is_ranged for op in self.counts)

    def by_operation(self) -> dict[str, Decimal | None]:
        found: dict[str, Decimal | None] = {op.name: None for op in self.operations}
        found |= {op.name: Decimal(0) for op in self.counts}
        for (_, name), energy in self.energies().items():
            found[name] = (found[name] or Decimal(0)) + energy
        return found

    def by_layer(self) -> dict[str | None, Decimal]:
        """Return the energy of each place that costs anything; what belongs to no layer is at None."""
        found: dict[str | None, Decimal] = defaultdict(Decimal)
        for ((layer, _), _), energy in self.energies().items():
            found[layer] += energy
        return {layer: energy for layer, energy in found.items() if energy}

    def by_neuron(self) -> dict[Place, Decimal]:
        """Return the energy of each neuron that costs anything, of the operations that can be told by neuron."""
        found: dict[Place, Decimal] = defaultdict(Decimal)
        for (place, _), energy in self.energies().items():
            if place[1] is not None:
                found[place] += energy
        return {place: energy for place, energy in found.items() if energy}

    def of_spikes(self, by_step: bool) -> list[tuple[Event, Decimal]]:
        """Return what each event costs; by step without synaptic events where the neurons of a layer differ."""
        layers = {layer.name: layer for layer in self.run.layers}
        found = []
        for event in self.run.events:
            layer, energy = layers[event[0]], Decimal(0)
            is_uneven = by_step and isinstance(layer.fan_out, tuple)
            for op in self.counts:
                if op.driver in PER_SPIKE and not (is_uneven and op.driver == "synaptic_event"):
                    energy += event[4] * (layer.units(op.driver, event[1]) or 0) * op.at("pj")
            found.append((event, energy))
        return found
