"""Writes SONATA spikes and nodes, and lets libsonata read them: `pip install libsonata energy-db[hdf5]`; for 0.2.2."""

import sys
from pathlib import Path

import h5py
import libsonata
import numpy as np

from energy_db.adapters import from_sonata

DT_MS, DURATION_MS = 0.1, 50.0
SIZES = {"cortex": 6, "input": 4, "thalamus": 3}
SORTING = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="u1")


def write(path: Path, nodes: Path) -> None:
    """Write three populations as the specification has them: one in seconds, two not in the order of time."""
    rng = np.random.default_rng(1)
    with h5py.File(path, "w") as file, h5py.File(nodes, "w") as network:
        for population, size in SIZES.items():
            n_spikes = 20 * size
            times_ms = rng.integers(0, round(DURATION_MS / DT_MS), n_spikes) * DT_MS
            node_ids = rng.integers(0, size - 1, n_spikes)  # the last node stays silent
            sorting = {"cortex": "none", "input": "by_id", "thalamus": "by_time"}[population]
            order = {"none": slice(None), "by_id": np.argsort(node_ids), "by_time": np.argsort(times_ms)}[sorting]
            group = file.create_group(f"spikes/{population}")
            group.attrs.create("sorting", {"none": 0, "by_id": 1, "by_time": 2}[sorting], dtype=SORTING)
            in_seconds = population == "thalamus"
            group["timestamps"] = (times_ms * 1e-3 if in_seconds else times_ms)[order]
            group["timestamps"].attrs["units"] = "s" if in_seconds else "ms"
            group["node_ids"] = node_ids[order].astype(np.uint64)
            network[f"nodes/{population}/node_type_id"] = np.full(size, 100, np.int64)
            network.create_group(f"nodes/{population}/0")


def main(path: str) -> None:
    """Hold the adapter against what libsonata reads from the file, and keep files and counts."""
    spikes, nodes = Path(path).with_name("sonata-spikes.h5"), Path(path).with_name("sonata-nodes.h5")
    write(spikes, nodes)
    reader, storage = libsonata.SpikeReader(str(spikes)), libsonata.NodeStorage(str(nodes))
    kept, own = {}, {}
    for population in reader.get_population_names():
        size = storage.open_population(population).size
        events = reader[population].get()
        kept[f"size_{population}"] = size
        kept[f"unit_{population}"] = reader[population].time_units
        kept[f"times_{population}"] = [time for _, time in events]
        kept[f"count_{population}"] = np.bincount([node for node, _ in events], minlength=size)
        own[population] = len(events)
    recording = from_sonata(spikes, dt_ms=DT_MS, duration_ms=DURATION_MS, nodes=nodes)
    assert recording.n_spikes == own, (recording.n_spikes, own)
    assert {layer.name: layer.n_neurons for layer in recording.layers} == SIZES
    np.savez_compressed(path, **kept)
    print(own)


if __name__ == "__main__":
    main(sys.argv[1])
