"""Readers open, ask and close again and again while a writer ingests and publishes: nobody waits, nobody sees a half.

OTHER_PYTHON names a Python with another release of DuckDB, with which half of the readers read then; and the writer
writes longer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import cycle, islice
from pathlib import Path

import pytest
from factories import run_file, with_sidecar

from energy_db import EnergyStore

N_RUNS, N_READERS = 20 if "OTHER_PYTHON" in os.environ else 6, 4

# Plain DuckDB, as in a tool that knows nothing of energy-db. Says what it saw each time, until it is told to end.
READER = """
import json, pathlib, sys, time
import duckdb

folder = pathlib.Path(sys.argv[1])
database = str(folder / "energy.duckdb")
print(json.dumps({"duckdb": duckdb.__version__}), flush=True)
seen = []
while True:
    is_last = (folder / "end").exists()
    with duckdb.connect(database, read_only=True) as connection:
        ask = lambda query: connection.execute(query).fetchall()
        ((number, n_runs, n_spikes),) = ask("SELECT publication_number, n_runs, n_spikes FROM mart.publication")
        counted = dict(ask("SELECT object_name, n_rows FROM mart.publication_contents"))
        facts = ["mart.runs", "mart.run_energy", "mart.layer_energy", "mart.neuron_energy", "runs", "layers"]
        found = {name: ask(f"SELECT count(*) FROM {name}")[0][0] for name in facts}
        ((of_layers,),) = ask("SELECT CAST(sum(n_spikes) AS BIGINT) FROM mart.layer_energy WHERE chip = 'loihi2'")
        ((energy,),) = ask("SELECT CAST(sum(energy_pj) AS VARCHAR) FROM mart.run_energy WHERE chip = 'loihi2'")
    agrees = all(counted[name] == rows for name, rows in found.items()) and n_spikes == of_layers
    seen.append([number, n_runs, n_spikes, found["mart.runs"], energy, agrees])
    if is_last:
        break
    time.sleep(0.1)
print(json.dumps(seen), flush=True)
"""


def new_run(folder: Path, number: int) -> Path:
    """Write a run of number + 2 spikes in a layer of 100 neurons."""
    events = {"layer": ["hidden"] * (number + 2), "neuron": list(range(number + 2)), "timestep": [0] * (number + 2)}
    network = {"layers": [{"name": "hidden", "role": "hidden", "n_neurons": 100}], "n_timesteps": 1}
    return with_sidecar(run_file(folder / f"run-{number}.parquet", events), network)


@pytest.mark.thorough
def test_readers_and_a_writer_never_meet(tmp_path: Path) -> None:
    """Each hidden spike costs 2.1 pJ on loihi2 (cost-model.md); run k has k + 2 spikes."""
    folder = tmp_path / "bi"
    spikes = [2]
    with EnergyStore(tmp_path / "energy.duckdb") as store:
        store.ingest(new_run(tmp_path, 0))
        store.publish(folder, chips=["loihi2"])
        pythons = islice(cycle([sys.executable, os.environ.get("OTHER_PYTHON", sys.executable)]), N_READERS)
        commands = [[python, "-c", READER, str(folder)] for python in pythons]
        readers = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for command in commands
        ]
        try:
            versions = [json.loads(reader.stdout.readline())["duckdb"] for reader in readers if reader.stdout]
            for number in range(1, N_RUNS + 1):
                assert store.ingest(new_run(tmp_path, number)).status == "stored"
                assert store.publish(folder, chips=["loihi2"]).number == number + 1
                spikes.append(spikes[-1] + number + 2)
            (folder / "end").touch()
            ends = [reader.communicate(timeout=60) for reader in readers]
        finally:
            for reader in readers:
                reader.kill()
    assert [errors for _, errors in ends] == [""] * N_READERS
    assert (len(set(versions)) == 2) == ("OTHER_PYTHON" in os.environ)
    for found, _ in ends:
        seen = json.loads(found)
        numbers = [number for number, *_ in seen]
        assert numbers == sorted(numbers)
        assert numbers[-1] == N_RUNS + 1
        assert len(set(numbers)) > 2, "it read while the writer wrote"
        for number, n_runs, n_spikes, n_rows, energy, agrees in seen:
            assert agrees
            assert n_runs == n_rows == number
            assert n_spikes == spikes[number - 1]
            assert float(energy) * 10 == 21 * n_spikes
