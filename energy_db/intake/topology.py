"""How many synapses leave each neuron of a layer, from weights, a mask, or the geometry of a convolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from math import prod
from typing import TYPE_CHECKING, Any

from energy_db.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_NEURONS = 2**31
_LARGEST_COUNT = 2**63 - 1


def fan_out(
    weights: Any = None,
    *,
    mask: Any = None,
    kernel: int | Sequence[int] | None = None,
    in_shape: Sequence[int] | None = None,
    out_channels: int | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | str | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> NDArray[np.int64]:
    """Count the synapses from each neuron of a layer to the next layer.

    Give one of weights, mask and kernel. The count is structural: a synapse whose weight is zero is there and counts,
    unless a mask says that it does not exist.

    Parameters
    ----------
    weights : array, optional
        The weights of a dense layer, of shape (n_out, n_in) as the frameworks keep them. Only their shape is read.
    mask : array or sparse matrix, optional
        Which synapses of a dense layer exist, of shape (n_out, n_in): true and false, or 1 and 0. What a SciPy sparse
        matrix stores exists, zero or not.
    kernel : int or sequence of int, optional
        Size of the kernel of a convolution or pooling layer, along each axis: (height, width), in one dimension
        (length,), in three (depth, height, width).
    in_shape : sequence of int, optional
        Shape of the layer that the kernel looks at: (channels, height, width), with as many axes as the kernel.
    out_channels : int, optional
        Channels of the next layer.
    stride, dilation : int or sequence of int
        As in the frameworks, for all axes or along each.
    padding : int, sequence of int, 'valid' or 'same'
        Zeros around the input: they are no neurons and count nothing. 'same' makes the next layer as large as
        in_shape, divided by the stride and rounded up.
    groups : int
        As in the frameworks. Pooling is a convolution whose out_channels and groups are the channels of in_shape, and
        whose stride is its kernel. Transposed convolutions are not supported.

    Returns
    -------
    numpy.ndarray of int64
        The fan-out of each neuron, in C order: by channel, then row, then column.

    Raises
    ------
    UsageError
        If an argument cannot be meant; the message names it.

    Examples
    --------
    >>> from energy_db import fan_out
    >>> fan_out([[0.5, 0.0, 0.1], [0.2, 0.3, 0.4]])
    array([2, 2, 2])
    >>> fan_out(mask=[[1, 0, 1], [1, 1, 0]])
    array([2, 1, 1])
    >>> fan_out(kernel=(3, 3), in_shape=(1, 4, 4), out_channels=2, padding=1).reshape(4, 4)
    array([[ 8, 12, 12,  8],
           [12, 18, 18, 12],
           [12, 18, 18, 12],
           [ 8, 12, 12,  8]])
    """
    ways = {"weights": weights, "mask": mask, "kernel": kernel}
    given = [name for name, value in ways.items() if value is not None]
    if len(given) != 1:
        raise UsageError(f"fan_out takes one of {', '.join(ways)}, but {' and '.join(given) or 'none'} is given")
    if kernel is not None:
        return _of_convolution(kernel, in_shape, out_channels, stride, padding, dilation, groups)
    defaults = (None, None, 1, 0, 1, 1)
    geometry = zip(_GEOMETRY, (in_shape, out_channels, stride, padding, dilation, groups), defaults, strict=True)
    for name, value, default in geometry:
        if repr(value) != repr(default):  # an array would not say whether it differs
            raise UsageError(f"{name} goes with kernel, not with {given[0]}")
    return _of_dense(weights) if mask is None else _of_mask(mask)


_GEOMETRY = ("in_shape", "out_channels", "stride", "padding", "dilation", "groups")


def _of_dense(weights: Any) -> NDArray[np.int64]:
    import numpy as np

    # Tensors tell their shape wherever they live; only lists have to be looked at.
    shape = tuple(weights.shape) if hasattr(weights, "shape") else _array("weights", weights).shape
    n_out, n_in = _two_axes("weights", shape)
    return np.full(n_in, n_out, dtype=np.int64)


def _of_mask(mask: Any) -> NDArray[np.int64]:
    import numpy as np

    if hasattr(mask, "tocsc"):
        by_source = mask.tocsc(copy=True)
        _two_axes("mask", by_source.shape)
        by_source.sum_duplicates()
        stored: NDArray[np.int64] = np.diff(by_source.indptr).astype(np.int64)
        return stored
    exists = _array("mask", mask)
    _two_axes("mask", exists.shape)
    if exists.dtype.kind not in "biuf" or not ((exists == 0) | (exists == 1)).all():
        raise UsageError(
            "mask must hold true and false, or 1 and 0",
            "Where a zero weight is no synapse, give mask=(weights != 0).",
        )
    return np.asarray(np.count_nonzero(exists, axis=0), dtype=np.int64)


def _of_convolution(
    kernel: Any, in_shape: Any, out_channels: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> NDArray[np.int64]:
    import numpy as np

    channels, *sizes = _shape(in_shape)
    n_axes = len(sizes)
    kernels = _per_axis("kernel", kernel, n_axes, 1)
    strides = _per_axis("stride", stride, n_axes, 1)
    dilations = _per_axis("dilation", dilation, n_axes, 1)
    reaches = [step * (taps - 1) + 1 for step, taps in zip(dilations, kernels, strict=True)]
    paddings = _paddings(padding, sizes, reaches, strides)
    seen = [_times_seen(*axis) for axis in zip(sizes, kernels, reaches, strides, dilations, paddings, strict=True)]
    channels_of_each = _channels_of_each(channels, out_channels, groups)
    if channels_of_each * prod(int(times.max()) for times in seen) > _LARGEST_COUNT:
        raise UsageError(f"out_channels is {out_channels}: a fan-out is more than {_LARGEST_COUNT}")
    of_channel = reduce(np.multiply.outer, seen).ravel() * channels_of_each
    return np.tile(of_channel, channels)


def _times_seen(
    size: int, taps: int, reach: int, stride: int, dilation: int, padding: tuple[int, int]
) -> NDArray[np.int64]:
    """Return for each position along an axis how many outputs look at it."""
    import numpy as np

    before, after = padding
    last_start = size + before + after - reach
    if last_start < 0:
        raise UsageError(
            f"kernel reaches over {reach} positions, but in_shape and padding have {size + before + after}"
        )
    seen = np.zeros(size, dtype=np.int64)
    for tap in range(taps):
        start = np.arange(size) + before - tap * dilation
        seen += (start >= 0) & (start <= last_start) & (start % stride == 0)
    return seen


def _channels_of_each(channels: int, out_channels: Any, groups: Any) -> int:
    """Return how many channels of the next layer one channel goes to."""
    n_groups = _whole("groups", groups, 1, _LARGEST_COUNT)
    if out_channels is None:
        raise UsageError("out_channels is missing", "It is the number of channels of the next layer.")
    n_out = _whole("out_channels", out_channels, 1, _LARGEST_COUNT)
    for name, count in (("the channels of in_shape are", channels), ("out_channels is", n_out)):
        if count % n_groups:
            raise UsageError(f"{name} {count}, must be a multiple of groups, which is {n_groups}")
    return n_out // n_groups


def _shape(in_shape: Any) -> list[int]:
    if in_shape is None:
        raise UsageError("in_shape is missing", "It is (channels, height, width) of the layer that sends the spikes.")
    if not _is_list(in_shape) or len(in_shape) < 2:  # noqa: PLR2004 (channels, and an axis to move along)
        raise UsageError(f"in_shape is {in_shape!r}, must be (channels, height, width), (channels, length) or the like")
    shape = [_whole("in_shape", size, 1, _MOST_NEURONS) for size in in_shape]
    if prod(shape) > _MOST_NEURONS:
        raise UsageError(f"in_shape is {in_shape!r}: a layer has at most {_MOST_NEURONS} neurons")
    return shape


def _paddings(padding: Any, sizes: list[int], reaches: list[int], strides: list[int]) -> list[tuple[int, int]]:
    """Return the zeros before and behind each axis."""
    if isinstance(padding, str) and padding == "same":
        totals = [
            max((-(-size // stride) - 1) * stride + reach - size, 0)
            for size, reach, stride in zip(sizes, reaches, strides, strict=True)
        ]
        return [(total // 2, total - total // 2) for total in totals]
    if isinstance(padding, str) and padding != "valid":
        raise UsageError(f"padding is {padding!r}, must be whole numbers, 'valid' or 'same'")
    both = _per_axis("padding", 0 if isinstance(padding, str) else padding, len(sizes), 0)
    return [(each, each) for each in both]


def _per_axis(name: str, value: Any, n_axes: int, least: int) -> list[int]:
    if not _is_list(value):
        return [_whole(name, value, least, _MOST_NEURONS)] * n_axes
    if len(value) != n_axes:
        raise UsageError(f"{name} has {len(value)} entries, but in_shape has {n_axes} axes behind its channels")
    return [_whole(name, entry, least, _MOST_NEURONS) for entry in value]


def _is_list(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str | Mapping) and getattr(value, "shape", None) != ()


def _whole(name: str, value: Any, least: int, most: int) -> int:
    is_whole = hasattr(value, "__index__") and not isinstance(value, bool) and not _is_list(value)
    if not is_whole or not least <= int(value) <= most:
        shown = repr(value) if isinstance(value, str) else value
        raise UsageError(f"{name} is {shown}, must be a whole number from {least} to {most}")
    return int(value)


def _two_axes(name: str, shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) != 2:  # noqa: PLR2004 (targets and sources)
        raise UsageError(
            f"{name} has {len(shape)} axes, must have two: (n_out, n_in)",
            "Of a convolution, give kernel, in_shape and out_channels.",
        )
    return shape[0], shape[1]


def _array(name: str, value: Any) -> NDArray[Any]:
    import numpy as np

    try:
        return np.asarray(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} cannot be read as an array: {error}") from error
