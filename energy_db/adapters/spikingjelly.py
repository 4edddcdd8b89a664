"""SpikingJelly's OutputMonitor, in both step modes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from energy_db.adapters.tensors import from_snntorch
from energy_db.errors import UsageError
from energy_db.record.arrays import as_array
from energy_db.record.recording import Recording

if TYPE_CHECKING:
    from numpy.typing import NDArray


def from_spikingjelly(
    monitor: Any,
    *,
    step_mode: str,
    n_timesteps: int | None = None,
    layers: Sequence[str] | None = None,
    timestep_us: float | None = None,
) -> Recording:
    """Take what an `OutputMonitor` of SpikingJelly recorded; batches become samples one behind the other.

    Parameters
    ----------
    monitor : OutputMonitor
        Any object with its `records`, a list of tensors, and `name_records_index`, which says for each layer which of
        them are its own.
    step_mode : {'m', 's'}
        The step mode of the network: multi-step, one `[T, B, ...]` for each forward pass, or single-step, one
        `[B, ...]` for each timestep.
    n_timesteps : int, optional
        Timesteps of a sample; single-step records need it, since batches stand in the same list.
    layers : sequence of str, optional
        Which layers, in which order. Default: all, as the monitor has them.
    timestep_us : float, optional
        Length of a timestep in microseconds.

    Raises
    ------
    UsageError
        If there are no records, a layer is not monitored, or its records do not make whole samples.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> from energy_db.adapters import from_spikingjelly
    >>> records = [np.ones((4, 8, 3)), np.ones((4, 8, 2)), np.ones((4, 5, 3)), np.ones((4, 5, 2))]
    >>> monitor = SimpleNamespace(records=records, name_records_index={"sn1": [0, 2], "sn2": [1, 3]})
    >>> recording = from_spikingjelly(monitor, step_mode="m")
    >>> recording.n_samples, recording.n_spikes
    (13, {'sn1': 156, 'sn2': 104})
    """
    if step_mode not in ("m", "s"):
        raise UsageError(f"step_mode is {step_mode!r}, must be 'm' or 's'", "It is the step_mode of the network.")
    if step_mode == "s" and n_timesteps is None:
        raise UsageError("single-step records do not say where a sample ends", "Give n_timesteps.")
    index = monitor.name_records_index
    chosen = list(index) if layers is None else list(layers)
    taken = {}
    for layer in chosen:
        if layer not in index:
            raise UsageError(f"the layer {layer!r} is not monitored", f"Monitored are {', '.join(index)}.")
        if not index[layer]:
            raise UsageError(f"layer {layer!r} has no records", "Was the network run after the monitor was made?")
        records = [as_array(monitor.records[i], f"record {i} of layer {layer!r}") for i in index[layer]]
        taken[layer] = _batches_together(layer, records, step_mode, n_timesteps)
    return from_snntorch(taken, timestep_us=timestep_us)


def _batches_together(layer: str, records: list[NDArray[Any]], step_mode: str, n_timesteps: int | None) -> NDArray[Any]:
    """Return a layer's records as one array, time first, batch second."""
    import numpy as np

    if step_mode == "s" and n_timesteps is not None:
        if n_timesteps < 1 or len(records) % n_timesteps:
            raise UsageError(
                f"layer {layer!r} has {len(records)} records, which is not a multiple of {n_timesteps} timesteps",
                "n_timesteps is the number of forward passes for each sample.",
            )
        starts = range(0, len(records), n_timesteps)
        records = [_one_batch(layer, records[start : start + n_timesteps]) for start in starts]
    for record in records:
        if n_timesteps is not None and record.shape[:1] != (n_timesteps,):
            raise UsageError(
                f"a record of layer {layer!r} is of shape {record.shape}, must have {n_timesteps} timesteps"
            )
        if record.shape[:1] + record.shape[2:] != records[0].shape[:1] + records[0].shape[2:]:
            raise UsageError(f"records of layer {layer!r} are of shapes {records[0].shape} and {record.shape}")
    return np.concatenate(records, axis=1)


def _one_batch(layer: str, steps: list[NDArray[Any]]) -> NDArray[Any]:
    import numpy as np

    if len({step.shape for step in steps}) > 1:
        shapes = ", ".join(str(step.shape) for step in steps)
        raise UsageError(
            f"the timesteps of one sample of layer {layer!r} are of shapes {shapes}", "Is n_timesteps right?"
        )
    return np.stack(steps)
