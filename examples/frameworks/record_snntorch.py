"""Records a small network of snnTorch: `pip install torch snntorch energy-db`; made with snnTorch 1.0.0."""

import sys

import numpy as np
import snntorch
import torch

from energy_db.adapters import from_snntorch

N_TIMESTEPS, BATCH = 12, 3


def main(path: str) -> None:
    """Run the network, hold the adapter against snnTorch's own counts, and keep what the layers returned."""
    torch.manual_seed(1)
    image = torch.rand(N_TIMESTEPS, BATCH, 1, 6, 6).round()
    convolution, weights = torch.nn.Conv2d(1, 2, 3), torch.nn.Linear(32, 5)
    conv, out = snntorch.Leaky(beta=0.9, threshold=0.3), snntorch.Leaky(beta=0.9, threshold=0.2)
    conv_mem, out_mem = conv.reset_mem(), out.reset_mem()
    spikes: dict[str, list[torch.Tensor]] = {"conv": [], "out": []}
    for t in range(N_TIMESTEPS):
        conv_spikes, conv_mem = conv(convolution(image[t]), conv_mem)
        out_spikes, out_mem = out(weights(conv_spikes.flatten(1)), out_mem)
        spikes["conv"].append(conv_spikes)
        spikes["out"].append(out_spikes)
    own = {layer: int(torch.stack(steps).sum()) for layer, steps in spikes.items()}
    recording = from_snntorch(spikes)
    assert recording.n_spikes == own, (recording.n_spikes, own)
    assert (recording.n_timesteps, recording.n_samples) == (N_TIMESTEPS, BATCH)
    stacked = {layer: torch.stack(steps) for layer, steps in spikes.items()}
    counts = {f"count_{layer}": each.detach().sum(dim=(0, 1)).flatten().numpy() for layer, each in stacked.items()}
    np.savez_compressed(path, **{layer: each.detach().numpy() for layer, each in stacked.items()}, **counts)
    print(own)


if __name__ == "__main__":
    main(sys.argv[1])
