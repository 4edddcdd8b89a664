"""Records a small NEST network, in memory and in files: `pip install nest-simulator energy-db`; made with 3.10.0."""

import shutil
import sys
import tempfile
from pathlib import Path

import nest
import numpy as np

from energy_db.adapters import from_nest, from_nest_files

DT, DURATION = 0.1, 100.0


def main(path: str) -> None:
    """Run the network on two threads, hold the adapters against the recorders' own counts, and keep what they have."""
    with tempfile.TemporaryDirectory() as folder:
        nest.ResetKernel()
        nest.SetKernelStatus({"resolution": DT, "local_num_threads": 2, "rng_seed": 1, "data_path": folder})
        cells = nest.Create("iaf_psc_alpha", 4, params={"I_e": [500.0, 450.0, 420.0, 0.0]})
        noise = nest.Create("poisson_generator", params={"rate": 200.0})
        parrots = nest.Create("parrot_neuron", 3)
        nest.Connect(noise, parrots)
        in_memory = nest.Create("spike_recorder")
        in_steps = nest.Create("spike_recorder", params={"time_in_steps": True})
        in_files = nest.Create("spike_recorder", params={"record_to": "ascii", "label": "spikes"})
        for recorder in (in_memory, in_steps, in_files):
            nest.Connect(cells + parrots, recorder)
        nest.Simulate(DURATION)
        populations = {"cells": cells, "parrots": parrots}
        senders = np.asarray(in_memory.events["senders"])
        own = {layer: int(np.isin(senders, nodes.tolist()).sum()) for layer, nodes in populations.items()}
        known = {"populations": populations, "dt_ms": DT, "duration_ms": DURATION}
        files = sorted(Path(folder).glob("spikes-*.dat"))
        for recording in (
            from_nest(in_memory.events, **known),
            from_nest(in_steps.events, **known),
            from_nest_files(files, **known),
        ):
            assert recording.n_spikes == own, (recording.n_spikes, own)
            assert recording.n_timesteps == nest.biological_time / DT
        for number, file in enumerate(files):
            shutil.copy(file, Path(path).with_name(f"nest-spikes-{number}.dat"))
        kept = {f"ids_{layer}": nodes.tolist() for layer, nodes in populations.items()}
        kept |= {f"memory_{key}": value for key, value in in_memory.events.items()}
        kept |= {f"steps_{key}": value for key, value in in_steps.events.items()}
        counts = {
            f"count_{la}": [int((senders == i).sum()) for i in nodes.tolist()] for la, nodes in populations.items()
        }
        np.savez_compressed(path, **kept, **counts)
    print(own)


if __name__ == "__main__":
    main(sys.argv[1])
