"""How many synaptic events spikes cause, by the declared fan-out of their layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from energy_db.intake.network import Layer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from energy_db.record.counting import BatchCounts
    from energy_db.record.spikes import Spikes


class Synapses:
    """The outgoing synapses of a network's neurons.

    Parameters
    ----------
    layers : iterable of Layer
        The layers; of those that declare no fan-out nobody knows.
    """

    def __init__(self, layers: Iterable[Layer]) -> None:
        self._layers = {layer.name: layer for layer in layers}
        self._of_each: dict[str, NDArray[np.int64]] = {}

    def caused_by(self, spikes: Spikes) -> int | None:
        """Return how many synaptic events single spikes cause; None if nobody said the fan-out."""
        fan_out = self._layers[spikes.layer].fan_out
        if not isinstance(fan_out, tuple):
            return None if fan_out is None else spikes.total * fan_out
        of_each = self._array(spikes.layer, fan_out)[spikes.neuron]
        return int((of_each if spikes.n_spikes is None else of_each * spikes.n_spikes).sum())

    def caused_by_batch(self, layer: str, batch: BatchCounts) -> int | None:
        """Return how many synaptic events the spikes of a batch cause; None if nobody said the fan-out."""
        fan_out = self._layers[layer].fan_out
        if not isinstance(fan_out, tuple):
            return None if fan_out is None else batch.n_spikes * fan_out
        return int(batch.counts.sum(axis=0) @ self._array(layer, fan_out))

    def _array(self, layer: str, fan_out: tuple[int, ...]) -> NDArray[np.int64]:
        import numpy as np

        if layer not in self._of_each:
            self._of_each[layer] = np.array(fan_out, np.int64)
        return self._of_each[layer]
