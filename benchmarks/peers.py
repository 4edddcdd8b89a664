"""The same questions by what users would pick instead; each is timed in a process of its own.

`python -m benchmarks.peers layers NAME FILE` counts the spikes of each layer of one run file and prices them,
`python -m benchmarks.peers neurons NAME FILES...` finds the 20 costliest neurons over many. Prices are those of
`plain.py`, of sc-neurocore its own. Nothing of energy-db is imported here.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.asked import CHIP, N_NEURONS_SHOWN
from benchmarks.peak import peak_mb

PRICES = {"input": 1.0, "hidden1": 2.1, "hidden2": 2.1, "output": 1.0}
LAYERS = list(PRICES)

# Inputs and neurons of each layer, and the timesteps of a sample, for accountants.
SIZES = [(784, 784), (784, 1024), (1024, 512), (512, 10)]
N_TIMESTEPS = 100
LARGEST_LAYER = max(n_neurons for _, n_neurons in SIZES)
BATCH = 1_000_000

ByLayer = dict[str, int]
ByNeuron = dict[tuple[str, int], int]


def layers_by_pandas(file: str) -> ByLayer:
    """Read the layer column alone, and count its values."""
    import pandas as pd

    return dict(pd.read_parquet(file, columns=["layer"])["layer"].value_counts())


def neurons_by_pandas(files: Sequence[str]) -> ByNeuron:
    """Count file by file, so that not all of them are in memory at once."""
    import pandas as pd

    counted = pd.concat(pd.read_parquet(file, columns=["layer", "neuron"]).value_counts() for file in files)
    return dict(counted.groupby(level=[0, 1]).sum())


def layers_by_polars(file: str) -> ByLayer:
    """Scan lazily, group and count."""
    import polars as pl

    return dict(pl.scan_parquet(file).group_by("layer").len().collect().iter_rows())


def neurons_by_polars(files: Sequence[str]) -> ByNeuron:
    """Scan all files lazily, group and count."""
    import polars as pl

    counted = pl.scan_parquet(list(files)).group_by("layer", "neuron").len().collect()
    return {(layer, neuron): n_spikes for layer, neuron, n_spikes in counted.iter_rows()}


def layers_by_pyarrow(file: str) -> ByLayer:
    """Read the layer column as a dictionary, group and count."""
    import pyarrow.parquet as pq

    table = pq.ParquetFile(file, read_dictionary=["layer"]).read(columns=["layer"])
    counted = table.group_by("layer").aggregate([([], "count_all")])
    return dict(zip(counted["layer"].to_pylist(), counted["count_all"].to_pylist(), strict=True))


def neurons_by_pyarrow(files: Sequence[str]) -> ByNeuron:
    """Group and count file by file."""
    import pyarrow.parquet as pq

    counts: Counter[tuple[str, int]] = Counter()
    for file in files:
        table = pq.ParquetFile(file, read_dictionary=["layer"]).read(columns=["layer", "neuron"])
        counted = table.group_by(["layer", "neuron"]).aggregate([([], "count_all")])
        layer, neuron, n_spikes = (counted[name].to_pylist() for name in ("layer", "neuron", "count_all"))
        counts.update(dict(zip(zip(layer, neuron, strict=True), n_spikes, strict=True)))
    return counts


def layers_by_numpy(file: str) -> ByLayer:
    """Count the indices of the layer column's dictionary, batch by batch."""
    counts: Counter[str] = Counter()
    for (layer, _), n_spikes in _bincount([file], ["layer"]).items():
        counts[layer] += n_spikes
    return counts


def neurons_by_numpy(files: Sequence[str]) -> ByNeuron:
    """Count layer and neuron as one number, batch by batch."""
    return _bincount(files, ["layer", "neuron"])


def layers_by_duckdb(file: str) -> ByLayer:
    """Group and count in plain SQL on the file."""
    import duckdb

    query = "SELECT layer, count(*) FROM read_parquet(?) GROUP BY layer"
    return dict(duckdb.connect().execute(query, [file]).fetchall())


def neurons_by_duckdb(files: Sequence[str]) -> ByNeuron:
    """Group and count in plain SQL on all files."""
    import duckdb

    query = "SELECT layer, neuron, count(*) FROM read_parquet(?) GROUP BY layer, neuron"
    return {(layer, neuron): n for layer, neuron, n in duckdb.connect().execute(query, [list(files)]).fetchall()}


def layers_by_chdb(file: str) -> ByLayer:
    """Group and count in ClickHouse, embedded."""
    query = f"SELECT layer, count() FROM file('{file}', Parquet) GROUP BY layer"
    return {layer: int(n_spikes) for layer, n_spikes in _ask_chdb(query)}


def neurons_by_chdb(files: Sequence[str]) -> ByNeuron:
    """Group and count all files of their folder in ClickHouse, embedded."""
    folder = Path(files[0]).parent
    query = f"SELECT layer, neuron, count() FROM file('{folder}/*.parquet', Parquet) GROUP BY layer, neuron"
    return {(layer, int(neuron)): int(n_spikes) for layer, neuron, n_spikes in _ask_chdb(query)}


def layers_by_loop(file: str) -> ByLayer:
    """Loop over the events in Python, as a script does before it calls an accountant with counts."""
    import pyarrow.parquet as pq

    counts: ByLayer = {}
    for batch in pq.ParquetFile(file).iter_batches(columns=["layer"]):
        for layer in batch.column(0).to_pylist():
            counts[layer] = counts.get(layer, 0) + 1
    return counts


def neurons_by_loop(files: Sequence[str]) -> ByNeuron:
    """Loop over the events of all files in Python."""
    import pyarrow.parquet as pq

    counts: ByNeuron = {}
    for file in files:
        for batch in pq.ParquetFile(file).iter_batches(columns=["layer", "neuron"]):
            for cell in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True):
                counts[cell] = counts.get(cell, 0) + 1
    return counts


def _bincount(files: Sequence[str], columns: list[str]) -> ByNeuron:
    import numpy as np
    import pyarrow.parquet as pq

    counts = np.zeros(len(LAYERS) * LARGEST_LAYER, np.int64)
    for file in files:
        for batch in pq.ParquetFile(file, read_dictionary=["layer"]).iter_batches(BATCH, columns=columns):
            layer = batch.column(0)
            begins = np.array([LAYERS.index(name) * LARGEST_LAYER for name in layer.dictionary.to_pylist()])
            # Not to_numpy, which imports pandas where it is installed.
            cell = begins[np.from_dlpack(layer.indices)]
            if len(columns) > 1:
                cell += np.from_dlpack(batch.column(1))
            counts += np.bincount(cell, minlength=len(counts))
    return {(LAYERS[at // LARGEST_LAYER], int(at % LARGEST_LAYER)): int(counts[at]) for at in np.flatnonzero(counts)}


def _ask_chdb(query: str) -> list[list[Any]]:
    import chdb

    rows: list[list[Any]] = json.loads(str(chdb.query(query, "JSONCompact")))["data"]
    return rows


def priced(counts: ByLayer) -> dict[str, float]:
    """Return the energy of each layer."""
    return {layer: round(int(n_spikes) * PRICES[layer], 6) for layer, n_spikes in counts.items()}


def accounted(counts: ByLayer) -> dict[str, float]:
    """Return the energy of each layer by sc-neurocore's accountant, which charges routing on the whole run."""
    from sc_neurocore.energy_accounting import EnergyAccountant

    accountant = EnergyAccountant(CHIP)
    report = accountant.account(LAYERS, SIZES, [counts[layer] for layer in LAYERS], N_TIMESTEPS)
    routing = accountant.cost_model.routing_pj
    return {layer.name: layer.total_pj + layer.n_spikes * routing for layer in report.layers}


def costliest(counts: ByNeuron) -> list[list[Any]]:
    """Return layer, neuron and spikes of the costliest neurons; of equals, the first in the network."""

    def place(cell: tuple[str, int]) -> tuple[float, int, int]:
        return -round(counts[cell] * PRICES[cell[0]], 6), LAYERS.index(cell[0]), cell[1]

    return [[layer, int(neuron), int(counts[layer, neuron])] for layer, neuron in sorted(counts, key=place)][
        :N_NEURONS_SHOWN
    ]


@dataclass(frozen=True)
class Peer:
    """What answers the questions instead.

    Attributes
    ----------
    package : str
        As it is installed.
    imports : tuple of str
        What is imported before the clock starts.
    layers, neurons : callable or None
        How it counts.
    price : callable
        How it prices the counts of layers.
    """

    package: str
    imports: tuple[str, ...]
    layers: Callable[[str], ByLayer]
    neurons: Callable[[Sequence[str]], ByNeuron] | None = None
    price: Callable[[ByLayer], dict[str, float]] = priced

    @property
    def version(self) -> str | None:
        """The version that is installed, if any."""
        try:
            return metadata.version(self.package)
        except metadata.PackageNotFoundError:
            return None


ARROW = "pyarrow.parquet"
PEERS = {
    "plain DuckDB SQL": Peer("duckdb", ("duckdb",), layers_by_duckdb, neurons_by_duckdb),
    "Polars": Peer("polars", ("polars",), layers_by_polars, neurons_by_polars),
    "pyarrow group_by": Peer("pyarrow", (ARROW, "pyarrow.acero"), layers_by_pyarrow, neurons_by_pyarrow),
    "NumPy bincount": Peer("numpy", ("numpy", ARROW), layers_by_numpy, neurons_by_numpy),
    "chDB": Peer("chdb", ("chdb",), layers_by_chdb, neurons_by_chdb),
    "pandas": Peer("pandas", ("pandas", ARROW), layers_by_pandas, neurons_by_pandas),
    "a Python loop": Peer("pyarrow", (ARROW,), layers_by_loop, neurons_by_loop),
    "a Python loop, then sc-neurocore's account()": Peer(
        "sc-neurocore", (ARROW, "sc_neurocore.energy_accounting"), layers_by_loop, price=accounted
    ),
}


def _answer(question: str, peer: Peer, files: list[str]) -> object:
    if question == "layers":
        return peer.price(peer.layers(files[0]))
    return costliest(peer.neurons(files)) if peer.neurons else None


def _main(question: str, name: str, *files: str) -> None:
    peer = PEERS[name]
    for module in peer.imports:
        import_module(module)
    begin = perf_counter()
    answer = _answer(question, peer, list(files))
    taken = perf_counter() - begin
    print(json.dumps({"answer": answer, "seconds": taken, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
