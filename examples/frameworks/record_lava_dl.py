"""Records a small SLAYER network of lava-dl: `pip install torch matplotlib h5py energy-db`, and a clone of lava-dl.

lava-dl is not on the package index: `PYTHONPATH=lava-dl/src` says where the clone is. Made with lava-dl 0.7.0.dev0 and
torch 2.13.0.
"""

import sys
from types import ModuleType

import numpy as np
import torch

# SLAYER imports it, and it wants torchvision, which spikes do without.
sys.modules["lava.lib.dl.slayer.object_detection"] = ModuleType("object_detection")

from lava.lib.dl import slayer  # noqa: E402

from energy_db.adapters import from_lava_dl  # noqa: E402

BATCH, N_TIMESTEPS = 3, 12


def own_counts(returned: torch.Tensor) -> list[int]:
    """Return the events of each neuron by SLAYER's own rate, which leaves out the first timestep."""
    flat = slayer.block.cuba.Flatten()(returned) if returned.dim() > len("NCT") else returned
    assert not flat[..., 0].any()  # a block hands on what it fired one timestep later
    of_neurons = flat.split(1, dim=1)
    return [round(slayer.utils.event_rate(each) * each[..., 1:].numel()) for each in of_neurons]


def main(path: str) -> None:
    """Run the network, hold the adapter against SLAYER's own event rates, and keep what the blocks returned."""
    torch.manual_seed(1)
    neuron = {"threshold": 1.0, "current_decay": 0.25, "voltage_decay": 0.1}
    conv = slayer.block.cuba.Conv(neuron, 2, 3, 3, padding=1, weight_scale=2)
    dense = slayer.block.cuba.Dense(neuron, 60, 4, weight_scale=2)
    sigma_delta = slayer.block.sigma_delta.Dense({"threshold": 0.1, "activation": torch.relu}, 60, 5)
    given = (torch.rand(BATCH, 2, 4, 5, N_TIMESTEPS) < 0.4).float()
    returned = {"conv": conv(given)}
    flat = slayer.block.cuba.Flatten()(returned["conv"])
    returned |= {"dense": dense(flat), "sigma_delta": sigma_delta(flat)}
    counts = {name: own_counts(z) for name, z in returned.items()}
    own = {name: sum(each) for name, each in counts.items()}
    recording = from_lava_dl(returned)
    assert recording.n_spikes == own, (recording.n_spikes, own)
    assert (recording.n_timesteps, recording.n_samples) == (N_TIMESTEPS, BATCH)
    raw = {name: z.detach().numpy() for name, z in returned.items()}
    np.savez_compressed(path, **raw, **{f"count_{name}": each for name, each in counts.items()})
    print(own)


if __name__ == "__main__":
    main(sys.argv[1])
