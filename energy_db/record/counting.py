"""Spike counts of a batch: of each neuron in each timestep, summed over the samples, where the array is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from energy_db.errors import UsageError
from energy_db.record.arrays import as_array, summable
from energy_db.record.axes import BATCH, TIME, Axes, read_axes
from energy_db.record.spikes import Values, from_dense

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class BatchCounts:
    """What a layer spiked in a batch.

    Attributes
    ----------
    counts : numpy.ndarray of int64, shape (timesteps, neurons)
        Spikes over all samples of the batch.
    n_samples : int
        Samples of the batch.
    """

    counts: NDArray[np.int64]
    n_samples: int

    @cached_property
    def n_spikes(self) -> int:
        """All of them."""
        return int(self.counts.sum())


@dataclass(frozen=True)
class _Part:
    """An array that was summed over its samples, still where it was.

    Attributes
    ----------
    sums : array-like
        Spikes of each neuron in each timestep.
    axes : Axes
        What its axes mean.
    n_samples : int
        Samples that were summed up.
    timestep : int or None
        Where its first timestep stands.
    payload : number or array of one number
        The sum of graded spikes: it is finite only if all of them are. 0 for counts.
    """

    sums: Any
    axes: Axes
    n_samples: int
    timestep: int | None
    payload: Any


class BatchSum:
    """Sums up what arrives of one layer during one step: whole batches, or timestep by timestep.

    What arrives is summed over its samples at once, on its own device, and brought together only when it is asked for.

    Parameters
    ----------
    layer : str
        The layer.
    """

    def __init__(self, layer: str) -> None:
        self._what = f"the array of layer {layer!r}"
        self._layer = layer
        self._parts: list[_Part] = []

    def add(self, spikes: Any, axes: str, values: Values, timestep: int | None, *, is_known: bool) -> None:
        """Add an array.

        Parameters
        ----------
        spikes : array-like
            Booleans, spike counts or graded spikes.
        axes : str
            What its axes mean (`read_axes`).
        values : {'counts', 'graded'}
            Whether an entry is a number of spikes, or the payload of a single one.
        timestep : int or None
            Where its first timestep stands; None for whole samples, which are further ones.
        is_known : bool
            Whether an earlier array of the layer was looked at entry by entry; of later ones the sums are.

        Raises
        ------
        UsageError
            If axes and array differ, or entries cannot be counts of spikes.
        """
        array = summable(spikes)
        if not hasattr(array, "sum") or not hasattr(array, "shape"):
            array = as_array(array, self._what)
        if not is_known:
            from_dense(self._layer, array, axes, values=values)
        meaning = read_axes(axes, len(array.shape), self._what)
        payload = array.sum() if values == "graded" else 0
        if values == "graded":
            array = array != 0
        if BATCH not in meaning.names:
            self._parts.append(_Part(array, meaning, 1, timestep, payload))
            return
        place = meaning.names.index(BATCH)
        self._parts.append(_Part(array.sum(place), meaning.without_batch, int(array.shape[place]), timestep, payload))

    def total(self) -> BatchCounts:
        """Return all that arrived.

        Raises
        ------
        UsageError
            If arrays differ in neurons or timesteps, or do not hold whole numbers of spikes, or payloads that are none.
        """
        import numpy as np

        if not all(np.isfinite(float(part.payload)) for part in self._parts):
            raise UsageError(f"{self._what} holds nan or inf, which is no payload of a spike")
        arrays = [_by_time_and_neuron(as_array(part.sums, self._what), part.axes) for part in self._parts]
        firsts = [part.timestep or 0 for part in self._parts]
        sums = arrays[0] if len(arrays) == 1 and firsts[0] == 0 else self._together(arrays, firsts)
        counts = sums.astype(np.int64)
        if not (counts == sums).all() or counts.min(initial=0) < 0:
            raise UsageError(
                f"{self._what} does not hold whole numbers of spikes from 0",
                "If it holds graded spikes, each of them one spike, say values='graded'.",
            )
        n_samples = sum(part.n_samples for part, first in zip(self._parts, firsts, strict=True) if first == 0)
        return BatchCounts(counts, n_samples)

    def _together(self, arrays: list[NDArray[Any]], firsts: list[int]) -> NDArray[Any]:
        """Return arrays that begin at different timesteps as one."""
        import numpy as np

        n_timesteps = max(first + len(array) for first, array in zip(firsts, arrays, strict=True))
        self._refuse_unequal(arrays, n_timesteps)
        sums = np.zeros((n_timesteps, arrays[0].shape[1]))
        for first, array in zip(firsts, arrays, strict=True):
            sums[first : first + len(array)] += array
        return sums

    def _refuse_unequal(self, arrays: list[NDArray[Any]], n_timesteps: int) -> None:
        hint = "Is step() called behind every batch?"
        sizes = {array.shape[1] for array in arrays}
        if len(sizes) > 1:
            raise UsageError(
                f"layer {self._layer!r} has {min(sizes)} neurons in one array and {max(sizes)} in another", hint
            )
        for part, array in zip(self._parts, arrays, strict=True):
            if part.timestep is None and len(array) < n_timesteps:
                raise UsageError(
                    f"layer {self._layer!r} has {len(array)} timesteps in one array and {n_timesteps} in another", hint
                )


def _by_time_and_neuron(array: NDArray[Any], axes: Axes) -> NDArray[Any]:
    """Return an array with the axes time and neuron, whatever axes it had."""
    order = [axes.names.index(name) for name in (TIME if TIME in axes.names else "") + axes.of_neurons]
    n_timesteps = array.shape[order[0]] if TIME in axes.names else 1
    return array.transpose(order).reshape(n_timesteps, -1)
