"""The rows of a report, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class LayerEnergy:
    """What a layer costs, over the operations that could be priced.

    Attributes
    ----------
    layer, role : str
        Its name and what its spikes trigger.
    n_neurons, spikes : int
        Its neurons, silent ones included, and their spikes.
    n_active_neurons : int or None
        Its neurons that spiked; None where only the spikes of the layer were counted.
    energy_pj : float or None
        Energy in pJ; None if no operation of the layer could be priced.
    share : float or None
        The same as a share of the run's energy, from 0 to 1.
    energy_per_spike_pj : float or None
        Energy of one of its spikes in pJ; None if it was silent.
    energy_low_pj, energy_high_pj : float or None
        Energy at both ends of the published ranges, in pJ; None where no range is published.
    """

    layer: str
    role: str
    n_neurons: int
    n_active_neurons: int | None
    spikes: int
    energy_pj: float | None
    share: float | None
    energy_per_spike_pj: float | None
    energy_low_pj: float | None = None
    energy_high_pj: float | None = None


@dataclass(frozen=True)
class OperationEnergy:
    """What an operation of the hardware costs, over all layers.

    Attributes
    ----------
    operation, driver : str
        What the hardware does, and what it is charged on.
    count : int, float or None
        Units of the driver, of 'second' in seconds; None where they cannot be counted.
    cost_pj : float or None
        Energy of one unit in pJ; None where the source leaves it blank.
    energy_pj, share : float or None
        Energy in pJ, and as a share of the run's; None where the operation is unpriced.
    energy_low_pj, energy_high_pj : float or None
        Energy at both ends of the published range, in pJ; None where no range is published.
    unpriced : str or None
        Why it has no energy; None if it has one.
    """

    operation: str
    driver: str
    count: int | float | None
    cost_pj: float | None
    energy_pj: float | None
    share: float | None
    energy_low_pj: float | None = None
    energy_high_pj: float | None = None
    unpriced: str | None = None


@dataclass(frozen=True)
class NeuronEnergy:
    """What a neuron costs: its spikes, its energy in pJ, and that as a share of the run's."""

    layer: str
    neuron: int
    spikes: int
    energy_pj: float
    share: float


@dataclass(frozen=True)
class StepEnergy:
    """What a layer costs in a timestep, over all samples: its spikes and its energy in pJ."""

    timestep: int
    layer: str
    spikes: int
    energy_pj: float


ROW_TYPES: Final = {"layer": LayerEnergy, "neuron": NeuronEnergy, "operation": OperationEnergy, "step": StepEnergy}


class Totals:
    """What follows from the energy of a run, its layers and its operations."""

    total_spikes: int
    total_energy_pj: float | None
    layers: tuple[LayerEnergy, ...]
    operations: tuple[OperationEnergy, ...]

    @property
    def total_energy_nj(self) -> float | None:
        """Energy of the whole run in nJ; None if nothing could be priced."""
        return None if self.total_energy_pj is None else self.total_energy_pj / 1000

    @property
    def energy_per_spike_pj(self) -> float | None:
        """Mean energy of a recorded spike in pJ; None for a silent run, or if nothing could be priced."""
        return (
            self.total_energy_pj / self.total_spikes if self.total_spikes and self.total_energy_pj is not None else None
        )

    @property
    def dominant_layer(self) -> str | None:
        """The layer that burns most; None if none burns anything."""
        costliest = max(self.layers, key=lambda layer: layer.energy_pj or 0.0)
        return costliest.layer if costliest.energy_pj else None

    @property
    def n_operations(self) -> int:
        """Operations that the cost version prices."""
        return len(self.operations)

    @property
    def n_priced(self) -> int:
        """Operations of them that could be priced in this run."""
        return self.n_operations - len(self.unpriced)

    @property
    def unpriced(self) -> tuple[OperationEnergy, ...]:
        """Operations without an energy, each with the reason."""
        return tuple(entry for entry in self.operations if entry.unpriced is not None)

    @property
    def coverage(self) -> str:
        """How much of the cost version could be priced, such as '1 of 2 operations priced'."""
        return f"{self.n_priced} of {self.n_operations} operation{'' if self.n_operations == 1 else 's'} priced"
