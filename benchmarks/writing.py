"""`python -m benchmarks.writing`: how fast a live recording is written, against nonzero and a bare Parquet writer.

Both sides get the same boolean batches [T, B, N], each in a process of its own, in turn. It prints its figures; seconds
are those of one machine in one hour, only the ratio should be compared.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import pyarrow as pa
from pyarrow import parquet

T, B, N = 25, 128, 1000
SHARE_ACTIVE = 0.027
N_DISTINCT_BATCHES = 8
LEAST_RATIO = 0.7


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.writing", description=__doc__)
    parser.add_argument("--spikes", type=int, default=100_000_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--side", choices=list(SIDES), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(measure(given.side, given.spikes)))
        return
    taken = [{side: in_a_process(side, given.spikes) for side in SIDES} for _ in range(given.pairs)]
    ratio = median(pair["bare"]["seconds"] / pair["ours"]["seconds"] for pair in taken)
    for side in SIDES:
        seconds, megabytes = (median(pair[side][key] for pair in taken) for key in ("seconds", "peak_mb"))
        print(f"{side}: {seconds:.3g} s, {given.spikes / seconds / 1e6:.3g} M spikes/s, peak {megabytes:.0f} MB")
    print(
        f"speed of ours / bare: {ratio:.3g} x (at least {LEAST_RATIO}: {'met' if ratio >= LEAST_RATIO else 'NOT MET'})"
    )


def in_a_process(side: str, n_spikes: int) -> dict[str, float]:
    """Return what one side takes in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.writing", "--side", side, "--spikes", str(n_spikes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(side: str, n_spikes: int) -> dict[str, float]:
    """Return the seconds and the peak memory of one side, and make sure that it wrote every spike."""
    rng = np.random.default_rng(72)
    batches = [rng.random((T, B, N)) < SHARE_ACTIVE for _ in range(N_DISTINCT_BATCHES)]
    counts = [int(batch.sum()) for batch in batches]
    n_batches = round(n_spikes / (sum(counts) / len(counts)))
    with tempfile.TemporaryDirectory(prefix="energy-db-writing-") as folder:
        path = Path(folder) / "run.parquet"
        begun = perf_counter()
        SIDES[side](path, batches, n_batches)
        seconds = perf_counter() - begun
        wanted = sum(counts[number % len(counts)] for number in range(n_batches))
        assert parquet.read_metadata(path).num_rows == wanted
    return {"seconds": seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}


def record(path: Path, batches: list[np.ndarray], n_batches: int) -> None:
    """Write with RunWriter."""
    from energy_db.record import RunWriter

    with RunWriter(path, layers=["hidden"]) as writer:
        for number in range(n_batches):
            writer.add("hidden", batches[number % len(batches)])


def write_bare(path: Path, batches: list[np.ndarray], n_batches: int) -> None:
    """Write all at once, with numpy.nonzero and pyarrow's defaults."""
    parts: list[tuple[np.ndarray, ...]] = []
    for number in range(n_batches):
        timestep, sample, neuron = np.nonzero(batches[number % len(batches)])
        parts.append((neuron, timestep, sample + number * B))
    neuron, timestep, sample = (np.concatenate(column) for column in zip(*parts, strict=True))
    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(neuron), np.int8)), ["hidden"])
    parquet.write_table(pa.table({"layer": names, "neuron": neuron, "timestep": timestep, "sample": sample}), path)


SIDES = {"ours": record, "bare": write_bare}

if __name__ == "__main__":
    main()
