"""What spike events cannot tell of a run: its network, its timing, where it came from.

A declaration comes, in this order, from options, from a sidecar (`run.json` beside `run.parquet`) or a network file,
and from the `energy_db` key of the Parquet file's metadata. What none of them says is inferred from the events and
marked as inferred.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from energy_db.errors import RunFileError, UsageError
from energy_db.intake.network import ROLES, Layer, read_layers
from energy_db.intake.reading import Reader
from energy_db.intake.training import Training, read_training
from energy_db.units import exact

# What a tag may end in that is a share.
PER_CENT = "%"

_KEYS = (
    *("run", "n_timesteps", "n_samples", "timestep_us", "layers", "counters", "tags"),
    *("kind", "seed", "git_commit", "recorded_at", "training"),
)
# What a run is that declares the steps of a training.
TRAINING = "training"


@dataclass(frozen=True)
class DeclaredCounters:
    """Counters that stand in a declaration: their rows, not judged yet, and what to call them in errors."""

    where: str
    rows: Sequence[Any]


@dataclass(frozen=True)
class Declaration:
    """What is declared of a run; None is what nobody said.

    Attributes
    ----------
    layers : tuple of Layer, optional
        The network, in order. Where it is given, other layers are refused.
    roles : dict of str to str
        Roles of single layers, over what `layers` says.
    n_timesteps, n_samples : int, optional
        Timesteps of a sample; samples of the run.
    timestep_us : Decimal, optional
        Length of a timestep in microseconds.
    name, kind, seed, git_commit : str, optional
        What the run is called, what was executed, and from which code.
    recorded_at : datetime, optional
        When it ran, in UTC without a zone.
    counters : DeclaredCounters, optional
        What the run counted beside its spikes.
    training : Training, optional
        What it did step by step, if it is a training.
    tags : dict of str to str
        Anything else.
    """

    layers: tuple[Layer, ...] | None = None
    roles: dict[str, str] = field(default_factory=dict)
    n_timesteps: int | None = None
    n_samples: int | None = None
    timestep_us: Decimal | None = None
    name: str | None = None
    kind: str | None = None
    seed: str | None = None
    git_commit: str | None = None
    recorded_at: datetime | None = None
    counters: DeclaredCounters | None = None
    training: Training | None = None
    tags: dict[str, str] = field(default_factory=dict)

    def over(self, other: Declaration) -> Declaration:
        """Return this declaration, completed by another one that has less say."""
        missing = {f.name: getattr(other, f.name) for f in fields(self) if getattr(self, f.name) is None}
        both = replace(self, **missing, tags=other.tags | self.tags, roles=other.roles | self.roles)
        known = {layer.name: layer for layer in other.layers or ()}
        layers = None if both.layers is None else tuple(la.over(known.get(la.name, la)) for la in both.layers)
        return replace(both, layers=layers)


def read_file(path: Path) -> Declaration:
    """Read a sidecar or network file.

    Raises
    ------
    RunFileError
        If the file is not JSON, or says something that cannot be.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise RunFileError(f"{path}: cannot be read: {reason}") from error
    hint = "A .json beside a run file is read as its sidecar; name another with --network, or rename it."
    return read_text(text, str(path), hint)


def read_text(text: str, where: str, hint: str) -> Declaration:
    """Read a declaration from JSON text that stands at `where`; the hint is for text that is not JSON."""
    try:
        content = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise RunFileError(f"{where}: is not JSON: {error}", hint) from error
    return read_mapping(content, where)


def read_mapping(content: object, where: str) -> Declaration:
    """Read a declaration from the content of a sidecar.

    Parameters
    ----------
    content : mapping
        The keys of a sidecar: run, n_timesteps, n_samples, timestep_us, layers, counters, tags, kind, seed,
        git_commit, recorded_at, training; see docs/python.md.
    where : str
        What to call it in errors.
    """
    reader = Reader(where)
    mapping = reader.mapping(content, "the declaration", _KEYS, "Free information goes under 'tags'.")
    layers = mapping.get("layers")
    return Declaration(
        layers=None if layers is None else read_layers(reader, layers),
        n_timesteps=reader.count(mapping, "n_timesteps", least=1),
        n_samples=reader.count(mapping, "n_samples", least=1),
        timestep_us=reader.positive(mapping, "timestep_us"),
        name=reader.text(mapping, "run", str),
        kind=reader.text(mapping, "kind", str),
        seed=reader.text(mapping, "seed", (str, int)),
        git_commit=reader.text(mapping, "git_commit", str),
        recorded_at=reader.moment(mapping, "recorded_at"),
        counters=_counters(reader, mapping.get("counters")),
        training=read_training(reader, mapping.get(TRAINING)),
        tags=reader.tags(mapping.get("tags") or {}),
    )


def _counters(reader: Reader, rows: object) -> DeclaredCounters | None:
    if rows is None:
        return None
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise reader.error("counters must be a list of objects with the keys driver and count")
    return DeclaredCounters(f"{reader.where}: counters", rows)


def from_options(options: Mapping[str, Any], roles: Mapping[str, str]) -> Declaration:
    """Read a declaration from the options of a call.

    Raises
    ------
    UsageError
        If a value cannot be meant.
    """
    for layer, role in roles.items():
        if role not in ROLES:
            raise UsageError(f"the role of {layer} is {role!r}, must be one of {', '.join(ROLES)}")
    try:
        return replace(read_mapping(options, "options"), roles=dict(roles))
    except RunFileError as error:
        raise UsageError(error.message, error.hint) from error


def tag_number(value: str) -> float | None:
    """Return a tag's value as a number, or None where it is none."""
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def share_or_number(text: str, is_accuracy: bool) -> float | None:
    """Return the number in a tag's value, or None; per cents, and an accuracy above 1, as a share of 1."""
    bare = text.strip().removesuffix(PER_CENT).strip()
    number = tag_number(bare)
    is_share = text.strip().endswith(PER_CENT) or (is_accuracy and number is not None and 1 < number <= 100)  # noqa: PLR2004
    # To move the point in the text rounds once, as in a query: 99.1% is the same number as 0.991.
    return tag_number(f"{bare}e-2") if is_share else number


def contradictions(declared: Declaration, stored: Declaration) -> list[str]:
    """Say in which points a new declaration contradicts a stored run; what it leaves open contradicts nothing."""
    found = [
        f"{key}: stored {_shown(getattr(stored, key))}, now {_shown(getattr(declared, key))}"
        for key in ("n_timesteps", "n_samples", "timestep_us")
        if getattr(declared, key) is not None and getattr(declared, key) != getattr(stored, key)
    ]
    stored_layers = {layer.name: layer for layer in stored.layers or ()}
    if declared.layers is not None:
        names, stored_names = [layer.name for layer in declared.layers], list(stored_layers)
        if names != stored_names:
            found.append(f"layers: stored {', '.join(stored_names)}; now {', '.join(names)}")
    for layer in declared.layers or ():
        if layer.name in stored_layers:
            found += _layer_contradictions(_with_role(layer, declared.roles), stored_layers[layer.name])
    found += [f"role of {name}: there is no such layer" for name in declared.roles if name not in stored_layers]
    open_roles = [Layer(name, role) for name, role in declared.roles.items() if declared.layers is None]
    for layer in open_roles:
        if layer.name in stored_layers:
            found += _layer_contradictions(layer, stored_layers[layer.name])
    return found


def _with_role(layer: Layer, roles: Mapping[str, str]) -> Layer:
    return replace(layer, role=roles.get(layer.name, layer.role))


def _layer_contradictions(declared: Layer, stored: Layer) -> list[str]:
    return [
        f"{key} of {declared.name}: stored {_shown(getattr(stored, key))}, now {_shown(getattr(declared, key))}"
        for key in ("role", "n_inputs", "n_neurons", "fan_out")
        if getattr(declared, key) is not None and getattr(declared, key) != getattr(stored, key)
    ]


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return f"one per neuron ({sum(value)} in all)"
    if isinstance(value, Decimal):
        return exact(value)
    return "nothing" if value is None else str(value)
