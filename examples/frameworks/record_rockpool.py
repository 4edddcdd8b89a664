"""Records a small network of Rockpool: `pip install torch rockpool energy-db`; made with Rockpool 3.1.0."""

import sys

import numpy as np
import torch
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIFTorch, LinearTorch

from energy_db.adapters import from_rockpool

N_TIMESTEPS, BATCH = 12, 3


def main(path: str) -> None:
    """Run the network, hold the adapter against Rockpool's own counts, and keep its record."""
    torch.manual_seed(1)
    net = Sequential(LinearTorch((4, 6)), LIFTorch((6,), threshold=0.2), LinearTorch((6, 5)), LIFTorch((5,)))
    data = torch.rand(BATCH, N_TIMESTEPS, 4).round()
    _, _, record = net(data, record=True)
    layers = {name: record[name] for name in record if isinstance(record[name], dict) and "spikes" in record[name]}
    own = {name: int(each["spikes"].sum()) for name, each in layers.items()}
    recording = from_rockpool(layers, timestep_us=1000)
    assert recording.n_spikes == own, (recording.n_spikes, own)
    assert (recording.n_timesteps, recording.n_samples) == (N_TIMESTEPS, BATCH)
    assert max(each["spikes"].max() for each in layers.values()) > 1, "several spikes in one timestep"
    raw = {name: each["spikes"].detach() for name, each in layers.items()}
    counts = {f"count_{name}": each.sum((0, 1)).numpy() for name, each in raw.items()}
    np.savez_compressed(path, **{name: each.numpy() for name, each in raw.items()}, **counts)
    print(own)


if __name__ == "__main__":
    main(sys.argv[1])
