"""Records a small network of SpikingJelly: `pip install torch spikingjelly energy-db`; made with SpikingJelly 2.0.0."""

import sys

import numpy as np
import torch
from spikingjelly.activation_based import functional, layer, monitor, neuron

from energy_db.adapters import from_spikingjelly

N_TIMESTEPS, BATCHES = 8, (3, 2)


def record(step_mode: str) -> monitor.OutputMonitor:
    """Return the monitor of two batches of different size."""
    torch.manual_seed(1)
    net = torch.nn.Sequential(
        layer.Linear(6, 5), neuron.LIFNode(v_threshold=0.2), layer.Linear(5, 4), neuron.LIFNode(v_threshold=0.05)
    )
    functional.set_step_mode(net, step_mode)
    found = monitor.OutputMonitor(net, neuron.LIFNode)
    for size in BATCHES:
        batch = torch.rand(N_TIMESTEPS, size, 6).round()
        functional.reset_net(net)
        for step in [batch] if step_mode == "m" else batch:
            net(step)
    return found


def main(path: str) -> None:
    """Run the network in both step modes, hold the adapter against the monitor, and keep the monitor's lists."""
    kept: dict[str, np.ndarray] = {}
    for step_mode in ("m", "s"):
        found = record(step_mode)
        own = {name: int(sum(found.records[i].sum() for i in at)) for name, at in found.name_records_index.items()}
        recording = from_spikingjelly(found, step_mode=step_mode, n_timesteps=N_TIMESTEPS)
        assert recording.n_spikes == own, (recording.n_spikes, own)
        assert (recording.n_timesteps, recording.n_samples) == (N_TIMESTEPS, sum(BATCHES))
        kept |= {f"{step_mode}_record_{i:03}": each.detach().numpy() for i, each in enumerate(found.records)}
        for name, at in found.name_records_index.items():
            kept[f"{step_mode}_index_{name}"] = np.array(at)
            kept[f"{step_mode}_count_{name}"] = sum(
                found.records[i].detach().reshape(-1, found.records[i].shape[-1]).sum(0).numpy() for i in at
            )
        print(step_mode, own)
    np.savez_compressed(path, **kept)


if __name__ == "__main__":
    main(sys.argv[1])
