"""What stands in for the objects of Neo and quantities: as much of them as the adapter takes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

MILLISECONDS = {"ms": 1.0, "s": 1e3, "us": 1e-3}


class Quantity:
    """As much of a quantity as the adapter takes: numbers with a unit, which `rescale` changes to ms."""

    def __init__(self, magnitude: Any, unit: str = "ms") -> None:
        self.magnitude, self.unit = np.asarray(magnitude, float), unit

    def rescale(self, unit: str) -> Quantity:
        assert unit == "ms"
        if self.unit not in MILLISECONDS:
            raise ValueError(f"Unable to convert between units of {self.unit!r} and 'ms'")
        return Quantity(self.magnitude * MILLISECONDS[self.unit])


def train(times: Any, unit: str = "ms", span_ms: tuple[float, float] = (0.0, 1.0), **annotations: Any) -> Any:
    """Return what stands in for a SpikeTrain."""
    found: Any = Quantity(times, unit)
    found.t_start, found.t_stop, found.annotations = Quantity(span_ms[0]), Quantity(span_ms[1]), annotations
    return found


def block(*segments: list[Any], name: str | None = None) -> SimpleNamespace:
    """Return what stands in for a Block."""
    return SimpleNamespace(name=name, segments=[SimpleNamespace(spiketrains=trains) for trains in segments])


def recorded_block(layer: str) -> SimpleNamespace:
    """Return a block as it was recorded."""
    with np.load(Path(__file__).parent / "recorded/neo.npz", allow_pickle=False) as file:
        raw = {key: file[key] for key in file.files}
    segments: list[list[Any]] = []
    for key in (key for key in raw if key.startswith(f"times/{layer}/")):
        place = key.removeprefix("times/")
        annotations = dict(each.split("=") for each in raw[f"annotations/{place}"].tolist())
        start, stop = raw[f"span_ms/{place}"].tolist()
        if place.endswith("/0"):
            segments.append([])
        segments[-1].append(train(raw[key], str(raw[f"unit/{place}"]), (start, stop), **annotations))
    return block(*segments, name=layer)
