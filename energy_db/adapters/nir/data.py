"""Recorded NIR data: spikes of nodes as events or on a grid of timesteps, as `nir.write_data` writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isclose
from os import PathLike
from typing import TYPE_CHECKING, Any

from energy_db.adapters.hdf5 import array_of, group_of, opened, text_of
from energy_db.adapters.nir.network import nir_network
from energy_db.adapters.timing import n_steps, refuse_beyond, steps_of
from energy_db.errors import RunFileError, UsageError
from energy_db.intake.declaration import read_mapping
from energy_db.intake.network import Layer
from energy_db.record.recording import Recording, of_parts
from energy_db.record.spikes import Spikes, Values, from_dense, from_events

if TYPE_CHECKING:
    import h5py
    import numpy as np
    from numpy.typing import NDArray

_SPIKES = "spikes"
_EVENTS = ("EventData", "ValuedEventData")
_GRID = "TimeGriddedData"


def from_nir(
    path: str | PathLike[str],
    *,
    graph: str | PathLike[str] | Mapping[str, Any] | None = None,
    dt: float | None = None,
    n_timesteps: int | None = None,
    timestep_us: float | None = None,
    observable: str | None = None,
    names: Mapping[str, str] | None = None,
    values: Values = "counts",
) -> Recording:
    """Take recorded NIR data.

    Parameters
    ----------
    path : path-like
        The file, as `nir.write_data` writes it.
    graph : path-like or mapping, optional
        The network: the file of its NIR graph, or what `nir_network` returned. It brings order, roles, fan-outs and
        sizes. Layers that the data do not have are left out, and noted.
    dt : float, optional
        Length of a timestep, in the unit of the file's times, which the file does not say. Needed for events; what is
        on a grid says its own, which must be the same.
    n_timesteps : int, optional
        Timesteps of a sample. Default: as many as the file's `t_max` takes, one that is only begun included.
    timestep_us : float, optional
        Length of a timestep in microseconds.
    observable : str, optional
        What to take of each node. Default: `spikes`, or the only one.
    names : mapping of str to str, optional
        The nodes to take, and what their layers are called. Default: all, by their own names.
    values : {'counts', 'graded'}
        Whether the value of an event, or an entry of a grid, is a number of spikes, or the payload of a single one.

    Returns
    -------
    Recording
        Times become timesteps as in NIR: timestep k reaches from k dt up to, but not including, (k + 1) dt. Padding, of
        index -1 and time infinity, is left out. Without a graph, layers are in the order of names, or of the file,
        which is that of the alphabet.

    Raises
    ------
    UsageError
        If an argument is missing or fits no node, or h5py is not installed.
    RunFileError
        If the file cannot be read, or its nodes contradict each other, the graph, or NIR's own rules; the message names
        file and node.

    Examples
    --------
    >>> from energy_db.adapters import from_nir
    >>> folder = "tests/adapters/recorded"
    >>> recording = from_nir(f"{folder}/nir-data.h5", graph=f"{folder}/nir-graph.nir", dt=0.001)
    >>> [(layer.name, layer.role) for layer in recording.layers], recording.n_timesteps, recording.n_samples
    ([('pixels', 'input'), ('conv_lif', 'hidden'), ('out_lif', 'readout')], 20, 3)
    """
    if values not in ("counts", "graded"):
        raise UsageError(f"values is {values!r}, must be counts or graded")
    if n_timesteps is not None and n_timesteps < 1:
        raise UsageError(f"n_timesteps is {n_timesteps}, must be 1 or more")
    known = None if graph is None else _layers_of(graph)
    with opened(path) as file:
        nodes = _nodes(file, path)
        taken = _taken(list(nodes), names, known, path)
        records = {layer: _record(nodes, node, observable, path) for node, layer in taken.items()}
        read = {record.node: record.read(layer, dt, n_timesteps, values) for layer, record in records.items()}
    _refuse_disagreement(read, path)
    layers = [_declared(node, each, known, path) for node, each in read.items()]
    missing = [node for node in known or () if node not in taken]
    notes = (f"left out of the network, as {path} has no data of them: {', '.join(missing)}",) if missing else ()
    first = next(iter(read.values()))
    about: dict[str, Any] = {"n_samples": first.n_samples, "timestep_us": timestep_us}
    return of_parts(
        layers, [e.spikes for e in read.values()], first.n_timesteps, origin=str(path), notes=notes, **about
    )


@dataclass(frozen=True)
class _Read:
    """Spikes of a node, how far they reach, and the length of a timestep that its grid says."""

    spikes: Spikes
    n_neurons: int
    n_timesteps: int
    n_samples: int
    dt: float | None


@dataclass(frozen=True)
class _Record:
    """An observable of a node, as it stands in the file."""

    path: str
    node: str
    group: h5py.Group

    @property
    def name(self) -> str:
        """What is observed."""
        return str(self.group.name).rpartition("/")[2]

    def error(self, message: str, hint: str | None = None) -> RunFileError:
        """Return an error that names file, node and observable."""
        return RunFileError(f"{self.path}: {self.name!r} of the node {self.node!r} {message}", hint)

    def read(self, layer: str, dt: float | None, n_timesteps: int | None, values: Values) -> _Read:
        """Return its spikes."""
        kind = text_of(self.group.attrs.get("__type__"))
        if kind == _GRID:
            return self._read_grid(layer, dt, n_timesteps, values)
        if kind not in _EVENTS:
            raise self.error(f"is of type {kind}, must be {', '.join(_EVENTS)} or {_GRID}")
        if dt is None:
            raise UsageError(
                f"{self.path}: {self.name!r} of the node {self.node!r} are events, whose timesteps are not said",
                "Give dt, the length of a timestep in the unit of the file's times.",
            )
        return self._read_events(layer, dt, n_timesteps, values if kind == "ValuedEventData" else None)

    def _read_grid(self, layer: str, dt: float | None, n_timesteps: int | None, values: Values) -> _Read:
        own_dt = self._number("dt")
        if dt is not None and not isclose(dt, own_dt):
            raise self.error(
                f"has timesteps of {own_dt}, but dt is {dt}", "Leave dt out, or give it in the file's unit."
            )
        grid = self._array("data")
        if grid.ndim != 3:  # noqa: PLR2004 (samples, timesteps, neurons)
            raise self.error(f"is of shape {grid.shape}, must have the axes samples, timesteps, neurons")
        if n_timesteps not in (None, grid.shape[1]):
            raise self.error(f"has {grid.shape[1]} timesteps, but n_timesteps is {n_timesteps}")
        try:
            spikes, extent = from_dense(layer, grid, "BTN", values=values)
        except UsageError as error:
            hint = (
                f"Is it no record of spikes, but of a voltage or current? Then choose another observable. {error.hint}"
            )
            raise self.error(f"cannot be spikes: {error.message}", hint) from error
        return _Read(spikes, extent.n_neurons, extent.n_timesteps, extent.n_samples, own_dt)

    def _read_events(self, layer: str, dt: float, n_timesteps: int | None, values: Values | None) -> _Read:
        idx, times, n_neurons = self._array("idx"), self._array("time"), self._number("n_neurons")
        if n_neurons < 0 or n_neurons % 1:
            raise self.error(f"has n_neurons {n_neurons}, must be a whole number from 0")
        is_event = self._events(idx, times, int(n_neurons))
        what = f"{self.path}: times of the node {self.node!r}"
        steps = steps_of(times[is_event], dt, what=what)
        n_timesteps = n_timesteps or self._timesteps(dt)
        refuse_beyond(steps, n_timesteps, what)
        counts = None if values is None else self._counts(is_event, values)
        spikes = from_events(layer, idx[is_event], steps, is_event.nonzero()[0], counts)
        return _Read(spikes, int(n_neurons), n_timesteps, len(idx), None)

    def _timesteps(self, dt: float) -> int:
        t_max = self._number("t_max")
        if not 0 < t_max < inf:
            raise self.error(f"has t_max {t_max}, must be a positive number", "Say n_timesteps.")
        return n_steps(t_max, dt)

    def _events(self, idx: NDArray[Any], times: NDArray[Any], n_neurons: int) -> NDArray[np.bool_]:
        """Return which entries are events; the others are padding."""
        import numpy as np

        if idx.ndim != 2 or idx.shape != times.shape:  # noqa: PLR2004 (samples, events)
            raise self.error(f"has idx of shape {idx.shape} and time of shape {times.shape}, must be (samples, events)")
        if idx.dtype.kind not in "iu" or times.dtype.kind not in "iuf":
            raise self.error(f"has idx of {idx.dtype} and time of {times.dtype}, must be whole numbers and numbers")
        is_padding = (idx == -1) & (times == np.inf)
        is_event = (idx >= 0) & (idx < n_neurons) & (times >= 0) & (times < np.inf)
        strange = ~is_padding & ~is_event
        if strange.any():
            at = tuple(int(index) for index in np.argwhere(strange)[0])
            raise self.error(
                f"has in sample {at[0]} as event {at[1]} the index {idx[at]} at the time {times[at]}",
                f"Events have an index from 0 to {n_neurons - 1} and a time from 0; padding has -1 and infinity.",
            )
        return np.asarray(is_event)

    def _counts(self, is_event: NDArray[np.bool_], values: Values) -> NDArray[Any] | None:
        """Return how many spikes each event is; None if one."""
        value = self._array("value")
        if value.shape != is_event.shape:
            raise self.error(f"has value of shape {value.shape}, but {is_event.shape} events")
        if values == "graded":
            return None
        of_events: NDArray[Any] = value[is_event]
        wrong = ~((of_events >= 1) & (of_events % 1 == 0))
        if wrong.any():
            raise self.error(
                f"has an event of the value {of_events[wrong][0]}, must be a whole number of spikes from 1",
                "Say values='graded' if it is the payload of a spike; choose another observable if it is none.",
            )
        return of_events

    def _array(self, name: str) -> NDArray[Any]:
        import numpy as np

        return np.asarray(array_of(self.group, name))

    def _number(self, name: str) -> float:
        value = self.group.attrs.get(name)
        try:
            return float(value)
        except (TypeError, ValueError) as error:
            raise self.error(f"has {name} {value!r}, must be a number", "nir.write_data writes it.") from error


def _nodes(file: h5py.File, path: str | PathLike[str]) -> h5py.Group:
    """Return the nodes that were recorded."""
    if text_of(file.attrs.get("__type__")) != "NIRGraphData":
        hint = "It is a NIR graph: give it as graph, or to nir_network." if "node" in file else None
        raise RunFileError(f"{path}: is no NIR data", hint or "Was it written by nir.write_data?")
    nodes = group_of(file, "nodes")
    if not len(nodes):
        raise RunFileError(f"{path}: has no nodes", "Was anything recorded?")
    return nodes


def _record(nodes: h5py.Group, node: str, observable: str | None, path: str | PathLike[str]) -> _Record:
    """Return the observable of a node."""
    group = group_of(nodes, node)
    if text_of(group.attrs.get("__type__")) == "NIRGraphData":
        raise RunFileError(
            f"{path}: the node {node!r} is a graph in the graph, which is not supported", "Choose others with names."
        )
    observables = group_of(group, "observables")
    there = list(observables)
    name = observable or (_SPIKES if _SPIKES in there or len(there) != 1 else there[0])
    if name not in there:
        raise UsageError(
            f"{path}: the node {node!r} has no observable {name!r}",
            f"There is {', '.join(there) or 'nothing'}; say which one with observable.",
        )
    return _Record(str(path), node, group_of(observables, name))


def _layers_of(graph: str | PathLike[str] | Mapping[str, Any]) -> dict[str, Layer]:
    """Return the layers of a graph by the names of their nodes."""
    if isinstance(graph, Mapping):
        declared = read_mapping(graph, "graph")
    else:
        declared = read_mapping(nir_network(graph), str(graph))
    if not declared.layers:
        raise UsageError("graph has no layers", "Give the file of a NIR graph, or what nir_network returned.")
    return {layer.name: layer for layer in declared.layers}


def _taken(
    nodes: list[str], names: Mapping[str, str] | None, known: Mapping[str, Layer] | None, path: str | PathLike[str]
) -> dict[str, str]:
    """Return the nodes to take, in order, and what their layers are called."""
    wanted = dict.fromkeys(nodes) if names is None else names
    for node in wanted:
        if node not in nodes:
            raise UsageError(f"{path}: there is no data of a node {node!r}", f"There is {', '.join(nodes)}.")
        if known is not None and node not in known:
            raise UsageError(
                f"{path}: the node {node!r} is no layer of the graph",
                f"Its layers are {', '.join(known)}; I, LI and CubaLI emit values, no spikes. "
                "Is it the right graph? Choose nodes with names.",
            )
    in_order = wanted if known is None else [node for node in known if node in wanted]
    taken = {node: node if names is None else names[node] for node in in_order}
    if not taken or len(set(taken.values())) < len(taken):
        raise UsageError(f"names are {names}, must give each node that is taken a name of its own")
    return taken


def _refuse_disagreement(read: Mapping[str, _Read], path: str | PathLike[str]) -> None:
    for key, meaning in (("n_samples", "samples"), ("n_timesteps", "timesteps"), ("dt", "length of a timestep")):
        of_nodes = {node: getattr(each, key) for node, each in read.items() if getattr(each, key) is not None}
        sizes = list(of_nodes.values())
        if not all(size == sizes[0] or (key == "dt" and isclose(size, sizes[0])) for size in sizes):
            listed = ", ".join(f"{node} has {size}" for node, size in of_nodes.items())
            raise RunFileError(
                f"{path}: the {meaning} of all nodes must be the same, but {listed}",
                "If only the ends of events differ, n_timesteps says how long the run was.",
            )


def _declared(node: str, read: _Read, known: Mapping[str, Layer] | None, path: str | PathLike[str]) -> Layer:
    """Return the layer of a node, with what the graph knows of it."""
    layer = Layer(read.spikes.layer, n_neurons=read.n_neurons)
    if known is None:
        return layer
    if known[node].n_neurons not in (None, read.n_neurons):
        raise RunFileError(
            f"{path}: the node {node!r} has {read.n_neurons} neurons, but {known[node].n_neurons} in the graph",
            "Are data and graph of the same network?",
        )
    return layer.over(known[node])
