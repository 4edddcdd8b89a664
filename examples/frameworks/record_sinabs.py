"""Records a small network of sinabs: `pip install torch sinabs pbr energy-db`; made with sinabs 3.1.3."""

import sys

import numpy as np
import sinabs.layers
import torch

from energy_db.adapters import from_sinabs

N_TIMESTEPS, BATCH = 12, 3


def main(path: str) -> None:
    """Run the network, hold the adapter against sinabs' own counts, and keep what the layers returned."""
    torch.manual_seed(1)
    image = torch.rand(BATCH * N_TIMESTEPS, 1, 6, 6).round()
    # A squeezing layer takes and returns batch and time as one axis, as convolutions need it.
    conv = sinabs.layers.IAFSqueeze(num_timesteps=N_TIMESTEPS)(torch.nn.Conv2d(1, 2, 3)(image) * 4)
    current = torch.nn.Linear(32, 5)(conv.flatten(1)).reshape(BATCH, N_TIMESTEPS, 5)
    out = sinabs.layers.IAF()(current * 2)
    own = {"conv": int(conv.sum()), "out": int(out.sum())}
    assert conv.max() > 1, "several spikes in one timestep"
    for layer, spikes, squeezed in (("conv", conv, N_TIMESTEPS), ("out", out, None)):
        recording = from_sinabs({layer: spikes}, squeezed_timesteps=squeezed)
        assert recording.n_spikes == {layer: own[layer]}, (recording.n_spikes, own)
        assert (recording.n_timesteps, recording.n_samples) == (N_TIMESTEPS, BATCH)
    counts = {"count_conv": conv.sum(0).flatten(), "count_out": out.sum((0, 1))}
    kept = {"conv": conv, "out": out, **counts}
    np.savez_compressed(path, **{key: value.detach().numpy() for key, value in kept.items()})
    print(own)


if __name__ == "__main__":
    main(sys.argv[1])
