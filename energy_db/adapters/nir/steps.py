"""What lies between neurons, as a map of counts: along it from what sends, against it from what receives.

A step says nothing of values. Forwards, it turns how many spikes stand at each element before it into how many arrive
at each element behind it; backwards, how many things each element behind it leads to into how many those before it do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Protocol

from energy_db.adapters.nir.graph import ELEMENTWISE, POOLS, Node, Shape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]


class Step(Protocol):
    """A map of counts from elements of one shape to elements of another."""

    @property
    def shape_before(self) -> Shape:
        """Shape of what goes in."""

    @property
    def shape_behind(self) -> Shape:
        """Shape of what comes out."""

    def forwards(self, counts: Counts) -> Counts:
        """Return what arrives at each element behind, of what stands at each before."""

    def backwards(self, counts: Counts) -> Counts:
        """Return what each element before leads to, of what each behind does."""


@dataclass(frozen=True)
class Passing:
    """Each element goes on by itself, in C order, perhaps in another shape."""

    shape_before: Shape
    shape_behind: Shape

    def forwards(self, counts: Counts) -> Counts:
        """Return the same counts in the shape behind."""
        return counts.reshape(self.shape_behind)

    def backwards(self, counts: Counts) -> Counts:
        """Return the same counts in the shape before."""
        return counts.reshape(self.shape_before)


@dataclass(frozen=True)
class Dense:
    """Along the last axis, each element goes to each."""

    shape_before: Shape
    shape_behind: Shape

    def forwards(self, counts: Counts) -> Counts:
        """Return the sum over all elements before."""
        import numpy as np

        return np.broadcast_to(counts.sum(axis=-1, keepdims=True), self.shape_behind)

    def backwards(self, counts: Counts) -> Counts:
        """Return the sum over all elements behind."""
        import numpy as np

        return np.broadcast_to(counts.sum(axis=-1, keepdims=True), self.shape_before)


@dataclass(frozen=True)
class Axis:
    """A window that moves along one axis, over `size` elements with `before` and `after` zeros around."""

    size: int
    taps: int
    stride: int
    dilation: int
    before: int
    after: int

    @property
    def reach(self) -> int:
        """Elements from the first tap to the last."""
        return self.dilation * (self.taps - 1) + 1

    @property
    def n_places(self) -> int:
        """How many places the window has; less than 1 if it does not fit."""
        return (self.size + self.before + self.after - self.reach) // self.stride + 1

    def pairs(self) -> Iterator[tuple[Counts, Counts]]:
        """Yield for each tap the places, and the elements that they see there; zeros around are none."""
        import numpy as np

        places = np.arange(self.n_places)
        for tap in range(self.taps):
            seen = places * self.stride + tap * self.dilation - self.before
            inside = (seen >= 0) & (seen < self.size)
            yield places[inside], seen[inside]


@dataclass(frozen=True)
class Windows:
    """Windows over the axes behind the channels; a group of channels goes to the same group, each to each."""

    axes: tuple[Axis, ...]
    channels_before: int
    channels_behind: int
    groups: int

    @property
    def shape_before(self) -> Shape:
        """Channels, and sizes of the axes."""
        return (self.channels_before, *(axis.size for axis in self.axes))

    @property
    def shape_behind(self) -> Shape:
        """Channels, and places along the axes."""
        return (self.channels_behind, *(axis.n_places for axis in self.axes))

    def forwards(self, counts: Counts) -> Counts:
        """Return the sums that windows see."""
        for number, axis in enumerate(self.axes, 1):
            counts = _gathered(counts, number, axis.n_places, axis.pairs())
        return self._mixed(counts, self.channels_behind)

    def backwards(self, counts: Counts) -> Counts:
        """Return the sums over the windows that see an element."""
        for number, axis in enumerate(self.axes, 1):
            counts = _gathered(counts, number, axis.size, ((seen, places) for places, seen in axis.pairs()))
        return self._mixed(counts, self.channels_before)

    def _mixed(self, counts: Counts, channels: int) -> Counts:
        of_groups: Counts = counts.reshape(self.groups, -1, *counts.shape[1:]).sum(axis=1)
        return of_groups.repeat(channels // self.groups, axis=0)


def _gathered(counts: Counts, number: int, size: int, pairs: Iterator[tuple[Counts, Counts]]) -> Counts:
    """Return sums along an axis: what stands at the second of each pair goes to the first."""
    import numpy as np

    source = np.moveaxis(counts, number, 0)
    sums = np.zeros((size, *source.shape[1:]), np.int64)
    for targets, sources in pairs:
        sums[targets] += source[sources]  # within one tap no target comes twice
    return np.moveaxis(sums, 0, number)


def step_of(node: Node, arriving: Shape | None) -> Step:
    """Return what a node between neurons does to counts.

    Parameters
    ----------
    node : Node
        The node.
    arriving : tuple of int, optional
        Shape of what arrives, where it is known.

    Raises
    ------
    RunFileError
        If a parameter is missing or cannot be, or the shape is not known; it names file and node.
    """
    if node.kind in ELEMENTWISE:
        shape = own_shape(node, ELEMENTWISE[node.kind], arriving)
        return Passing(shape, shape)
    if node.kind == "Flatten":
        return _flatten(node, _known(node, arriving or node.shape("input_type")))
    if node.kind in POOLS:
        return _pool(node, _known(node, arriving))
    if node.kind.startswith("Conv"):
        return _convolution(node, arriving)
    *leading, n_behind, n_before = _axes_of_weight(node, 2, or_more=True)
    return Dense((*leading, n_before), (*leading, n_behind))


def own_shape(node: Node, key: str, arriving: Shape | None) -> Shape:
    """Return the shape of a node that has it from a parameter; a single number holds for all that arrives."""
    shape = node.limited(node.shape_of(key))
    return shape if arriving is None or prod(shape) != 1 else arriving


def _known(node: Node, shape: Shape | None) -> Shape:
    if shape is None:
        raise node.error("has no known shape: nothing with a shape leads to it", "Is an edge to it missing?")
    return shape


def _flatten(node: Node, shape: Shape) -> Passing:
    n_axes = len(shape)
    [start], [end] = node.whole("start_dim", least=None), node.whole("end_dim", least=None)
    first, last = (dim + n_axes if dim < 0 else dim for dim in (start, end))
    if not 0 <= first <= last < n_axes:
        raise node.error(f"flattens from axis {start} to {end}, but what arrives is of shape {shape}")
    return Passing(shape, (*shape[:first], prod(shape[first : last + 1]), *shape[last + 1 :]))


def _pool(node: Node, shape: Shape) -> Windows:
    kernel = node.whole("kernel_size", least=1)
    channels, *sizes = _with_channels(node, shape, 2)
    axes = _axes(node, sizes, kernel, node.whole("stride", least=1), (1,))
    return Windows(axes, channels, channels, groups=channels)


def _convolution(node: Node, arriving: Shape | None) -> Windows:
    n_axes = int(node.kind[-2])
    behind, before_of_group, *kernel = _axes_of_weight(node, n_axes + 2)
    [groups] = node.whole("groups", least=1)
    if behind % groups:
        raise node.error(f"makes {behind} channels in {groups} groups, which is no whole number each")
    sizes = node.shape("input_shape") or _with_channels(node, _known(node, arriving), n_axes)[1:]
    axes = _axes(node, sizes, tuple(kernel), node.whole("stride", least=1), node.whole("dilation", least=1))
    return Windows(axes, before_of_group * groups, behind, groups)


def _with_channels(node: Node, shape: Shape, n_axes: int) -> Shape:
    if len(shape) != n_axes + 1:
        raise node.error(f"takes channels and {n_axes} axes behind them, but what arrives is of shape {shape}")
    return shape


def _axes_of_weight(node: Node, n_axes: int, or_more: bool = False) -> Shape:
    shape = node.shape_of("weight")
    if len(shape) < n_axes or (len(shape) > n_axes and not or_more) or 0 in shape:
        raise node.error(f"has weights of shape {shape}, must have {n_axes} axes{' or more' if or_more else ''}")
    return shape


def _axes(node: Node, sizes: Shape | list[int], kernel: Shape, stride: Shape, dilation: Shape) -> tuple[Axis, ...]:
    """Return the window along each axis."""
    n_axes = len(sizes)
    padding = node.text("padding")
    if padding not in (None, "same", "valid"):
        raise node.error(f"has the padding {padding!r}, must have whole numbers, 'same' or 'valid'")
    if padding == "same" and set(stride) != {1}:
        raise node.error(f"has the padding 'same' and the stride {stride}, which no framework has together")
    zeros = _each(node, "padding", (0,) if padding else node.whole("padding"), n_axes)
    sides = _each(node, "kernel", kernel, n_axes), _each(node, "stride", stride, n_axes)
    axes = []
    for size, pad, taps, step, gap in zip(sizes, zeros, *sides, _each(node, "dilation", dilation, n_axes), strict=True):
        around = gap * (taps - 1) if padding == "same" else 2 * pad
        axis = Axis(size, taps, step, gap, around // 2, around - around // 2)
        if axis.n_places < 1:
            raise node.error(f"looks over {axis.reach} elements, but {size} with {around} zeros around arrive")
        axes.append(axis)
    node.limited(tuple(axis.n_places for axis in axes))
    return tuple(axes)


def _each(node: Node, what: str, values: Shape, n_axes: int) -> Shape:
    if len(values) not in (1, n_axes):
        raise node.error(f"has {what} {values}, must have one number or {n_axes}")
    return values * n_axes if len(values) == 1 else values
