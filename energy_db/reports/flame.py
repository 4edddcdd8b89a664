"""A report as a flame graph: network > layer > operation > neuron, in the file format of speedscope.

The widths are energies in pJ. The format knows times and bytes only, so their unit is 'none'; they are written with all
their digits, and add up to the report's total exactly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import energy_db
from energy_db.engines.duckdb import Engine
from energy_db.reports.cells import Cell, read_cells
from energy_db.reports.rows import NeuronEnergy
from energy_db.runs import Run
from energy_db.tables import printable
from energy_db.units import exact

SCHEMA = "https://www.speedscope.app/file-format-schema.json"
NO_LAYER = "(no layer)"

_OF_RUN = "run_key IN (SELECT run_key FROM runs WHERE run_id = ?)"
Place = tuple[int, int]


@dataclass
class _Stacks:
    """Stacks of frames with the energy of each; a frame is named once."""

    frames: dict[str, int] = field(default_factory=dict)
    samples: list[list[int]] = field(default_factory=list)
    weights: list[Decimal] = field(default_factory=list)

    def add(self, stack: Sequence[str], pj: Decimal) -> None:
        """Add a stack, from the outermost frame, unless it costs nothing."""
        if pj:
            self.samples.append([self.frames.setdefault(name, len(self.frames)) for name in stack])
            self.weights.append(pj)


@dataclass(frozen=True)
class _Demand:
    """What single neurons ask of the hardware beside their spikes.

    Attributes
    ----------
    per_spike, per_neuron : mapping
        Units of a driver for each spike of a layer, and for each of its neurons, by (layer_index, driver).
    fan_out : mapping
        Synapses of single neurons, by (layer_index, neuron); only of layers whose neurons differ.
    counters : mapping
        What single neurons counted, by (layer_index, neuron, driver).
    """

    per_spike: Mapping[tuple[int, str], int]
    per_neuron: Mapping[tuple[int, str], int]
    fan_out: Mapping[Place, int]
    counters: Mapping[tuple[int, int, str], Decimal]

    def energy_of(self, cell: Cell, place: Place, spikes: int) -> Decimal:
        """Return the part of a cell's energy, in pJ, that belongs to a neuron of its layer."""
        layer_index, neuron = place
        of_layer = layer_index, cell.driver
        units = Decimal(self.counters.get((layer_index, neuron, cell.driver), 0))
        units += self.per_spike.get(of_layer, 0) * spikes + self.per_neuron.get(of_layer, 0)
        if cell.driver == "synaptic_event":
            units += self.fan_out.get(place, 0) * spikes
        return units * (cell.cost_pj or Decimal(0))


def speedscope(engine: Engine, run: Run, chip: str, cost_version: str, neurons: Sequence[NeuronEnergy]) -> str:
    """Return a flame graph of a priced run as JSON that speedscope opens.

    Parameters
    ----------
    engine : Engine
        The store.
    run : Run
        The run.
    chip, cost_version : str
        What prices it.
    neurons : sequence of NeuronEnergy
        The neurons to be shown one by one; the others of each layer are one frame.
    """
    cells = [cell for cell in read_cells(engine, [run.run_id, chip, cost_version]) if cell.energy_pj]
    stacks = _stacks(run, cells, _demand(engine, run.run_id), neurons)
    name = f"{printable(run.name)} on {chip} {cost_version} [pJ]"
    about = {
        "$schema": SCHEMA,
        "exporter": f"energy-db {energy_db.__version__}",
        "name": name,
        "activeProfileIndex": 0,
        "shared": {"frames": [{"name": frame} for frame in stacks.frames]},
    }
    profile = {"type": "sampled", "name": name, "unit": "none", "startValue": 0, "samples": stacks.samples}
    return _with_member(about, "profiles", f"[{_with_weights(profile, stacks.weights)}]")


def _with_weights(profile: Mapping[str, Any], weights: Sequence[Decimal]) -> str:
    """Return a profile as JSON; json itself would write no more digits of a weight than a float has."""
    text = _with_member(profile, "endValue", exact(sum(weights, Decimal(0))))
    return f'{text[:-1]}, "weights": [{", ".join(map(exact, weights))}]}}'


def _with_member(content: Mapping[str, Any], name: str, value: str) -> str:
    """Return a mapping as JSON with one more member, whose value is JSON already."""
    return f"{json.dumps(content, ensure_ascii=False)[:-1]}, {json.dumps(name)}: {value}}}"


def _stacks(run: Run, cells: Sequence[Cell], demand: _Demand, neurons: Sequence[NeuronEnergy]) -> _Stacks:
    index_of = {layer.name: index for index, layer in enumerate(run.layers)}
    shown: dict[int, list[NeuronEnergy]] = {}
    for entry in neurons:
        shown.setdefault(index_of[entry.layer], []).append(entry)
    stacks, network = _Stacks(), printable(run.name)
    for cell in cells:
        rest = cell.energy_pj or Decimal(0)
        layer = NO_LAYER if cell.layer_index is None else printable(run.layers[cell.layer_index].name)
        stack = [f"network {network}", f"layer {layer}", f"operation {printable(cell.operation)}"]
        parts = [] if cell.layer_index is None else list(_parts(cell, cell.layer_index, demand, shown))
        for neuron, pj in parts:
            stacks.add([*stack, f"neuron {layer}/{neuron}"], pj)
            rest -= pj
        stacks.add([*stack, f"other neurons of {layer}"] if parts else stack, rest)
    return stacks


def _parts(
    cell: Cell, layer_index: int, demand: _Demand, shown: Mapping[int, Sequence[NeuronEnergy]]
) -> Iterator[tuple[int, Decimal]]:
    """Yield what single neurons of the layer take of a cell; nothing where it is not known by neuron."""
    for entry in shown.get(layer_index, ()):
        pj = demand.energy_of(cell, (layer_index, entry.neuron), entry.spikes)
        if pj:
            yield entry.neuron, pj


def _demand(engine: Engine, run_id: str) -> _Demand:
    drivers = engine.rows(
        f"SELECT layer_index, driver, units_per_spike, units_per_neuron FROM driver_counts WHERE {_OF_RUN}", [run_id]
    )
    own = engine.rows(f"SELECT layer_index, neuron, fan_out FROM fan_out WHERE {_OF_RUN}", [run_id])
    counted = engine.rows(
        f"SELECT layer_index, neuron, driver, driver_count FROM counters WHERE {_OF_RUN} AND neuron IS NOT NULL",
        [run_id],
    )
    return _Demand(
        per_spike={(layer, driver): units for layer, driver, units, _ in drivers if units is not None},
        per_neuron={(layer, driver): units for layer, driver, _, units in drivers if units is not None},
        fan_out={(layer, neuron): synapses for layer, neuron, synapses in own},
        counters={(layer, neuron, driver): count for layer, neuron, driver, count in counted},
    )
