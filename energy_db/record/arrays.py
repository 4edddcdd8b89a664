"""Arrays of any framework as NumPy's, without importing one: by DLPack, or by the array interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from energy_db.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BYTES_OF_FLOAT32 = 4


def as_array(value: Any, what: str) -> NDArray[Any]:
    """Return an array, tensor or nested list as a NumPy array; memory is shared where it can be.

    Parameters
    ----------
    value : array-like
        A NumPy array, a torch, JAX or TensorFlow tensor (of any device that can copy to the CPU, with or without
        gradients), a quantity with units, or nested lists.
    what : str
        What to call it in errors.

    Raises
    ------
    UsageError
        If it cannot be read as an array of numbers or truth values.
    """
    import numpy as np

    try:
        array = np.asarray(_on_cpu(summable(value)))
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        raise UsageError(f"{what} cannot be read as an array: {error}") from error
    if array.dtype.kind not in "biuf":
        raise UsageError(f"{what} holds {array.dtype}, must hold numbers or true and false")
    return array


def summable(value: Any) -> Any:
    """Return an array or tensor without its gradient, and wide enough to be summed up; where it is.

    Sums of half-precision spikes would be rounded, and NumPy knows nothing of bfloat16.
    """
    if hasattr(value, "detach"):
        value = value.detach()
    if hasattr(value, "is_floating_point") and value.is_floating_point() and value.element_size() < _BYTES_OF_FLOAT32:
        value = value.float()
    if getattr(value, "dtype", None) == "float16":
        value = value.astype("float32")
    return value


def _on_cpu(value: Any) -> Any:
    """Return what NumPy can read: a tensor off its device, as torch and JAX spell it."""
    if hasattr(value, "resolve_conj") and hasattr(value, "cpu"):
        value = value.cpu()
    if not hasattr(value, "__array__") and hasattr(value, "__dlpack__"):
        import numpy as np

        return np.from_dlpack(value)
    return value


def as_index(value: Any, what: str, most: int) -> NDArray[np.int32]:
    """Return whole numbers from 0 to most as int32.

    Raises
    ------
    UsageError
        If they are not one axis of whole numbers in that range; the message names the first that is not.
    """
    import numpy as np

    array = as_array(value, what)
    if array.ndim != 1:
        raise UsageError(f"{what} has {array.ndim} axes, must have one")
    if array.dtype.kind not in "iu" and not _is_whole(array):
        raise UsageError(f"{what} holds {array.dtype}, must hold whole numbers")
    if array.size and not (array.min() >= 0 and array.max() <= most):
        first = int(np.flatnonzero((array < 0) | (array > most))[0])
        raise UsageError(f"{what}[{first}] is {array[first]}, must be a whole number from 0 to {most}")
    return array.astype(np.int32, copy=False)


def _is_whole(array: NDArray[Any]) -> bool:
    import numpy as np

    return bool(array.dtype.kind == "f" and np.isfinite(array).all() and (array == np.rint(array)).all())
