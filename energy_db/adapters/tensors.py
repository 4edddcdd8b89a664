"""Tensors of snnTorch, Norse, sinabs, Rockpool and lava-dl: one dense array for each layer, axes by framework."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from energy_db.errors import UsageError
from energy_db.record.arrays import as_array
from energy_db.record.recording import Recording, of_arrays
from energy_db.record.spikes import Values

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What lies behind time and batch, by how many axes an array has: neurons, or channels with rows and columns.
_NEURONS_OF = {1: "N", 2: "CW", 3: "CHW", 4: "CDHW"}
# lava-dl's own names of its axes, the batch first and time last, by how many there are.
_LAVA_DL_AXES = {3: "NCT", 5: "NCHWT"}


def from_snntorch(
    spikes: Mapping[str, Any], *, values: Values = "counts", timestep_us: float | None = None
) -> Recording:
    """Take what snnTorch layers returned, step by step or stacked.

    Parameters
    ----------
    spikes : mapping of str to (tensor or list of tensors)
        For each layer, in order: the tensors `[B, N]` or `[B, C, H, W]` of its timesteps as a list, or `torch.stack` of
        them, `[T, B, ...]`.
    values : {'counts', 'graded'}
        'graded' for layers whose spikes carry a payload, each of them one spike.
    timestep_us : float, optional
        Length of a timestep in microseconds, which snnTorch does not know.

    Raises
    ------
    UsageError
        If a layer has other axes, or layers differ in timesteps or samples.

    Examples
    --------
    >>> import numpy as np
    >>> from energy_db.adapters import from_snntorch
    >>> steps = [np.ones((8, 128)) for t in range(25)]
    >>> from_snntorch({"hidden": steps}).n_spikes
    {'hidden': 25600}
    """
    return _time_first({layer: _stacked(layer, given) for layer, given in _layers(spikes)}, values, timestep_us)


def from_norse(spikes: Mapping[str, Any], *, timestep_us: float | None = None) -> Recording:
    """Take what Norse modules returned.

    Parameters
    ----------
    spikes : mapping of str to (tensor or tuple or list)
        For each layer, in order: the output `z` of a module, `[T, B, ...]`, or the pair `(z, state)` as it returns it;
        of a cell, the list of its outputs, one for each timestep.
    timestep_us : float, optional
        Length of a timestep in microseconds; Norse's default `dt` of 0.001 s is 1000.

    Raises
    ------
    UsageError
        If a layer has other axes, or layers differ in timesteps or samples.

    Examples
    --------
    >>> import numpy as np
    >>> from energy_db.adapters import from_norse
    >>> z, state = np.ones((25, 8, 128)), None
    >>> from_norse({"hidden": (z, state)}).n_spikes
    {'hidden': 25600}
    """
    taken = {}
    for layer, given in _layers(spikes):
        outputs = [_without_state(step) for step in given] if isinstance(given, list) else _without_state(given)
        taken[layer] = _stacked(layer, outputs)
    return _time_first(taken, "counts", timestep_us)


def from_sinabs(
    spikes: Mapping[str, Any], *, squeezed_timesteps: int | None = None, timestep_us: float | None = None
) -> Recording:
    """Take what sinabs layers returned: numbers of spikes, batch first.

    Parameters
    ----------
    spikes : mapping of str to tensor
        For each layer, in order: `[B, T, ...]`, or what a squeezing layer returned, `[B T, ...]`.
    squeezed_timesteps : int, optional
        Timesteps of a sample in tensors whose batch and time are one axis; leave it out where they are two.
    timestep_us : float, optional
        Length of a timestep in microseconds.

    Raises
    ------
    UsageError
        If a layer has other axes or does not hold whole samples, or layers differ in timesteps or samples.

    Examples
    --------
    >>> import numpy as np
    >>> from energy_db.adapters import from_sinabs
    >>> squeezed = np.full((200, 2, 4, 4), 3.0)  # three spikes of each neuron in each timestep
    >>> from_sinabs({"conv": squeezed}, squeezed_timesteps=25).n_spikes
    {'conv': 19200}
    """
    arrays = {layer: as_array(given, f"the array of layer {layer!r}") for layer, given in _layers(spikes)}
    if squeezed_timesteps is not None:
        arrays = {layer: _unsqueezed(layer, array, squeezed_timesteps) for layer, array in arrays.items()}
    return _with_axes(arrays, "BT", "counts", timestep_us)


def from_rockpool(records: Mapping[str, Any], *, timestep_us: float | None = None) -> Recording:
    """Take the records of Rockpool modules.

    Parameters
    ----------
    records : mapping of str to (mapping or tensor)
        For each layer, in order: the record dictionary that `module(data, record=True)` returned last, or its entry
        `spikes`, `[B, T, N]`, which holds numbers of spikes.
    timestep_us : float, optional
        Length of a timestep in microseconds.

    Raises
    ------
    UsageError
        If a record has no spikes, a layer has other axes, or layers differ in timesteps or samples.

    Examples
    --------
    >>> import numpy as np
    >>> from energy_db.adapters import from_rockpool
    >>> from_rockpool({"hidden": {"spikes": np.ones((8, 25, 128))}}).n_spikes
    {'hidden': 25600}
    """
    arrays = {}
    for layer, given in _layers(records):
        if isinstance(given, Mapping) and "spikes" not in given:
            raise UsageError(f"the record of layer {layer!r} has no 'spikes'", f"It has {', '.join(map(str, given))}.")
        spikes = given["spikes"] if isinstance(given, Mapping) else given
        arrays[layer] = as_array(spikes, f"the array of layer {layer!r}")
    return _with_axes(arrays, "BT", "counts", timestep_us)


def from_lava_dl(
    spikes: Mapping[str, Any], *, values: Values = "graded", timestep_us: float | None = None
) -> Recording:
    """Take what lava-dl's SLAYER blocks returned: the batch first, time last.

    Parameters
    ----------
    spikes : mapping of str to tensor
        For each layer, in order: the output of its block, `NCT` or, of convolutions, `NCHWT`. Neurons are numbered by
        channel, then row, then column, as `Flatten` does.
    values : {'graded', 'counts'}
        Whether an entry is a payload of one spike, as the payloads of sigma-delta blocks and `1 / sampling_time` of
        event tensors, or a number of spikes.
    timestep_us : float, optional
        Length of a timestep in microseconds, which SLAYER does not know.

    Raises
    ------
    UsageError
        If a layer has other axes, or layers differ in timesteps or samples.

    Examples
    --------
    >>> import numpy as np
    >>> from energy_db.adapters import from_lava_dl
    >>> recording = from_lava_dl({"hidden": np.ones((8, 128, 25))})
    >>> recording.n_samples, recording.n_timesteps, recording.n_spikes
    (8, 25, {'hidden': 25600})
    """
    arrays = {layer: as_array(given, f"the array of layer {layer!r}") for layer, given in _layers(spikes)}
    for layer, array in arrays.items():
        if array.ndim not in _LAVA_DL_AXES:
            raise UsageError(
                f"the array of layer {layer!r} is of shape {array.shape}, must have the axes NCT or NCHWT",
                "The batch N comes first, then channels, rows and columns, and time T last.",
            )
    axes = {layer: _LAVA_DL_AXES[array.ndim] for layer, array in arrays.items()}
    return of_arrays(arrays, axes, values=values, timestep_us=timestep_us)


def _layers(spikes: Any) -> Sequence[tuple[str, Any]]:
    if not isinstance(spikes, Mapping) or not spikes:
        raise UsageError("the recording has no layers", "Give a mapping of layer names to what each layer returned.")
    return list(spikes.items())


def _without_state(output: Any) -> Any:
    return output[0] if isinstance(output, tuple) else output


def _stacked(layer: str, given: Any) -> NDArray[Any]:
    """Return timesteps that come as a list as one array, time first."""
    import numpy as np

    if not isinstance(given, list):
        return as_array(given, f"the array of layer {layer!r}")
    if not given:
        raise UsageError(f"layer {layer!r} has no timesteps", "Was its list filled in the loop?")
    steps = [as_array(step, f"timestep {t} of layer {layer!r}") for t, step in enumerate(given)]
    for t, step in enumerate(steps):
        if step.shape != steps[0].shape:
            raise UsageError(
                f"timestep {t} of layer {layer!r} is of shape {step.shape}, but timestep 0 of {steps[0].shape}",
                "Take each batch by itself, or use RunWriter.",
            )
    return np.stack(steps)


def _time_first(arrays: Mapping[str, NDArray[Any]], values: Values, timestep_us: float | None) -> Recording:
    return _with_axes(arrays, "TB", values, timestep_us)


def _with_axes(arrays: Mapping[str, NDArray[Any]], first: str, values: Values, timestep_us: float | None) -> Recording:
    """Return the recording of arrays whose neurons lie behind their first axes, time and batch."""
    axes = {layer: _axes_of(layer, array, first) for layer, array in arrays.items()}
    return of_arrays(arrays, axes, values=values, timestep_us=timestep_us)


def _axes_of(layer: str, array: NDArray[Any], first: str) -> str:
    n_neuron_axes = array.ndim - len(first)
    if n_neuron_axes not in _NEURONS_OF:
        wanted = [*first, "neurons"]
        raise UsageError(
            f"the array of layer {layer!r} is of shape {array.shape}, must have the axes {', '.join(wanted)}",
            "T is time, B the batch; neurons are N, or channels with rows and columns. RunWriter takes other orders.",
        )
    return first + _NEURONS_OF[n_neuron_axes]


def _unsqueezed(layer: str, array: NDArray[Any], n_timesteps: int) -> NDArray[Any]:
    if n_timesteps < 1 or array.ndim == 0 or array.shape[0] % n_timesteps:
        raise UsageError(
            f"the array of layer {layer!r} is of shape {array.shape}: its first axis is not a multiple of "
            f"{n_timesteps} timesteps",
            "squeezed_timesteps is the number of timesteps of each sample.",
        )
    return array.reshape(-1, n_timesteps, *array.shape[1:])
