"""A store as a lab has it after some weeks: the three digits runs, and a history of one network, night by night.

Run as a program, it goes on: `superset_store.py STORE FOLDER ROUNDS` ingests a night and publishes, so many times.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from energy_db import EnergyStore

EXAMPLES = Path(__file__).parents[2] / "examples"
DIGITS = ("digits-baseline", "digits-reseeded", "digits-sparse")
CHIPS = ("loihi2", "spinnaker2", "fpga_ice40", "odin", "seneca", "darwin3")
NIGHTLY = "gesture-nightly"
FIRST_NIGHT = datetime(2026, 6, 1, 3, 0)
LAYERS: list[dict[str, Any]] = [
    {"name": "retina", "role": "input", "n_neurons": 64, "fan_out": 32},
    {"name": "conv1", "role": "hidden", "n_neurons": 96, "fan_out": 24},
    {"name": "conv2", "role": "hidden", "n_neurons": 48, "fan_out": 16},
    {"name": "readout", "role": "readout", "n_neurons": 8, "fan_out": 0},
]
N_SAMPLES, N_TIMESTEPS = 100, 20
NETWORK = {"n_timesteps": N_TIMESTEPS, "n_samples": N_SAMPLES, "timestep_us": 1000, "layers": LAYERS}
# Spikes of the busiest neuron of each layer, night by night: a penalty on conv1 works, until the fifth night undoes it.
BUSIEST = (
    (900, 1400, 1100, 300),
    (900, 1250, 1080, 300),
    (905, 1010, 1050, 310),
    (900, 830, 1000, 305),
    (900, 1320, 1010, 300),
    (900, 780, 960, 300),
)


def spikes_of_night(number: int) -> dict[str, list[int]]:
    """Return the spikes of each neuron: in each layer, neuron k fires 1 / (1 + k / 8) as often as the first."""
    busiest = BUSIEST[number] if number < len(BUSIEST) else (900, 780 - 3 * number, 960, 300)
    return {
        layer["name"]: [int(most / (1 + neuron / 8)) for neuron in range(layer["n_neurons"])]
        for layer, most in zip(LAYERS, busiest, strict=True)
    }


def night(folder: Path, number: int) -> Path:
    """Write the run of a night."""
    rows = [
        (layer, neuron, (neuron * 7 + sample) % N_TIMESTEPS, sample, share)
        for layer, counts in spikes_of_night(number).items()
        for neuron, count in enumerate(counts)
        for sample, share in _spread(count)
    ]
    names = ("layer", "neuron", "timestep", "sample", "n_spikes")
    path = folder / f"night-{number}.parquet"
    pq.write_table(pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))), path)
    return path


def _spread(total: int) -> list[tuple[int, int]]:
    """Spread spikes over ten of the samples, as evenly as whole numbers allow."""
    counts = [(sample * 10, total // 10 + (sample < total % 10)) for sample in range(10)]
    return [(sample, count) for sample, count in counts if count]


def add_night(store: EnergyStore, folder: Path, number: int) -> None:
    when = (FIRST_NIGHT + timedelta(days=number)).isoformat()
    store.ingest(night(folder, number), network=NETWORK, name=NIGHTLY, recorded_at=when, on_duplicate="new")


def fill(store: EnergyStore, folder: Path) -> None:
    for days, name in enumerate(DIGITS):
        when = (FIRST_NIGHT + timedelta(days=2 * days)).isoformat()
        store.ingest(EXAMPLES / f"{name}.parquet", recorded_at=when)
    for number in range(len(BUSIEST)):
        add_night(store, folder, number)


def go_on(path: Path, folder: Path, rounds: int) -> None:
    """Ingest and publish, as a night job does."""
    with EnergyStore(path) as store:
        for number in range(len(BUSIEST), len(BUSIEST) + rounds):
            add_night(store, path.parent, number)
            published = store.publish(folder, chips=CHIPS)
            print(published.number, flush=True)


if __name__ == "__main__":
    go_on(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
