"""Run files as a training loop writes them: a network of 784-1024-512-10 neurons, most of them silent or nearly so."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

N_TIMESTEPS = 100
MEAN_RATE = 0.05
RATE_SIGMA = 1.2
EVENTS_PER_ROW_GROUP = 1_000_000
NETWORK_SEED = 72

SCHEMA = pa.schema([("layer", pa.string()), ("neuron", pa.int64()), ("timestep", pa.int64()), ("sample", pa.int64())])


class Layer(NamedTuple):
    name: str
    role: str
    n_neurons: int
    silent_share: float


LAYERS = (
    Layer("input", "input", 784, 0.70),
    Layer("hidden1", "hidden", 1024, 0.45),
    Layer("hidden2", "hidden", 512, 0.30),
    Layer("output", "readout", 10, 0.20),
)


class Firing(NamedTuple):
    """The neurons that fire at all, in the network's order, and the chance of a spike in a timestep."""

    layer: np.ndarray[Any, np.dtype[np.int8]]
    neuron: np.ndarray[Any, np.dtype[np.int64]]
    rate: np.ndarray[Any, np.dtype[np.float32]]


def write_recording(path: Path, n_events: int, seed: int) -> Path:
    """Write a run of exactly `n_events` spikes, with its sidecar, in the order sample, timestep, layer, neuron."""
    random = np.random.default_rng(seed)
    events_per_sample = float(firing().rate.sum()) * N_TIMESTEPS
    written = n_samples = 0
    with pq.ParquetWriter(path, SCHEMA, compression="snappy") as writer:
        while written < n_events:
            wanted = min(n_events - written, EVENTS_PER_ROW_GROUP)
            batch = _record(random, n_samples, 1 + int(wanted / events_per_sample)).slice(0, n_events - written)
            writer.write_table(batch, row_group_size=2 * EVENTS_PER_ROW_GROUP)
            written += len(batch)
            n_samples = batch["sample"][-1].as_py() + 1
    path.with_suffix(".json").write_text(json.dumps(_sidecar(path.stem, n_samples)), encoding="utf-8")
    return path


@cache
def firing() -> Firing:
    """Return which neurons fire, and how often: lognormal rates, the same network for every seed of a recording."""
    random = np.random.default_rng(NETWORK_SEED)
    alive = [
        np.sort(random.choice(layer.n_neurons, round(layer.n_neurons * (1 - layer.silent_share)), replace=False))
        for layer in LAYERS
    ]
    rates = random.lognormal(0.0, RATE_SIGMA, sum(map(len, alive)))
    return Firing(
        layer=np.repeat(np.arange(len(LAYERS), dtype=np.int8), [len(neurons) for neurons in alive]),
        neuron=np.concatenate(alive),
        rate=np.minimum(rates * (MEAN_RATE / rates.mean()), 0.9).astype(np.float32),
    )


def _record(random: np.random.Generator, first_sample: int, n_samples: int) -> pa.Table:
    active = firing()
    spiked = random.random((n_samples * N_TIMESTEPS, len(active.rate)), dtype=np.float32) < active.rate
    moment, cell = np.nonzero(spiked)
    names = pa.array([layer.name for layer in LAYERS])
    columns = [
        names.take(pa.array(active.layer[cell])),
        active.neuron[cell],
        moment % N_TIMESTEPS,
        first_sample + moment // N_TIMESTEPS,
    ]
    return pa.table(columns, schema=SCHEMA)


def _sidecar(name: str, n_samples: int) -> dict[str, Any]:
    layers = [{"name": layer.name, "role": layer.role, "n_neurons": layer.n_neurons} for layer in LAYERS]
    return {"run": name, "n_timesteps": N_TIMESTEPS, "n_samples": n_samples, "timestep_us": 1000, "layers": layers}
