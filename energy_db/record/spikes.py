"""Spikes of a layer as events: which neuron, when, in which sample; made from dense arrays or from lists of events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from energy_db.errors import UsageError
from energy_db.intake.reading import LARGEST_INDEX
from energy_db.record.arrays import as_array, as_index
from energy_db.record.axes import BATCH, TIME, Axes, read_axes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Values = Literal["counts", "graded"]
_MOST_OF_32_BITS = 2**32


@dataclass(frozen=True)
class Spikes:
    """Spikes of one layer, one entry for each event.

    Attributes
    ----------
    layer : str
        The layer.
    neuron, timestep, sample : numpy.ndarray of int32
        Where and when; all of one length.
    n_spikes : numpy.ndarray of int32, optional
        Spikes of each event; by default one.
    """

    layer: str
    neuron: NDArray[np.int32]
    timestep: NDArray[np.int32]
    sample: NDArray[np.int32]
    n_spikes: NDArray[np.int32] | None = None

    def __len__(self) -> int:
        return len(self.neuron)

    @property
    def total(self) -> int:
        """How many spikes they are."""
        return len(self) if self.n_spikes is None else int(self.n_spikes.sum(dtype="int64"))


@dataclass(frozen=True)
class Extent:
    """How far a dense array reaches, silent parts included.

    Attributes
    ----------
    n_timesteps, n_samples, n_neurons : int
        Its sizes; 1 for an axis that it does not have.
    """

    n_timesteps: int
    n_samples: int
    n_neurons: int


def extent_of(shape: tuple[int, ...], axes: Axes) -> Extent:
    """Return how far an array of a shape reaches."""
    size = dict(zip(axes.names, shape, strict=True))
    n_neurons = 1
    for name in axes.of_neurons:
        n_neurons *= size[name]
    return Extent(size.get(TIME, 1), size.get(BATCH, 1), n_neurons)


def from_dense(
    layer: str, array: Any, axes: str = "TBN", *, values: Values = "counts", timestep: int = 0, sample: int = 0
) -> tuple[Spikes, Extent]:
    """Return the spikes of a dense array, and how far it reaches.

    Parameters
    ----------
    layer : str
        The layer.
    array : array-like
        Booleans, spike counts, or graded spikes; of any framework.
    axes : str
        What its axes mean (`read_axes`).
    values : {'counts', 'graded'}
        Whether an entry is a number of spikes, or the payload of a single one.
    timestep, sample : int
        Where its first timestep and sample stand in the run.

    Raises
    ------
    UsageError
        If axes and array differ, or an entry cannot be a count of spikes.
    """
    import numpy as np

    what = f"the array of layer {layer!r}"
    dense = as_array(array, what)
    meaning = read_axes(axes, dense.ndim, what)
    extent = extent_of(dense.shape, meaning)
    flat = np.ascontiguousarray(dense).reshape(-1)
    where = np.flatnonzero(flat if flat.dtype.kind == "b" else flat != 0)
    counts = _counts(flat[where], values, what) if flat.dtype.kind != "b" else None
    if flat.size < _MOST_OF_32_BITS:
        where = where.astype(np.uint32)  # divides twice as fast
    at = _coordinates(where, dense.shape, meaning)
    zeros = np.zeros(len(where), np.int32)
    spikes = Spikes(layer, at["neuron"], at.get(TIME, zeros) + timestep, at.get(BATCH, zeros) + sample, counts)
    return spikes, extent


def from_events(layer: str, neuron: Any, timestep: Any, sample: Any = None, n_spikes: Any = None) -> Spikes:
    """Return spikes from lists of events.

    Parameters
    ----------
    layer : str
        The layer.
    neuron, timestep : array-like of int, shape (events,)
        Which neuron fired, when.
    sample : array-like of int or int, optional
        In which sample; one number holds for all events. Default: 0.
    n_spikes : array-like of int, optional
        Spikes of each event. Default: 1.

    Raises
    ------
    UsageError
        If the lists differ in length, or hold what is no index or count.
    """
    import numpy as np

    columns = {
        "neuron": as_index(neuron, f"neuron of layer {layer!r}", LARGEST_INDEX),
        "timestep": as_index(timestep, f"timestep of layer {layer!r}", LARGEST_INDEX),
    }
    n_events = len(columns["neuron"])
    if sample is None or hasattr(sample, "__index__"):
        columns["sample"] = np.full(n_events, 0 if sample is None else sample, np.int32)
    else:
        columns["sample"] = as_index(sample, f"sample of layer {layer!r}", LARGEST_INDEX)
    if n_spikes is not None:
        columns["n_spikes"] = as_index(n_spikes, f"n_spikes of layer {layer!r}", LARGEST_INDEX)
        if columns["n_spikes"].size and columns["n_spikes"].min() < 1:
            raise UsageError(f"n_spikes of layer {layer!r} must be 1 or more")
    for name, column in columns.items():
        if len(column) != n_events:
            raise UsageError(f"layer {layer!r} has {n_events} entries of neuron, but {len(column)} of {name}")
    return Spikes(layer, **columns)


def _counts(entries: NDArray[Any], values: Values, what: str) -> NDArray[np.int32] | None:
    """Return how many spikes each entry that is not zero stands for; None if each is one."""
    import numpy as np

    if values == "graded":
        if entries.dtype.kind == "f" and not np.isfinite(entries).all():
            raise UsageError(f"{what} holds {entries[~np.isfinite(entries)][0]}, which is no payload of a spike")
        return None
    counts = entries.astype(np.int32) if entries.dtype.kind != "f" or np.isfinite(entries).all() else None
    if counts is None or not (counts == entries).all() or (counts < 1).any():
        wrong = entries if counts is None else entries[(counts != entries) | (counts < 1)]
        shown = wrong[~np.isfinite(wrong)][0] if counts is None else wrong[0]
        raise UsageError(
            f"{what} holds {shown}, must hold whole numbers of spikes from 0",
            "If it holds graded spikes, each of them one spike, say values='graded'.",
        )
    return None if (counts == 1).all() else counts


def _coordinates(where: NDArray[Any], shape: tuple[int, ...], axes: Axes) -> dict[str, NDArray[np.int32]]:
    """Return the timestep, the sample and the neuron of flat positions."""
    import numpy as np

    at: dict[str, NDArray[Any]] = {}
    for name, size in reversed(list(zip(axes.names, shape, strict=True))):
        where, at[name] = np.divmod(where, where.dtype.type(max(size, 1)))
    size_of = dict(zip(axes.names, shape, strict=True))
    neuron = at[axes.of_neurons[0]].astype(np.int64 if len(axes.of_neurons) > 1 else np.int32)
    for name in axes.of_neurons[1:]:
        neuron = neuron * size_of[name] + at[name]
    kept = {name: at[name].astype(np.int32) for name in (TIME, BATCH) if name in at}
    return {**kept, "neuron": neuron.astype(np.int32)}
