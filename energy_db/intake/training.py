"""What a training did step by step: declared beside the sum of its spikes, and held against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from energy_db.intake.reading import LARGEST_INDEX, Reader

_KEYS = ("epoch", "n_samples", "n_spikes")


@dataclass(frozen=True)
class Training:
    """The steps of a training, in order.

    Attributes
    ----------
    epochs : tuple of int or None
        Epoch of each step, as the training counted.
    n_samples : tuple of int
        Samples that were presented in each step.
    n_spikes : dict of str to tuple of int
        Spikes of each layer in each step.
    """

    epochs: tuple[int | None, ...]
    n_samples: tuple[int, ...]
    n_spikes: dict[str, tuple[int, ...]]

    def disagreement(self, n_samples: int | None, n_spikes: Mapping[str, int]) -> str | None:
        """Say in what the steps do not add up to the run; None if they do.

        Parameters
        ----------
        n_samples : int or None
            Samples of the run.
        n_spikes : mapping of str to int
            Spikes of each of its layers.
        """
        if set(self.n_spikes) != set(n_spikes):
            return f"training counts the layers {', '.join(self.n_spikes)}, but the run has {', '.join(n_spikes)}"
        if sum(self.n_samples) != n_samples:
            return f"the training steps have {sum(self.n_samples)} samples, but the run has {n_samples}"
        for layer, counts in self.n_spikes.items():
            if sum(counts) != n_spikes[layer]:
                return f"layer {layer!r} has {sum(counts)} spikes in the training steps, but {n_spikes[layer]} in all"
        return None


def read_training(reader: Reader, content: object) -> Training | None:
    """Read the steps of a training from a declaration.

    Raises
    ------
    RunFileError
        If they are not lists of whole numbers, one entry for each step.
    """
    if content is None:
        return None
    mapping = reader.mapping(content, "training", _KEYS)
    n_samples = _counts(reader, mapping.get("n_samples"), "training: n_samples", least=1)
    n_steps = len(n_samples)
    said = mapping.get("epoch")
    epochs = [None] * n_steps if said is None else _entries(reader, said, "training: epoch")
    epochs = [entry if entry is None else reader.whole(entry, "training: epoch", 0, LARGEST_INDEX) for entry in epochs]
    of_layers = mapping.get("n_spikes")
    if not isinstance(of_layers, Mapping) or not of_layers:
        raise reader.error("training: n_spikes must be an object with a list for each layer")
    n_spikes = {
        str(name): _counts(reader, counts, f"training: n_spikes of {name}") for name, counts in of_layers.items()
    }
    for what, entries in {
        "epoch": epochs,
        **{f"n_spikes of {name}": counts for name, counts in n_spikes.items()},
    }.items():
        if len(entries) != n_steps:
            raise reader.error(f"training: {what} has {len(entries)} entries for {n_steps} steps")
    return Training(tuple(epochs), n_samples, n_spikes)


def joined(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the steps of a training that were declared part by part, each in the form of a sidecar."""
    layers = parts[0]["n_spikes"]
    return {
        "epoch": [epoch for part in parts for epoch in part["epoch"]],
        "n_samples": [n_samples for part in parts for n_samples in part["n_samples"]],
        "n_spikes": {layer: [count for part in parts for count in part["n_spikes"][layer]] for layer in layers},
    }


def _counts(reader: Reader, content: object, what: str, least: int = 0) -> tuple[int, ...]:
    return tuple(reader.whole(entry, what, least) for entry in _entries(reader, content, what))


def _entries(reader: Reader, content: object, what: str) -> Sequence[Any]:
    if not isinstance(content, Sequence) or isinstance(content, str) or not content:
        raise reader.error(f"{what} must be a list with one entry for each step")
    return content
