"""Records a small network of Norse: `pip install torch norse energy-db`; made with Norse 1.1.0, torch 2.13.0."""

import sys

import numpy as np
import torch
from norse.torch import LIF, LIFCell

from energy_db.adapters import from_norse

N_TIMESTEPS, BATCH = 12, 3


def main(path: str) -> None:
    """Run the network, hold the adapter against Norse's own counts, and keep what the layers returned."""
    torch.manual_seed(1)
    current = torch.rand(N_TIMESTEPS, BATCH, 6) * 40
    hidden = LIF()(current)
    cell, state, cell_outputs = LIFCell(), None, []
    for t in range(N_TIMESTEPS):
        spikes, state = cell(hidden[0][t] * 60, state)
        cell_outputs.append((spikes, state))
    own = {"hidden": int(hidden[0].sum()), "out": int(sum(z.sum() for z, _ in cell_outputs))}
    recording = from_norse({"hidden": hidden, "out": cell_outputs}, timestep_us=1000)
    assert recording.n_spikes == own, (recording.n_spikes, own)
    assert (recording.n_timesteps, recording.n_samples) == (N_TIMESTEPS, BATCH)
    raw = {"hidden": hidden[0].detach(), "out": torch.stack([z for z, _ in cell_outputs]).detach()}
    counts = {f"count_{layer}": each.sum(dim=(0, 1)).numpy() for layer, each in raw.items()}
    np.savez_compressed(path, **{layer: each.numpy() for layer, each in raw.items()}, **counts)
    print(own)


if __name__ == "__main__":
    main(sys.argv[1])
