"""What a caller declares of a recording before it begins: read, and in the form of a sidecar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from energy_db.intake import declaration as declared
from energy_db.intake.declaration import Declaration
from energy_db.intake.network import Layer
from energy_db.record.recording import declared_layer


def read_told(told: Mapping[str, Any]) -> tuple[Declaration, dict[str, Any]]:
    """Read what a caller says of a recording.

    Parameters
    ----------
    told : mapping
        The keys of a sidecar; layers may be names, mappings or `Layer`s. None is what nobody said.

    Returns
    -------
    Declaration
        What it says.
    dict
        The same in the form of a sidecar, as JSON can hold it.

    Raises
    ------
    UsageError
        If a value cannot be meant.
    """
    layers = [_as_declared(layer) for layer in told["layers"]]
    known = {key: value for key, value in {**told, "layers": layers}.items() if value is not None}
    said = declared.from_options(known, {})
    sidecar = {**known, "layers": [declared_layer(layer) for layer in said.layers or ()]}
    if "recorded_at" in known:
        sidecar["recorded_at"] = str(known["recorded_at"])
    return said, sidecar


def _as_declared(layer: str | Mapping[str, Any] | Layer) -> Mapping[str, Any]:
    if isinstance(layer, Layer):
        return declared_layer(layer)
    return {"name": layer} if isinstance(layer, str) else layer
