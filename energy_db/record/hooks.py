"""Modules of torch that hand on what they spike, by hooks that come off again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from energy_db.errors import UsageError
from energy_db.guess import did_you_mean
from energy_db.record.axes import BATCH, TIME, read_axes
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
    return Watch({layer: modules[name] for name, layer in names.items()}, to, _Form(axes, n_timesteps, values))


@dataclass(frozen=True)
class _Form:
    """How modules hand out their spikes."""

    axes: str
    n_timesteps: int | None
    values: Values


@dataclass
class _Place:
    """Where the next call of a module belongs."""

    timestep: int = 0
    first_sample: int = 0


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
        self._places = {layer: _Place() for layer in modules}
        self._hooks = [module.register_forward_hook(self._hook_of(layer)) for layer, module in modules.items()]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()

    def detach(self) -> None:
        """Take the hooks off; the model is as it was."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let what the model does in the block pass unseen, as a validation between two epochs."""
        before, self._is_paused = self._is_paused, True
        try:
            yield
        finally:
            self._is_paused = before

    def _hook_of(self, layer: str) -> Any:
        def hand_on(_module: Any, _inputs: Any, output: Any) -> None:
            if not self._is_paused:
                # Cells return their state, too: spikes come first.
                self._take(layer, output[0] if isinstance(output, tuple) else output)

        return hand_on

    def _take(self, layer: str, spikes: Any) -> None:
        form, place = self._form, self._places[layer]
        if TIME in form.axes:
            self._to.add(layer, spikes, form.axes, values=form.values)
            return
        self._to.add(layer, spikes, form.axes, values=form.values, timestep=place.timestep, sample=place.first_sample)
        place.timestep += 1
        if place.timestep == form.n_timesteps:
            names = read_axes(form.axes, len(form.axes), layer).names
            place.timestep = 0
            place.first_sample += spikes.shape[names.index(BATCH)] if BATCH in names else 1
