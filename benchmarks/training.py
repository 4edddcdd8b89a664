"""`python -m benchmarks.training`: what `live` adds to a training step of the digits network at batch 64.

The same step of snnTorch, with and without live energies, in turn and in one process; it needs torch and snntorch. It
prints its figures; seconds are those of one machine in one hour, only the ratio should be compared.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

import snntorch
import torch

from energy_db import EnergyStore
from energy_db.record import watch
from energy_db.record.live import LiveEnergy

T, BATCH = 25, 64
SIZES = (64, 128, 64, 10)
LAYERS = [
    {"name": "hidden1", "role": "hidden", "n_inputs": 64, "n_neurons": 128, "fan_out": 64},
    {"name": "hidden2", "role": "hidden", "n_inputs": 128, "n_neurons": 64, "fan_out": 10},
    {"name": "output", "role": "readout", "n_inputs": 64, "n_neurons": 10},
]
MOST_ADDED = 0.03


class Digits(torch.nn.Module):
    """The network of examples/: fully connected, leaky neurons, rate-coded input."""

    def __init__(self) -> None:
        super().__init__()
        pairs = pairwise(SIZES)
        self.weights = torch.nn.ModuleList(torch.nn.Linear(n_in, n_out) for n_in, n_out in pairs)
        for layer in LAYERS:
            self.add_module(str(layer["name"]), snntorch.Leaky(beta=0.9))

    def forward(self, inputs: torch.Tensor) -> dict[str, list[torch.Tensor]]:
        """Return the spikes of every layer, timestep by timestep."""
        cells = {str(layer["name"]): getattr(self, str(layer["name"])) for layer in LAYERS}
        potentials = {name: cell.reset_mem() for name, cell in cells.items()}
        spikes: dict[str, list[torch.Tensor]] = {name: [] for name in cells}
        for inputs_now in inputs:
            flowing = inputs_now
            for weights, (name, cell) in zip(self.weights, cells.items(), strict=True):
                flowing, potentials[name] = cell(weights(flowing), potentials[name])
                spikes[name].append(flowing)
        return spikes


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--rounds", type=int, default=400, help="one step of each side in each")
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, EnergyStore(Path(folder) / "energy.duckdb") as store:
        sides = {
            "plain": plain(),
            "plain again": plain(),
            "step(spikes)": with_stacked(store),
            "watch(model)": with_hooks(store),
        }
        seconds = measure(sides, given.rounds)
        for side, taken in seconds.items():
            added = median(taken) / median(seconds["plain"]) - 1
            print(f"{side}: {median(taken) * 1e3:.3g} ms a training step, {added:+.1%} (at most {MOST_ADDED:.0%})")


def measure(sides: dict[str, Callable[[], None]], n_rounds: int) -> dict[str, list[float]]:
    """Return the seconds of single steps of each side, taken in turn and in another order in each round."""
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    order = list(sides.items())
    for _, train in order * 2:
        train()
    shuffled = Random(72)
    for _ in range(n_rounds):
        shuffled.shuffle(order)
        for side, train in order:
            began = perf_counter()
            train()
            seconds[side].append(perf_counter() - began)
    return seconds


def plain(live: LiveEnergy | None = None, *, model: Digits | None = None) -> Callable[[], None]:
    """Return a training step; with live energies, if they are given."""
    trained = model or seeded_model()
    optimizer = torch.optim.Adam(trained.parameters())
    torch.manual_seed(73)
    inputs = (torch.rand(T, BATCH, SIZES[0]) < 0.3).float()
    labels = torch.randint(SIZES[-1], (BATCH,))
    takes_stacked = live is not None and model is None

    def train() -> None:
        optimizer.zero_grad()
        spikes = trained(inputs)
        loss = torch.nn.functional.cross_entropy(torch.stack(spikes["output"]).sum(0), labels)
        loss.backward()
        optimizer.step()
        if takes_stacked and live:
            live.step({name: torch.stack(each) for name, each in spikes.items()})
        elif live:
            live.step()

    return train


def seeded_model() -> Digits:
    """Return the network as all sides begin with it: what it computes, and how long that takes, is the same."""
    torch.manual_seed(72)
    return Digits()


def with_stacked(store: EnergyStore) -> Callable[[], None]:
    """Return a training step that hands its spikes over, and is kept."""
    return plain(store.live("loihi2", layers=LAYERS, name="stacked"))


def with_hooks(store: EnergyStore) -> Callable[[], None]:
    """Return a training step of a model that is watched, and is kept."""
    live, model = store.live("loihi2", layers=LAYERS, name="hooked"), seeded_model()
    watch(model, [str(layer["name"]) for layer in LAYERS], to=live, axes="BN", n_timesteps=T)
    return plain(live, model=model)


if __name__ == "__main__":
    main()
