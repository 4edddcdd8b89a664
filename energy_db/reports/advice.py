"""Where to save most: optimisation targets, each with the joules that it would save in the recorded activity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
class _LayerFacts:
    """A layer's energy beside how evenly its neurons fire."""

    layer: str
    role: str
    energy_pj: float
    share: float
    spikes: int
    firing: Mapping[str, Any]

    def energy_of(self, spikes: float) -> float:
        return self.energy_pj * spikes / self.spikes if self.spikes else 0.0


def advise(
    layers: Sequence[Any],
    firing: Sequence[Mapping[str, Any]],
    costly_neurons: Sequence[tuple[str, int, int]],
    total_pj: float,
) -> tuple[Advice, ...]:
    """Return optimisation targets, the largest saving first.

    Parameters
    ----------
    layers : sequence of LayerEnergy
        The layers of a report.
    firing : sequence of mapping
        The rows of `firing_by_layer` of the same run, in the same order.
    costly_neurons : sequence of (str, int, int)
        Layer, neuron and spikes of each neuron that burns more than `DOMINANT_NEURON_SHARE` of the energy.
    total_pj : float
        Energy of the run.
    """
    found: list[Advice] = []
    for entry, fires in zip(layers, firing, strict=True):
        facts = _LayerFacts(entry.layer, entry.role, entry.energy_pj, entry.share, entry.spikes, fires)
        costly = {neuron: spikes for layer, neuron, spikes in costly_neurons if layer == entry.layer}
        found += _dominant_layer(facts, total_pj) + _busy_neurons(facts, costly, total_pj) + _silent_neurons(facts)
    return tuple(sorted(found, key=lambda advice: -advice.saving_pj))


def explain(layers: Sequence[Any], firing: Sequence[Mapping[str, Any]]) -> str:
    """Say in one sentence which layer burns the energy, and which of its neurons stands out.

    The numbers are shares of the run's energy, and spikes as a multiple of the mean over all neurons of the layer.
    """
    burning = [(entry, fires) for entry, fires in zip(layers, firing, strict=True) if entry.energy_pj > 0]
    if not burning:
        return "no layer burns energy: no operation that is priced took place"
    entry, fires = max(burning, key=lambda pair: pair[0].energy_pj)
    sentence = f"{entry.layer} accounts for {100 * entry.share:.1f} % of the energy"
    if fires["busiest_neuron"] is None or fires["n_neurons"] == 1:
        return sentence
    ratio = fires["busiest_spikes"] / fires["mean_spikes"]
    return f"{sentence}; its neuron {fires['busiest_neuron']} fires {ratio:.1f} times its layer's mean"


def _dominant_layer(facts: _LayerFacts, total_pj: float) -> list[Advice]:
    if facts.share < DOMINANT_LAYER_SHARE or not facts.spikes:
        return []
    layer, tenth_of_spikes = facts.layer, 0.1 * facts.spikes
    finding = f"{layer} accounts for {100 * facts.share:.1f} % of the energy"
    if facts.role == "input":
        spikes_saved = {f"encode {layer} more sparsely; each 10 % fewer spikes save this much": tenth_of_spikes}
    else:
        spikes_saved = {
            f"raise the threshold of {layer} or penalise its rate in training; "
            "each 10 % fewer spikes save this much": tenth_of_spikes,
            f"prune {layer}; its busiest tenth of neurons burn this much": facts.firing["busiest_tenth_spikes"],
            f"even out the firing of {layer} by homeostasis; "
            "its neurons burn this much above the layer's mean": facts.firing["excess_spikes"],
        }
    savings = {action: facts.energy_of(spikes) for action, spikes in spikes_saved.items() if spikes}
    return [Advice("layer", layer, None, finding, action, pj, pj / total_pj) for action, pj in savings.items()]


def _busy_neurons(facts: _LayerFacts, costly: Mapping[int, int], total_pj: float) -> list[Advice]:
    if not facts.spikes or facts.role == "input" or facts.firing["n_neurons"] == 1:
        return []
    mean = facts.firing["mean_spikes"]
    busy = {neuron: spikes for neuron, spikes in costly.items() if spikes > mean}
    if facts.firing["busiest_spikes"] >= OUTLIER_RATIO * mean:
        busy[facts.firing["busiest_neuron"]] = facts.firing["busiest_spikes"]
    return [_busy_neuron(facts, neuron, spikes, total_pj) for neuron, spikes in busy.items()]


def _busy_neuron(facts: _LayerFacts, neuron: int, spikes: int, total_pj: float) -> Advice:
    mean = facts.firing["mean_spikes"]
    share = facts.energy_of(spikes) / total_pj if total_pj else 0.0
    finding = (
        f"neuron {neuron} of {facts.layer} fires {spikes / mean:.1f} times its layer's mean "
        f"and burns {100 * share:.1f} % of the energy"
    )
    action = (
        f"look into neuron {neuron} of {facts.layer} (over-connected? low threshold?); "
        "it burns this much above its layer's mean"
    )
    saving = facts.energy_of(spikes - mean)
    return Advice("neuron", facts.layer, neuron, finding, action, saving, saving / total_pj if total_pj else 0.0)


def _silent_neurons(facts: _LayerFacts) -> list[Advice]:
    n_silent = facts.firing["n_silent_neurons"]
    if not n_silent or facts.role == "input":
        return []
    finding = f"{n_silent} of {facts.firing['n_neurons']} neurons of {facts.layer} did not fire"
    silent = "the neuron" if n_silent == 1 else f"the {n_silent} neurons"
    never_fire = "never fires" if n_silent == 1 else "never fire"
    action = f"remove {silent} of {facts.layer} that {never_fire}; it frees neurons and memory"
    return [Advice("silent_neurons", facts.layer, None, finding, action, 0.0, 0.0)]
