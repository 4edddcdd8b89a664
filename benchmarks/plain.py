"""The same question without energy-db: a run priced on loihi2 by plain DuckDB SQL on its files.

It runs as a script, `python plain.py FILE`, and so imports nothing but the engine.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import duckdb

TOP_NEURONS = 20

# What a spike costs on loihi2 (tutorial72), in pJ:
# input 0.8 + 0.2, readout 0.5 + 0.5, hidden 0.5 + 0.1 + 0.8 + 0.5 + 0.2.
PRICE_NEURONS = """
CREATE OR REPLACE TEMPORARY TABLE priced AS
SELECT
    layer,
    neuron,
    count(*) AS n_spikes,
    count(*) * CAST(CASE WHEN layer IN ('input', 'output') THEN 1.0 ELSE 2.1 END AS DECIMAL(18, 6)) AS energy_pj
FROM read_parquet(?)
GROUP BY layer, neuron
"""
LAYER_TOTALS = "SELECT layer, sum(n_spikes), sum(energy_pj) FROM priced GROUP BY layer"
COSTLIEST_NEURONS = f"""
SELECT layer, neuron, n_spikes, energy_pj
FROM priced
ORDER BY energy_pj DESC, list_position(['input', 'hidden1', 'hidden2', 'output'], layer), neuron
LIMIT {TOP_NEURONS}
"""


def top_neurons(connection: duckdb.DuckDBPyConnection, files: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return the costliest neurons of all runs together: layer, neuron, spikes, pJ."""
    connection.execute(PRICE_NEURONS, [list(files)])
    return connection.execute(COSTLIEST_NEURONS).fetchall()


def report(file: str) -> dict[str, list[list[Any]]]:
    """Return the layer totals and the costliest neurons of a run, as they stand in JSON."""
    connection = duckdb.connect()
    neurons = top_neurons(connection, [file])
    layers = connection.execute(LAYER_TOTALS).fetchall()
    return {
        "layers": sorted([layer, int(n_spikes), float(pj)] for layer, n_spikes, pj in layers),
        "neurons": [[layer, neuron, n_spikes, float(pj)] for layer, neuron, n_spikes, pj in neurons],
    }


if __name__ == "__main__":
    print(json.dumps(report(sys.argv[1])))
