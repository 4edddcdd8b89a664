"""The layers of a network, as somebody declares them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from energy_db.errors import RunFileError, UsageError
from energy_db.intake.reading import LARGEST_COUNT, LARGEST_INDEX, Reader, is_text

ROLES = ("input", "hidden", "readout")
MOST_LAYERS = 2**15 - 1

_LAYER_KEYS = ("name", "role", "n_inputs", "n_neurons", "fan_out")
_FAN_OUT_KEYS = ("dense", "conv", "mask")
_CONV_KEYS = ("kernel", "in_shape", "out_channels", "stride", "padding", "dilation", "groups")


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

    def over(self, other: Layer) -> Layer:
        """Return this layer, completed by what another declaration says of it.

        Raises
        ------
        RunFileError
            If the one has another number of neurons than the other has fan-outs.
        """
        missing = {f.name: getattr(other, f.name) for f in fields(self) if getattr(self, f.name) is None}
        both = replace(self, **missing)
        if isinstance(both.fan_out, tuple) and len(both.fan_out) != both.n_neurons:
            raise RunFileError(
                f"layer {self.name!r}: {both.n_neurons} neurons are declared, and the fan_out of {len(both.fan_out)}",
                "Make the declarations of the network agree.",
            )
        return both

    @property
    def largest_fan_out(self) -> int:
        """The most synapses that leave one of its neurons; 0 if nobody said."""
        each = self.fan_out
        return (max(each) if isinstance(each, tuple) else each) or 0


def read_layers(reader: Reader, content: object) -> tuple[Layer, ...]:
    """Read the layers of a declaration, in order.

    Raises
    ------
    RunFileError
        If a layer says something that cannot be.
    """
    if isinstance(content, str | Mapping) or not isinstance(content, Iterable):
        raise reader.error("layers must be a list of objects")
    layers = tuple(_layer(reader, entry, index) for index, entry in enumerate(content))
    if not layers:
        raise reader.error("layers must not be empty; leave it out to have the layers inferred")
    if len(layers) > MOST_LAYERS:
        raise reader.error(f"layers has {len(layers)} entries, at most {MOST_LAYERS} are supported")
    for name, times in Counter(layer.name for layer in layers).items():
        if times > 1:
            raise reader.error(f"the layer {name!r} is declared {times} times")
    return layers


def too_many_to_count(layers: Sequence[Layer], n_spikes: Sequence[int], n_steps: int) -> str | None:
    """Say what of a run is beyond a whole number of 64 bits, so that no view could count it; None if all fits.

    Parameters
    ----------
    layers : sequence of Layer
        The run's network.
    n_spikes : sequence of int
        Spikes of each layer.
    n_steps : int
        Timesteps of all samples.
    """
    by_name = {layer.name: (layer, spikes) for layer, spikes in zip(layers, n_spikes, strict=True)}
    products = {
        "spikes x fan_out": {name: spikes * layer.largest_fan_out for name, (layer, spikes) in by_name.items()},
        "spikes x n_inputs": {name: spikes * (layer.n_inputs or 0) for name, (layer, spikes) in by_name.items()},
        "n_neurons x n_timesteps x n_samples": {
            name: max(layer.n_neurons or 0, 1) * n_steps for name, (layer, _) in by_name.items()
        },
    }
    for product, of_layers in products.items():
        if sum(of_layers.values()) > LARGEST_COUNT:
            largest = max(of_layers, key=lambda name: of_layers[name])
            return f"{product} is {of_layers[largest]} in layer {largest!r}, and more than {LARGEST_COUNT} in all"
    return None


def _layer(reader: Reader, content: object, index: int) -> Layer:
    what = f"layers[{index}]"
    mapping = reader.mapping(content, what, _LAYER_KEYS, "Free information goes under 'tags'.")
    name = mapping.get("name")
    if not isinstance(name, str) or not is_text(name):
        raise reader.error(f"{what} needs a name")
    role = mapping.get("role")
    if role is not None and role not in ROLES:
        raise reader.error(f"{what} ({name}): role is {role!r}, must be one of {', '.join(ROLES)}")
    n_neurons = reader.count(mapping, "n_neurons", 0, f"{what} ({name}): ", LARGEST_INDEX + 1)
    fan_out = _fan_out(reader, mapping.get("fan_out"), f"{what} ({name})", n_neurons)
    if isinstance(fan_out, tuple):
        n_neurons = len(fan_out)
    return Layer(name, role, reader.count(mapping, "n_inputs", 0, f"{what} ({name}): "), n_neurons, fan_out)


def _fan_out(reader: Reader, value: Any, what: str, n_neurons: int | None) -> int | tuple[int, ...] | None:
    if value is None:
        return None
    if isinstance(value, Mapping):
        value = _fan_out_of_geometry(reader, value, f"{what}: fan_out")
    if isinstance(value, str) or not isinstance(value, Iterable):
        return reader.whole(value, f"{what}: fan_out", 0)
    each = tuple(reader.whole(entry, f"{what}: fan_out", 0) for entry in value)
    if n_neurons is not None and len(each) != n_neurons:
        raise reader.error(f"{what}: fan_out has {len(each)} entries for {n_neurons} neurons")
    return each or None


def _fan_out_of_geometry(reader: Reader, content: Mapping[str, Any], what: str) -> Any:
    """Return the fan-out that follows from how a layer is connected to the next one."""
    mapping = reader.mapping(content, what, _FAN_OUT_KEYS)
    if len(mapping) != 1:
        raise reader.error(f"{what} must have one of the keys {', '.join(_FAN_OUT_KEYS)}")
    [(form, said)] = mapping.items()
    if form == "dense":
        return reader.whole(said, f"{what}: dense", 0)
    from energy_db.intake import topology

    try:
        if form == "mask":
            return topology.fan_out(mask=said).tolist()
        geometry = reader.mapping(said, f"{what}: conv", _CONV_KEYS)
        missing = [key for key in _CONV_KEYS[:3] if geometry.get(key) is None]
        if missing:
            raise reader.error(f"{what}: conv says nothing of {' and '.join(missing)}")
        return topology.fan_out(**{key: value for key, value in geometry.items() if value is not None}).tolist()
    except UsageError as error:
        raise reader.error(f"{what}: {error.message}", error.hint) from error
