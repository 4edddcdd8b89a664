"""Writes a run file from a framework's arrays, with numpy and pyarrow only.

A simulator such as snnTorch or Norse hands out, per layer, an array [T, B, N]: timesteps, samples of the batch,
neurons. Here such arrays come from a .npz file, as booleans that are bit-packed along N; the .json beside it names the
layers.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

EVENTS = pa.schema(
    [
        ("layer", pa.dictionary(pa.int8(), pa.string())),
        ("neuron", pa.int32()),
        ("timestep", pa.int32()),
        ("sample", pa.int32()),
    ]
)


def read_recording(path: Path, network: dict[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each layer's name and its spikes as a boolean array [T, B, N]."""
    with np.load(path) as packed:
        for layer in network["layers"]:
            name = layer["name"]
            yield name, np.unpackbits(packed[name], axis=-1, count=layer["n_neurons"]).astype(bool)


def events_of(layer: str, spikes: np.ndarray) -> pa.Table:
    """Return one row for each spike of a layer."""
    timestep, sample, neuron = np.nonzero(spikes)
    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(neuron), dtype=np.int8)), [layer])
    return pa.table({"layer": names, "neuron": neuron, "timestep": timestep, "sample": sample}).cast(EVENTS)


def write_run_file(recording: Path, run_file: Path) -> None:
    """Write the events as Parquet, and beside it what events cannot tell: the network, the timing, the tags."""
    sidecar = recording.with_suffix(".json").read_text(encoding="utf-8")
    with parquet.ParquetWriter(run_file, EVENTS, compression="zstd") as writer:
        for layer, spikes in read_recording(recording, json.loads(sidecar)):
            writer.write_table(events_of(layer, spikes))
    run_file.with_suffix(".json").write_text(sidecar, encoding="utf-8")


def main() -> None:
    """Read the command line and write the run file; one that exists is left alone."""
    parser = argparse.ArgumentParser(description="Write a run file from recorded spike arrays.")
    parser.add_argument("recording", type=Path, help="RECORDING.npz, with RECORDING.json beside it")
    parser.add_argument("run_file", type=Path, nargs="?", help="default: RECORDING.parquet in this folder")
    given = parser.parse_args()
    run_file = given.run_file or Path(f"{given.recording.stem}.parquet")
    if run_file.exists() or run_file.with_suffix(".json").exists():
        parser.error(f"{run_file} or its sidecar exists already")
    write_run_file(given.recording, run_file)
    print(f"{run_file} and {run_file.with_suffix('.json')} written")


if __name__ == "__main__":
    main()
