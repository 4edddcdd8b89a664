"""Address events, each with a time and a place, as the recording of a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from energy_db.adapters.timing import n_steps, steps_of
from energy_db.errors import RunFileError, UsageError
from energy_db.intake.network import Layer
from energy_db.intake.reading import LARGEST_COUNT, LARGEST_INDEX
from energy_db.record.recording import Recording, of_parts
from energy_db.record.spikes import from_events

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Neurons are numbered by polarity, then row, then column, as record.axes numbers channels, rows and columns.
PLACES = ("p", "y", "x")
ADDRESS, TIME, SAMPLE = "address", "t", "sample"
_SIGNED = (-1, 1)
MICROSECONDS = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}


@dataclass(frozen=True)
class Events:
    """Events, and how errors speak of one of them.

    Attributes
    ----------
    columns : mapping of str to array of shape (events,)
        `t`, and `address` or some of `x`, `y` and `p`; and `sample` where there are several.
    place_of : callable
        Returns what to call the event of an index.
    error : type
        The error to raise.
    """

    columns: Mapping[str, NDArray[Any]]
    place_of: Callable[[int], str]
    error: type[UsageError] | type[RunFileError]

    def refuse(self, wrong: NDArray[np.bool_], name: str, rule: str, hint: str | None = None) -> None:
        """Raise if a column is wrong anywhere, and name the first event where it is."""
        if wrong.any():
            first = int(wrong.argmax())
            value = float(self.columns[name][first])
            shown = int(value) if value.is_integer() else value
            raise self.error(f"{self.place_of(first)}: {name} is {shown}, {rule}", hint)


def recorded(
    events: Events,
    sizes: Mapping[str, int],
    timing: tuple[float, float, str],
    layer: str,
    n_samples: int,
    origin: str | None = None,
    notes: tuple[str, ...] = (),
) -> Recording:
    """Return the recording of events; those of one neuron in one timestep of one sample are one entry.

    Parameters
    ----------
    events : Events
        The events.
    sizes : mapping of str to int
        As `read_sizes` returns them.
    timing : tuple of float, float, str
        Length of a timestep and of each sample, and their unit, one of `MICROSECONDS`.
    layer : str
        The layer, which gets the role `input`.
    n_samples : int
        Samples of the run.
    origin, notes
        As of `Recording`.

    Raises
    ------
    UsageError, RunFileError
        As the events say, if one of them lies beyond sizes, duration or samples.
    """
    import numpy as np

    dt, duration, unit = timing
    n_timesteps = n_steps(duration, dt)
    n_neurons = prod(sizes.values())
    largest = max(n_neurons, n_timesteps, n_samples)
    if largest > LARGEST_INDEX + 1 or n_neurons * n_timesteps * n_samples > LARGEST_COUNT:
        raise UsageError(
            f"{n_neurons} neurons in {n_timesteps} timesteps of {n_samples} samples are too many to be counted",
            "Are size, dt and duration right?",
        )
    neuron, more_notes = _neurons(events, sizes)
    step = _steps(events, dt, duration, n_timesteps)
    sample = np.zeros(len(step), np.int64)
    if SAMPLE in events.columns:
        sample = _indices(events, SAMPLE, n_samples)
    cell, n_spikes = np.unique((sample * n_timesteps + step) * n_neurons + neuron, return_counts=True)
    at, neuron = np.divmod(cell, n_neurons)
    sample, step = np.divmod(at, n_timesteps)
    return of_parts(
        [Layer(layer, "input", n_neurons=n_neurons)],
        [from_events(layer, neuron, step, sample, n_spikes)],
        n_timesteps,
        n_samples=n_samples,
        timestep_us=round(dt * MICROSECONDS[unit], 6),
        origin=origin,
        notes=notes + more_notes,
    )


def _neurons(events: Events, sizes: Mapping[str, int]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the neuron of each event, and what the reader should know."""
    import numpy as np

    if ADDRESS in sizes:
        return _indices(events, ADDRESS, sizes[ADDRESS]), ()
    neuron = np.zeros(len(events.columns[TIME]), np.int64)
    for name in PLACES:
        if name in sizes and name in events.columns:
            along = _polarities(events, sizes["p"]) if name == "p" else _indices(events, name, sizes[name])
            neuron = neuron * sizes[name] + along
    if "p" in sizes or len(np.unique(events.columns.get("p", []))) <= 1:
        return neuron, ()
    return neuron, ("polarities are merged, as size has no p",)


def _polarities(events: Events, size: int) -> NDArray[np.int64]:
    """Return polarities from 0: of -1 and 1 the first is 0; along a size of 1, whatever they all are is 0."""
    import numpy as np

    given = events.columns["p"]
    if size == 1:  # as Tonic does: the spoken digits of SHD have 1 throughout
        events.refuse(given != given[:1], "p", "but others are not, and size has one polarity")
        return np.zeros(len(given), np.int64)
    if size == len(_SIGNED) and given.dtype.kind != "b" and (given == -1).any():
        events.refuse(~np.isin(given, _SIGNED), "p", "must be -1 or 1 where some are -1", "Others are 0 and 1.")
        return np.asarray(given > 0, dtype=np.int64)
    return _indices(events, "p", size)


def _indices(events: Events, name: str, size: int) -> NDArray[np.int64]:
    """Return whole numbers from 0 up to a size."""
    import numpy as np

    given = events.columns[name]
    fits = (given >= 0) & (given < size)
    if given.dtype.kind == "f":
        fits &= given == np.rint(given)
    events.refuse(~fits, name, f"must be a whole number from 0 to {size - 1}", "Is size right?")
    return given.astype(np.int64)


def _steps(events: Events, dt: float, duration: float, n_timesteps: int) -> NDArray[np.int64]:
    import numpy as np

    times = events.columns[TIME].astype(np.float64)
    events.refuse(~np.isfinite(times), TIME, "must be a finite time")
    events.refuse(times < 0, TIME, "but times are from 0", "Subtract the time at which the sample begins.")
    steps = steps_of(times, dt)
    events.refuse(
        (steps >= n_timesteps) | (times > duration),
        TIME,
        f"beyond the duration of {duration:g}",
        "Are dt and the duration right, and in the unit of the times? Do the times count from 0?",
    )
    return steps


def check_there(there: Sequence[str], sizes: Mapping[str, int], what: str, hint: str | None = None) -> None:
    """Refuse events without a time or a place, or with a row that size says nothing of.

    Raises
    ------
    UsageError
        With what is missing.
    """
    needed = [TIME, *(name for name, size in sizes.items() if size > 1)]
    if missing := [name for name in needed if name not in there]:
        raise UsageError(f"{what}: there is no {' and no '.join(missing)}", hint)
    if "y" in there and ADDRESS not in sizes and "y" not in sizes:
        raise UsageError(f"{what}: events have a y, but size has none", "Say how many rows there are.")


def read_sizes(size: Any, of_addresses: bool = False) -> dict[str, int]:
    """Return how many places there are along each axis, the slowest first; or how many addresses.

    Raises
    ------
    UsageError
        If that is not what size says.
    """
    if of_addresses:
        if isinstance(size, Mapping) or not hasattr(size, "__index__"):
            raise UsageError(f"size is {size!r}, must be the number of neurons, as events come with their address")
        return {ADDRESS: whole_size("size", size)}
    if isinstance(size, Sequence) and not isinstance(size, str) and len(size) == len(PLACES):
        size = dict(zip(("x", "y", "p"), size, strict=True))
    if not isinstance(size, Mapping) or "x" not in size or set(size) - set(PLACES):
        raise UsageError(
            f"size is {size!r}, must say how many x there are, and y and p if there are any",
            "Such as {'x': 34, 'y': 34, 'p': 2}, or (34, 34, 2).",
        )
    return {name: whole_size(f"size of {name}", size[name]) for name in PLACES if name in size}


def whole_size(what: str, value: Any) -> int:
    """Return a size.

    Raises
    ------
    UsageError
        If it is no whole number from 1.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or not 1 <= int(value) <= LARGEST_INDEX + 1:
        raise UsageError(f"{what} is {value!r}, must be a whole number from 1")
    return int(value)
