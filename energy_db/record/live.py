"""Energy while a network runs or learns: spikes of a batch in, running energy of each layer out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from energy_db.errors import UsageError
from energy_db.record.counting import BatchCounts, BatchSum
from energy_db.record.numbers import amount, refuse_unequal, whole
from energy_db.record.spikes import Values
from energy_db.record.step_energy import StepEnergy
from energy_db.record.synapses import Synapses

if TYPE_CHECKING:
    from pathlib import Path

    from energy_db.record.training import TrainingLog
    from energy_db.reports.unit_prices import LayerPrice, UnitPrices
    from energy_db.runs import Run


@dataclass(frozen=True)
class _Arrived:
    """What came of a layer in one step."""

    n_spikes: float
    n_synaptic_events: float
    n_neurons: int | None


class LiveEnergy:
    """The running energy of a network on a chip; made by `EnergyStore.live`.

    Parameters
    ----------
    prices : UnitPrices
        What spikes and neurons of each layer cost.
    n_timesteps : int, optional
        Timesteps of a sample, for counts and rates; arrays tell theirs.
    on_scalar : callable, optional
        Called behind each step with a name and a value, for each scalar.
    log : TrainingLog, optional
        Where the steps are kept.

    Attributes
    ----------
    n_steps, n_samples : int
        Steps and samples so far.
    n_spikes : dict of str to float
        Spikes of each layer so far.
    energy_pj : dict of str to float
        Energy of each layer so far, in pJ.
    unlayered_energy_pj : float
        Energy so far that no layer causes, in pJ.
    """

    def __init__(
        self,
        prices: UnitPrices,
        *,
        n_timesteps: int | None = None,
        on_scalar: Callable[[str, float], object] | None = None,
        log: TrainingLog | None = None,
    ) -> None:
        self._prices = prices
        self._of_layer = {price.layer.name: price for price in prices.layers}
        self._synapses = Synapses(price.layer for price in prices.layers)
        self._n_timesteps = None if n_timesteps is None else whole(n_timesteps, "n_timesteps", 1)
        self._on_scalar = on_scalar
        self._log = log
        self._arriving: dict[str, BatchSum] = {}
        self._checks: list[Callable[[], None]] = []
        self._is_open = True
        self._looked_at: set[str] = set()
        self.n_steps = 0
        self.n_samples = 0
        self.n_spikes: dict[str, float] = dict.fromkeys(self._of_layer, 0)
        self.energy_pj: dict[str, float] = dict.fromkeys(self._of_layer, 0.0)
        self.unlayered_energy_pj = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Close it; after an error of the block a training's journal stays, for `recover`."""
        if kind is None and self._is_open:
            self.close()
        elif kind is not None and self._log is not None:
            self._log.abort()

    @property
    def chip(self) -> str:
        """The chip."""
        return self._prices.chip

    @property
    def cost_version(self) -> str:
        """The cost set."""
        return self._prices.cost_version

    @property
    def unpriced(self) -> tuple[str, ...]:
        """Operations that cannot be priced from spikes, each with the reason; they are in no energy."""
        return self._prices.unpriced

    @property
    def total_energy_pj(self) -> float:
        """Energy so far, in pJ."""
        return sum(self.energy_pj.values()) + self.unlayered_energy_pj

    def add(
        self, layer: str, spikes: Any, axes: str = "TBN", *, values: Values = "counts", timestep: int | None = None
    ) -> None:
        """Add spikes of a layer to the step that is under way.

        Parameters
        ----------
        layer : str
            The layer.
        spikes : array-like
            Booleans, spike counts or graded spikes, of any framework; a tensor is summed on its own device.
        axes : str
            What its axes mean: `T` time, `B` batch, `N` neurons, or channels `C` with `D`, `H`, `W`.
        values : {'counts', 'graded'}
            Whether an entry is a number of spikes, or the payload of a single one.
        timestep : int, optional
            The timestep of an array without `T`.

        Raises
        ------
        UsageError
            If the array does not fit layer or axes, or holds what cannot be meant.
        """
        self._refuse_closed()
        self._price(layer)
        if "T" not in axes and timestep is None:
            raise UsageError(f"axes are {axes!r}: without T, say which timestep", "timestep=0")
        timestep = None if timestep is None else whole(timestep, "timestep", 0)
        arriving = self._arriving.get(layer) or BatchSum(layer)
        arriving.add(spikes, axes, values, timestep, is_known=layer in self._looked_at)
        self._arriving[layer] = arriving
        self._looked_at.add(layer)

    def before_step(self, check: Callable[[], None]) -> None:
        """Call a function before each step ends; what it raises refuses the step, and forgets what came of it."""
        self._checks.append(check)

    def step(
        self,
        spikes: Mapping[str, Any] | None = None,
        *,
        counts: Mapping[str, int] | None = None,
        rates: Mapping[str, float] | None = None,
        axes: str = "TBN",
        values: Values = "counts",
        n_samples: int | None = None,
        epoch: int | None = None,
    ) -> StepEnergy:
        """End a step, and return what it cost.

        Give the spikes of every layer in one of three forms, or have added them before (`add`, `record.watch`).

        Parameters
        ----------
        spikes : mapping of str to array-like, optional
            An array for each layer, as `add` takes it.
        counts : mapping of str to int, optional
            Spikes of each layer in the whole batch; needs n_samples.
        rates : mapping of str to float, optional
            Mean spikes of a neuron in a timestep, for each layer; needs n_samples, and `n_timesteps` of `live`.
        axes, values : str
            As in `add`.
        n_samples : int, optional
            Samples of the batch.
        epoch : int, optional
            The epoch that the step belongs to.

        Raises
        ------
        UsageError
            If a layer is missing, layers differ in samples or timesteps, or a number cannot be meant.
        """
        self._refuse_closed()
        epoch = None if epoch is None else whole(epoch, "epoch", 0)
        try:
            for check in self._checks:
                check()
        except UsageError:
            self._arriving = {}
            raise
        forms = [form for form in (spikes, counts, rates, self._arriving or None) if form is not None]
        if len(forms) != 1:
            raise UsageError("give one of spikes, counts and rates, or add spikes before the step ends")
        try:
            for layer, array in (spikes or {}).items():
                self.add(layer, array, axes, values=values)
        except UsageError:
            self._arriving = {}
            raise
        if counts is not None or rates is not None:
            numbers = counts if counts is not None else rates or {}
            step = self._step_of_numbers(numbers, rates is not None, n_samples, epoch)
        else:
            step = self._step_of_arrays(n_samples, epoch)
        self._count(step)
        return step

    def close(self) -> Run | Path | None:
        """End it; returns the run of a training that is logged, else None.

        Raises
        ------
        EnergyDbError
            If the run cannot be stored; its journal stays then.
        """
        self._refuse_closed()
        if self._arriving:
            self._refuse_rest()
        self._is_open = False
        return None if self._log is None else self._log.close()

    def _refuse_closed(self) -> None:
        if not self._is_open:
            raise UsageError("this training is closed", "Make a new one: store.live(...).")

    def _refuse_rest(self) -> None:
        kept = "Call step() behind every batch; what is validated belongs into paused()."
        if self._log is not None:
            self._log.abort()
            kept += f" Keep the steps so far with: energy-db ingest {self._log.folder}"
        raise UsageError("spikes were added behind the last step, and belong to none", kept)

    def _step_of_arrays(self, n_samples: int | None, epoch: int | None) -> StepEnergy:
        arriving, self._arriving = self._arriving, {}
        self._refuse_missing(arriving)
        batches = {layer: arriving[layer].total() for layer in self._of_layer}
        self._refuse_other_sizes(batches)
        refuse_unequal("samples", {layer: batch.n_samples for layer, batch in batches.items()})
        refuse_unequal("timesteps", {layer: len(batch.counts) for layer, batch in batches.items()})
        first = next(iter(batches.values()))
        if not first.n_samples:
            raise UsageError("the batch has no samples")
        if n_samples is not None and n_samples != first.n_samples:
            raise UsageError(f"n_samples is {n_samples}, but arrays of {first.n_samples} samples came")
        n_synaptic_events = {layer: self._synapses.caused_by_batch(layer, batch) for layer, batch in batches.items()}
        arrived = {
            layer: _Arrived(batch.n_spikes, n_synaptic_events[layer] or 0, batch.counts.shape[1])
            for layer, batch in batches.items()
        }
        step = self._cost(arrived, first.n_samples, len(first.counts), epoch)
        if self._log is not None:
            known = {layer: number for layer, number in n_synaptic_events.items() if number is not None}
            self._log.add(batches, step, known)
        return step

    def _step_of_numbers(
        self, numbers: Mapping[str, float], are_rates: bool, n_samples: int | None, epoch: int | None
    ) -> StepEnergy:
        if self._log is not None:
            raise UsageError("a training that is kept needs to know which neurons fired", "Give spikes, not numbers.")
        if n_samples is None:
            raise UsageError("counts and rates need n_samples, the samples of the batch")
        n_samples = whole(n_samples, "n_samples", 1)
        self._refuse_missing(numbers)
        arrived = {}
        for name, number in numbers.items():
            layer = self._price(name).layer
            n_spikes = amount(number, f"what came of layer {name!r}")
            if not are_rates and n_spikes != int(n_spikes):
                raise UsageError(f"layer {name!r} has {n_spikes} spikes, must be a whole number from 0")
            if are_rates:
                n_spikes *= _known_size(name, layer.n_neurons) * self._sample_steps(n_samples, self._n_timesteps)
            arrived[name] = _Arrived(n_spikes, self._even_synaptic_events(name, n_spikes), layer.n_neurons)
        return self._cost(arrived, n_samples, self._n_timesteps, epoch)

    def _cost(
        self, arrived: Mapping[str, _Arrived], n_samples: int, n_timesteps: int | None, epoch: int | None
    ) -> StepEnergy:
        energies, n_spikes, rates = {}, {}, {}
        for name, price in self._of_layer.items():
            each = arrived[name]
            n_neuron_steps = 0
            if price.neuron_step_pj:
                n_neuron_steps = _known_size(name, each.n_neurons) * self._sample_steps(n_samples, n_timesteps)
            energies[name] = price.energy_pj(each.n_spikes, each.n_synaptic_events, n_neuron_steps)
            n_spikes[name] = each.n_spikes
            if each.n_neurons and n_timesteps:
                rates[name] = each.n_spikes / (each.n_neurons * n_timesteps * n_samples)
        unlayered = self._prices.step_pj * self._sample_steps(n_samples, n_timesteps) if self._prices.step_pj else 0.0
        return StepEnergy(self.n_steps, epoch, n_samples, n_timesteps, n_spikes, rates, energies, unlayered)

    def _count(self, step: StepEnergy) -> None:
        self.n_steps += 1
        self.n_samples += step.n_samples
        self.unlayered_energy_pj += step.unlayered_energy_pj
        for name in self._of_layer:
            self.energy_pj[name] += step.energy_pj[name]
            self.n_spikes[name] += step.n_spikes[name]
        if self._on_scalar is not None:
            for scalar, value in step.scalars().items():
                self._on_scalar(scalar, value)

    def _even_synaptic_events(self, name: str, n_spikes: float) -> float:
        """Return the synaptic events of so many spikes, of which nobody knows the neurons."""
        price = self._of_layer[name]
        fan_out = price.layer.fan_out
        if not isinstance(fan_out, tuple):
            return n_spikes * (fan_out or 0)
        if price.synaptic_event_pj:
            raise UsageError(f"the neurons of layer {name!r} differ in their fan-out", "Give its spikes, not a number.")
        return 0

    def _sample_steps(self, n_samples: int, n_timesteps: int | None) -> int:
        if n_timesteps is None:
            raise UsageError("nobody says how many timesteps a sample has", "Give n_timesteps to live().")
        return n_samples * n_timesteps

    def _price(self, layer: str) -> LayerPrice:
        if layer not in self._of_layer:
            raise UsageError(f"there is no layer {layer!r}", f"The layers are {', '.join(self._of_layer)}.")
        return self._of_layer[layer]

    def _refuse_other_sizes(self, batches: Mapping[str, BatchCounts]) -> None:
        for name, batch in batches.items():
            known = self._of_layer[name].layer.n_neurons
            if known is not None and known != batch.counts.shape[1]:
                raise UsageError(f"layer {name!r} has {known} neurons, but {batch.counts.shape[1]} came")

    def _refuse_missing(self, arrived: Mapping[str, Any]) -> None:
        if missing := [name for name in self._of_layer if name not in arrived]:
            raise UsageError(f"nothing came of {', '.join(missing)}", "Every step needs all layers.")


def _known_size(layer: str, n_neurons: int | None) -> int:
    if n_neurons is None:
        raise UsageError(f"nobody says how many neurons layer {layer!r} has", "Declare n_neurons.")
    return n_neurons
