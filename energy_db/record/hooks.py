"""Modules of torch that hand on what they spike, by hooks that come off again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from energy_db.errors import UsageError
from energy_db.guess import did_you_mean
from energy_db.record.axes import TIME, read_axes
from energy_db.record.spikes import Values

if TYPE_CHECKING:
    from energy_db.record.live import LiveEnergy
    from energy_db.record.writer import RunWriter


def watch(
    model: Any,
    layers: Sequence[str] | Mapping[str, str],
    to: LiveEnergy | RunWriter,
    *,
    axes: str = "TBN",
    n_timesteps: int | None = None,
    values: Values = "counts",
) -> Watch:
    """Hand on what modules of a torch model spike whenever they are called.

    Parameters
    ----------
    model : torch.nn.Module
        The model.
    layers : sequence of str, or mapping of str to str
        The modules, by the names that `model.named_modules()` gives them; a mapping says which layer each is.
    to : LiveEnergy or RunWriter
        Where the spikes go.
    axes : str
        What the axes of the modules' outputs mean. Without `T`, as 'BN', each call of a module is a timestep.
    n_timesteps : int, optional
        How many calls make a sample; needed where axes have no `T`.
    values : {'counts', 'graded'}
        Whether an entry is a number of spikes, or the payload of a single one.

    Returns
    -------
    Watch
        Call `detach` in the end, or use it as a context; `paused` lets a validation pass unseen.

    Raises
    ------
    UsageError
        If there is no such module, or nobody says how many calls make a sample.

    Examples
    --------
    ::

        with watch(model, ["lif1", "lif2"], to=live, axes="BN", n_timesteps=25):
            for inputs, labels in batches:
                train(model, inputs, labels)
                live.step()
    """
    read_axes(axes, len(axes), "the output of a module")
    if TIME not in axes and n_timesteps is None:
        raise UsageError(f"axes are {axes!r}: without T, say how many calls make a sample", "n_timesteps=25")
    names = layers if isinstance(layers, Mapping) else {name: name for name in layers}
    if not hasattr(to, "add"):
        raise UsageError(f"{type(to).__name__} takes no spikes: watch hands them to store.live(...), or to a RunWriter")
    if not hasattr(model, "named_modules"):
        raise UsageError(f"{type(model).__name__} is no torch module: it has no named_modules()")
    modules = dict(model.named_modules())
    for name in names:
        if name not in modules:
            there = [module for module in modules if module]
            raise UsageError(
                f"the model has no module {name!r}", f"{did_you_mean(name, there)}There are {', '.join(there)}."
            )
    if not names:
        raise UsageError("no modules are named")
    if len(set(names.values())) < len(names):
        raise UsageError("two modules are named as one layer", "Give each a layer of its own.")
    return Watch({layer: modules[name] for name, layer in names.items()}, to, _Form(axes, n_timesteps, values))


@dataclass(frozen=True)
class _Form:
    """How modules hand out their spikes."""

    axes: str
    n_timesteps: int | None
    values: Values


class Watch:
    """Hooks on the modules of a model; made by `watch`.

    Parameters
    ----------
    modules : mapping of str to torch.nn.Module
        The module of each layer.
    to : LiveEnergy or RunWriter
        Where the spikes go.
    form : object
        How they are handed out.
    """

    def __init__(self, modules: Mapping[str, Any], to: LiveEnergy | RunWriter, form: _Form) -> None:
        self._to = to
        self._form = form
        self._is_paused = False
        # What modules returned, timestep by timestep, until the samples are whole.
        self._returned: dict[str, list[Any]] = {layer: [] for layer in modules}
        self._versions: dict[str, list[int | None]] = {layer: [] for layer in modules}
        if hasattr(to, "before_step"):
            to.before_step(self._refuse_rest)
        take = self._take if TIME in form.axes else self._collect
        self._hooks = [module.register_forward_hook(self._hook(layer, take)) for layer, module in modules.items()]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._remove_hooks()
        if kind is None:
            self._refuse_rest()

    def detach(self) -> None:
        """Take the hooks off; the model is as it was.

        Raises
        ------
        UsageError
            If modules were called for a part of a sample only: its spikes went nowhere.
        """
        self._remove_hooks()
        self._refuse_rest()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let what the model does in the block pass unseen, as a validation between two epochs."""
        before, self._is_paused = self._is_paused, True
        try:
            yield
        finally:
            self._is_paused = before

    def _hook(self, layer: str, take: Callable[[str, Any], None]) -> Callable[[Any, Any, Any], None]:
        def hand_on(_module: Any, _inputs: Any, output: Any) -> None:
            if not self._is_paused:
                # Cells return their state, too: spikes come first.
                take(layer, output[0] if isinstance(output, tuple) else output)

        return hand_on

    def _take(self, layer: str, spikes: Any) -> None:
        self._to.add(layer, spikes, self._form.axes, values=self._form.values)

    def _collect(self, layer: str, spikes: Any) -> None:
        """Keep a timestep; it is called so often that nothing else is done before the samples are whole."""
        returned, version = self._returned[layer], _version(spikes)
        returned.append(_copy(spikes) if version is None else spikes)
        self._versions[layer].append(version)
        if len(returned) == self._form.n_timesteps:
            self._hand_on_samples(layer)

    def _hand_on_samples(self, layer: str) -> None:
        returned, versions = self._returned[layer], self._versions[layer]
        self._returned[layer], self._versions[layer] = [], []
        if any(
            version is not None and _version(each) != version for each, version in zip(returned, versions, strict=True)
        ):
            raise UsageError(
                f"what layer {layer!r} returned was changed in place afterwards",
                "Watch the module behind it, or take inplace=True from that module.",
            )
        self._to.add(layer, _stacked(returned), TIME + self._form.axes, values=self._form.values)

    def _remove_hooks(self) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def _refuse_rest(self) -> None:
        rests, self._returned = self._returned, {layer: [] for layer in self._returned}
        self._versions = {layer: [] for layer in rests}
        for layer, returned in rests.items():
            if returned:
                raise UsageError(
                    f"layer {layer!r} was called {len(returned)} times behind its last whole sample, "
                    f"which takes {self._form.n_timesteps} calls",
                    "Is n_timesteps right, and did the model fail in between? Those spikes were not counted.",
                )


def _version(tensor: Any) -> int | None:
    """Return how often torch saw a tensor change; None where it does not look, as in inference mode."""
    try:
        version: int = tensor._version
    except (AttributeError, RuntimeError):
        return None
    return version


def _copy(tensor: Any) -> Any:
    return tensor.clone() if hasattr(tensor, "clone") else tensor.copy()


def _stacked(tensors: list[Any]) -> Any:
    """Return tensors as one, with a new first axis, by the framework that made them."""
    if hasattr(tensors[0], "detach"):
        torch = sys.modules["torch"]
        with torch.no_grad():
            return torch.stack(tensors)
    import numpy as np

    return np.stack(tensors)
