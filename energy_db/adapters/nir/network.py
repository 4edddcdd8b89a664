"""The layers of a NIR graph with their fan-outs, as a network file says them."""

from __future__ import annotations

from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from math import prod
from os import PathLike
from typing import TYPE_CHECKING, Any

from energy_db.adapters.hdf5 import opened
from energy_db.adapters.nir.graph import NEURONS, SPIKING, WEIGHTED, Graph, Node, Shape, read_graph
from energy_db.adapters.nir.steps import Step, own_shape, step_of
from energy_db.errors import RunFileError

if TYPE_CHECKING:
    from energy_db.adapters.nir.steps import Counts


def nir_network(path: str | PathLike[str]) -> dict[str, Any]:
    """Read the network of a NIR graph: its layers, their sizes and the fan-out of each neuron.

    Layers are the nodes that emit spikes: IF, LIF, CubaLIF, a Threshold of what are no spikes yet, and Input. I, LI and
    CubaLI have no threshold: they emit values, and are no layers; spikes that reach them count.

    Fan-outs are structural, zero weights included: through Linear, Affine, Conv1d and Conv2d one synapse for each
    weight that a spike meets, borders exact; through weights that lead to two layers, twice; from neurons to neurons
    without weights, or through Scale, one each. A pool hands a spike to all of its places that see it. Several edges
    add up, those of a layer to itself, too. An input shape that a file leaves out is inferred.

    Parameters
    ----------
    path : path-like
        The file, as `nir.write` writes it.

    Returns
    -------
    dict
        `layers` in the form of a sidecar, in the order of the network: `name`, `role`, `n_neurons`, `fan_out` and,
        where it is the same for all neurons, `n_inputs`. A layer without outgoing synapses is the readout.

    Raises
    ------
    UsageError
        If h5py is not installed.
    RunFileError
        If the file cannot be read or holds no NIR graph, a node is a graph, unknown, or contradicts the shape of what
        leads to it, or weights follow on weights or values; the message names file and node.

    Examples
    --------
    >>> from energy_db.adapters.nir import nir_network
    >>> for layer in nir_network("tests/adapters/recorded/nir-graph.nir")["layers"]:
    ...     print(layer["name"], layer["role"], layer["n_neurons"], layer.get("n_inputs"))
    pixels input 32 None
    conv_lif hidden 48 None
    out_lif readout 5 48
    """
    with opened(path) as file:
        flow = _Flow(read_graph(file, path))
    if not flow.layers:
        raise RunFileError(f"{path}: no node of the graph emits spikes", "A network needs IF, LIF or CubaLIF nodes.")
    return {"layers": [flow.layer(name) for name in flow.layers]}


@dataclass
class _Place:
    """A node and what is known of it.

    Attributes
    ----------
    node : Node
        The node as it stands in the file.
    before, behind : tuple of int
        Shapes of what goes in and of what comes out.
    step : Step, optional
        What it does to counts, if it lies between neurons.
    is_layer : bool
        Whether it emits spikes of its own.
    values_of : str, optional
        The node whose values, which are no spikes, come out of it.
    made : counts
        Of each element behind it, how many neurons send to it.
    leading : counts
        Of each element before it, how many synapses it leads to.
    n_layers : int
        To how many nodes of neurons it leads without further weights.
    """

    node: Node
    before: Shape
    behind: Shape
    step: Step | None = None
    is_layer: bool = False
    values_of: str | None = None
    made: Counts = field(init=False)
    leading: Counts = field(init=False)
    n_layers: int = 0


class _Flow:
    """Counts that flow through a graph: forwards to fan-ins, backwards to fan-outs; they begin and end at neurons."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.places: dict[str, _Place] = {}
        for name in graph.in_order():
            self.places[name] = self._placed(graph.nodes[name])
        self._refuse_wrong_edges()
        between = self._between_neurons()
        for name in between:
            self._look_back(self.places[name])
        for name in reversed(between):
            self._look_ahead(self.places[name])
        self.layers = [name for name, place in self.places.items() if place.is_layer]

    def layer(self, name: str) -> dict[str, Any]:
        """Return what a network file says of a layer."""
        place = self.places[name]
        fan_in, fan_out = self._sum_before(place), self._sum_behind(place).reshape(-1)
        is_input = place.node.kind == "Input"
        role = "input" if is_input else "hidden" if fan_out.any() else "readout"
        said: dict[str, Any] = {"name": name, "role": role, "n_neurons": prod(place.behind)}
        if not is_input and fan_in.min() == fan_in.max() > 0:
            said["n_inputs"] = int(fan_in.max())
        return said | {"fan_out": fan_out.tolist() if fan_out.min() < fan_out.max() else int(fan_out.max())}

    def _placed(self, node: Node) -> _Place:
        """Return a node with its shapes, which nodes before it in the order of the network may tell."""
        known = (self.places[name].behind for name in self.graph.before(node.name) if name in self.places)
        arriving = next(known, None)
        if node.kind in NEURONS:
            shape = own_shape(node, NEURONS[node.kind], arriving)
            return _of_neurons(_Place(node, shape, shape), is_layer=node.kind in SPIKING)
        if node.kind == "Input":
            shape = node.shape("shape") or ()
            return _of_neurons(_Place(node, shape, shape), is_layer=True)
        if node.kind == "Output":  # its own shape is not needed, and nir infers some wrongly
            return _without_synapses(_Place(node, arriving or (), arriving or ()))
        step = step_of(node, arriving)
        return _Place(node, node.limited(step.shape_before), node.limited(step.shape_behind), step)

    def _refuse_wrong_edges(self) -> None:
        for source, target in self.graph.edges:
            before, behind = self.places[source], self.places[target]
            if behind.node.kind == "Input":
                raise behind.node.error(f"is fed by {source!r}, but an Input is where a graph begins")
            if before.node.kind == "Output":
                raise before.node.error(f"leads to {target!r}, but an Output is where a graph ends")
            if before.behind != behind.before:
                raise behind.node.error(f"takes the shape {behind.before}, but {source!r} hands on {before.behind}")

    def _between_neurons(self) -> list[str]:
        """Return the nodes that lie between neurons, each behind all that lead to it."""
        between = {name for name, place in self.places.items() if place.step}
        leading = {name: [each for each in self.graph.before(name) if each in between] for name in self.places}
        try:
            return [name for name in TopologicalSorter(leading).static_order() if name in between]
        except CycleError as error:
            loop = error.args[1]
            raise self.graph.nodes[loop[0]].error(f"is in a loop without neurons: {', '.join(loop[::-1])}") from error

    def _look_back(self, place: _Place) -> None:
        """See what comes: spikes or values, and from how many neurons."""
        before = (self.places[name].values_of for name in self.graph.before(place.node.name))
        place.values_of = next((name for name in before if name), None)
        if place.node.kind in WEIGHTED:
            self._refuse_values(place)
            place.values_of = place.node.name
        if place.node.kind == "Threshold" and place.values_of:
            _of_neurons(place, is_layer=True)
        elif place.step:
            place.made = place.step.forwards(self._sum_before(place))

    def _look_ahead(self, place: _Place) -> None:
        """See what follows: synapses of each element, up to the next neurons."""
        import numpy as np

        if place.is_layer or place.step is None:
            return
        place.n_layers = sum(self.places[name].n_layers for name in self.graph.after(place.node.name))
        if place.node.kind in WEIGHTED:
            place.leading = place.step.backwards(np.full(place.behind, max(place.n_layers, 1), np.int64))
        else:
            place.leading = place.step.backwards(self._sum_behind(place))

    def _refuse_values(self, place: _Place) -> None:
        """Refuse weights that no spike meets: how often they work cannot be counted by spikes."""
        if place.values_of is None:
            return
        source = self.graph.nodes[place.values_of]
        if source.kind in WEIGHTED:
            raise place.node.error(
                f"has weights that follow on those of {source.name!r}, without neurons between",
                "Their product is one matrix, of whose synapses neither tells: write it as one node.",
            )
        raise place.node.error(
            f"has weights for the values of {source.name!r} ({source.kind}), which emits no spikes",
            "What they cost cannot be counted by spikes; say layers and fan-outs in a network file of your own.",
        )

    def _sum_before(self, place: _Place) -> Counts:
        import numpy as np

        made = (self.places[name].made for name in self.graph.before(place.node.name))
        return sum(made, np.zeros(place.before, np.int64))

    def _sum_behind(self, place: _Place) -> Counts:
        import numpy as np

        leading = (self.places[name].leading for name in self.graph.after(place.node.name))
        return sum(leading, np.zeros(place.behind, np.int64))


def _of_neurons(place: _Place, is_layer: bool) -> _Place:
    """Return a place where synapses end, one at each element; spikes begin there if it is a layer."""
    import numpy as np

    place.is_layer, place.n_layers = is_layer, 1
    place.values_of = None if is_layer else place.node.name
    place.leading = np.ones(place.before, np.int64)
    place.made = np.full(place.behind, int(is_layer), np.int64)
    return place


def _without_synapses(place: _Place) -> _Place:
    import numpy as np

    place.leading, place.made = np.zeros(place.before, np.int64), np.zeros(place.behind, np.int64)
    return place
