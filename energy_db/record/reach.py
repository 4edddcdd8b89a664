"""How far a recording has come, and whether what arrives fits what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from energy_db.errors import UsageError
from energy_db.intake.declaration import Declaration
from energy_db.record.spikes import Extent


class Reach:
    """Sizes of layers, timesteps and samples, as declared, or learned from the first dense array.

    Parameters
    ----------
    said : Declaration
        What is declared, with its layers.
    """

    def __init__(self, said: Declaration) -> None:
        self.layers = {layer.name: layer for layer in said.layers or ()}
        self._n_timesteps = said.n_timesteps
        self._n_samples = said.n_samples
        self._samples_of = dict.fromkeys(self.layers, 0)

    def next_sample(self, layer: str) -> int:
        """Return the sample behind those of a layer so far.

        Raises
        ------
        UsageError
            If there is no such layer.
        """
        if layer not in self.layers:
            raise UsageError(f"there is no layer {layer!r}", f"The layers are {', '.join(self.layers)}.")
        return self._samples_of[layer]

    def take(self, layer: str, extent: Extent, is_whole: bool, is_dense: bool) -> None:
        """Make room for spikes that reach so far.

        Parameters
        ----------
        layer : str
            Their layer.
        extent : Extent
            How far they reach in the run.
        is_whole : bool
            Whether they span whole samples, and so say how many timesteps a sample has.
        is_dense : bool
            Whether they span the whole layer, and so say how many neurons it has.

        Raises
        ------
        UsageError
            If there is no such layer, or they do not fit.
        """
        self.next_sample(layer)
        known = self.layers[layer]
        n_neurons = extent.n_neurons if known.n_neurons is None and is_dense else known.n_neurons
        if n_neurons is not None and (extent.n_neurons > n_neurons or (is_dense and extent.n_neurons < n_neurons)):
            raise UsageError(f"layer {layer!r} has {n_neurons} neurons, but {extent.n_neurons} came")
        n_timesteps = extent.n_timesteps if self._n_timesteps is None and is_whole else self._n_timesteps
        if n_timesteps is not None and (
            extent.n_timesteps > n_timesteps or (is_whole and extent.n_timesteps < n_timesteps)
        ):
            raise UsageError(f"a sample has {n_timesteps} timesteps, but {extent.n_timesteps} of layer {layer!r} came")
        if self._n_samples is not None and extent.n_samples > self._n_samples:
            raise UsageError(f"the run has {self._n_samples} samples, but {extent.n_samples} of layer {layer!r} came")
        self.layers[layer] = replace(known, n_neurons=n_neurons)
        self._n_timesteps = n_timesteps
        self._samples_of[layer] = max(self._samples_of[layer], extent.n_samples)

    def snapshot(self) -> dict[str, Any]:
        """Return how far the recording has come by now, as `completed` takes it."""
        n_samples = max(self._samples_of.values())
        return {
            "n_timesteps": self._n_timesteps,
            "n_samples": self._n_samples or n_samples or None,
            "n_neurons": {name: layer.n_neurons for name, layer in self.layers.items()},
        }


def completed(declaration: Mapping[str, Any], reached: Mapping[str, Any]) -> dict[str, Any]:
    """Return a declaration, in the form of a sidecar, completed by how far the recording had come."""
    sizes = reached["n_neurons"]
    layers = [{**layer, "n_neurons": sizes[layer["name"]]} for layer in declaration["layers"]]
    timing = {key: reached[key] for key in ("n_timesteps", "n_samples") if reached[key] is not None}
    return {**declaration, **timing, "layers": layers}
