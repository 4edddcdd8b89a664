"""Writes the runs of docs/parity.md: rasters as run files, what spikes cannot tell as sidecars and counter files.

`python examples/parity/write_files.py FOLDER` writes them all; those beside this script were written by it.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

# A raster: one word a timestep, one digit a neuron, 1 where it fires. Steps after the last word are silent.
# p1: dense 4-3-2. One of the first twelve weights is zero: the synapse is there, and counts.
# sanafe_loihi: the same network without the zero weight, as SANA-FE recorded it: leaky integrate-and-fire, threshold 1,
# hard reset; a spike arrives one step after it was sent. Input on tile 0, hid on tile 1, out on tile 9.
# sanafe_example: the example that SANA-FE brings along (load_example).
RASTERS: dict[str, dict[str, str]] = {
    "p1": {
        "in": "1001 0100 1100 0010 1011",
        "hid": "110 000 111 000 111",
        "out": "11 00 11 00 11",
    },
    "sanafe_loihi": {
        "in": "1001 0100 1100 0010 1011",
        "hid": "000 111 000 111 000 111",
        "out": "00 00 11 00 11 00 11",
    },
    "sanafe_example": {
        "in": "01 00 01",
        "out": "00 01",
    },
}

_DENSE_4_3_2 = [
    {"name": "in", "role": "input", "n_inputs": 4, "n_neurons": 4, "fan_out": 3},
    {"name": "hid", "role": "hidden", "n_inputs": 4, "n_neurons": 3, "fan_out": 2},
    {"name": "out", "role": "readout", "n_inputs": 3, "n_neurons": 2, "fan_out": 0},
]
_EXAMPLE = [
    {"name": "in", "role": "input", "n_neurons": 2, "fan_out": 2},
    {"name": "out", "role": "hidden", "n_neurons": 2, "fan_out": [0, 1]},
]
SIDECARS: dict[str, dict[str, Any]] = {
    "p1": {"run": "p1", "n_timesteps": 5, "n_samples": 1, "timestep_us": 1000, "layers": _DENSE_4_3_2},
    "sanafe_loihi": {"run": "sanafe_loihi", "n_timesteps": 8, "n_samples": 1, "layers": _DENSE_4_3_2},
    "sanafe_example": {"run": "sanafe_example", "n_timesteps": 100, "n_samples": 1, "layers": _EXAMPLE},
}

# What a peer counts that spikes do not tell: (layer, driver, count); no layer where it counts the run as a whole.
COUNTERS: dict[str, Sequence[tuple[str, str, int]]] = {
    "p1_lemaire": (("", "ac", 57), ("", "mac", 25), ("", "address_ac", 43)),
    "p1_simple": (("", "mac", 0), ("", "ac", 163), ("", "memory_byte", 372)),
    "sanafe_loihi": (
        *(("in", "active_neuron_step", 0), ("hid", "active_neuron_step", 15), ("out", "active_neuron_step", 6)),
        *(("in", "message", 9), ("hid", "message", 9), ("out", "message", 0)),
        *(("in", "hop_north", 9), ("hid", "hop_north", 0), ("out", "hop_north", 0)),
        *(("in", "hop_east", 0), ("hid", "hop_east", 18), ("out", "hop_east", 0)),
    ),
    "sanafe_example": (
        *(("in", "active_neuron_step", 0), ("out", "active_neuron_step", 198)),
        *(("in", "message", 2), ("out", "message", 1)),
    ),
}


def events_of(raster: Mapping[str, str]) -> pa.Table:
    """Return one row for each spike of a raster, timesteps from 0."""
    rows = [
        {"layer": layer, "neuron": neuron, "timestep": timestep}
        for layer, words in raster.items()
        for timestep, word in enumerate(words.split())
        for neuron, fires in enumerate(word)
        if fires == "1"
    ]
    types = pa.schema([("layer", pa.string()), ("neuron", pa.int32()), ("timestep", pa.int32())])
    return pa.Table.from_pylist(rows, types)


def write_files(folder: Path) -> None:
    """Write every run file with its sidecar, and every counter file."""
    for name, raster in RASTERS.items():
        parquet.write_table(events_of(raster), folder / f"{name}.parquet")
        text = json.dumps(SIDECARS[name], indent=1)
        (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
    for name, rows in COUNTERS.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows([("layer", "driver", "count"), *rows])


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description="Write the runs of docs/parity.md.")
    parser.add_argument("folder", type=Path, help="an existing folder; files of the same names are written over")
    write_files(parser.parse_args().folder)


if __name__ == "__main__":
    main()
