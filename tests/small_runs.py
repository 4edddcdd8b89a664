"""A small run that a test changes in one way, and what it costs: what comparisons are tried with.

Two inputs spike 2 and 1 times, three hidden neurons 4, 2 and 0 times, two of the readout 1 and 0 times. On the chip
`toy` an input spike costs 1 pJ, a hidden one 2, a readout one 1: 3 + 12 + 1 = 16 pJ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from factories import run_file, with_sidecar

from energy_db import Cost, CostSet

Spikes = Mapping[str, Sequence[int]]
Event = tuple[str, int, int, int, int]
"""Layer, neuron, timestep, sample, n_spikes."""

SPIKES: Spikes = {"in": (2, 1), "hid": (4, 2, 0), "out": (1, 0)}
LAYERS: tuple[dict[str, Any], ...] = (
    {"name": "in", "role": "input", "n_neurons": 2},
    {"name": "hid", "role": "hidden", "n_neurons": 3},
    {"name": "out", "role": "readout", "n_neurons": 2},
)
_COLUMNS = ("layer", "neuron", "timestep", "sample", "n_spikes")
_TYPES = dict.fromkeys(_COLUMNS, pa.int64()) | {"layer": pa.string()}


def costs(version: str = "v1", factor: int = 1, chip: str = "toy") -> CostSet:
    """Return what a spike costs on a chip, or so many times as much."""
    rows = [Cost("fire", "neuron_spike", Decimal(factor)), Cost("send", "transmitted_spike", Decimal(factor))]
    return CostSet(chip, version, "By hand", rows)


def with_spikes(**spikes: Sequence[int]) -> Spikes:
    """Return the spikes of the run, with those of some layers changed."""
    return {**SPIKES, **spikes}


def with_layer(which: str, /, **changes: Any) -> list[dict[str, Any]]:
    """Return the network of the run, with something of a layer changed."""
    return [{**layer, **changes} if layer["name"] == which else layer for layer in LAYERS]


def small_run(
    folder: Path,
    name: str,
    spikes: Spikes = SPIKES,
    *,
    layers: Sequence[Mapping[str, Any]] = LAYERS,
    events: Sequence[Event] | None = None,
    **declared: Any,
) -> Path:
    """Write a run file with its sidecar; without events of its own, all spikes are in the first timestep."""
    if events is None:
        counts = [(layer, neuron, many) for layer, each in spikes.items() for neuron, many in enumerate(each)]
        events = [(layer, neuron, 0, 0, many) for layer, neuron, many in counts if many]
    columns = {column: [event[place] for event in events] for place, column in enumerate(_COLUMNS)}
    sidecar = {"n_timesteps": 4, "n_samples": 2, "layers": list(layers), **declared}
    return with_sidecar(run_file(folder / f"{name}.parquet", columns, types=_TYPES), sidecar)
