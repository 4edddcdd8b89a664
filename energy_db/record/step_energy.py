"""What one step of a running network costs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepEnergy:
    """What one step cost: a batch of a training, or of an evaluation.

    Attributes
    ----------
    step : int
        Number of the step, from 0.
    epoch : int or None
        Its epoch, as the training counts.
    n_samples, n_timesteps : int
        Samples of the batch, and timesteps of each.
    n_spikes : dict of str to float
        Spikes of each layer; whole numbers, unless they came as rates.
    firing_rates : dict of str to float
        Mean spikes of a neuron in a timestep; of the layers whose size is known.
    energy_pj : dict of str to float
        Energy of each layer, in pJ.
    unlayered_energy_pj : float
        Energy that no layer causes, such as static power, in pJ.
    """

    step: int
    epoch: int | None
    n_samples: int
    n_timesteps: int | None
    n_spikes: dict[str, float]
    firing_rates: dict[str, float]
    energy_pj: dict[str, float]
    unlayered_energy_pj: float

    @property
    def total_energy_pj(self) -> float:
        """Energy of the step, in pJ."""
        return sum(self.energy_pj.values()) + self.unlayered_energy_pj

    def scalars(self) -> dict[str, float]:
        """Return what a logger of scalars takes: energies for a sample, in pJ, and firing rates, by name and layer."""
        each = {f"energy_per_sample_pj/{name}": pj / self.n_samples for name, pj in self.energy_pj.items()}
        each["energy_per_sample_pj/total"] = self.total_energy_pj / self.n_samples
        return each | {f"firing_rate/{name}": rate for name, rate in self.firing_rates.items()}
