"""Run files as a training loop writes them, of a dense and of a wide network, most of it silent or nearly so."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

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


class Network(NamedTuple):
    layers: tuple[Layer, ...]
    n_timesteps: int


DENSE = Network(
    (
        Layer("input", "input", 784, 0.70),
        Layer("hidden1", "hidden", 1024, 0.45),
        Layer("hidden2", "hidden", 512, 0.30),
        Layer("output", "readout", 10, 0.20),
    ),
    n_timesteps=100,
)

# Feature maps of images of 32 by 32: 199,946 neurons.
CONVOLUTIONAL = Network(
    (
        Layer("input", "input", 2048, 0.70),
        Layer("conv1", "hidden", 65536, 0.45),
        Layer("conv2", "hidden", 65536, 0.45),
        Layer("conv3", "hidden", 32768, 0.45),
        Layer("conv4", "hidden", 16384, 0.45),
        Layer("conv5", "hidden", 16384, 0.45),
        Layer("dense", "hidden", 1280, 0.30),
        Layer("output", "readout", 10, 0.20),
    ),
    n_timesteps=200,
)


class Firing(NamedTuple):
    """The neurons that fire at all, in the network's order, and the chance of a spike in a timestep."""

    layer: np.ndarray[Any, np.dtype[np.int8]]
    neuron: np.ndarray[Any, np.dtype[np.int64]]
    rate: np.ndarray[Any, np.dtype[np.float32]]


def write_recording(path: Path, n_events: int, seed: int, network: Network = DENSE) -> Path:
    """Write a run of exactly `n_events` spikes, with its sidecar, in the order sample, timestep, layer, neuron."""
    random = np.random.default_rng(seed)
    events_per_sample = float(firing(network).rate.sum()) * network.n_timesteps
    written = n_samples = 0
    with pq.ParquetWriter(path, SCHEMA, compression="snappy") as writer:
        while written < n_events:
            wanted = min(n_events - written, EVENTS_PER_ROW_GROUP)
            batch = _record(random, network, n_samples, 1 + int(wanted / events_per_sample))
            batch = batch.slice(0, n_events - written)
            writer.write_table(batch, row_group_size=2 * EVENTS_PER_ROW_GROUP)
            written += len(batch)
            n_samples = batch["sample"][-1].as_py() + 1
    path.with_suffix(".json").write_text(json.dumps(_sidecar(path.stem, network, n_samples)), encoding="utf-8")
    return path


@cache
def firing(network: Network) -> Firing:
    """Return which neurons fire, and how often: lognormal rates, the same network for every seed of a recording."""
    random = np.random.default_rng(NETWORK_SEED)
    alive = [
        np.sort(random.choice(layer.n_neurons, round(layer.n_neurons * (1 - layer.silent_share)), replace=False))
        for layer in network.layers
    ]
    rates = random.lognormal(0.0, RATE_SIGMA, sum(map(len, alive)))
    return Firing(
        layer=np.repeat(np.arange(len(network.layers), dtype=np.int8), [len(neurons) for neurons in alive]),
        neuron=np.concatenate(alive),
        rate=np.minimum(rates * (MEAN_RATE / rates.mean()), 0.9).astype(np.float32),
    )


def _record(random: np.random.Generator, network: Network, first_sample: int, n_samples: int) -> pa.Table:
    active = firing(network)
    spiked = random.random((n_samples * network.n_timesteps, len(active.rate)), dtype=np.float32) < active.rate
    moment, cell = np.nonzero(spiked)
    names = pa.array([layer.name for layer in network.layers])
    columns = [
        names.take(pa.array(active.layer[cell])),
        active.neuron[cell],
        moment % network.n_timesteps,
        first_sample + moment // network.n_timesteps,
    ]
    return pa.table(columns, schema=SCHEMA)


def _sidecar(name: str, network: Network, n_samples: int) -> dict[str, Any]:
    layers = [{"name": layer.name, "role": layer.role, "n_neurons": layer.n_neurons} for layer in network.layers]
    return {
        "run": name,
        "n_timesteps": network.n_timesteps,
        "n_samples": n_samples,
        "timestep_us": 1000,
        "layers": layers,
    }
