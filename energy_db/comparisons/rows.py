"""The rows of a comparison: a layer, an operation or a neuron in two runs, and what its change is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from energy_db.runs import Run


@dataclass(frozen=True)
class Effects:
    """What a change of energy is made of, in pJ; the six add up to it exactly (docs/method.md).

    Attributes
    ----------
    spikes : float
        The run spiked more or less in all.
    layer_mix, neuron_mix : float
        Its spikes moved to other layers, and to other neurons of the same layer.
    work : float
        A spike triggers more or less: another role or fan-out.
    other_drivers : float
        What is not charged on spikes was counted more or less often: neurons' timesteps, seconds, counters.
    cost : float
        The cost versions differ.
    """

    spikes: float
    layer_mix: float
    neuron_mix: float
    work: float
    other_drivers: float
    cost: float

    @property
    def largest(self) -> str:
        """The name of the effect that moves the energy most, either way."""
        return max(vars(self), key=lambda name: abs(getattr(self, name)))


@dataclass(frozen=True)
class LayerChange:
    """A layer in two runs; energies in pJ, of the operations that are priced in both.

    Attributes
    ----------
    layer : str or None
        Its name in the second run; None for what belongs to no layer, such as static power.
    in_a, in_b : bool
        Whether the first and the second run have it.
    spikes_a, spikes_b : int
        Its spikes in both.
    energy_a_pj, energy_b_pj, change_pj : float
        Its energy in both, and the second less the first.
    effects : Effects
        What the change is made of.
    """

    layer: str | None
    in_a: bool
    in_b: bool
    spikes_a: int
    spikes_b: int
    energy_a_pj: float
    energy_b_pj: float
    change_pj: float
    effects: Effects


@dataclass(frozen=True)
class OperationChange:
    """An operation of the hardware in two runs; energies in pJ.

    Attributes
    ----------
    operation, driver : str
        What the hardware does, and what it is charged on.
    count_a, count_b : float or None
        Units of the driver in both runs; None where the run's cost version has no such operation, or it cannot be
        counted.
    cost_a_pj, cost_b_pj : float or None
        Energy of one unit under both cost versions; None where a version has no such operation.
    energy_a_pj, energy_b_pj, change_pj : float or None
        Its energy in both, and the second less the first; None where it is left out of the comparison.
    left_out : str or None
        Why it is left out: it could not be priced in both runs.
    """

    operation: str
    driver: str
    count_a: float | None
    count_b: float | None
    cost_a_pj: float | None
    cost_b_pj: float | None
    energy_a_pj: float | None
    energy_b_pj: float | None
    change_pj: float | None
    left_out: str | None


@dataclass(frozen=True)
class NeuronChange:
    """A neuron in two runs: its spikes, its energy in pJ of what is charged on spikes, the change and its effects."""

    layer: str
    neuron: int
    spikes_a: int
    spikes_b: int
    energy_a_pj: float
    energy_b_pj: float
    change_pj: float
    effects: Effects


@dataclass(frozen=True)
class Disparity:
    """Something in which two runs differ beside their spikes.

    Attributes
    ----------
    what : str
        What differs: 'timesteps', 'samples', 'input', 'network', 'contract', 'cost version', 'operations priced', ...
    a, b : str
        What it is in the first and the second run, for people.
    matters : bool
        Whether the two energies are not comparable because of it.
    """

    what: str
    a: str
    b: str
    matters: bool


@dataclass(frozen=True)
class Parting:
    """The first place in time where two runs that should be identical part.

    Attributes
    ----------
    timestep : int or None
        The timestep within its sample, from 0; None where only the sums of a neuron over all of them are known to part.
    layer : str
        The layer.
    neuron, sample : int or None
        The neuron and the sample; None where a run does not keep its single events.
    spikes_a, spikes_b : int
        Spikes there in both runs.
    """

    timestep: int | None
    layer: str
    neuron: int | None
    sample: int | None
    spikes_a: int
    spikes_b: int


@dataclass(frozen=True)
class Fingerprint:
    """Whether two runs should be identical, and where they part.

    Attributes
    ----------
    is_equal : bool
        Whether network, input, timesteps, samples and seed are the same, so that the same weights would give the same
        spikes. The input is, if its sums by neuron and by timestep are, and its spikes do not part first.
    parting : Parting or None
        The first place where they part all the same; None if they are identical, or need not be.
    by_events : bool
        Whether single spikes were compared; False where a run does not keep them, and only sums could be.
    """

    is_equal: bool
    parting: Parting | None
    by_events: bool = True


def about_run(run: Run) -> dict[str, Any]:
    """Return what a comparison says of a run that takes part."""
    return {
        "run_id": run.run_id,
        "name": run.name,
        "spikes": run.n_spikes,
        "samples": run.n_samples,
        "timesteps": run.n_timesteps,
        "content_hash": run.content_hash,
        "ingested_at": run.ingested_at,
    }
