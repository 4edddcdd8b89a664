"""NEST's spike recorders: in memory, and as the ascii files that each thread writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import SEEK_END, PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from energy_db.adapters.text_files import content_lines, line_of_row, read_columns
from energy_db.adapters.timing import n_steps, refuse_beyond, steps_of
from energy_db.errors import RunFileError, UsageError
from energy_db.intake.network import Layer
from energy_db.intake.reading import LARGEST_INDEX
from energy_db.record.arrays import as_array, as_index
from energy_db.record.recording import Recording, of_parts
from energy_db.record.spikes import Spikes, from_events

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MICROSECONDS_PER_MS = 1000
_IN_MS = ("sender", "time_ms")
_IN_STEPS = ("sender", "time_step", "time_offset")


def from_nest(
    events: Mapping[str, Any], *, populations: Mapping[str, Any], dt_ms: float, duration_ms: float
) -> Recording:
    """Take the events of NEST's spike recorders.

    Parameters
    ----------
    events : mapping of str to array
        `recorder.events`: `senders`, global ids from 1, and `times` in ms; or, of a recorder with `time_in_steps`,
        `times` in steps with `offsets`. Any order.
    populations : mapping of str to (sequence of int or NodeCollection)
        For each layer, in order, the global ids of its neurons, silent ones included: neuron i of the layer is the
        i-th of them.
    dt_ms : float
        The kernel's resolution in ms.
    duration_ms : float
        Simulated time in ms, from 0.

    Returns
    -------
    Recording
        One sample. NEST stamps a spike with the end of the step in which it was fired, dt at the earliest: what is
        stamped with a time in (k dt, (k + 1) dt] is in timestep k; a time within a millionth of a timestep of the grid
        lies on it.

    Raises
    ------
    UsageError
        If the events lack something, a sender belongs to no population or to two, or a time does not fit; whole
        numbers are no times in ms.

    Examples
    --------
    >>> from energy_db.adapters import from_nest
    >>> events = {"senders": [3, 1, 3], "times": [1.0, 0.1, 0.2]}
    >>> recording = from_nest(events, populations={"exc": [1, 2, 3]}, dt_ms=0.1, duration_ms=1.0)
    >>> recording.n_timesteps, recording.n_spikes
    (10, {'exc': 3})
    """
    _refuse_no_mapping("events", events, "Of several recorders at once NEST hands out a tuple: take them one by one.")
    _refuse_no_mapping("populations", populations, "Give the ids of each layer: populations={'exc': cells}.")
    for key in ("senders", "times"):
        if key not in events:
            raise UsageError(f"the events lack {key!r}", f"They have {', '.join(events)}; give `recorder.events`.")
    senders = as_index(events["senders"], "senders", LARGEST_INDEX)
    n_timesteps = n_steps(duration_ms, dt_ms)
    steps = _steps(events, dt_ms)
    if len(steps) != len(senders):
        raise UsageError(f"there are {len(senders)} senders, but {len(steps)} times")
    refuse_beyond(steps, n_timesteps, "times")
    layer_of, neuron_of = _places(senders, populations)
    layers = [Layer(name, n_neurons=len(ids)) for name, ids in populations.items()]
    parts = []
    for index, layer in enumerate(layers):
        own = layer_of == index
        parts.append(from_events(layer.name, neuron_of[own], steps[own]))
    return of_parts(layers, parts, n_timesteps, timestep_us=round(dt_ms * _MICROSECONDS_PER_MS, 6))


def from_nest_files(
    paths: Sequence[str | PathLike[str]], *, populations: Mapping[str, Any], dt_ms: float, duration_ms: float
) -> Recording:
    """Take the files of recorders with `record_to="ascii"`, `LABEL-ID-THREAD.dat`, together.

    Parameters
    ----------
    paths : sequence of path-like
        The files of all threads and recorders.
    populations, dt_ms, duration_ms
        As in `from_nest`.

    Raises
    ------
    RunFileError
        If a file cannot be read or was cut short, or a line is none of NEST's; it names file and line.
    UsageError
        If a file is given twice, and as `from_nest`.
    """
    if isinstance(paths, str | PathLike):
        raise UsageError(f"paths is one path, must be a list of them: {paths}", "Give the files of all threads.")
    files = [Path(path) for path in paths]
    if not files:
        raise UsageError("there are no files", "Give those of all threads: LABEL-ID-THREAD.dat.")
    known: dict[str, Any] = {"populations": populations, "dt_ms": dt_ms, "duration_ms": duration_ms}
    whole = from_nest({"senders": [], "times": []}, **known)
    _refuse_twice(files)
    read = [(file, _read(file)) for file in files]
    if len({len(columns) for _, columns in read}) > 1:
        raise RunFileError(f"{files[0]} and others: some files give times in ms, others in steps", "Take them apart.")
    parts: list[Spikes] = []
    for file, columns in read:
        try:
            parts += from_nest(columns, **known).spikes()
        except UsageError as error:
            raise RunFileError(f"{file}: {error.message}", error.hint) from error
    return replace(whole, spikes=lambda: iter(parts), origin=str(files[0]))


def _refuse_no_mapping(what: str, value: Any, hint: str) -> None:
    if not isinstance(value, Mapping):
        raise UsageError(f"the {what} are of type {type(value).__name__}, must be a mapping", hint)


def _refuse_twice(files: Sequence[Path]) -> None:
    there: dict[Path, Path] = {}
    for file in files:
        if file.resolve() in there:
            raise UsageError(f"{file} is given twice, as {there[file.resolve()]}", "Its spikes would count double.")
        there[file.resolve()] = file


def _steps(events: Mapping[str, Any], dt_ms: float) -> NDArray[np.int64]:
    """Return the timestep of each event; what lies in (k dt, (k + 1) dt] is in k."""
    import numpy as np

    times = as_array(events["times"], "times")
    if times.ndim != 1:
        raise UsageError(f"times has {times.ndim} axes, must have one")
    if "offsets" not in events:
        if times.dtype.kind in "iu" and times.size:
            raise UsageError(
                "times are whole numbers, as of a recorder with time_in_steps, but the events lack 'offsets'",
                "Give `recorder.events` as it is; times in ms are floats.",
            )
        return steps_of(times, dt_ms, rounding="ceil")
    offsets = as_array(events["offsets"], "offsets")
    if offsets.shape != times.shape:
        raise UsageError(f"there are {len(times)} times, but {offsets.size} offsets")
    for name, values in (("times", times), ("offsets", offsets)):
        is_good, must = _good(name, values, in_steps=True)
        if not is_good.all():
            first = int(is_good.argmin())
            raise UsageError(f"{name}[{first}] is {values[first]}, must be {must}")
    # The time is the number of the step at whose end the spike is stamped.
    return times.astype(np.int64) - 1


def _good(name: str, values: NDArray[Any], in_steps: bool) -> tuple[NDArray[np.bool_], str]:
    """Return which entries of a column NEST can have written, and what they must be."""
    import numpy as np

    if name == "offsets":
        return np.isfinite(values), "a finite offset"
    if name == "times" and not in_steps:
        return np.isfinite(values) & (values > 0), "a finite time above 0"
    is_number = (values >= 1) & (values <= LARGEST_INDEX) & (values == np.rint(values))
    return is_number, "an id from 1" if name == "senders" else "the number of a step, from 1"


def _places(senders: NDArray[np.int32], populations: Mapping[str, Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each event the position of its layer, and its neuron there."""
    import numpy as np

    ids_of = [_ids(name, nodes) for name, nodes in populations.items()]
    sizes = [len(ids) for ids in ids_of]
    ids = np.concatenate([np.zeros(0, np.int32), *ids_of])
    layers = np.repeat(np.arange(len(sizes)), sizes)
    neurons = np.arange(len(ids)) - np.repeat(np.cumsum(sizes, dtype=np.int64) - sizes, sizes)
    order = np.argsort(ids)
    if (is_twice := np.diff(ids[order]) == 0).any():
        raise UsageError(f"the id {ids[order][is_twice.argmax()]} is in the populations twice")
    known = np.append(ids[order].astype(np.int64), np.iinfo(np.int64).max)
    at = np.searchsorted(known, senders)
    if (strange := known[at] != senders).any():
        raise UsageError(
            f"the sender {senders[strange][0]} belongs to no population",
            "Give the ids of every population that was recorded; NEST counts them from 1.",
        )
    return layers[order][at], neurons[order][at]


def _ids(name: str, nodes: Any) -> NDArray[np.int32]:
    """Return the global ids of a population."""
    what = f"the population {name!r}"
    if not hasattr(nodes, "__iter__"):
        raise UsageError(f"{what} is of type {type(nodes).__name__}, must be a list of ids or a NodeCollection")
    # A NodeCollection hands out collections of one node, which say their id.
    ids = as_index([getattr(node, "global_id", node) for node in nodes], what, LARGEST_INDEX)
    if ids.size and not ids.all():
        raise UsageError(f"{what} has the id 0, but NEST counts from 1")
    return ids


def _read(path: Path) -> dict[str, NDArray[Any]]:
    """Return the columns of a file under the names that a recorder in memory has for them."""
    number, header = next(content_lines(path), (0, ""))
    names = {_IN_MS: ("senders", "times"), _IN_STEPS: ("senders", "times", "offsets")}.get(tuple(header.split()))
    if names is None:
        raise RunFileError(
            f"{path}: its first line without # must be {' '.join(_IN_MS)} or {' '.join(_IN_STEPS)}",
            "Is it a file of a spike_recorder with record_to='ascii'?",
        )
    if _last_byte(path) != b"\n":
        raise RunFileError(f"{path}: its last line has no end", "Was the file cut short? Then spikes are missing.")
    columns = dict(read_columns(path, names, delimiter=None, skip_lines=number))
    for name, values in columns.items():
        is_good, must = _good(name, values, in_steps="offsets" in columns)
        if not is_good.all():
            row = int(is_good.argmin())
            raise RunFileError(f"{path}: line {line_of_row(path, row, number)} has {values[row]}, must be {must}")
    return columns


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, SEEK_END)
        return file.read()
