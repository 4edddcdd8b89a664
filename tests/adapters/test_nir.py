"""NIR's graphs and recorded data: fan-outs against convolutions by brute force, spikes against what NumPy made."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_db import EnergyStore, fan_out
from energy_db.adapters import from_nir
from energy_db.adapters.nir import nir_network
from energy_db.cli import cli
from energy_db.errors import RunFileError, UsageError
from energy_db.record import Recording

RECORDED = Path(__file__).parent / "recorded"
DATA, GRID, GRAPH = (RECORDED / name for name in ("nir-data.h5", "nir-grid.h5", "nir-graph.nir"))

Node = dict[str, Any]


def lif(*shape: int) -> Node:
    return {"type": "LIF", **{key: np.ones(shape) for key in ("tau", "r", "v_leak", "v_threshold", "v_reset")}}


def li(*shape: int) -> Node:
    return {"type": "LI", **{key: np.ones(shape) for key in ("tau", "r", "v_leak")}}


def source(*shape: int) -> Node:
    return {"type": "Input", "shape": np.array(shape)}


def linear(n_out: int, n_in: int, kind: str = "Linear") -> Node:
    return {"type": kind, "weight": np.zeros((n_out, n_in)), "bias": np.zeros(n_out)}  # a weight of zero is there


def conv(weight: tuple[int, ...], padding: Any = 0, stride: Any = 1, dilation: Any = 1, groups: int = 1) -> Node:
    said = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return {"type": f"Conv{len(weight) - 2}d", "weight": np.zeros(weight), "bias": np.zeros(weight[0]), **said}


def pool(kernel: Any, stride: Any, padding: Any = (0, 0), kind: str = "SumPool2d") -> Node:
    return {"type": kind, "kernel_size": np.array(kernel), "stride": np.array(stride), "padding": np.array(padding)}


def flatten(start: int = 0, end: int = -1) -> Node:
    return {"type": "Flatten", "start_dim": start, "end_dim": end}


OUTPUT: Node = {"type": "Output", "shape": np.array([1])}


def write_graph(path: Path, nodes: dict[str, Node], edges: list[tuple[str, str]] | None = None) -> Path:
    """Write a graph in NIR's layout, a chain if no edges are given; of a graph of nir itself is the recorded one."""
    pairs = list(itertools.pairwise(nodes)) if edges is None else edges
    with h5py.File(path, "w") as file:
        file["version"] = "1.0.8"
        file["node/type"] = "NIRGraph"
        file["node/edges"] = np.array(pairs, dtype=h5py.string_dtype()) if pairs else np.zeros(0)
        file.create_group("node/nodes")
        for name, node in nodes.items():
            for key, value in node.items():
                file[f"node/nodes/{name}/{key}"] = value
    return path


@pytest.fixture
def network(tmp_path: Path) -> Any:
    """Return a function that writes a graph and returns its layers by name."""

    def read(nodes: dict[str, Node], edges: list[tuple[str, str]] | None = None) -> dict[str, dict[str, Any]]:
        layers = nir_network(write_graph(tmp_path / "graph.nir", nodes, edges))["layers"]
        return {layer["name"]: layer for layer in layers}

    return read


def dense_matrix(n_in: int, apply: Any) -> np.ndarray:
    """Return what a linear map makes of each unit vector, a column each."""
    return np.stack([apply(unit).reshape(-1) for unit in np.eye(n_in, dtype=int)], axis=1)


def convolved(x: np.ndarray, weight: np.ndarray, padding: Any, stride: Any, dilation: Any, groups: int) -> np.ndarray:
    """Convolve as its definition says, output by output."""
    padded = np.pad(x, ((0, 0), (padding[0],) * 2, (padding[1],) * 2))
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, weight.shape[2:], strict=True)]
    sizes = [(n - r) // s + 1 for n, r, s in zip(padded.shape[1:], reach, stride, strict=True)]
    out = np.zeros((weight.shape[0], *sizes), int)
    of_group_in, of_group_out = x.shape[0] // groups, weight.shape[0] // groups
    for o, row, column in itertools.product(*map(range, out.shape)):
        first = (o // of_group_out) * of_group_in
        top, left = row * stride[0], column * stride[1]
        window = padded[
            first : first + of_group_in,
            top : top + reach[0] : dilation[0],
            left : left + reach[1] : dilation[1],
        ]
        out[o, row, column] = (window * weight[o]).sum()
    return out


@st.composite
def geometries(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an input, a pool over neurons, and a convolution of what it makes."""
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    groups = draw(st.integers(1, 2))
    return {
        "shape": (groups * draw(st.integers(1, 2)), draw(st.integers(9, 10)), draw(st.integers(9, 10))),
        "pool": (draw(pair), draw(pair), draw(st.tuples(st.integers(0, 1), st.integers(0, 1)))),
        "kernel": draw(st.tuples(st.integers(1, 2), st.integers(1, 3))),
        "channels": groups * draw(st.integers(1, 2)),
        "padding": draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        "stride": draw(pair),
        "dilation": draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        "groups": groups,
    }


class TestFanOut:
    def test_of_a_convolution_by_hand(self, network: Any) -> None:
        layers = network({"in": source(1, 4, 4), "conv": conv((2, 1, 3, 3), padding=1), "lif": lif(2, 4, 4)})
        corner, side, middle = 8, 12, 18  # two channels; 2 x 2, 2 x 3 and 3 x 3 weights meet the spike
        rows = [[corner, side, side, corner], [side, middle, middle, side]]
        assert layers["in"]["fan_out"] == np.ravel([*rows, *rows[::-1]]).tolist()
        assert layers["lif"] == {"name": "lif", "role": "readout", "n_neurons": 32, "fan_out": 0}

    @pytest.mark.thorough
    @settings(deadline=None, max_examples=30)
    @given(geometry=geometries())
    def test_of_pool_and_convolution_by_brute_force(
        self, tmp_path_factory: pytest.TempPathFactory, geometry: dict[str, Any]
    ) -> None:
        shape, groups = geometry["shape"], geometry["groups"]
        kernel, stride, padding = geometry["pool"]
        depthwise = np.ones((shape[0], 1, *kernel), int)
        weight = np.ones((geometry["channels"], shape[0] // groups, *geometry["kernel"]), int)
        moves = {key: geometry[key] for key in ("padding", "stride", "dilation")}

        def applied(unit: np.ndarray) -> np.ndarray:
            pooled = convolved(unit.reshape(shape), depthwise, padding, stride, (1, 1), shape[0])
            return convolved(pooled, weight, **moves, groups=groups)

        paths = dense_matrix(int(np.prod(shape)), applied)
        out_shape = applied(np.zeros(shape, int)).shape
        nodes = {"in": source(*shape), "pool": pool(kernel, stride, padding)}
        nodes |= {"conv": conv(weight.shape, **moves, groups=groups), "lif": lif(*out_shape), "output": OUTPUT}
        path = write_graph(tmp_path_factory.mktemp("nir") / "graph.nir", nodes)
        sender, receiver = nir_network(path)["layers"]
        assert np.broadcast_to(sender["fan_out"], paths.shape[1]).tolist() == paths.sum(axis=0).tolist()
        fan_ins = set(paths.sum(axis=1).tolist())
        assert receiver.get("n_inputs") == (fan_ins.pop() if len(fan_ins) == 1 and fan_ins != {0} else None)

    @pytest.mark.thorough
    @settings(deadline=None)
    @given(geometry=geometries())
    def test_of_a_convolution_is_that_of_the_network_file(
        self, tmp_path_factory: pytest.TempPathFactory, geometry: dict[str, Any]
    ) -> None:
        moves = {key: geometry[key] for key in ("padding", "stride", "dilation", "groups")}
        weight = (geometry["channels"], geometry["shape"][0] // geometry["groups"], *geometry["kernel"])
        expected = fan_out(
            kernel=geometry["kernel"], in_shape=geometry["shape"], out_channels=geometry["channels"], **moves
        )
        nodes = {"in": source(*geometry["shape"]), "conv": conv(weight, **moves), "output": OUTPUT}
        path = write_graph(tmp_path_factory.mktemp("nir") / "graph.nir", nodes)
        [layer] = nir_network(path)["layers"]
        assert np.broadcast_to(layer["fan_out"], expected.size).tolist() == expected.tolist()

    def test_of_a_convolution_in_one_dimension(self, network: Any) -> None:
        nodes = {"in": source(2, 5), "conv": conv((3, 2, 3), padding="same"), "lif": lif(3, 5)}
        assert network(nodes)["in"]["fan_out"] == [6, 9, 9, 9, 6] * 2
        nodes = {"in": source(2, 5), "conv": conv((3, 2, 3), padding="valid"), "lif": lif(3, 3)}
        layers = network(nodes)
        assert layers["in"]["fan_out"] == [3, 6, 9, 6, 3] * 2
        assert layers["lif"]["n_inputs"] == 6

    @pytest.mark.parametrize("kind", ["Linear", "Affine"])
    def test_of_dense_layers(self, network: Any, kind: str) -> None:
        layers = network({"in": source(4), "w": linear(3, 4, kind), "lif": lif(3), "output": OUTPUT})
        assert layers["in"] == {"name": "in", "role": "input", "n_neurons": 4, "fan_out": 3}
        assert layers["lif"] == {"name": "lif", "role": "readout", "n_neurons": 3, "n_inputs": 4, "fan_out": 0}

    def test_flattening_keeps_the_order_of_neurons(self, network: Any) -> None:
        # The pool sees the first row of each channel only.
        nodes = {"in": source(2, 2, 2), "pool": pool((1, 2), (2, 2)), "flat": flatten(), "w": linear(3, 2)}
        edges = list(itertools.pairwise(nodes))
        assert network(nodes | {"lif": lif(3)}, [*edges, ("w", "lif")])["in"]["fan_out"] == [3, 3, 0, 0, 3, 3, 0, 0]

    @pytest.mark.parametrize("start, end, shape", [(0, -1, (24,)), (1, -1, (2, 12)), (0, 1, (6, 4)), (-2, 2, (2, 12))])
    def test_flatten_joins_the_axes_that_it_says(
        self, network: Any, start: int, end: int, shape: tuple[int, ...]
    ) -> None:
        assert network({"in": source(2, 3, 4), "flat": flatten(start, end), "lif": lif(*shape)})["in"]["fan_out"] == 1

    def test_several_edges_and_loops_add_up(self, network: Any) -> None:
        nodes = {"in": source(4), "w": linear(3, 4), "a": lif(3), "loop": linear(3, 3), "v": linear(2, 3), "b": lif(2)}
        edges = [("in", "w"), ("w", "a"), ("a", "loop"), ("loop", "a"), ("a", "v"), ("v", "b"), ("b", "back")]
        layers = network(nodes | {"back": linear(3, 2)}, [*edges, ("back", "a")])
        assert list(layers) == ["in", "a", "b"]
        assert [layer["fan_out"] for layer in layers.values()] == [3, 3 + 2, 3]
        assert [layer.get("n_inputs") for layer in layers.values()] == [None, 4 + 3 + 2, 3]
        assert [layer["role"] for layer in layers.values()] == ["input", "hidden", "hidden"]

    def test_weights_that_lead_to_two_layers_have_synapses_on_both(self, network: Any) -> None:
        nodes = {"in": source(4), "w": linear(3, 4), "a": lif(3), "b": lif(3), "output": OUTPUT}
        edges = [("in", "w"), ("w", "a"), ("w", "b"), ("w", "output"), ("a", "output")]
        layers = network(nodes, edges)
        assert layers["in"]["fan_out"] == 6
        assert layers["a"]["n_inputs"] == layers["b"]["n_inputs"] == 4

    def test_edges_without_weights_are_one_synapse_each(self, network: Any) -> None:
        scale = {"type": "Scale", "scale": np.zeros(3)}
        delay = {"type": "Delay", "delay": np.ones(3)}
        layers = network({"in": source(3), "a": lif(3), "scale": scale, "delay": delay, "b": lif(3), "output": OUTPUT})
        assert [layer["fan_out"] for layer in layers.values()] == [1, 1, 0]

    def test_scaled_weights_are_no_more_weights(self, network: Any) -> None:
        scale = {"type": "Scale", "scale": np.zeros(3)}
        assert network({"in": source(4), "w": linear(3, 4), "s": scale, "b": lif(3)})["in"]["fan_out"] == 3

    def test_a_pool_behind_weights_adds_up_what_they_made(self, network: Any) -> None:
        nodes = {"in": source(1, 4, 4), "conv": conv((2, 1, 1, 1)), "pool": pool(2, 2, 0, "AvgPool2d")}
        layers = network(nodes | {"lif": lif(2, 2, 2)})
        assert layers["in"]["fan_out"] == 2
        assert layers["lif"]["n_inputs"] == 4

    def test_weights_without_neurons_behind_have_synapses(self, network: Any) -> None:
        layers = network({"in": source(4), "a": lif(4), "w": linear(3, 4), "output": OUTPUT})
        assert (layers["a"]["fan_out"], layers["a"]["role"]) == (3, "hidden")

    def test_parameters_of_a_single_number_hold_for_what_arrives(self, network: Any) -> None:
        nodes = {"in": source(4), "w": linear(3, 4), "a": lif(), "v": linear(2, 3), "b": lif(1)}
        assert [layer["n_neurons"] for layer in network(nodes).values()] == [4, 3, 2]

    @pytest.mark.thorough
    def test_long_chains_need_no_recursion(self, network: Any) -> None:
        nodes = {"in": source(2)} | {f"delay{i}": {"type": "Delay", "delay": np.ones(2)} for i in range(300)}
        nodes |= {f"lif{i}": lif(2) for i in range(300)}
        assert len(network(nodes)) == 301


class TestLayers:
    def test_integrators_emit_no_spikes(self, network: Any) -> None:
        layers = network({"in": source(4), "w": linear(3, 4), "a": lif(3), "v": linear(2, 3), "li": li(2), "o": OUTPUT})
        assert list(layers) == ["in", "a"]
        assert (layers["a"]["fan_out"], layers["a"]["role"]) == (2, "hidden")

    def test_fan_ins_of_values_are_not_said(self, network: Any) -> None:
        layers = network({"in": source(4), "w": linear(3, 4), "li": li(3), "a": lif(3)})
        assert layers["a"] == {"name": "a", "role": "readout", "n_neurons": 3, "fan_out": 0}

    def test_an_integrator_with_a_threshold_does(self, network: Any) -> None:
        threshold = {"type": "Threshold", "threshold": np.ones(3)}
        nodes = {"in": source(4), "w": linear(3, 4), "li": li(3), "fires": threshold, "v": linear(2, 3), "b": lif(2)}
        layers = network(nodes)
        assert list(layers) == ["in", "fires", "b"]
        assert [layer["fan_out"] for layer in layers.values()] == [3, 2, 0]

    def test_a_threshold_of_spikes_hands_them_on(self, network: Any) -> None:
        threshold = {"type": "Threshold", "threshold": np.ones(3)}
        nodes = {"in": source(3), "a": lif(3), "same": threshold, "v": linear(2, 3), "b": lif(2)}
        assert {name: layer["fan_out"] for name, layer in network(nodes).items()} == {"in": 1, "a": 2, "b": 0}

    def test_their_order_is_that_of_the_network(self, network: Any) -> None:
        nodes = {"10": source(2), "9": lif(2), "2": lif(2), "1": lif(2)}
        skipping = [("2", "1"), ("10", "1"), ("10", "9"), ("9", "2")]
        assert list(network(nodes, skipping)) == ["10", "9", "2", "1"]
        in_a_loop = [("2", "1"), ("1", "9"), ("10", "9"), ("9", "2")]
        assert list(network(nodes, in_a_loop)) == ["10", "9", "2", "1"]

    def test_shapes_are_those_of_nir(self) -> None:
        # What nir 1.0.8 itself infers of the recorded graph: 2 x 4 x 4, 3 x 4 x 4, 5.
        assert {layer["name"]: layer["n_neurons"] for layer in nir_network(GRAPH)["layers"]} == {
            "pixels": 32,
            "conv_lif": 48,
            "out_lif": 5,
        }


GRAPH_IN_GRAPH: Node = {"type": "NIRGraph"}
WRONG = [
    ({"in": source(4), "g": GRAPH_IN_GRAPH}, r"the node 'g' \(NIRGraph\) is a graph in the graph"),
    ({"in": source(4), "g": {"type": "Izhikevich"}}, r"the node 'g' \(Izhikevich\) is of a type that is not known"),
    ({"in": source(4), "w": linear(3, 5), "a": lif(3)}, r"'w' .* takes the shape \(5,\), but 'in' hands on \(4,\)"),
    ({"in": source(4), "w": linear(3, 4), "a": lif(2)}, r"'a' .* takes the shape \(2,\), but 'w' hands on \(3,\)"),
    ({"in": source(4), "w": linear(3, 4), "v": linear(2, 3), "a": lif(2)}, "'v' .* follow on those of 'w'"),
    ({"in": source(4), "li": li(4), "v": linear(2, 4), "a": lif(2)}, r"'v' .* the values of 'li' \(LI\)"),
    ({"in": source(4), "o": OUTPUT, "a": lif(4)}, "'o' .* leads to 'a', but an Output is where a graph ends"),
    ({"a": lif(4), "in": source(4)}, "'in' .* is fed by 'a', but an Input is where a graph begins"),
    ({"in": source(2, 4), "p": pool(2, 2)}, r"'p' .* channels and 2 axes .* arrives is of shape \(2, 4\)"),
    ({"in": source(1, 4, 4), "p": pool(5, 2)}, "'p' .* looks over 5 elements, but 4 with 0 zeros around arrive"),
    ({"in": source(1, 4, 4), "p": pool(2, 0)}, "'p' .* has stride 0, must have whole numbers from 1"),
    ({"in": source(1, 4, 4), "p": pool((2, 2, 2), 2)}, r"'p' .* has kernel \(2, 2, 2\), must have one number or 2"),
    ({"in": source(1, 4, 4), "c": conv((2, 1, 3, 3), padding="full")}, "'c' .* has the padding 'full'"),
    ({"in": source(1, 4, 4), "c": conv((2, 1, 3, 3), "same", 2)}, "'c' .* has the padding 'same' and the stride"),
    ({"in": source(1, 4, 4), "c": conv((2, 1, 3, 3), -1)}, "'c' .* has padding -1, must have whole numbers from 0"),
    ({"in": source(1, 4, 4), "c": conv((2, 1, 3, 3), 0.5)}, r"'c' .* has padding 0\.5"),
    ({"in": source(1, 4, 4), "c": conv((3, 1, 3, 3), groups=2)}, "'c' .* makes 3 channels in 2 groups"),
    ({"in": source(1, 4, 4), "c": conv((3, 2, 3, 3))}, r"'c' .* the shape \(2, 4, 4\), but 'in' hands on \(1, 4, 4\)"),
    ({"in": source(1, 4, 4), "c": conv((3, 1, 3)) | {"type": "Conv2d"}}, "'c' .* weights of shape .* must have 4 axes"),
    ({"in": source(4), "w": {"type": "Linear", "weight": np.zeros(4)}}, "'w' .* must have 2 axes or more"),
    ({"in": source(4), "w": {"type": "Linear"}}, "'w' .* has no parameter 'weight'"),
    ({"in": source(2, 4), "f": flatten(1, 2)}, r"'f' .* from axis 1 to 2, but what arrives is of shape \(2, 4\)"),
    ({"in": source(-1)}, r"'in' .* has shape \[-1\], must have whole numbers from 1"),
    ({"in": source(2**20, 2**20), "a": lif(4)}, "'in' .* at most 2147483648 neurons"),
    ({"w": linear(3, 4), "li": li(3)}, "no node of the graph emits spikes"),
    ({"p": pool(2, 2), "a": lif(4)}, "'p' .* has no known shape"),
]  # fmt: skip


class TestGraphsThatAreRefused:
    @pytest.mark.parametrize(("nodes", "message"), WRONG)
    def test_what_cannot_be_is_named(self, tmp_path: Path, nodes: dict[str, Node], message: str) -> None:
        path = write_graph(tmp_path / "graph.nir", nodes)
        with pytest.raises(RunFileError, match=message) as caught:
            nir_network(path)
        assert caught.value.message.startswith(str(path))

    @pytest.mark.parametrize(
        ("edges", "message"),
        [
            ([("in", "a"), ("a", "z")], r"edge 1 is \('a', 'z'\), but there is no node 'z'"),
            ([("in", "a"), ("in", "a")], r"edge 1, \('in', 'a'\), is there twice"),
            ([("in", "a"), ("in", "d"), ("d", "e"), ("e", "d")], "is in a loop without neurons: "),
        ],
    )
    def test_edges_that_cannot_be(self, network: Any, edges: list[tuple[str, str]], message: str) -> None:
        delay = {"type": "Delay", "delay": np.ones(3)}
        with pytest.raises(RunFileError, match=message):
            network({"in": source(3), "a": lif(3), "d": delay, "e": delay}, edges)

    def test_edges_that_are_no_pairs(self, tmp_path: Path) -> None:
        path = write_graph(tmp_path / "graph.nir", {"in": source(3)})
        with h5py.File(path, "a") as file:
            del file["node/edges"]
            file["node/edges"] = np.zeros((2, 3))
        with pytest.raises(RunFileError, match=r"the edges are of shape \(2, 3\)"):
            nir_network(path)

    def test_files_that_are_none_of_nirs(self, tmp_path: Path) -> None:
        with pytest.raises(RunFileError, match="there is no such file"):
            nir_network(tmp_path / "none.nir")
        path = tmp_path / "cut.nir"
        path.write_bytes(GRAPH.read_bytes()[:9000])
        with pytest.raises(RunFileError, match="is no HDF5 file, or was cut short"):
            nir_network(path)
        with pytest.raises(RunFileError, match=r"is no NIR graph(.|\n)*from_nir"):
            nir_network(DATA)
        single = tmp_path / "single.nir"
        with h5py.File(single, "w") as file:
            file["node/type"] = "LIF"
        with pytest.raises(RunFileError, match="holds a single node of type LIF"):
            nir_network(single)


def counts_of(recording: Recording) -> dict[str, list[int]]:
    """Return the spikes of each neuron of each layer."""
    counts = {layer.name: np.zeros(layer.n_neurons or 0, int) for layer in recording.layers}
    for part in recording.spikes():
        np.add.at(counts[part.layer], part.neuron, 1 if part.n_spikes is None else part.n_spikes)
    return {layer: each.tolist() for layer, each in counts.items()}


def own_counts() -> dict[str, list[int]]:
    """Return what NumPy counted of the recorded simulation."""
    with np.load(RECORDED / "nir.npz") as raw:
        return {layer: raw[f"count_{layer}"].tolist() for layer in ("pixels", "conv_lif", "out_lif")}


def events(
    idx: Any = ((0, -1), (2, 1)), time: Any = ((0.0, np.inf), (0.15, 0.39)), n_neurons: Any = 3, t_max: Any = 0.4
) -> dict[str, Any]:
    said = {"idx": np.array(idx), "time": np.array(time), "@n_neurons": n_neurons, "@t_max": t_max}
    return {"@__type__": "EventData", **said}


def grid(data: Any, dt: float = 0.1) -> dict[str, Any]:
    return {"@__type__": "TimeGriddedData", "data": np.array(data), "@dt": dt}


def write_data(path: Path, **nodes: dict[str, Any]) -> Path:
    """Write the observables of nodes in the layout of `nir.write_data`; keys with @ are attributes."""
    with h5py.File(path, "w") as file:
        file.attrs["__type__"] = "NIRGraphData"
        file.create_group("nodes")
        for node, observables in nodes.items():
            group = file.create_group(f"nodes/{node}")
            group.attrs["__type__"] = "NIRNodeData"
            group.create_group("observables")
            for name, content in observables.items():
                record = group.create_group(f"observables/{name}")
                for key, value in content.items():
                    if key.startswith("@"):
                        record.attrs[key[1:]] = value
                    else:
                        record[key] = value
    return path


SPIKES_BY_HAND = [[[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 1], [0, 0, 0], [0, 1, 0]]]


class TestData:
    @pytest.mark.parametrize("path", [DATA, GRID])
    def test_counts_are_those_of_the_simulation(self, path: Path) -> None:
        recording = from_nir(path, dt=0.001)
        assert counts_of(recording) == own_counts()
        assert (recording.n_timesteps, recording.n_samples, recording.origin) == (20, 3, str(path))

    def test_events_and_grid_are_the_same_run(self) -> None:
        with EnergyStore(":memory:") as store:
            runs = [store.ingest(from_nir(path, graph=GRAPH, dt=0.001), name="nir") for path in (DATA, GRID)]
        assert [run.status for run in runs] == ["stored", "unchanged"]

    def test_synaptic_events_are_spikes_times_fan_out(self) -> None:
        # 3 x 3 weights to 3 channels, borders exact; a pool place of one of 12 meets 5 weights.
        seen = np.array([2, 3, 3, 2])
        of_pixels = np.tile(np.outer(seen, seen).ravel() * 3, 2)
        own = {layer: np.array(each) for layer, each in own_counts().items()}
        expected = {"pixels": int(own["pixels"] @ of_pixels), "conv_lif": int(own["conv_lif"].sum() * 5), "out_lif": 0}
        with EnergyStore(":memory:") as store:
            store.ingest(from_nir(DATA, graph=GRAPH, dt=0.001), name="nir")
            rows = store.sql(
                "SELECT layer, driver_count FROM activity_by_driver WHERE driver = 'synaptic_event'"
            ).to_pylist()
            assert {row["layer"]: row["driver_count"] for row in rows} == expected
            assert all(result.n_failures == 0 for result in store.verify())

    def test_timesteps_samples_and_padding_by_hand(self, tmp_path: Path) -> None:
        recording = from_nir(write_data(tmp_path / "a.h5", a={"spikes": events()}), dt=0.1, timestep_us=100)
        [part] = recording.spikes()
        assert [part.neuron.tolist(), part.timestep.tolist(), part.sample.tolist()] == [[0, 2, 1], [0, 1, 3], [0, 1, 1]]
        assert (recording.n_timesteps, recording.n_samples, recording.timestep_us) == (4, 2, 100)
        assert recording.layers[0].n_neurons == 3

    def test_a_grid_by_hand(self, tmp_path: Path) -> None:
        for data in (np.array(SPIKES_BY_HAND, bool), np.array(SPIKES_BY_HAND, float)):
            recording = from_nir(
                write_data(tmp_path / "a.h5", a={"spikes": grid(data)}, b={"spikes": events()}), dt=0.1
            )
            first, second = recording.spikes()
            for key in ("neuron", "timestep", "sample"):
                assert getattr(first, key).tolist() == getattr(second, key).tolist()

    def test_several_spikes_in_a_timestep_count(self, tmp_path: Path) -> None:
        twice = events([[1, 1, 1]], [[0.1, 0.1, 0.12]])
        path = write_data(tmp_path / "a.h5", a={"spikes": twice}, b={"spikes": grid([[[0, 3, 0]] + 3 * [[0, 0, 0]]])})
        assert from_nir(path, dt=0.1).n_spikes == {"a": 3, "b": 3}

    def test_values_are_counts_or_payloads(self, tmp_path: Path) -> None:
        valued = {**events(), "@__type__": "ValuedEventData", "value": np.array([[2.0, 0.0], [1.0, 4.0]])}
        path = write_data(tmp_path / "a.h5", a={"spikes": valued})
        assert from_nir(path, dt=0.1).n_spikes == {"a": 7}
        assert from_nir(path, dt=0.1, values="graded").n_spikes == {"a": 3}
        path = write_data(tmp_path / "b.h5", a={"spikes": {**valued, "value": np.full((2, 2), 0.5)}})
        with pytest.raises(RunFileError, match=r"an event of the value 0\.5"):
            from_nir(path, dt=0.1)

    def test_a_run_longer_than_its_events(self, tmp_path: Path) -> None:
        late = events([[0]], [[0.4]])
        path = write_data(tmp_path / "a.h5", a={"spikes": late})
        with pytest.raises(UsageError, match="is in timestep 4, but the run has 4 timesteps"):
            from_nir(path, dt=0.1)
        assert from_nir(path, dt=0.1, n_timesteps=10).n_timesteps == 10

    def test_nothing_fired(self, tmp_path: Path) -> None:
        path = write_data(tmp_path / "a.h5", a={"spikes": events(np.zeros((2, 0), int), np.zeros((2, 0)))})
        recording = from_nir(path, dt=0.1)
        assert (recording.n_spikes, recording.n_samples, recording.n_timesteps) == ({"a": 0}, 2, 4)

    def test_observables_and_names_are_chosen(self, tmp_path: Path) -> None:
        voltage = grid(np.full((2, 4, 3), -65.5))
        path = write_data(tmp_path / "a.h5", a={"v": voltage, "spikes": events()}, b={"out": events()})
        assert from_nir(path, dt=0.1).n_spikes == {"a": 3, "b": 3}
        assert from_nir(path, dt=0.1, names={"b": "second"}).n_spikes == {"second": 3}
        with pytest.raises(RunFileError, match=r"'v' of the node 'a' cannot be spikes: .* holds -65\.5(.|\n)*voltage"):
            from_nir(path, dt=0.1, observable="v", names={"a": "a"})
        with pytest.raises(UsageError, match="the node 'b' has no observable 'v'\nThere is out"):
            from_nir(path, dt=0.1, observable="v")
        path = write_data(tmp_path / "b.h5", a={"x": events(), "y": events()})
        with pytest.raises(UsageError, match="There is x, y; say which one"):
            from_nir(path, dt=0.1)

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"idx": ((0, -1), (3, 1))}, "sample 1 as event 0 the index 3 at the time 0.15"),
            ({"idx": ((0, -2), (2, 1))}, "sample 0 as event 1 the index -2"),
            ({"idx": ((-1, -1), (2, 1))}, "sample 0 as event 0 the index -1 at the time 0.0"),
            ({"idx": ((0, 0), (2, 1))}, "sample 0 as event 1 the index 0 at the time inf"),
            ({"time": ((np.nan, np.inf), (0.1, 0.2))}, "the index 0 at the time nan"),
            ({"time": ((-0.1, np.inf), (0.1, 0.2))}, "the index 0 at the time -0.1"),
            ({"time": ((0.1,), (0.1,))}, r"idx of shape \(2, 2\) and time of shape \(2, 1\)"),
            ({"idx": ((0.0, -1.0), (2.0, 1.0))}, "idx of float64"),
            ({"n_neurons": 2.5}, "n_neurons 2.5"),
            ({"n_neurons": "x"}, "n_neurons 'x', must be a number"),
            ({"t_max": 0.0}, "t_max 0.0, must be a positive number"),
            ({"t_max": np.nan}, "t_max nan"),
        ],
    )
    def test_events_that_cannot_be(self, tmp_path: Path, changed: dict[str, Any], message: str) -> None:
        path = write_data(tmp_path / "a.h5", a={"spikes": events(**changed)})
        with pytest.raises(RunFileError, match=f"'spikes' of the node 'a' has .*{message}") as caught:
            from_nir(path, dt=0.1)
        assert caught.value.message.startswith(str(path))

    @pytest.mark.parametrize(
        ("nodes", "options", "error", "message"),
        [
            ({"a": events()}, {"dt": None}, UsageError, "are events, whose timesteps are not said"),
            ({"a": events()}, {"dt": 0.0}, UsageError, "dt is 0.0"),
            ({"a": events()}, {"n_timesteps": 0}, UsageError, "n_timesteps is 0"),
            ({"a": events()}, {"values": "many"}, UsageError, "values is 'many'"),
            ({"a": events()}, {"names": {"z": "z"}}, UsageError, "no data of a node 'z'"),
            ({"a": events()}, {"names": {}}, UsageError, "must give each node that is taken a name"),
            ({"a": events(), "b": events()}, {"names": {"a": "x", "b": "x"}}, UsageError, "a name of its own"),
            ({"a": events(), "b": events(t_max=0.5)}, {}, RunFileError, "timesteps of all .* a has 4, b has 5"),
            ({"a": events(), "b": events([[0]], [[0.1]])}, {}, RunFileError, "samples of all .* a has 2, b has 1"),
            ({"a": grid([[[0]]], 0.2)}, {}, RunFileError, "has timesteps of 0.2, but dt is 0.1"),
            ({"a": grid([[[0]]], 0.2), "b": grid([[[0]]])}, {"dt": None}, RunFileError, "length of a timestep of all"),
            ({"a": grid([[[0]]])}, {"n_timesteps": 2}, RunFileError, "has 1 timesteps, but n_timesteps is 2"),
            ({"a": grid([[0]])}, {}, RunFileError, r"is of shape \(1, 1\), must have the axes"),
            ({"a": grid([[[-1]]])}, {}, RunFileError, "cannot be spikes"),
            ({"a": grid([[[np.nan]]])}, {}, RunFileError, "cannot be spikes"),
            ({"a": {"@__type__": "Other"}}, {}, RunFileError, "is of type Other"),
            ({"a": {"@__type__": "EventData", "@n_neurons": 1}}, {}, RunFileError, "has no dataset 'idx'"),
            ({}, {}, RunFileError, "has no nodes"),
        ],
    )
    def test_what_contradicts_itself_is_refused(
        self, tmp_path: Path, nodes: dict[str, Any], options: dict[str, Any], error: type[Exception], message: str
    ) -> None:
        path = write_data(tmp_path / "a.h5", **{node: {"spikes": each} for node, each in nodes.items()})
        with pytest.raises(error, match=message):
            from_nir(path, **{"dt": 0.1, **options})

    def test_files_that_are_none_of_nirs(self, tmp_path: Path) -> None:
        with pytest.raises(RunFileError, match=r"is no NIR data(.|\n)*give it as graph"):
            from_nir(GRAPH, dt=0.1)
        path = write_data(tmp_path / "a.h5", a={"spikes": events()})
        with h5py.File(path, "a") as file:
            file["nodes/a"].attrs["__type__"] = "NIRGraphData"
        with pytest.raises(RunFileError, match="the node 'a' is a graph in the graph"):
            from_nir(path, dt=0.1)


class TestDataWithGraph:
    @pytest.fixture
    def graph(self, tmp_path: Path) -> Path:
        nodes = {"z": source(4), "w": linear(3, 4), "a": lif(3), "v": linear(2, 3), "li": li(2)}
        return write_graph(tmp_path / "graph.nir", nodes)

    def test_it_brings_roles_order_and_fan_outs(self, tmp_path: Path, graph: Path) -> None:
        path = write_data(tmp_path / "d.h5", a={"spikes": events()}, z={"spikes": events(n_neurons=4)})
        for given_graph in (graph, nir_network(graph)):
            recording = from_nir(path, graph=given_graph, dt=0.1, names={"a": "hidden", "z": "in"})
            said = [(la.name, la.role, la.n_neurons, la.n_inputs, la.fan_out) for la in recording.layers]
            assert said == [("in", "input", 4, None, 3), ("hidden", "hidden", 3, 4, 2)]
            assert recording.notes == ()

    def test_layers_without_data_are_left_out_and_noted(self, tmp_path: Path, graph: Path) -> None:
        path = write_data(tmp_path / "d.h5", a={"spikes": events()})
        recording = from_nir(path, graph=graph, dt=0.1)
        assert [layer.name for layer in recording.layers] == ["a"]
        assert recording.notes == (f"left out of the network, as {path} has no data of them: z",)
        with EnergyStore(":memory:") as store:
            assert recording.notes[0] in store.ingest(recording, name="part").notes

    @pytest.mark.parametrize(
        ("nodes", "message"),
        [
            ({"li": events(n_neurons=2)}, r"the node 'li' is no layer of the graph(.|\n)*LI and CubaLI emit values"),
            ({"other": events()}, "the node 'other' is no layer of the graph"),
        ],
    )
    def test_nodes_that_are_no_layers_are_refused(
        self, tmp_path: Path, graph: Path, nodes: dict[str, Any], message: str
    ) -> None:
        path = write_data(tmp_path / "d.h5", **{node: {"spikes": each} for node, each in nodes.items()})
        with pytest.raises(UsageError, match=message):
            from_nir(path, graph=graph, dt=0.1)

    def test_other_sizes_are_refused(self, tmp_path: Path, graph: Path) -> None:
        path = write_data(tmp_path / "d.h5", a={"spikes": events(n_neurons=5)})
        with pytest.raises(RunFileError, match="the node 'a' has 5 neurons, but 3 in the graph"):
            from_nir(path, graph=graph, dt=0.1)

    def test_a_network_without_layers_is_refused(self) -> None:
        with pytest.raises(UsageError, match="graph has no layers"):
            from_nir(DATA, graph={}, dt=0.001)


class TestNetworkOfAnyRun:
    @pytest.fixture
    def run_file(self, tmp_path: Path) -> Path:
        return from_nir(DATA, dt=0.001).write(tmp_path / "run.parquet")

    def test_a_graph_is_a_network_file(self, run_file: Path) -> None:
        with EnergyStore(":memory:") as store:
            run = store.ingest(run_file, network=GRAPH)
            of_data = store.ingest(from_nir(DATA, graph=GRAPH, dt=0.001), name="data")
            assert [layer.fan_out for layer in run.layers] == [layer.fan_out for layer in of_data.layers]
            assert [layer.role for layer in run.layers] == ["input", "hidden", "readout"]

    def test_a_graph_is_a_network_file_of_the_command_line(self, run_file: Path, tmp_path: Path) -> None:
        store = str(tmp_path / "store.duckdb")
        result = CliRunner().invoke(cli, ["ingest", str(run_file), "--network", str(GRAPH), "--db", store])
        assert result.exit_code == 0, result.output
        with EnergyStore(store) as opened:
            [run] = opened.runs()
            assert run.layers[1].fan_out == 5

    def test_a_file_that_is_cut_short_is_named(self, run_file: Path, tmp_path: Path) -> None:
        path = tmp_path / "cut.nir"
        path.write_bytes(GRAPH.read_bytes()[:9000])
        with (
            EnergyStore(":memory:") as store,
            pytest.raises(RunFileError, match=r"cut\.nir: is no HDF5 file, or was cut"),
        ):
            store.ingest(run_file, network=path)
