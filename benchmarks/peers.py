"""The same questions by what users would pick instead; each function is timed in a process of its own.

A question is either the energy of each layer of one run file, or the 20 costliest neurons over many. Prices are those
of `plain.py`. Nothing of energy-db is imported here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

PRICES = {"input": 1.0, "hidden1": 2.1, "hidden2": 2.1, "output": 1.0}
LAYERS = list(PRICES)
Energies = dict[str, float]


def by_pandas(file: str) -> Energies:
    """Read the layer column alone, and count its values."""
    import pandas as pd

    return _priced(pd.read_parquet(file, columns=["layer"])["layer"].value_counts().to_dict())


def by_polars(file: str) -> Energies:
    """Scan lazily, group and count."""
    import polars as pl

    counted = pl.scan_parquet(file).group_by("layer").len().collect()
    return _priced(dict(counted.iter_rows()))


def by_pyarrow(file: str) -> Energies:
    """Read the layer column as a dictionary, group and count."""
    import pyarrow.parquet as pq

    table = pq.read_table(file, columns=["layer"], read_dictionary=["layer"])
    counted = table.group_by("layer").aggregate([([], "count_all")])
    return _priced(dict(zip(counted["layer"].to_pylist(), counted["count_all"].to_pylist(), strict=True)))


def by_numpy(file: str) -> Energies:
    """Count the indices of the layer column's dictionary, batch by batch."""
    import numpy as np
    import pyarrow.parquet as pq

    counts: dict[str, int] = {}
    for batch in pq.ParquetFile(file, read_dictionary=["layer"]).iter_batches(1_000_000, columns=["layer"]):
        column = batch.column(0)
        names = column.dictionary.to_pylist()
        found = np.bincount(column.indices.to_numpy(), minlength=len(names))
        for name, n_spikes in zip(names, found, strict=True):
            counts[name] = counts.get(name, 0) + int(n_spikes)
    return _priced(counts)


def by_duckdb(file: str) -> Energies:
    """Group and count in plain SQL on the file."""
    import duckdb

    rows = duckdb.connect().execute("SELECT layer, count(*) FROM read_parquet(?) GROUP BY layer", [file]).fetchall()
    return _priced(dict(rows))


def by_chdb(file: str) -> Energies:
    """Group and count in ClickHouse, embedded."""
    import chdb

    answer = chdb.query(f"SELECT layer, count() FROM file('{file}', Parquet) GROUP BY layer", "JSONCompact")
    return _priced({layer: int(n_spikes) for layer, n_spikes in json.loads(str(answer))["data"]})


def by_loop(file: str) -> Energies:
    """Loop over the events in Python, as a script of a paper does before it calls an accountant with counts."""
    import pyarrow.parquet as pq

    counts: dict[str, int] = {}
    for batch in pq.ParquetFile(file).iter_batches(columns=["layer"]):
        for layer in batch.column(0).to_pylist():
            counts[layer] = counts.get(layer, 0) + 1
    return _priced(counts)


LAYER_ENERGIES: dict[str, tuple[str, Callable[[str], Energies]]] = {
    "plain DuckDB SQL": ("duckdb", by_duckdb),
    "Polars": ("polars", by_polars),
    "pyarrow": ("pyarrow", by_pyarrow),
    "NumPy bincount": ("numpy", by_numpy),
    "chDB": ("chdb", by_chdb),
    "pandas": ("pandas", by_pandas),
    "a Python loop": ("pyarrow", by_loop),
}


def top_by_polars(files: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return layer, neuron and spikes of the costliest neurons over all files."""
    import polars as pl

    price = pl.col("layer").replace_strict(PRICES)
    order = pl.col("layer").replace_strict({layer: index for index, layer in enumerate(LAYERS)})
    counted = pl.scan_parquet(list(files)).group_by("layer", "neuron").len("n")
    top = counted.with_columns(pj=pl.col("n") * price, at=order).sort(
        ["pj", "at", "neuron"], descending=[True, False, False]
    )
    return [(layer, neuron, n) for layer, neuron, n, *_ in top.head(20).collect().iter_rows()]


def top_by_pandas(files: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return the same, file by file, so that not all of them are in memory at once."""
    import pandas as pd

    counted = pd.concat(pd.read_parquet(file, columns=["layer", "neuron"]).value_counts() for file in files)
    n_spikes = counted.groupby(level=[0, 1]).sum().rename("n").reset_index()
    n_spikes["pj"] = n_spikes["n"] * n_spikes["layer"].map(PRICES)
    n_spikes["at"] = n_spikes["layer"].map(LAYERS.index)
    top = n_spikes.sort_values(["pj", "at", "neuron"], ascending=[False, True, True]).head(20)
    return [(row.layer, int(row.neuron), int(row.n)) for row in top.itertuples()]


TOP_NEURONS: dict[str, tuple[str, Callable[[Sequence[str]], list[tuple[str, int, int]]]]] = {
    "Polars": ("polars", top_by_polars),
    "pandas": ("pandas", top_by_pandas),
}


def installed(peers: dict[str, tuple[str, Callable[..., object]]]) -> list[str]:
    """Return the names of the peers whose package is there."""
    return [name for name, (package, _) in peers.items() if find_spec(package)]


def _priced(counts: dict[str, int]) -> Energies:
    return {layer: round(counts[layer] * PRICES[layer], 6) for layer in sorted(counts)}


def _peak_mb() -> float:
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    question, name, *files = sys.argv[1:]
    begin = perf_counter()
    answer: object = LAYER_ENERGIES[name][1](files[0]) if question == "layers" else TOP_NEURONS[name][1](files)
    taken = perf_counter() - begin
    print(json.dumps({"answer": answer, "seconds": taken, "peak_mb": _peak_mb()}))
