"""Records PyNN populations as Neo blocks: `pip install neo pynn brian2 energy-db`; made with 0.14.6 and 0.13.0."""

import sys

import neo
import numpy as np
import pyNN.brian2 as sim
import quantities as pq

from energy_db.adapters import from_neo

DT_MS, DURATION_MS = 0.1, 50.0


def recorded_by_pynn() -> tuple[dict[str, neo.Block], dict[str, list[int]]]:
    """Run two populations twice; return their blocks, and PyNN's counts of the last run."""
    sim.setup(timestep=DT_MS)
    cells = sim.Population(4, sim.IF_curr_exp(i_offset=[1.5, 1.2, 0.0, 1.3]), label="cells")
    source = sim.Population(3, sim.SpikeSourceArray(spike_times=[[1.0, 2.5], [], [10.0, 49.9]]), label="source")
    for population in (cells, source):
        population.record("spikes")
    sim.run(DURATION_MS)
    sim.reset()
    cells.set(i_offset=[0.0, 1.2, 1.4, 2.0])
    sim.run(DURATION_MS)
    populations = {"cells": cells, "source": source}
    last = {name: list(population.get_spike_counts().values()) for name, population in populations.items()}
    return {name: population.get_data() for name, population in populations.items()}, last


def made_by_neo() -> neo.Block:
    """Return a block in other units: trains in another order in its second segment, and a spike on t_stop."""
    block = neo.Block(name="mixed")
    in_s, in_us = {"units": "s", "t_stop": 0.05}, {"units": "us", "t_stop": 50000.0}
    times = {7: [0.0001, 0.02, 0.05], 3: [], 9: [0.0499]}
    first = [neo.SpikeTrain(times[cell], source_id=cell, **in_s) for cell in (7, 3, 9)]
    second = [neo.SpikeTrain(np.array(times[cell]) * 1e6, source_id=cell, **in_us) for cell in (9, 7, 3)]
    for trains in (first, second):
        block.segments.append(neo.Segment())
        block.segments[-1].spiketrains.extend(trains)
    return block


def taken_apart(layer: str, block: neo.Block) -> dict[str, object]:
    """Return what the trains of a block say of themselves."""
    kept: dict[str, object] = {}
    for sample, segment in enumerate(block.segments):
        for i, train in enumerate(segment.spiketrains):
            ids = [f"{key}={train.annotations[key]}" for key in sorted(train.annotations)]
            unit = train.dimensionality.string
            span = [float(train.t_start.rescale("ms").magnitude), float(train.t_stop.rescale("ms").magnitude)]
            place = f"{layer}/{sample}/{i}"
            kept |= {f"times/{place}": train.magnitude, f"unit/{place}": unit, f"span_ms/{place}": span}
            kept[f"annotations/{place}"] = np.array(ids, str)
    return kept


def main(path: str) -> None:
    """Hold the adapter against PyNN's and Neo's own counts, and keep trains and counts."""
    blocks, last = recorded_by_pynn()
    kept = {}
    for layer, block in {**blocks, "mixed": made_by_neo()}.items():
        trains = [list(segment.spiketrains) for segment in block.segments]
        own = [[len(train) for train in each] for each in trains]
        if layer in last:
            assert own[-1] == last[layer], (own, last)
        recording = from_neo(block, dt_ms=0.1 * pq.ms)
        assert recording.n_spikes == {layer: sum(map(sum, own))}, (recording.n_spikes, own)
        assert (recording.n_samples, recording.n_timesteps) == (2, round(DURATION_MS / DT_MS))
        kept |= {**taken_apart(layer, block), f"count_{layer}" if layer in blocks else f"own_{layer}": own}
    together = from_neo(blocks, dt_ms=DT_MS)
    assert together.n_spikes == {layer: int(np.sum(kept[f"count_{layer}"])) for layer in blocks}
    np.savez_compressed(path, **kept)
    print(together.n_spikes)


if __name__ == "__main__":
    main(sys.argv[1])
