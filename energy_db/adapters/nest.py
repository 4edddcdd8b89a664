"""NEST's spike recorders: in memory, and as the ascii files that each thread writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from energy_db.adapters.timing import n_steps, refuse_beyond, steps_of
from energy_db.errors import RunFileError, UsageError
from energy_db.intake.network import Layer
from energy_db.intake.reading import LARGEST_INDEX
from energy_db.record.arrays import as_array, as_index
from energy_db.record.recording import Recording, of_parts
from energy_db.record.spikes import from_events

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
        If a sender belongs to no population or to two, or a time does not fit.

    Examples
    --------
    >>> from energy_db.adapters import from_nest
    >>> events = {"senders": [3, 1, 3], "times": [1.0, 0.1, 0.2]}
    >>> recording = from_nest(events, populations={"exc": [1, 2, 3]}, dt_ms=0.1, duration_ms=1.0)
    >>> recording.n_timesteps, recording.n_spikes
    (10, {'exc': 3})
    """
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
    layers, parts = [], []
    for index, (name, ids) in enumerate(populations.items()):
        own = layer_of == index
        layers.append(Layer(name, n_neurons=len(ids)))
        parts.append(from_events(name, neuron_of[own], steps[own]))
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
        If a file cannot be read, or a line is none of NEST's; it names file and line.
    UsageError
        As `from_nest`.
    """
    if not paths:
        raise UsageError("there are no files", "Give those of all threads: LABEL-ID-THREAD.dat.")
    read = [_read(Path(path)) for path in paths]
    headers = {header for header, _ in read}
    if len(headers) > 1:
        raise RunFileError(f"{paths[0]} and others: some files give times in ms, others in steps", "Take them apart.")
    columns = [[value for _, rows in read for value in rows[i]] for i in range(len(read[0][0]))]
    names = ("senders", "times", "offsets")[: len(columns)]
    found = from_nest(
        dict(zip(names, columns, strict=True)), populations=populations, dt_ms=dt_ms, duration_ms=duration_ms
    )
    return Recording(found.layers, found.spikes, found.n_timesteps, 1, found.timestep_us, origin=str(paths[0]))


def _steps(events: Mapping[str, Any], dt_ms: float) -> NDArray[np.int64]:
    """Return the timestep of each event; what lies in (k dt, (k + 1) dt] is in k."""
    import numpy as np

    if "offsets" in events:  # the time is the number of the step at whose end the spike is stamped
        return as_array(events["times"], "times").astype(np.int64) - 1
    times = as_array(events["times"], "times").astype(np.float64)
    if times.size and not (np.isfinite(times) & (times > 0)).all():
        first = int((~(np.isfinite(times) & (times > 0))).argmax())
        raise UsageError(f"times[{first}] is {times[first]}, but NEST stamps the first spikes with {dt_ms} ms")
    # Counted backwards from the end, bins that include their ends become such that include their beginnings.
    end = (np.ceil(times.max(initial=0.0) / dt_ms) + 1) * dt_ms
    backwards = steps_of(end - times, dt_ms)
    return np.asarray(round(end / dt_ms) - 1 - backwards, dtype=np.int64)


def _places(senders: NDArray[np.int32], populations: Mapping[str, Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each event the position of its layer, and its neuron there."""
    import numpy as np

    # A NodeCollection hands out collections of one node, which say their id.
    ids = [int(getattr(node, "global_id", node)) for nodes in populations.values() for node in nodes]
    layers = [index for index, nodes in enumerate(populations.values()) for _ in nodes]
    neurons = [neuron for nodes in populations.values() for neuron in range(len(nodes))]
    if len(set(ids)) < len(ids):
        raise UsageError(f"the id {next(each for each in ids if ids.count(each) > 1)} is in the populations twice")
    order = np.argsort(ids)
    known = np.append(np.array(ids, np.int64)[order], np.iinfo(np.int64).max)
    at = np.searchsorted(known, senders)
    if (strange := known[at] != senders).any():
        raise UsageError(
            f"the sender {senders[strange][0]} belongs to no population",
            "Give the ids of every population that was recorded; NEST counts them from 1.",
        )
    return np.array(layers, np.int64)[order][at], np.array(neurons, np.int64)[order][at]


def _read(path: Path) -> tuple[tuple[str, ...], list[list[float]]]:
    """Return the names of a file's columns, and the columns."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RunFileError(f"{path}: cannot be read: {error}") from error
    content = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    header = tuple(content[0][1].split()) if content else ()
    if header not in (_IN_MS, _IN_STEPS):
        raise RunFileError(
            f"{path}: its first line without # must be {' '.join(_IN_MS)} or {' '.join(_IN_STEPS)}",
            "Is it a file of a spike_recorder with record_to='ascii'?",
        )
    columns: list[list[float]] = [[] for _ in header]
    for number, line in content[1:]:
        values = line.split()
        try:
            for column, value in zip(columns, values, strict=True):
                column.append(float(value))
        except ValueError as error:
            raise RunFileError(
                f"{path}: line {number} is {line!r}, must be {len(header)} numbers", "Was the file cut short?"
            ) from error
    return header, columns
