"""Spike counts of a batch: of each neuron in each timestep, summed over the samples, where the array is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from energy_db.errors import UsageError
from energy_db.record.arrays import as_array, summable
from energy_db.record.axes import BATCH, TIME, read_axes
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

    @property
    def n_spikes(self) -> int:
        """All of them."""
        return int(self.counts.sum())


def count_batch(layer: str, spikes: Any, axes: str, values: Values, *, is_known: bool) -> BatchCounts:
    """Count the spikes of a dense array.

    Parameters
    ----------
    layer : str
        The layer.
    spikes : array-like
        Booleans, spike counts or graded spikes; a tensor is summed on its own device.
    axes : str
        What its axes mean (`read_axes`).
    values : {'counts', 'graded'}
        Whether an entry is a number of spikes, or the payload of a single one.
    is_known : bool
        Whether an earlier array of the layer was looked at entry by entry; of later ones the sums are.

    Raises
    ------
    UsageError
        If axes and array differ, or entries cannot be counts of spikes.
    """
    import numpy as np

    what = f"the array of layer {layer!r}"
    array = summable(spikes)
    if not hasattr(array, "sum") or not hasattr(array, "shape"):
        array = as_array(array, what)
    if not is_known:
        from_dense(layer, array, axes, values=values)
    meaning = read_axes(axes, len(array.shape), what)
    names = meaning.names
    if values == "graded":
        array = array != 0
    n_samples = 1
    if BATCH in names:
        n_samples = int(array.shape[names.index(BATCH)])
        array = array.sum(names.index(BATCH))
        names = names.replace(BATCH, "")
    sums = as_array(array, what)
    whole = np.rint(sums).astype(np.int64)
    if not (whole == sums).all() or (whole < 0).any():
        raise UsageError(
            f"{what} does not hold whole numbers of spikes from 0",
            "If it holds graded spikes, each of them one spike, say values='graded'.",
        )
    order = [names.index(name) for name in (TIME if TIME in names else "") + meaning.of_neurons]
    return BatchCounts(
        whole.transpose(order).reshape(sums.shape[names.index(TIME)] if TIME in names else 1, -1), n_samples
    )


class BatchSum:
    """Sums up what arrives of one layer during one step: whole batches, or timestep by timestep."""

    def __init__(self) -> None:
        self._counts: NDArray[np.int64] | None = None
        self._n_samples = 0

    def add(self, batch: BatchCounts, timestep: int | None) -> None:
        """Add spikes that begin at a timestep; None for those of whole samples, which are further samples.

        Raises
        ------
        ValueError
            If other sizes came before.
        """
        first = timestep or 0
        self._make_room(first + len(batch.counts), batch.counts.shape[1], is_whole=timestep is None)
        self._counts[first : first + len(batch.counts)] += batch.counts  # type: ignore[index]
        if first == 0:
            self._n_samples += batch.n_samples

    @property
    def total(self) -> BatchCounts:
        """All that arrived."""
        import numpy as np

        return BatchCounts(np.zeros((0, 0), np.int64) if self._counts is None else self._counts, self._n_samples)

    def _make_room(self, n_timesteps: int, n_neurons: int, is_whole: bool) -> None:
        import numpy as np

        if self._counts is None:
            self._counts = np.zeros((n_timesteps, n_neurons), np.int64)
        has_timesteps, has_neurons = self._counts.shape
        if n_neurons != has_neurons or (is_whole and n_timesteps != has_timesteps):
            raise ValueError(f"{(n_timesteps, n_neurons)} timesteps and neurons came after {self._counts.shape}")
        if n_timesteps > has_timesteps:
            self._counts = np.pad(self._counts, ((0, n_timesteps - has_timesteps), (0, 0)))
