"""Records a small network of Nengo: `pip install nengo energy-db`; made with Nengo 4.1.0."""

import sys

import nengo
import numpy as np

from energy_db.adapters import from_nengo

DT, AMPLITUDE = 0.001, 0.01


def main(path: str) -> None:
    """Run the network, hold the adapter against a count of the probes, and keep their data."""
    with nengo.Network(seed=1) as net:
        kick = nengo.Node([0.7])
        plain = nengo.Ensemble(8, 1, seed=1)
        # So fast that a neuron fires more than once in a timestep, and with spikes of another height.
        fast = nengo.Ensemble(
            4, 1, seed=2, neuron_type=nengo.PoissonSpiking(nengo.RectifiedLinear(amplitude=1)), max_rates=[2000] * 4
        )
        small = nengo.Ensemble(6, 1, seed=3, neuron_type=nengo.LIF(amplitude=AMPLITUDE))
        for ensemble in (plain, fast, small):
            nengo.Connection(kick, ensemble)
        probes = {"plain": nengo.Probe(plain.neurons), "fast": nengo.Probe(fast.neurons)}
        probe_small = nengo.Probe(small.neurons)
        skipping = nengo.Probe(plain.neurons, sample_every=2 * DT)
    with nengo.Simulator(net, dt=DT, progress_bar=False) as sim:
        sim.run(0.1)
    data = {layer: sim.data[probe] for layer, probe in probes.items()}
    own = {layer: round(float(each.sum() * DT)) for layer, each in data.items()}
    recording = from_nengo(data, dt=DT)
    assert recording.n_spikes == own, (recording.n_spikes, own)
    assert recording.n_timesteps == len(sim.trange()) == round(sim.trange()[-1] / DT)
    fast_counts = (data["fast"] * DT).round()
    assert fast_counts.max() > 1
    kept = {**data, "small": sim.data[probe_small], "skipping": sim.data[skipping]}
    counts = {f"count_{layer}": np.rint(each.sum(axis=0) * DT) for layer, each in data.items()}
    counts["count_small"] = np.count_nonzero(kept["small"], axis=0)
    np.savez_compressed(path, **kept, **counts)
    print(own)


if __name__ == "__main__":
    main(sys.argv[1])
