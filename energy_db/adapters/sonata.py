"""SONATA's spike files, which simulators of large networks write: HDF5, a group for each population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING

from energy_db.adapters.hdf5 import column_of, group_of, groups_of, opened, text_of
from energy_db.adapters.timing import Stamped, n_steps, refuse_beyond, rounding_of, steps_of
from energy_db.errors import RunFileError, UsageError
from energy_db.intake.network import Layer
from energy_db.intake.reading import LARGEST_INDEX
from energy_db.record.recording import Recording, of_parts
from energy_db.record.spikes import from_events

if TYPE_CHECKING:
    import h5py
    import numpy as np
    from numpy.typing import NDArray

_MICROSECONDS_PER_MS = 1000
_MILLISECONDS = {
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1.0),
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1e3),
    **dict.fromkeys(("us", "µs", "μs", "usec", "microsecond", "microseconds"), 1e-3),
}


def from_sonata(
    path: str | PathLike[str],
    *,
    dt_ms: float,
    duration_ms: float,
    sizes: Mapping[str, int] | None = None,
    nodes: str | PathLike[str] | Sequence[str | PathLike[str]] | None = None,
    populations: Sequence[str] | None = None,
    stamped: Stamped = "start",
) -> Recording:
    """Take a SONATA spike file.

    Parameters
    ----------
    path : path-like
        The file: `/spikes/POPULATION/timestamps` and `node_ids`, each of shape (spikes,), in any order. Times are in
        the unit that the attribute `units` of `timestamps` says, ms, s or us; in ms if there is none.
    dt_ms : float
        Length of a timestep in ms.
    duration_ms : float
        Simulated time in ms, from 0.
    sizes : mapping of str to int, optional
        Neurons of each population; the spikes do not say how many stayed silent.
    nodes : path-like or sequence of path-like, optional
        The SONATA nodes files of the network, which know the sizes. Where both know, they must agree.
    populations : sequence of str, optional
        Those to take, in order. Default: all, as they stand in the file.
    stamped : {'start', 'end'}
        Whether a spike carries the time at which its timestep starts or ends. 'start': what lies in
        [k dt, (k + 1) dt) is in timestep k. 'end', as NEST stamps: what lies in (k dt, (k + 1) dt]. A time within a
        millionth of a timestep of the grid lies on it.

    Returns
    -------
    Recording
        One sample. Each population is a layer; neuron i is its node i, from 0 in every population.

    Raises
    ------
    RunFileError
        If a file is no such file, lacks a dataset or holds what cannot be: columns of two lengths, an unknown unit, a
        node beyond its population. The message names file, dataset and row.
    UsageError
        If nobody says how many neurons a population has or two say otherwise, a population is not there, or a time
        lies beyond the duration.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import h5py
    >>> from energy_db.adapters import from_sonata
    >>> path = Path(mkdtemp()) / "spikes.h5"
    >>> with h5py.File(path, "w") as file:
    ...     file["spikes/exc/timestamps"], file["spikes/exc/node_ids"] = [0.3, 0.1], [2, 0]
    >>> recording = from_sonata(path, dt_ms=0.1, duration_ms=1.0, sizes={"exc": 4})
    >>> recording.n_timesteps, recording.n_spikes, recording.layers[0].n_neurons
    (10, {'exc': 2}, 4)
    """
    n_timesteps, rounding = n_steps(duration_ms, dt_ms), rounding_of(stamped)
    layers, parts = [], []
    with opened(path) as file:
        groups = _populations(file, populations)
        known = _sizes(sizes or {}, nodes, list(groups_of(group_of(file, "spikes"))))
        for name, group in groups.items():
            if name not in known:
                raise UsageError(
                    f"nobody says how many neurons the population {name!r} has",
                    f"Spikes do not tell of silent ones: give sizes={{{name!r}: ...}}, or nodes='NODES.h5'.",
                )
            node_ids, times_ms = _events(group, known[name])
            what = f"{path}: {group.name}/timestamps"
            steps = steps_of(times_ms, dt_ms, rounding=rounding, what=what)
            refuse_beyond(steps, n_timesteps, what)
            layers.append(Layer(name, n_neurons=known[name]))
            parts.append(from_events(name, node_ids, steps))
    return of_parts(layers, parts, n_timesteps, timestep_us=round(dt_ms * _MICROSECONDS_PER_MS, 6), origin=str(path))


def _populations(file: h5py.File, chosen: Sequence[str] | None) -> dict[str, h5py.Group]:
    """Return the groups of the populations that are taken, in order."""
    there = groups_of(group_of(file, "spikes"))
    if not there:
        raise RunFileError(
            f"{file.filename}: /spikes has no population",
            "Spikes belong into /spikes/POPULATION; files of before SONATA 0.1 have them without one.",
        )
    if isinstance(chosen, str) or (chosen is not None and not chosen):
        raise UsageError(f"populations is {chosen!r}, must be a list of names", f"The file has {', '.join(there)}.")
    names = list(there if chosen is None else chosen)
    for name in names:
        if name not in there:
            raise UsageError(f"{file.filename} has no population {name!r}", f"It has {', '.join(there)}.")
        if names.count(name) > 1:
            raise UsageError(f"populations has {name!r} twice")
    return {name: there[name] for name in names}


def _sizes(
    given: Mapping[str, int],
    nodes: str | PathLike[str] | Sequence[str | PathLike[str]] | None,
    there: Sequence[str],
) -> dict[str, int]:
    """Return how many neurons each population has, by both who know it."""
    for name, size in given.items():
        if name not in there:
            raise UsageError(f"sizes has {name!r}, but the file has no such population", f"It has {', '.join(there)}.")
        if isinstance(size, bool) or not hasattr(size, "__index__") or not 0 <= int(size) <= LARGEST_INDEX + 1:
            raise UsageError(f"sizes has {size!r} for {name!r}, must be a whole number from 0 to {LARGEST_INDEX + 1}")
    known = {name: int(size) for name, size in given.items()}
    said_by = dict.fromkeys(known, "sizes")
    paths = [] if nodes is None else [nodes] if isinstance(nodes, str | PathLike) else list(nodes)
    for path in paths:
        for name, size in _nodes(path).items():
            if known.setdefault(name, size) != size:
                raise UsageError(
                    f"the population {name!r} has {known[name]} neurons by {said_by[name]}, but {size} by {path}",
                    "Are these the nodes of the network that was simulated?",
                )
            said_by.setdefault(name, str(path))
    return known


def _nodes(path: str | PathLike[str]) -> dict[str, int]:
    """Return the sizes of the populations in a nodes file."""
    with opened(path) as file:
        nodes = group_of(file, "nodes")
        return {name: len(column_of(group_of(nodes, name), "node_type_id")) for name in nodes}


def _events(group: h5py.Group, n_neurons: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the nodes of a population's spikes, and their times in ms."""
    import numpy as np

    place = f"{group.file.filename}: {group.name}"
    node_ids, times = column_of(group, "node_ids", whole=True), column_of(group, "timestamps")
    if len(node_ids) != len(times):
        raise RunFileError(
            f"{place} has {len(times)} timestamps, but {len(node_ids)} node_ids", "Was the file cut short?"
        )
    strange = (node_ids < 0) | (node_ids >= n_neurons)
    if strange.any():
        row = int(strange.argmax())
        raise RunFileError(
            f"{place}/node_ids: row {row} is {node_ids[row]}, but the population has {n_neurons} neurons, from 0",
            "Is its size right? In SONATA, ids count from 0 in every population.",
        )
    said = text_of(group["timestamps"].attrs.get("units"))
    unit = "ms" if said is None else said
    if unit.strip().lower() not in _MILLISECONDS:
        raise RunFileError(f"{place}/timestamps has the units {unit!r}, must be ms, s or us")
    return node_ids.astype(np.int64), times.astype(np.float64) * _MILLISECONDS[unit.strip().lower()]
