"""Records a small network of SANA-FE: `pip install sanafe energy-db`; made with 2.2.9, on the Loihi that it brings."""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import sanafe

from energy_db.adapters import from_sanafe

N_TIMESTEPS = 8
SIZES = {"in": 4, "hidden.0": 3, "out": 2}
INPUT = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [1, 0, 1, 1]])
FILES = {"spike_trace": "spikes", "perf_trace": "perf"}


def make_chip(logged: tuple[str, ...]) -> sanafe.SpikingChip:
    """Return a chip with three groups on three tiles; spikes of the logged ones go to the trace."""
    arch, network = sanafe.load_loihi(), sanafe.Network()
    neuron = {"threshold": 1.0, "leak_decay": 0.5, "reset_mode": "soft"}
    parts = {"default_synapse_hw_name": "loihi_dense_synapse", "default_dendrite_hw_name": "loihi_dendrites"}
    groups = {}
    for name, core in zip(SIZES, (arch.tiles[0].cores[0], arch.tiles[1].cores[0], arch.tiles[9].cores[1]), strict=True):
        soma = "loihi_inputs" if name == "in" else "loihi_lif"
        groups[name] = network.create_neuron_group(
            name,
            SIZES[name],
            soma_hw_name=soma,
            model_attributes={} if name == "in" else neuron,
            log_spikes=name in logged,
            **parts,
        )
        for each in groups[name]:
            if name == "in":
                spikes = INPUT[:, each.get_id()].tolist()
                each.set_attributes(soma_hw_name=f"loihi_inputs[{each.get_id()}]", model_attributes={"spikes": spikes})
            each.map_to_core(core)
    for source, target, weight in (("in", "hidden.0", 0.6), ("hidden.0", "out", 0.7)):
        for each in groups[source]:
            for to in groups[target]:
                each.connect_to_neuron(to, {"weight": weight})
    chip = sanafe.SpikingChip(arch)
    chip.load(network)
    return chip


def main(path: str) -> None:
    """Run the network, hold the adapter against SANA-FE's own counts, and keep its files."""
    traced = make_chip(tuple(SIZES)).sim(N_TIMESTEPS, spike_trace=True)["spike_trace"]
    own = {name: [0] * size for name, size in SIZES.items()}
    for step in traced:
        for address in map(str, step):
            group, _, neuron = address.rpartition(".")
            own[group][int(neuron)] += 1
    with tempfile.TemporaryDirectory() as folder:
        for kind, logged in (("", tuple(SIZES)), ("unlogged-", ("in", "hidden.0"))):
            files = {trace: f"{folder}/sanafe-{kind}{name}.csv" for trace, name in FILES.items()}
            results = make_chip(logged).sim(N_TIMESTEPS, **files)
            recording = from_sanafe(files["spike_trace"], sizes=SIZES, perf=files["perf_trace"])
            assert recording.n_spikes == {name: sum(own[name]) if name in logged else 0 for name in SIZES}
            assert recording.n_timesteps == results["timesteps_executed"] == N_TIMESTEPS
            counted = {row["driver"]: row["count"] for row in recording.counters}
            assert counted["neuron_update"] == results["neurons_updated"], (counted, results)
            assert counted["message"] == results["packets_sent"], (counted, results)
            assert recording.tags["sanafe_synaptic_events"] == results["spikes"]
            assert np.isclose(recording.tags["sanafe_total_energy_j"], results["energy"]["total"])
            assert bool(recording.notes) == (results["neurons_fired"] > sum(recording.n_spikes.values()))
        # A second sim of a chip counts on, and writes its files anew.
        chip = make_chip(tuple(SIZES))
        for n_timesteps in (3, N_TIMESTEPS - 3):
            chip.sim(n_timesteps, **{trace: f"{folder}/sanafe-second-{name}.csv" for trace, name in FILES.items()})
        for file in Path(folder).iterdir():
            shutil.copy(file, Path(path).with_name(file.name))
    kept = {key: results[key] for key in ("neurons_updated", "packets_sent", "neurons_fired")}
    kept |= {"synaptic_events": results["spikes"], "total_energy_j": results["energy"]["total"]}
    np.savez_compressed(path, **kept, **{f"count_{name}": counts for name, counts in own.items()})
    print({name: sum(counts) for name, counts in own.items()})


if __name__ == "__main__":
    main(sys.argv[1])
