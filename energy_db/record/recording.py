"""A finished recording: what an adapter makes of a framework's own objects or files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from energy_db.errors import UsageError
from energy_db.intake.network import Layer
from energy_db.record import run_file
from energy_db.record.spikes import Spikes, Values, from_dense


@dataclass(frozen=True)
class Recording:
    """Spikes of every layer of one run, and what the framework knows of the network.

    Give it to `EnergyStore.ingest`, or write it as a run file.

    Attributes
    ----------
    layers : tuple of Layer
        The layers, in order, with their sizes: neurons that were recorded and stayed silent count.
    spikes : callable
        Makes an iterator over the recording's spikes, part by part; called once for each pass.
    n_timesteps, n_samples : int
        Timesteps of a sample; samples.
    timestep_us : float, optional
        Length of a timestep in microseconds, where the framework knows it.
    origin : str, optional
        The file that it was read from.
    notes : tuple of str
        What its reader should know.
    counters : optional
        What was counted beside spikes, as `EnergyStore.ingest` takes it.
    tags : mapping of str to (str or number), optional
        Anything else that the framework says.
    """

    layers: tuple[Layer, ...]
    spikes: Callable[[], Iterator[Spikes]]
    n_timesteps: int
    n_samples: int = 1
    timestep_us: float | None = None
    origin: str | None = None
    notes: tuple[str, ...] = ()
    counters: Any = None
    tags: Mapping[str, Any] | None = None

    @property
    def n_spikes(self) -> dict[str, int]:
        """Spikes of each layer."""
        counts = {layer.name: 0 for layer in self.layers}
        for part in self.spikes():
            counts[part.layer] += part.total
        return counts

    def declaration(self) -> dict[str, Any]:
        """Return what the recording declares, in the form of a sidecar."""
        said = {
            "n_timesteps": self.n_timesteps,
            "n_samples": self.n_samples,
            "timestep_us": self.timestep_us,
            "layers": [declared_layer(layer) for layer in self.layers],
            "tags": dict(self.tags) if self.tags else None,
        }
        return {key: value for key, value in said.items() if value is not None}

    def write(self, path: str | PathLike[str]) -> Path:
        """Write it as a run file, which carries the declaration in its metadata.

        Parameters
        ----------
        path : path-like
            The Parquet file; one that exists is refused.

        Raises
        ------
        UsageError
            If the file exists.
        """
        target = Path(path)
        if target.exists():
            raise UsageError(f"{target} exists already", "Remove it, or choose another name.")
        names = [layer.name for layer in self.layers]
        run_file.write(target, names, self.spikes(), json.dumps(self.declaration()))
        return target


def declared_layer(layer: Layer) -> dict[str, Any]:
    """Return a layer in the form of a sidecar; what nobody said is left out."""
    fan_out = list(layer.fan_out) if isinstance(layer.fan_out, tuple) else layer.fan_out
    said = {"name": layer.name, "role": layer.role, "n_inputs": layer.n_inputs, "n_neurons": layer.n_neurons}
    return {key: value for key, value in {**said, "fan_out": fan_out}.items() if value is not None}


def of_arrays(
    arrays: Mapping[str, Any],
    axes: str | Mapping[str, str],
    *,
    values: Values = "counts",
    timestep_us: float | None = None,
) -> Recording:
    """Return the recording of one dense array for each layer.

    Parameters
    ----------
    arrays : mapping of str to array-like
        Layers and their arrays, in the order of the network.
    axes : str or mapping of str to str
        What the axes mean, of all layers or of each: `T` time, `B` batch, `N` neurons, or `C`, `D`, `H`, `W`; beside
        `C`, `N` is the batch.
    values : {'counts', 'graded'}
        Whether an entry is a number of spikes, or the payload of a single one.
    timestep_us : float, optional
        Length of a timestep in microseconds.

    Raises
    ------
    UsageError
        If there is no layer, an array does not have these axes, or layers differ in timesteps or samples.
    """
    if not isinstance(arrays, Mapping) or not arrays:
        raise UsageError("the recording has no layers", "Give a mapping of layer names to arrays.")
    axes_of = dict.fromkeys(arrays, axes) if isinstance(axes, str) else axes
    found = {name: from_dense(name, array, axes_of[name], values=values) for name, array in arrays.items()}
    extents = {name: extent for name, (_, extent) in found.items()}
    for key, meaning in (("n_timesteps", "timesteps"), ("n_samples", "samples")):
        sizes = {name: getattr(extent, key) for name, extent in extents.items()}
        if len(set(sizes.values())) > 1:
            listed = ", ".join(f"{name} has {size}" for name, size in sizes.items())
            raise UsageError(f"all layers must have as many {meaning}, but {listed}", f"Axes are taken as {axes!r}.")
    first = next(iter(extents.values()))
    layers = tuple(Layer(name, n_neurons=extent.n_neurons) for name, extent in extents.items())
    parts = [spikes for spikes, _ in found.values()]
    return Recording(layers, lambda: iter(parts), first.n_timesteps, first.n_samples, timestep_us)


def of_parts(layers: Sequence[Layer], parts: Iterable[Spikes], n_timesteps: int, **known: Any) -> Recording:
    """Return the recording of spikes that are in memory.

    Parameters
    ----------
    layers : sequence of Layer
        The network, in order, with sizes.
    parts : iterable of Spikes
        The spikes.
    n_timesteps : int
        Timesteps of a sample.
    **known
        Further attributes of `Recording`.

    Raises
    ------
    UsageError
        If there is no layer, or a neuron is none of its layer.
    """
    if not layers:
        raise UsageError("the recording has no layers", "Give one at least.")
    sizes = {layer.name: layer.n_neurons for layer in layers}
    kept = list(parts)
    for part in kept:
        size = sizes[part.layer]
        if size is not None and len(part) and part.neuron.max() >= size:
            first = int((part.neuron >= size).argmax())
            raise UsageError(
                f"event {first} of layer {part.layer!r} is of neuron {part.neuron[first]}, but the layer has {size}",
                "Neurons are counted from 0.",
            )
    return Recording(tuple(layers), lambda: iter(kept), n_timesteps, **known)
