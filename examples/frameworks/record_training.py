"""Trains a network of snnTorch and watches its energy: `pip install torch snntorch energy-db`; made with 1.0.0."""

import sys
from pathlib import Path

import snntorch
import torch

from energy_db import EnergyStore
from energy_db.record import watch

N_TIMESTEPS, BATCH, N_BATCHES, N_EPOCHS = 10, 16, 4, 3
LAYERS = [
    {"name": "hidden", "role": "hidden", "n_inputs": 20, "fan_out": 5},
    {"name": "output", "role": "readout", "n_inputs": 30},
]


class Net(torch.nn.Module):
    """Two layers of leaky neurons, called once a timestep."""

    def __init__(self) -> None:
        super().__init__()
        self.to_hidden, self.hidden = torch.nn.Linear(20, 30), snntorch.Leaky(beta=0.9, threshold=0.3)
        self.to_output, self.output = torch.nn.Linear(30, 5), snntorch.Leaky(beta=0.9, threshold=0.3)
        self.own_counts = {"hidden": 0, "output": 0}

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the spikes of the output, and count those of both layers by hand."""
        hidden_mem, output_mem = self.hidden.reset_mem(), self.output.reset_mem()
        returned = []
        for inputs_now in inputs:
            hidden, hidden_mem = self.hidden(self.to_hidden(inputs_now), hidden_mem)
            output, output_mem = self.output(self.to_output(hidden), output_mem)
            self.own_counts["hidden"] += int(hidden.sum())
            self.own_counts["output"] += int(output.sum())
            returned.append(output)
        return torch.stack(returned)


def main(path: str) -> None:
    """Train, and hold what the store then says against what the network counted itself."""
    torch.manual_seed(1)
    net, scalars = Net(), {}
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    store_file = Path(path).with_suffix(".duckdb")
    store_file.unlink(missing_ok=True)
    with EnergyStore(store_file) as store:
        live = store.live("loihi2", layers=LAYERS, name="training", on_scalar=scalars.__setitem__)
        with live, watch(net, ["hidden", "output"], to=live, axes="BN", n_timesteps=N_TIMESTEPS) as watching:
            for epoch in range(N_EPOCHS):
                for _ in range(N_BATCHES):
                    inputs = (torch.rand(N_TIMESTEPS, BATCH, 20) < 0.4).float()
                    labels = torch.randint(5, (BATCH,))
                    optimizer.zero_grad()
                    torch.nn.functional.cross_entropy(net(inputs).sum(0), labels).backward()
                    optimizer.step()
                    live.step(epoch=epoch)
                trained = dict(net.own_counts)
                with watching.paused(), torch.inference_mode():
                    net(inputs)
                net.own_counts = trained
        run = store.run("training")
        spikes = {row.layer: row.spikes for row in store.report(run, "loihi2").layers}
        assert min(spikes.values()) > 0
        assert spikes == net.own_counts, (spikes, net.own_counts)
        assert (run.kind, run.n_samples, run.n_timesteps) == ("training", N_EPOCHS * N_BATCHES * BATCH, N_TIMESTEPS)
        expected = 2.1 * spikes["hidden"] + 1.0 * spikes["output"]
        assert abs(live.total_energy_pj - expected) < 1e-6 * expected
        by_epoch = store.sql("SELECT epoch, sum(energy_pj) AS pj FROM energy_by_training_step "
                             "WHERE chip = 'loihi2' GROUP BY epoch ORDER BY epoch").to_pylist()  # fmt: skip
        assert len(by_epoch) == N_EPOCHS
        assert abs(float(sum(row["pj"] for row in by_epoch)) - expected) < 1e-6 * expected
        assert set(scalars) >= {"energy_per_sample_pj/total", "firing_rate/hidden"}
    print(spikes, {row["epoch"]: f"{row['pj']} pJ" for row in by_epoch})


if __name__ == "__main__":
    main(sys.argv[1])
