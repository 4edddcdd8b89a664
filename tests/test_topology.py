"""Fan-out per neuron: against loops that follow every synapse, against counts by hand, and through the network file."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from factories import EVENTS, Shell, assert_refused, run_file, with_sidecar
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from energy_db import EnergyStore, fan_out
from energy_db.errors import RunFileError, UsageError

few = settings(max_examples=60, derandomize=True, deadline=None, database=None)
bad = pytest.param

P1 = {
    # dense 4-3-2, five timesteps, one sample: 9, 8 and 6 spikes
    "input": ["1001", "0100", "1100", "0010", "1011"],
    "hidden": ["110", "000", "111", "000", "111"],
    "output": ["11", "00", "11", "00", "11"],
}
DIAGONAL = [(0, 0), (1, 1), (2, 2), (3, 3), (0, 3)]
CONV = {"kernel": [3, 3], "in_shape": [1, 4, 4], "out_channels": 2, "stride": 1, "padding": 1}


def raster(rows: dict[str, list[str]]) -> dict[str, list[Any]]:
    """Return the events of layers whose timesteps are texts of 0 and 1, one for each neuron."""
    events = [
        (layer, neuron, step)
        for layer, steps in rows.items()
        for step, text in enumerate(steps)
        for neuron, sign in enumerate(text)
        if sign == "1"
    ]
    return {name: [event[i] for event in events] for i, name in enumerate(("layer", "neuron", "timestep"))}


def synaptic_events(store: EnergyStore) -> dict[str, int | None]:
    rows = store.sql("SELECT layer, synaptic_event FROM activity_by_layer ORDER BY layer_index").to_pylist()
    return {row["layer"]: row["synaptic_event"] for row in rows}


@dataclass(frozen=True)
class Convolution:
    """A convolution whose synapses can be followed one by one."""

    channels: int
    sizes: tuple[int, ...]
    out_channels: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int

    @property
    def arguments(self) -> dict[str, Any]:
        shared = {name: getattr(self, name) for name in ("kernel", "stride", "padding", "dilation", "groups")}
        return {**shared, "in_shape": (self.channels, *self.sizes), "out_channels": self.out_channels}

    def outputs(self) -> list[int]:
        """Return the size of the next layer along each axis, as the frameworks define it."""
        axes = zip(self.sizes, self.kernel, self.stride, self.padding, self.dilation, strict=True)
        return [(size + 2 * pad - step * (taps - 1) - 1) // stride + 1 for size, taps, stride, pad, step in axes]

    def by_loops(self) -> np.ndarray:
        """Follow every synapse from an output back to the input that it reads."""
        counts = np.zeros((self.channels, *self.sizes), dtype=np.int64)
        inputs_of_group, outputs_of_group = self.channels // self.groups, self.out_channels // self.groups
        for target in range(self.out_channels):
            group = target // outputs_of_group
            for channel in range(group * inputs_of_group, (group + 1) * inputs_of_group):
                for position in itertools.product(*map(range, self.outputs())):
                    for tap in itertools.product(*map(range, self.kernel)):
                        axes = zip(position, tap, self.stride, self.dilation, self.padding, strict=True)
                        source = [o * stride + k * step - pad for o, k, stride, step, pad in axes]
                        if all(0 <= x < size for x, size in zip(source, self.sizes, strict=True)):
                            counts[channel, *source] += 1
        return counts.ravel()


@st.composite
def convolutions(draw: st.DrawFn, most_padding: int = 2) -> Convolution:
    n_axes = draw(st.integers(1, 3))

    def along_axes(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.lists(st.integers(low, high), min_size=n_axes, max_size=n_axes)))

    groups = draw(st.integers(1, 3))
    sizes = along_axes(1, 6 if n_axes < 3 else 3)
    padding = along_axes(0, most_padding)
    # A kernel that reaches, dilated, beyond the padded input would leave no output.
    room = [size + 2 * pad for size, pad in zip(sizes, padding, strict=True)]
    kernel = tuple(draw(st.integers(1, min(3, wide))) for wide in room)
    most_dilation = [(wide - 1) // max(taps - 1, 1) for wide, taps in zip(room, kernel, strict=True)]
    return Convolution(
        channels=groups * draw(st.integers(1, 2)),
        sizes=sizes,
        out_channels=groups * draw(st.integers(1, 3)),
        kernel=kernel,
        stride=along_axes(1, 3),
        padding=padding,
        dilation=tuple(draw(st.integers(1, max(1, min(2, most)))) for most in most_dilation),
        groups=groups,
    )


class TestConvolution:
    @few
    @given(convolution=convolutions())
    def test_it_is_what_following_every_synapse_gives(self, convolution: Convolution) -> None:
        found = fan_out(**convolution.arguments)
        assert found.dtype == np.int64
        assert found.tolist() == convolution.by_loops().tolist()

    @pytest.mark.thorough
    @few
    @given(convolution=convolutions(most_padding=0))
    def test_all_fan_out_is_all_fan_in(self, convolution: Convolution) -> None:
        taps = int(np.prod(convolution.kernel)) * convolution.channels // convolution.groups
        n_targets = convolution.out_channels * int(np.prod(convolution.outputs()))
        assert fan_out(**convolution.arguments).sum() == n_targets * taps

    def test_borders_by_hand(self) -> None:
        # A corner is seen by 2 x 2 outputs, an edge by 2 x 3, the middle by 3 x 3; two channels each.
        found = fan_out(kernel=3, in_shape=(1, 4, 4), out_channels=2, padding=1)
        assert found.reshape(4, 4).tolist() == [[8, 12, 12, 8], [12, 18, 18, 12], [12, 18, 18, 12], [8, 12, 12, 8]]

    def test_positions_that_the_stride_skips(self) -> None:
        assert fan_out(kernel=1, in_shape=(1, 5), out_channels=4, stride=2).tolist() == [4, 0, 4, 0, 4]

    def test_the_last_columns_may_be_out_of_reach(self) -> None:
        assert fan_out(kernel=2, in_shape=(1, 5), out_channels=1, stride=2).tolist() == [1, 1, 1, 1, 0]

    def test_groups_keep_channels_apart(self) -> None:
        assert fan_out(kernel=1, in_shape=(4, 1), out_channels=6, groups=2).tolist() == [3, 3, 3, 3]

    def test_pooling_is_a_convolution(self) -> None:
        found = fan_out(kernel=(2, 2), in_shape=(3, 4, 4), out_channels=3, stride=2, groups=3)
        assert found.tolist() == [1] * 48

    @pytest.mark.parametrize(
        ("size", "taps", "stride", "expected"),
        [
            (4, 3, 1, [2, 3, 3, 2]),
            (4, 2, 1, [1, 2, 2, 2]),  # the odd zero stands behind
            (5, 3, 2, [1, 2, 1, 2, 1]),  # outputs at 0, 2 and 4, one zero on either side
            (4, 3, 2, [1, 1, 2, 1]),  # outputs at 0 and 2, the one zero behind
        ],
    )
    def test_same_padding(self, size: int, taps: int, stride: int, expected: list[int]) -> None:
        found = fan_out(kernel=taps, in_shape=(1, size), out_channels=1, stride=stride, padding="same")
        assert found.tolist() == expected

    def test_valid_padding_is_none(self) -> None:
        geometry = {"kernel": 3, "in_shape": (2, 5), "out_channels": 1}
        assert fan_out(**geometry, padding="valid").tolist() == fan_out(**geometry).tolist()

    def test_channels_first_in_c_order(self) -> None:
        found = fan_out(kernel=(1, 2), in_shape=(2, 1, 3), out_channels=1)
        assert found.tolist() == [1, 2, 1, 1, 2, 1]

    def test_arrays_do_as_arguments(self) -> None:
        found = fan_out(kernel=np.array([3, 3]), in_shape=np.array([1, 4, 4]), out_channels=np.int64(2), padding=1)
        assert found[0] == 8


class TestDense:
    def test_zero_weights_count(self) -> None:
        assert fan_out(np.zeros((2, 3))).tolist() == [2, 2, 2]

    def test_only_the_shape_is_read(self) -> None:
        class OnAnotherDevice:
            shape = (10, 4)

            def __array__(self) -> None:
                raise AssertionError("a tensor was copied")

        assert fan_out(OnAnotherDevice()).tolist() == [10] * 4

    @few
    @given(mask=st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=5))
    def test_a_mask_says_which_synapses_exist(self, mask: list[list[bool]]) -> None:
        by_source = [sum(row[source] for row in mask) for source in range(3)]
        assert fan_out(mask=mask).tolist() == by_source
        assert fan_out(mask=np.array(mask, dtype=np.float32)).tolist() == by_source

    @pytest.mark.parametrize("form", ["csr_matrix", "csc_matrix", "coo_matrix", "csr_array", "coo_array", "lil_array"])
    def test_a_sparse_mask(self, form: str) -> None:
        sparse = pytest.importorskip("scipy.sparse", reason="scipy is not installed")
        mask = getattr(sparse, form)(np.array([[1.0, 0, 2], [0, 0, 3]]))
        assert fan_out(mask=mask).tolist() == [1, 0, 2]

    def test_a_stored_zero_of_a_sparse_mask_exists(self) -> None:
        sparse = pytest.importorskip("scipy.sparse", reason="scipy is not installed")
        twice_and_zero = sparse.coo_matrix(([5.0, 5.0, 0.0], ([0, 0, 1], [0, 0, 2])), shape=(2, 3))
        assert fan_out(mask=twice_and_zero).tolist() == [1, 0, 1]
        assert fan_out(mask=sparse.csc_matrix(([5.0, 5.0], [0, 0], [0, 2, 2]), shape=(2, 2))).tolist() == [1, 0]


GEOMETRY = {"kernel": (3, 3), "in_shape": (1, 4, 4), "out_channels": 2}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        bad({}, "one of weights, mask, kernel, but none", id="nothing"),
        bad({"weights": [[1]], "mask": [[1]]}, "but weights and mask is given", id="two ways"),
        bad({"weights": [[1]], "stride": 2}, "stride goes with kernel, not with weights", id="stride without kernel"),
        bad({"mask": [[1]], "in_shape": (1, 2)}, "in_shape goes with kernel, not with mask", id="shape of a mask"),
        bad({"weights": np.zeros((2, 1, 3, 3))}, "weights has 4 axes, must have two", id="weights of a convolution"),
        bad({"weights": [[1], [1, 2]]}, "weights cannot be read as an array", id="ragged weights"),
        bad({"mask": [1, 0]}, "mask has 1 axes, must have two", id="flat mask"),
        bad({"mask": [[0.5, 1]]}, "mask must hold true and false, or 1 and 0", id="weights as a mask"),
        bad({"mask": [[float("nan")]]}, "mask must hold true and false", id="no number in a mask"),
        bad({"mask": [["yes"]]}, "mask must hold true and false", id="text in a mask"),
        bad({"kernel": 3, "out_channels": 1}, "in_shape is missing", id="no shape"),
        bad({"kernel": 3, "in_shape": (1, 4)}, "out_channels is missing", id="no channels"),
        bad({**GEOMETRY, "in_shape": (4,)}, "in_shape is (4,), must be (channels, height, width)", id="no axis"),
        bad({**GEOMETRY, "in_shape": 4}, "in_shape is 4, must be", id="shape as a number"),
        bad({**GEOMETRY, "in_shape": "144"}, "in_shape is '144', must be", id="shape as text"),
        bad({**GEOMETRY, "in_shape": (0, 4, 4)}, "in_shape is 0, must be a whole number from 1", id="no channel"),
        bad({**GEOMETRY, "in_shape": (1, 4)}, "kernel has 2 entries, but in_shape has 1 axes", id="too few axes"),
        bad({**GEOMETRY, "in_shape": (4, 2**16, 2**16)}, "a layer has at most 2147483648 neurons", id="too large"),
        bad({**GEOMETRY, "kernel": (3, 0)}, "kernel is 0, must be a whole number from 1", id="empty kernel"),
        bad({**GEOMETRY, "kernel": 2.5}, "kernel is 2.5, must be a whole number", id="half a kernel"),
        bad({**GEOMETRY, "kernel": {"h": 3}}, "kernel is {'h': 3}, must be", id="kernel as a mapping"),
        bad({**GEOMETRY, "kernel": (5, 5)}, "kernel reaches over 5 positions", id="kernel larger than its input"),
        bad({**GEOMETRY, "dilation": 2}, "kernel reaches over 5 positions", id="dilated beyond its input"),
        bad({**GEOMETRY, "stride": 0}, "stride is 0, must be a whole number from 1", id="no stride"),
        bad({**GEOMETRY, "stride": True}, "stride is True, must be a whole number", id="stride as bool"),
        bad({**GEOMETRY, "dilation": (1, 0)}, "dilation is 0, must be a whole number from 1", id="no dilation"),
        bad({**GEOMETRY, "padding": -1}, "padding is -1, must be a whole number from 0", id="negative padding"),
        bad({**GEOMETRY, "padding": "full"}, "padding is 'full', must be whole numbers, 'valid' or", id="padding word"),
        bad({**GEOMETRY, "out_channels": 0}, "out_channels is 0, must be a whole number from 1", id="no output"),
        bad({**GEOMETRY, "out_channels": 2**62}, "a fan-out is more than 9223372036854775807", id="fan-out too large"),
        bad({**GEOMETRY, "groups": 2}, "the channels of in_shape are 1, must be a multiple of groups", id="groups"),
        bad({**GEOMETRY, "in_shape": (2, 4, 4), "out_channels": 3, "groups": 2},
            "out_channels is 3, must be a multiple", id="groups of outputs"),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_meant(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        fan_out(**arguments)
    assert says in str(caught.value)


class TestSynapticEvents:
    def test_p1(self, tmp_path: Path) -> None:
        layers = [
            {"name": "input", "role": "input", "n_neurons": 4, "fan_out": {"dense": 3}},
            {"name": "hidden", "n_neurons": 3, "fan_out": fan_out(np.ones((2, 3)))},
            {"name": "output", "role": "readout", "n_neurons": 2},
        ]
        with EnergyStore(":memory:") as store:
            run = store.ingest(run_file(tmp_path / "p1.parquet", raster(P1)), network={"layers": layers})
            # 9 spikes to 3 neurons, 8 to 2; a readout sends nothing on.
            assert synaptic_events(store) == {"input": 27, "hidden": 16, "output": 0}
            assert [layer.fan_out for layer in run.layers] == [3, (2, 2, 2), None]

    def test_p1_pruned(self, tmp_path: Path) -> None:
        mask = [[1, 1, 1, 0], [1, 1, 1, 1], [1, 0, 1, 1]]
        layers = [
            {"name": "input", "role": "input", "fan_out": {"mask": mask}},
            {"name": "hidden", "fan_out": 2},
            {"name": "output"},
        ]
        with EnergyStore(":memory:") as store:
            path = with_sidecar(run_file(tmp_path / "p1.parquet", raster(P1)), {"layers": layers})
            run = store.ingest(path)
            # neurons 0, 1, 2 and 3 spike 3, 2, 2 and 2 times: 3x3 + 2x2 + 2x3 + 2x2
            assert synaptic_events(store) == {"input": 23, "hidden": 16, "output": None}
            assert (run.layers[0].fan_out, run.layers[0].n_neurons) == ((3, 2, 3, 2), 4)

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize("padding", [1, "same"])
    def test_p2(self, tmp_path: Path, padding: object) -> None:
        neurons = [4 * row + column for row, column in DIAGONAL]
        path = run_file(tmp_path / "p2.parquet", {"layer": ["in"] * 5, "neuron": neurons, "timestep": [0] * 5})
        network = {"layers": [{"name": "in", "role": "input", "fan_out": {"conv": {**CONV, "padding": padding}}}]}
        with EnergyStore(":memory:") as store:
            run = store.ingest(with_sidecar(path, network))
            # three corners of 4 x 2 and two inner positions of 9 x 2
            assert synaptic_events(store) == {"in": 60}
            assert run.layers[0].n_neurons == 16
            assert [
                result.check for result in store.verify() if result.check.startswith("syn") and result.n_failures
            ] == []

    def test_the_unstored_run_counts_alike(self, tmp_path: Path) -> None:
        from energy_db.unstored import FileReports

        network = {"layers": [{"name": "hidden", "fan_out": [5, 7, 0]}, {"name": "output"}]}
        with FileReports(run_file(tmp_path / "run.parquet"), network=network) as reports:
            counts = dict(reports._engine.rows("SELECT layer, n_synaptic_events FROM layers"))
        # neurons 0, 1 and 2 of the hidden layer spike 1, 2 and 1 times
        assert counts == {"hidden": 19, "output": None}

    def test_a_silent_layer_has_none(self, tmp_path: Path) -> None:
        layers = [{"name": "hidden"}, {"name": "output"}, {"name": "mute"}, {"name": "deaf", "fan_out": [4, 5]}]
        with EnergyStore(":memory:") as store:
            store.ingest(run_file(tmp_path / "run.parquet"), network={"layers": layers})
            assert synaptic_events(store) == {"hidden": None, "output": None, "mute": 0, "deaf": 0}

    def test_geometry_and_list_are_one_content(self, tmp_path: Path) -> None:
        path = run_file(tmp_path / "run.parquet", {"layer": ["in"], "neuron": [5], "timestep": [0]})
        each = fan_out(kernel=(3, 3), in_shape=(1, 4, 4), out_channels=2, padding=1)
        with EnergyStore(":memory:") as store:
            run = store.ingest(path, network={"layers": [{"name": "in", "fan_out": {"conv": CONV}}]})
            assert run.layers[0].n_neurons == 16
            again = store.ingest(path, network={"layers": [{"name": "in", "fan_out": each.tolist()}]})
            assert again.status == "unchanged"


@pytest.mark.thorough
@settings(few, max_examples=20)
@given(data=st.data(), convolution=convolutions())
def test_the_store_counts_what_numpy_counts(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, convolution: Convolution
) -> None:
    each = convolution.by_loops()
    spikes = data.draw(st.lists(st.integers(0, 9), min_size=each.size, max_size=each.size))
    assume(any(spikes))
    neurons = [neuron for neuron, count in enumerate(spikes) if count]
    columns = {"neuron": neurons, "n_spikes": [spikes[neuron] for neuron in neurons]}
    path = run_file(
        tmp_path_factory.mktemp("conv") / "run.parquet",
        {**columns, "layer": ["in"] * len(neurons), "timestep": [0] * len(neurons)},
    )
    geometry = json.loads(json.dumps(convolution.arguments))
    with EnergyStore(":memory:") as store:
        store.ingest(path, network={"layers": [{"name": "in", "fan_out": {"conv": geometry}}]})
        assert synaptic_events(store) == {"in": int(np.dot(spikes, each))}


def of_layer(fan_out: Any, **other: Any) -> dict[str, Any]:
    return {"layers": [{"name": "hidden", "fan_out": fan_out, **other}, {"name": "output"}]}


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("network", "says"),
    [
        bad(of_layer({}), "fan_out must have one of the keys dense, conv, mask", id="no form"),
        bad(of_layer({"dense": 2, "mask": [[1]]}), "fan_out must have one of the keys dense", id="two forms"),
        bad(of_layer({"dence": 2}), "unknown key 'dence'\n  → Did you mean 'dense'?", id="misspelt form"),
        bad(of_layer({"dense": -2}), "fan_out: dense is -2, must be a whole number from 0", id="negative dense"),
        bad(of_layer({"conv": 3}), "fan_out: conv must be an object", id="conv as a number"),
        bad(of_layer({"conv": {"kernel": 3}}), "conv says nothing of in_shape and out_channels", id="half a geometry"),
        bad(of_layer({"conv": {**CONV, "pading": 1}}), "unknown key 'pading'\n  → Did you mean 'padding'?",
            id="misspelt geometry"),
        bad(of_layer({"conv": {**CONV, "stride": 0}}), "(hidden): fan_out: stride is 0, must be", id="no stride"),
        bad(of_layer({"conv": {**CONV, "stride": 1.5}}), "fan_out: stride is 1.5, must be", id="half a stride"),
        bad(of_layer({"conv": CONV}, n_neurons=3), "fan_out has 16 entries for 3 neurons", id="another size"),
        bad(of_layer({"mask": [[1], [0, 1]]}), "fan_out: mask cannot be read as an array", id="ragged mask"),
        bad(of_layer({"mask": [[0, 2, 1]]}), "fan_out: mask must hold true and false", id="mask of weights"),
    ],
)  # fmt: skip
def test_a_network_file_with_a_broken_fan_out(
    shell: Shell, small_store: Path, network: dict[str, Any], says: str
) -> None:
    with_sidecar(run_file(Path("bad.parquet"), {**EVENTS, "neuron": [0] * 6}), network)
    assert_refused(shell, small_store, 4, ("ingest", "bad.parquet"), ["bad.json: layers[0]", says, "1 refused"])


@pytest.mark.parametrize(
    ("network", "columns", "says"),
    [
        bad({"layers": [{"name": "a", "fan_out": 2**62}]}, {"neuron": [0, 1]}, "spikes x fan_out is", id="fan-out"),
        bad({"layers": [{"name": "a", "fan_out": [0, 2**62]}]}, {"neuron": [1, 1]}, "spikes x fan_out is",
            id="fan-out of a neuron"),
        bad({"layers": [{"name": "a", "n_inputs": 2**62}]}, {"neuron": [0, 1]}, "spikes x n_inputs is", id="fan-in"),
        bad({"layers": [{"name": "a", "n_neurons": 3}], "n_timesteps": 2**62}, {"neuron": [0, 1]},
            "n_neurons x n_timesteps x n_samples is", id="steps"),
        bad({"layers": [{"name": "a", "n_neurons": 0}], "n_timesteps": 2**62, "n_samples": 2},
            {"layer": pa.array([], "string"), "neuron": pa.array([], "int8"), "timestep": pa.array([], "int8")},
            "n_neurons x n_timesteps x n_samples is", id="steps of no neurons"),
    ],
)  # fmt: skip
def test_what_no_view_could_count_is_refused(
    tmp_path: Path, network: dict[str, Any], columns: dict[str, Any], says: str
) -> None:
    path = run_file(tmp_path / "run.parquet", {"layer": ["a", "a"], "timestep": [0, 1], **columns})
    with EnergyStore(":memory:") as store:
        with pytest.raises(RunFileError) as caught:
            store.ingest(path, network=network)
        assert says in str(caught.value)
        assert "9223372036854775807" in str(caught.value)
        assert store.runs() == []


def test_the_largest_counts_fit(tmp_path: Path) -> None:
    path = run_file(tmp_path / "run.parquet", {"layer": ["a"], "neuron": [0], "timestep": [0]})
    layers = [{"name": "a", "n_neurons": 1, "n_inputs": 2**63 - 1, "fan_out": 2**63 - 1}]
    with EnergyStore(":memory:") as store:
        store.ingest(path, network={"layers": layers, "n_timesteps": 2**63 - 1})
        [row] = store.sql("SELECT synaptic_event, synop_fanin, neuron_step FROM activity_by_layer").to_pylist()
        assert set(row.values()) == {2**63 - 1}
        assert store.report("latest", "loihi2", cost_version="tutorial72").total_energy_pj == 2.1


@pytest.mark.parametrize(
    ("fan_out", "loads"),
    [(2, False), ([1, 2, 3], False), ({"dense": 2}, False), ({"mask": [[1, 1, 0]]}, True)],
    ids=["number", "list", "dense", "mask"],
)
def test_numpy_is_loaded_for_a_geometry_only(fan_out: Any, loads: bool) -> None:
    code = (
        "import sys\nfrom energy_db.intake.declaration import read_mapping\n"
        f"read_mapping({of_layer(fan_out)!r}, 'here')\nprint('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(loads)
