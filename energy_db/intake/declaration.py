"""What spike events cannot tell of a run: its network, its timing, where it came from.

A declaration comes, in this order, from options, from a sidecar (`run.json` beside `run.parquet`) or a network file,
and from the `energy_db` key of the Parquet file's metadata. What none of them says is inferred from the events and
marked as inferred.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from os import PathLike
from pathlib import Path
from typing import Any

from energy_db.errors import RunFileError, UsageError
from energy_db.guess import did_you_mean
from energy_db.units import exact

ROLES = ("input", "hidden", "readout")
LARGEST_INDEX = 2**31 - 1
LARGEST_COUNT = 2**63 - 1
MOST_LAYERS = 2**15 - 1

_SMALLEST_DECIMAL = Decimal("0.000001")


@dataclass(frozen=True)
class Layer:
    """One layer as somebody declared it; None is what nobody said.

    Attributes
    ----------
    name : str
        Its name in the run file.
    role : {'input', 'hidden', 'readout'}, optional
        What its spikes trigger (docs/method.md).
    n_inputs, n_neurons : int, optional
        Fan-in of each neuron; number of neurons, silent ones included.
    fan_out : int or tuple of int, optional
        Outgoing synapses of each neuron, or of every neuron one by one.
    """

    name: str
    role: str | None = None
    n_inputs: int | None = None
    n_neurons: int | None = None
    fan_out: int | tuple[int, ...] | None = None


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
    tags: dict[str, str] = field(default_factory=dict)

    def over(self, other: Declaration) -> Declaration:
        """Return this declaration, completed by another one that has less say."""
        missing = {f.name: getattr(other, f.name) for f in fields(self) if getattr(self, f.name) is None}
        return replace(self, **missing, tags=other.tags | self.tags, roles=other.roles | self.roles)


def read_file(path: Path) -> Declaration:
    """Read a sidecar or network file.

    Raises
    ------
    RunFileError
        If the file is not JSON, or says something that cannot be.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunFileError(f"{path}: cannot be read: {error}") from error
    hint = "A .json beside a run file is read as its sidecar; name another with --network, or rename it."
    return read_text(text, str(path), hint)


def read(network: str | PathLike[str] | Mapping[str, Any] | None) -> Declaration | None:
    """Read what a caller gives as a network: a file, the content of one, or nothing."""
    if network is None or isinstance(network, Mapping):
        return None if network is None else read_mapping(network, "network")
    return read_file(Path(network))


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
        The keys of a sidecar: run, n_timesteps, n_samples, timestep_us, layers, tags, kind, seed, git_commit,
        recorded_at; see docs/python.md.
    where : str
        What to call it in errors.
    """
    reader = _Reader(where)
    known = ("run", "n_timesteps", "n_samples", "timestep_us", "layers", "tags", "kind", "seed", "git_commit")
    mapping = reader.mapping(content, "the declaration", (*known, "recorded_at"))
    layers = mapping.get("layers")
    return Declaration(
        layers=None if layers is None else reader.layers(layers),
        n_timesteps=reader.count(mapping, "n_timesteps", least=1),
        n_samples=reader.count(mapping, "n_samples", least=1),
        timestep_us=reader.positive(mapping, "timestep_us"),
        name=reader.text(mapping, "run", str),
        kind=reader.text(mapping, "kind", str),
        seed=reader.text(mapping, "seed", (str, int)),
        git_commit=reader.text(mapping, "git_commit", str),
        recorded_at=reader.moment(mapping, "recorded_at"),
        tags=reader.tags(mapping.get("tags") or {}),
    )


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


def _is_text(value: str) -> bool:
    """Whether a string has signs, and only such as Unicode allows: JSON can spell halves of a pair."""
    return bool(value) and not any("\ud800" <= sign <= "\udfff" for sign in value)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return f"one per neuron ({sum(value)} in all)"
    if isinstance(value, Decimal):
        return exact(value)
    return "nothing" if value is None else str(value)


@dataclass(frozen=True)
class _Reader:
    """Checks the parts of a declaration and names the place of what is wrong."""

    where: str

    def error(self, message: str, hint: str | None = None) -> RunFileError:
        return RunFileError(f"{self.where}: {message}", hint)

    def mapping(self, content: object, what: str, known: Sequence[str]) -> Mapping[str, Any]:
        if not isinstance(content, Mapping):
            raise self.error(f"{what} must be an object with keys such as {', '.join(known[:4])}")
        for key in content:
            if key not in known:
                guess = did_you_mean(str(key), known)
                raise self.error(f"{what} has an unknown key {key!r}", f"{guess}Free information goes under 'tags'.")
        return content

    def layers(self, content: object) -> tuple[Layer, ...]:
        if isinstance(content, str | Mapping) or not isinstance(content, Iterable):
            raise self.error("layers must be a list of objects")
        layers = tuple(self.layer(entry, index) for index, entry in enumerate(content))
        names = [layer.name for layer in layers]
        if not layers:
            raise self.error("layers must not be empty; leave it out to have the layers inferred")
        if len(layers) > MOST_LAYERS:
            raise self.error(f"layers has {len(layers)} entries, at most {MOST_LAYERS} are supported")
        for name in names:
            if names.count(name) > 1:
                raise self.error(f"the layer {name!r} is declared {names.count(name)} times")
        return layers

    def layer(self, content: object, index: int) -> Layer:
        what = f"layers[{index}]"
        mapping = self.mapping(content, what, ("name", "role", "n_inputs", "n_neurons", "fan_out"))
        name = mapping.get("name")
        if not isinstance(name, str) or not _is_text(name):
            raise self.error(f"{what} needs a name")
        role = mapping.get("role")
        if role is not None and role not in ROLES:
            raise self.error(f"{what} ({name}): role is {role!r}, must be one of {', '.join(ROLES)}")
        n_neurons = self.count(mapping, "n_neurons", 0, f"{what} ({name}): ", LARGEST_INDEX + 1)
        fan_out = self.fan_out(mapping, f"{what} ({name})", n_neurons)
        if isinstance(fan_out, tuple):
            n_neurons = len(fan_out)
        return Layer(name, role, self.count(mapping, "n_inputs", 0, f"{what} ({name}): "), n_neurons, fan_out)

    def fan_out(self, mapping: Mapping[str, Any], what: str, n_neurons: int | None) -> int | tuple[int, ...] | None:
        value = mapping.get("fan_out")
        if value is None or isinstance(value, str) or not isinstance(value, Iterable):
            return self.count(mapping, "fan_out", 0, f"{what}: ")
        each = tuple(self.whole(entry, f"{what}: fan_out", 0) for entry in value)
        if n_neurons is not None and len(each) != n_neurons:
            raise self.error(f"{what}: fan_out has {len(each)} entries for {n_neurons} neurons")
        return each or None

    def count(
        self, mapping: Mapping[str, Any], key: str, least: int, prefix: str = "", most: int = LARGEST_COUNT
    ) -> int | None:
        value = mapping.get(key)
        return None if value is None else self.whole(value, prefix + key, least, most)

    def whole(self, value: Any, what: str, least: int, most: int = LARGEST_COUNT) -> int:
        is_whole = not isinstance(value, bool | float | str | Decimal) and hasattr(value, "__index__")
        if not is_whole or not least <= int(value) <= most:
            shown = str(value) if isinstance(value, Decimal) else repr(value)
            raise self.error(f"{what} is {shown}, must be a whole number from {least} to {most}")
        return int(value)

    def positive(self, mapping: Mapping[str, Any], key: str) -> Decimal | None:
        value = mapping.get(key)
        if value is None:
            return None
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if isinstance(value, bool | str) or not number.is_finite() or not 0 < number < 10**12:
            raise self.error(f"{key} is {value!r}, must be a positive number below 10^12")
        rounded = number.quantize(_SMALLEST_DECIMAL)
        if number != rounded:
            raise self.error(f"{key} is {value!r}, must not have more than 6 decimals")
        return rounded

    def text(self, mapping: Mapping[str, Any], key: str, types: type | tuple[type, ...]) -> str | None:
        value = mapping.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, types) or not _is_text(str(value)):
            raise self.error(f"{key} is {value!r}, must be a text")
        return str(value)

    def moment(self, mapping: Mapping[str, Any], key: str) -> datetime | None:
        value = mapping.get(key)
        if value is None:
            return None
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
            return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
        except (TypeError, ValueError, OverflowError) as error:
            raise self.error(f"{key} is {value!r}, must be a time such as 2026-11-23T09:30:00Z") from error

    def tags(self, content: object) -> dict[str, str]:
        if not isinstance(content, Mapping):
            raise self.error("tags must be an object of names and values")
        for key, value in content.items():
            is_value = isinstance(value, int | float | Decimal) or (isinstance(value, str) and _is_text(value or "-"))
            if not isinstance(key, str) or not _is_text(key) or not is_value:
                raise self.error(f"tags: {key!r} is {value!r}, must be a text, a number or true or false")
        return {key: json.dumps(value) if isinstance(value, bool) else str(value) for key, value in content.items()}
