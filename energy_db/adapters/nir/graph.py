"""The graph of a NIR file: its nodes and edges as they stand there, each with an error that names it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

from energy_db.adapters.hdf5 import array_of, group_of, text_of
from energy_db.errors import RunFileError

if TYPE_CHECKING:
    import h5py

Shape = tuple[int, ...]

# What has a threshold of its own emits spikes; what has none emits values. Each with a parameter that has its shape.
SPIKING = {"IF": "v_threshold", "LIF": "v_threshold", "CubaLIF": "v_threshold"}
VALUED = {"I": "r", "LI": "v_leak", "CubaLI": "v_leak"}
NEURONS = SPIKING | VALUED
ELEMENTWISE = {"Scale": "scale", "Delay": "delay", "Threshold": "threshold"}
WEIGHTED = ("Linear", "Affine", "Conv1d", "Conv2d")
POOLS = ("SumPool2d", "AvgPool2d")
KINDS = (*NEURONS, *ELEMENTWISE, *WEIGHTED, *POOLS, "Flatten", "Input", "Output")
_MOST_NEURONS = 2**31


@dataclass(frozen=True)
class Node:
    """A node as it stands in the file.

    Attributes
    ----------
    path, name, kind : str
        Its file, its name, and its type as NIR calls it.
    group : h5py.Group
        Its parameters; of weights only the shape is ever read.
    """

    path: str
    name: str
    kind: str
    group: h5py.Group

    def error(self, message: str, hint: str | None = None) -> RunFileError:
        """Return an error that names file and node."""
        return RunFileError(f"{self.path}: the node {self.name!r} ({self.kind}) {message}", hint)

    def shape_of(self, key: str) -> Shape:
        """Return the shape of a parameter, without reading it."""
        shape = getattr(self.group.get(key), "shape", None)
        if shape is None:
            raise self.error(f"has no parameter {key!r}", f"There is {', '.join(self.group)}.")
        return tuple(int(size) for size in shape)

    def text(self, key: str) -> str | None:
        """Return a parameter that is text; None if it is numbers."""
        value: Any = array_of(self.group, key)
        return text_of(value) if isinstance(value, bytes | str) else None

    def whole(self, key: str, least: int | None = 0) -> Shape:
        """Return the whole numbers of a parameter, one or several; `least` is the smallest that can be."""
        import numpy as np

        values = np.asarray(array_of(self.group, key))
        if values.dtype.kind not in "iu" or values.ndim > 1 or (least is not None and (values < least).any()):
            limit = "" if least is None else f" from {least}"
            raise self.error(f"has {key} {values.tolist()!r}, must have whole numbers{limit}")
        return tuple(values.reshape(-1).tolist())

    def shape(self, key: str) -> Shape | None:
        """Return a parameter that says a shape; None where it is left out, to be inferred."""
        if key not in self.group:
            return None
        return self.limited(self.whole(key, least=1))

    def limited(self, shape: Shape) -> Shape:
        """Return a shape of no more elements than a layer can have neurons."""
        from math import prod

        if prod(shape) > _MOST_NEURONS:
            raise self.error(f"has the shape {shape}, but a layer has at most {_MOST_NEURONS} neurons")
        return shape


@dataclass(frozen=True)
class Graph:
    """Nodes by name, in the order in which the edges name them, and edges."""

    path: str
    nodes: dict[str, Node]
    edges: tuple[tuple[str, str], ...]

    def after(self, name: str) -> list[str]:
        """Return the nodes that edges lead to from a node."""
        return [target for source, target in self.edges if source == name]

    def before(self, name: str) -> list[str]:
        """Return the nodes that edges lead from to a node."""
        return [source for source, target in self.edges if target == name]

    def in_order(self) -> list[str]:
        """Return the nodes in the order of the network: a loop is cut where it is entered."""
        inputs = [name for name, node in self.nodes.items() if node.kind == "Input"]
        finished: dict[str, None] = {}
        entered: set[str] = set()
        for start in (*reversed(inputs), *reversed(self.nodes)):
            path = self._entered(start, entered)
            while path:
                following = next((name for name in path[-1][1] if name not in entered), None)
                if following is None:
                    finished[path.pop()[0]] = None
                else:
                    path += self._entered(following, entered)
        return list(reversed(finished))

    def _entered(self, name: str, entered: set[str]) -> list[tuple[str, Iterator[str]]]:
        if name in entered:
            return []
        entered.add(name)
        return [(name, iter(self.after(name)[::-1]))]


def read_graph(file: h5py.File, path: str | PathLike[str]) -> Graph:
    """Read the graph of an open NIR file.

    Raises
    ------
    RunFileError
        If the file holds no graph, or one with nested graphs, unknown nodes, or edges that lead nowhere.
    """
    if "node" not in file:
        hint = "NIR data is read by from_nir." if text_of(file.attrs.get("__type__")) == "NIRGraphData" else None
        raise RunFileError(f"{path}: is no NIR graph: it has no group 'node'", hint or "Was it written by nir.write?")
    root = group_of(file, "node")
    kind = _kind(root)
    if kind != "NIRGraph":
        raise RunFileError(f"{path}: holds a single node of type {kind}, no graph", "Write a NIRGraph with nir.write.")
    content = group_of(root, "nodes")
    nodes = {}
    for name in content:
        group = group_of(content, name)
        nodes[name] = Node(str(path), name, _kind(group), group)
        _refuse_strange(nodes[name])
    edges = _edges(root, nodes, path)
    named = dict.fromkeys(name for edge in edges for name in edge)
    return Graph(str(path), {name: nodes[name] for name in (*named, *nodes)}, edges)


def _kind(group: h5py.Group) -> str:
    return text_of(array_of(group, "type")) or ""


def _refuse_strange(node: Node) -> None:
    if node.kind == "NIRGraph":
        raise node.error("is a graph in the graph, which is not supported", "Put its nodes into the graph itself.")
    if node.kind not in KINDS:
        raise node.error("is of a type that is not known", f"Known are {', '.join(sorted(KINDS))}.")


def _edges(root: h5py.Group, nodes: dict[str, Node], path: str | PathLike[str]) -> tuple[tuple[str, str], ...]:
    """Return the edges, each once and from node to node."""
    import numpy as np

    written = np.asarray(array_of(root, "edges"))
    if written.size and (written.ndim != 2 or written.shape[1] != 2):  # noqa: PLR2004 (source and target)
        raise RunFileError(f"{path}: the edges are of shape {written.shape}, must be pairs of source and target")
    edges = [(text_of(source) or "", text_of(target) or "") for source, target in written.reshape(-1, 2)]
    for index, edge in enumerate(edges):
        strange = [name for name in edge if name not in nodes]
        if strange:
            raise RunFileError(
                f"{path}: edge {index} is {edge}, but there is no node {strange[0]!r}", f"There is {', '.join(nodes)}."
            )
        if edge in edges[:index]:
            raise RunFileError(f"{path}: edge {index}, {edge}, is there twice", "nir.read refuses it, too.")
    return tuple(edges)
