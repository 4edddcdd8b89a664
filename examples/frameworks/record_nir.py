"""Writes a convolutional network and its spikes with NIR: `pip install nir energy-db h5py`; made with nir 1.0.8."""

import sys
from itertools import pairwise
from pathlib import Path

import nir
import numpy as np

from energy_db.adapters import from_nir
from energy_db.adapters.nir import nir_network

DT, N_SAMPLES, N_TIMESTEPS = 0.001, 3, 20


def lif(*shape: int) -> nir.LIF:
    """Return LIF neurons of a shape."""
    ones = np.ones(shape)
    return nir.LIF(tau=0.01 * ones, r=10 * ones, v_leak=0 * ones, v_threshold=ones)


def network(rng: np.random.Generator) -> nir.NIRGraph:
    """Return pixels, a convolution, a pool, and a dense layer."""
    nodes = {
        "pixels": nir.Input(np.array([2, 4, 4])),
        "conv": nir.Conv2d(None, rng.normal(0.2, 0.3, (3, 2, 3, 3)), 1, 1, 1, 1, np.zeros(3)),
        "conv_lif": lif(3, 4, 4),
        "pool": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "flat": nir.Flatten(None, 0, -1),
        "fc": nir.Affine(rng.normal(0.3, 0.3, (5, 12)), np.zeros(5)),
        "out_lif": lif(5),
        "output": nir.Output(None),
    }
    names = list(nodes)
    return nir.NIRGraph(nodes, list(pairwise(names)))


def spikes_of(neurons: nir.LIF, currents: np.ndarray) -> np.ndarray:
    """Return the spikes of LIF neurons, [T, ...], as NIR defines them, by Euler's steps."""
    v, fired = np.zeros(currents.shape[1:]), np.zeros(currents.shape, bool)
    for t, current in enumerate(currents):
        v = v + DT / neurons.tau * ((neurons.v_leak - v) + neurons.r * current)
        fired[t] = v > neurons.v_threshold
        v = np.where(fired[t], neurons.v_reset, v)
    return fired


def simulated(graph: nir.NIRGraph, pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Return the spikes of every layer of one sample, [T, ...]."""
    nodes = graph.nodes
    padded = np.pad(pixels, ((0, 0), (0, 0), (1, 1), (1, 1))).astype(float)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    conv = spikes_of(nodes["conv_lif"], np.einsum("tcyxij,ocij->toyx", windows, nodes["conv"].weight))
    pooled = conv.reshape(-1, 3, 2, 2, 2, 2).sum(axis=(3, 5))
    out = spikes_of(nodes["out_lif"], pooled.reshape(len(pooled), -1) @ nodes["fc"].weight.T)
    return {"pixels": pixels, "conv_lif": conv, "out_lif": out}


def main(path: str) -> None:
    """Write graph and data, hold what is read of them against NIR and NumPy, and keep the counts."""
    rng = np.random.default_rng(1)
    folder = Path(path).parent
    graph = network(rng)
    nir.write(folder / "nir-graph.nir", graph, compression=None)
    runs = [simulated(graph, rng.random((N_TIMESTEPS, 2, 4, 4)) < 0.3) for _ in range(N_SAMPLES)]
    dense = {layer: np.stack([run[layer].reshape(N_TIMESTEPS, -1) for run in runs]) for layer in runs[0]}
    grids = {layer: nir.TimeGriddedData(each, DT) for layer, each in dense.items()}
    most = {layer: int(each.sum(axis=(1, 2)).max()) + 2 for layer, each in dense.items()}  # two paddings at least
    events = {layer: grid.to_event(most[layer], time_shift=DT / 2) for layer, grid in grids.items()}
    for name, observed in (("nir-data", events), ("nir-grid", grids)):
        nodes = {layer: nir.NIRNodeData({"spikes": each}) for layer, each in observed.items()}
        nir.write_data(folder / f"{name}.h5", nir.NIRGraphData(nodes))
        recording = from_nir(folder / f"{name}.h5", graph=folder / "nir-graph.nir", dt=DT)
        own = {layer: int(each.sum()) for layer, each in dense.items()}
        assert recording.n_spikes == own, (recording.n_spikes, own)
        assert (recording.n_timesteps, recording.n_samples) == (N_TIMESTEPS, N_SAMPLES)
        back = nir.read_data(folder / f"{name}.h5")
        assert all(back.nodes[layer].observables["spikes"].n_neurons == each.shape[2] for layer, each in dense.items())
    sizes = {
        name: int(np.prod(node.output_type["output"]))
        for name, node in nir.read(folder / "nir-graph.nir").nodes.items()
    }
    for layer in nir_network(folder / "nir-graph.nir")["layers"]:
        assert layer["n_neurons"] == sizes[layer["name"]]
    counts = {f"count_{layer}": each.sum(axis=(0, 1)) for layer, each in dense.items()}
    np.savez_compressed(path, **counts)
    print(own)


if __name__ == "__main__":
    main(sys.argv[1])
