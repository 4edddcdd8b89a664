"""Two runs of a network so wide that neurons count: what a comparison must get through."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

N_LAYERS = 2
LARGEST_FAN_OUT = 64
SILENT_SHARE = 0.5


def write_wide_run(path: Path, n_neurons: int, seed: int) -> Path:
    """Write a run of two layers in which half the neurons are silent and every one has a fan-out of its own.

    Parameters
    ----------
    path : Path
        The run file; its sidecar is written beside it.
    n_neurons : int
        Neurons of the whole network.
    seed : int
        What decides which neurons fire, and how often; the fan-out is the same for every seed.
    """
    rng = np.random.default_rng(seed)
    per_layer = n_neurons // N_LAYERS
    layers, events = [], []
    for index in range(N_LAYERS):
        firing = np.flatnonzero(rng.random(per_layer) >= SILENT_SHARE).astype(np.int32)
        counts = 1 + rng.poisson(20 * rng.lognormal(0.0, 1.0, len(firing)))
        name = f"hidden{index + 1}"
        columns = {"layer": [name] * len(firing), "neuron": firing, "timestep": np.zeros(len(firing), np.int32)}
        events.append(pa.table({**columns, "n_spikes": counts.astype(np.int32)}))
        fan_out = np.random.default_rng(index).integers(1, LARGEST_FAN_OUT, per_layer).tolist()
        layers.append({"name": name, "role": "hidden", "n_neurons": per_layer, "n_inputs": 64, "fan_out": fan_out})
    parquet.write_table(pa.concat_tables(events), path)
    sidecar = {"n_timesteps": 1, "n_samples": 1, "timestep_us": 1000, "layers": layers}
    path.with_suffix(".json").write_text(json.dumps(sidecar), encoding="utf-8")
    return path
