"""Records a small network of Brian2: `pip install 'brian2==2.9.0' 'numpy<2.3' energy-db`; made with Brian2 2.9.0."""

import sys

import brian2
import numpy as np

from energy_db.adapters import from_brian2


def main(path: str) -> None:
    """Run the network, hold the adapter against the monitors' own counts, and keep their states."""
    brian2.prefs.codegen.target = "numpy"
    brian2.seed(1)
    noise = brian2.PoissonGroup(8, rates=150 * brian2.Hz)
    cells = brian2.NeuronGroup(5, "dv/dt = -v / (10*ms) : 1", threshold="v > 1", reset="v = 0", method="exact")
    synapses = brian2.Synapses(noise, cells, on_pre="v_post += 0.4")
    synapses.connect(condition="j < 4")  # the last cell has no input, and stays silent
    monitors = {"noise": brian2.SpikeMonitor(noise), "cells": brian2.SpikeMonitor(cells)}
    duration = 200 * brian2.ms
    net = brian2.Network(noise, cells, synapses, *monitors.values())
    net.run(duration)
    own = {layer: int(each.num_spikes) for layer, each in monitors.items()}
    recording = from_brian2(monitors, dt=brian2.defaultclock.dt, duration=duration)
    assert recording.n_spikes == own, (recording.n_spikes, own)
    assert recording.n_timesteps == round(float(duration / brian2.defaultclock.dt))
    kept = {"dt": float(brian2.defaultclock.dt), "duration": float(duration)}
    for layer, each in monitors.items():
        states = each.get_states(["i", "t", "count"], units=False)
        kept |= {f"{key}_{layer}": np.asarray(value) for key, value in states.items()}
    np.savez_compressed(path, **kept)
    print(own)


if __name__ == "__main__":
    main(sys.argv[1])
