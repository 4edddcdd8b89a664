"""Where to save most: optimisation targets, each with the joules that it would save in the recorded activity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from energy_db.reports.rows import LayerEnergy

DOMINANT_LAYER_SHARE = 0.40
DOMINANT_NEURON_SHARE = 0.10
OUTLIER_RATIO = 3.0


@dataclass(frozen=True)
class Advice:
    """One thing to change, and what it would save.

    Attributes
    ----------
    target : {'layer', 'neuron', 'silent_neurons'}
        What it is about.
    layer : str
        The layer.
    neuron : int or None
        The neuron, where it is about one.
    finding, action : str
        What was seen, and what to do.
    saving_pj : float
        Energy that it would save in this run, in pJ, if the rest of the activity stayed as recorded.
    saving_share : float
        The same as a share of the run's energy, from 0 to 1.
    """

    target: str
    layer: str
    neuron: int | None
    finding: str
    action: str
    saving_pj: float
    saving_share: float


@dataclass(frozen=True)
class LayerDemand:
    """A layer's energy beside how evenly its neurons fire.

    Attributes
    ----------
    entry : LayerEnergy
        What the layer costs.
    firing : mapping
        Its row of the view `firing_by_layer`.
    by_spikes_pj, by_steps_pj : float
        The parts of its energy, in pJ, that follow its spikes, and the timesteps of its neurons.
    """

    entry: LayerEnergy
    firing: Mapping[str, Any]
    by_spikes_pj: float
    by_steps_pj: float

    @property
    def layer(self) -> str:
        """Name of the layer."""
        return self.entry.layer

    @property
    def spikes(self) -> int:
        """Its spikes."""
        return self.entry.spikes

    @property
    def is_input(self) -> bool:
        """Whether its spikes enter from outside."""
        return self.entry.role == "input"

    def energy_of(self, spikes: float) -> float:
        """Return the energy that follows so many of its spikes, each taken as a mean one."""
        return self.by_spikes_pj * spikes / self.spikes if self.spikes else 0.0


def advise(
    layers: Sequence[LayerDemand], costly_neurons: Sequence[tuple[str, int, int]], total_pj: float
) -> tuple[Advice, ...]:
    """Return optimisation targets, the largest saving first.

    Parameters
    ----------
    layers : sequence of LayerDemand
        The layers of a report.
    costly_neurons : sequence of (str, int, int)
        Layer, neuron and spikes of each neuron that burns more than `DOMINANT_NEURON_SHARE` of the energy.
    total_pj : float
        Energy of the run.
    """
    found: list[Advice] = []
    for demand in layers:
        costly = {neuron: spikes for layer, neuron, spikes in costly_neurons if layer == demand.layer}
        found += _dominant_layer(demand, total_pj) + _busy_neurons(demand, costly, total_pj)
        found += _silent_neurons(demand, total_pj)
    return tuple(sorted(found, key=lambda advice: -advice.saving_pj))


def explain(layers: Sequence[LayerDemand], total_pj: float | None, unlayered_pj: float | None) -> str:
    """Say in one sentence which layer burns the energy, and which of its neurons stands out.

    The numbers are shares of the run's energy, and spikes as a multiple of the mean over all neurons of the layer.
    """
    if total_pj is None:
        return "nothing is known of the energy: no operation could be priced"
    burning = [demand for demand in layers if demand.entry.energy_pj]
    static = f"{100 * unlayered_pj / total_pj:.1f} % of the energy belongs to no layer" if unlayered_pj else ""
    if not burning:
        return static or "no layer burns energy: no operation that is priced took place"
    costliest = max(burning, key=lambda demand: demand.entry.energy_pj or 0.0)
    sentence = f"{costliest.layer} accounts for {100 * (costliest.entry.share or 0.0):.1f} % of the energy"
    if (unlayered_pj or 0.0) > (costliest.entry.energy_pj or 0.0):
        sentence = f"{static}; of the layers, {sentence}"
    fires = costliest.firing
    if fires["busiest_neuron"] is None or fires["n_neurons"] == 1:
        return sentence
    ratio = fires["busiest_spikes"] / fires["mean_spikes"]
    return f"{sentence}; its neuron {fires['busiest_neuron']} fires {ratio:.1f} times its layer's mean"


def _dominant_layer(demand: LayerDemand, total_pj: float) -> list[Advice]:
    share = demand.entry.share or 0.0
    if share < DOMINANT_LAYER_SHARE or not demand.by_spikes_pj:
        return []
    layer, tenth_of_spikes = demand.layer, 0.1 * demand.spikes
    finding = f"{layer} accounts for {100 * share:.1f} % of the energy"
    if demand.is_input:
        spikes_saved = {f"encode {layer} more sparsely; each 10 % fewer spikes save this much": tenth_of_spikes}
    else:
        spikes_saved = {
            f"raise the threshold of {layer} or penalise its rate in training; "
            "each 10 % fewer spikes save this much": tenth_of_spikes,
            f"prune {layer}; its busiest tenth of neurons burn this much": demand.firing["busiest_tenth_spikes"],
            f"even out the firing of {layer} by homeostasis; "
            "its neurons burn this much above the layer's mean": demand.firing["excess_spikes"],
        }
    savings = {action: demand.energy_of(spikes) for action, spikes in spikes_saved.items() if spikes}
    return [Advice("layer", layer, None, finding, action, pj, pj / total_pj) for action, pj in savings.items()]


def _busy_neurons(demand: LayerDemand, costly: Mapping[int, int], total_pj: float) -> list[Advice]:
    if not demand.spikes or demand.is_input or demand.firing["n_neurons"] == 1:
        return []
    mean = demand.firing["mean_spikes"]
    busy = {neuron: spikes for neuron, spikes in costly.items() if spikes > mean}
    if demand.firing["busiest_spikes"] >= OUTLIER_RATIO * mean:
        busy[demand.firing["busiest_neuron"]] = demand.firing["busiest_spikes"]
    return [_busy_neuron(demand, neuron, spikes, total_pj) for neuron, spikes in busy.items()]


def _busy_neuron(demand: LayerDemand, neuron: int, spikes: int, total_pj: float) -> Advice:
    mean = demand.firing["mean_spikes"]
    share = demand.energy_of(spikes) / total_pj if total_pj else 0.0
    finding = (
        f"neuron {neuron} of {demand.layer} fires {spikes / mean:.1f} times its layer's mean "
        f"and burns {100 * share:.1f} % of the energy"
    )
    action = (
        f"look into neuron {neuron} of {demand.layer} (over-connected? low threshold?); "
        "it burns this much above its layer's mean"
    )
    saving = demand.energy_of(spikes - mean)
    return Advice("neuron", demand.layer, neuron, finding, action, saving, saving / total_pj if total_pj else 0.0)


def _silent_neurons(demand: LayerDemand, total_pj: float) -> list[Advice]:
    n_silent, n_neurons = demand.firing["n_silent_neurons"], demand.firing["n_neurons"]
    if not n_silent or demand.is_input:
        return []
    finding = f"{n_silent} of {n_neurons} neurons of {demand.layer} did not fire"
    silent = "the neuron" if n_silent == 1 else f"the {n_silent} neurons"
    never_fire = "never fires" if n_silent == 1 else "never fire"
    saving = demand.by_steps_pj * n_silent / n_neurons
    whose = "its" if n_silent == 1 else "their"
    gain = f"it saves {whose} timesteps" if saving else "it frees neurons and memory"
    action = f"remove {silent} of {demand.layer} that {never_fire}; {gain}"
    share = saving / total_pj if total_pj else 0.0
    return [Advice("silent_neurons", demand.layer, None, finding, action, saving, share)]
