"""The run-file contract: whatever a recorder writes within it, the same events come out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from factories import EVENTS, NETWORK, rearranged, run_file, with_sidecar
from pyarrow import parquet

from energy_db import EnergyStore, Run
from energy_db.errors import RunFileError

Events = list[tuple[Any, ...]]
STORED = sorted(zip(*EVENTS.values(), [1] * 6, strict=True))
"""EVENTS as (layer, neuron, timestep, sample, n_spikes)."""


@pytest.fixture
def store(bare_store: EnergyStore) -> EnergyStore:
    return bare_store


def events_of(store: EnergyStore, run: Run) -> Events:
    table = store.sql(
        "SELECT layer, neuron, timestep, sample_index, e.n_spikes FROM spike_events AS e "
        "JOIN layers USING (run_key, layer_index) WHERE run_key = ? ORDER BY ALL",
        [run.run_key],
    )
    return [tuple(row.values()) for row in table.to_pylist()]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("sign", ["int", "uint"])
@pytest.mark.parametrize("width", [8, 16, 32, 64])
def test_every_integer_width(store: EnergyStore, tmp_path: Path, sign: str, width: int) -> None:
    integer = getattr(pa, f"{sign}{width}")()
    types = dict.fromkeys(("neuron", "timestep", "sample", "n_spikes"), integer)
    run = store.ingest(run_file(tmp_path / "run.parquet", {**EVENTS, "n_spikes": [1] * 6}, types=types))
    assert events_of(store, run) == STORED


def test_the_largest_index_that_fits(store: EnergyStore, tmp_path: Path) -> None:
    largest = 2**31 - 1
    run = store.ingest(run_file(tmp_path / "run.parquet", {key: [largest] for key in ("layer", "neuron", "timestep")}))
    assert events_of(store, run) == [(str(largest), largest, largest, 0, 1)]
    assert run.n_timesteps == 2**31


@pytest.mark.parametrize(
    "layer_type",
    [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.string())],
    ids=str,
)
def test_named_layers(store: EnergyStore, tmp_path: Path, layer_type: pa.DataType) -> None:
    run = store.ingest(run_file(tmp_path / "run.parquet", types={"layer": layer_type}))
    assert events_of(store, run) == STORED


@pytest.mark.parametrize("layer_type", [pa.int8(), pa.uint8(), pa.int64(), pa.uint64()], ids=str)
def test_numbered_layers_take_the_declared_names(store: EnergyStore, tmp_path: Path, layer_type: pa.DataType) -> None:
    columns = {**EVENTS, "layer": [0, 0, 0, 0, 1, 1]}
    run = store.ingest(with_sidecar(run_file(tmp_path / "run.parquet", columns, types={"layer": layer_type})))
    assert events_of(store, run) == STORED


def test_numbered_layers_without_a_network_are_named_by_their_numbers(store: EnergyStore, tmp_path: Path) -> None:
    run = store.ingest(run_file(tmp_path / "run.parquet", {**EVENTS, "layer": [10, 10, 10, 10, 9, 9]}))
    assert [layer.name for layer in run.layers] == ["9", "10"]


def test_a_layer_number_of_64_bits(store: EnergyStore, tmp_path: Path) -> None:
    columns = {**EVENTS, "layer": [0, 0, 0, 0, 2**63, 2**63]}
    run = store.ingest(run_file(tmp_path / "run.parquet", columns, types={"layer": pa.uint64()}))
    assert [layer.name for layer in run.layers] == ["0", "9223372036854775808"]


def test_layers_whose_declared_names_are_numbers(store: EnergyStore, tmp_path: Path) -> None:
    columns = {**EVENTS, "layer": [7, 7, 7, 7, 3, 3]}
    network = {"layers": [{"name": "7"}, {"name": "3"}]}
    run = store.ingest(run_file(tmp_path / "run.parquet", columns), network=network)
    assert {layer for layer, *_ in events_of(store, run)} == {"7", "3"}
    assert [layer.name for layer in run.layers] == ["7", "3"]


def test_columns_of_other_names(store: EnergyStore, tmp_path: Path) -> None:
    ours = ["layer", "neuron", "timestep", "sample"]
    theirs = ["population", "senders", 'the "time"', "trial's"]
    columns = {new: EVENTS[old] for old, new in zip(ours, theirs, strict=True)}
    mapping = dict(zip(ours, theirs, strict=True))
    run = store.ingest(run_file(tmp_path / "run.parquet", columns), columns=mapping)
    assert events_of(store, run) == STORED
    assert run.notes == ()


def test_columns_may_trade_their_names(store: EnergyStore, tmp_path: Path) -> None:
    columns = {**EVENTS, "neuron": EVENTS["timestep"], "timestep": EVENTS["neuron"]}
    path = run_file(tmp_path / "run.parquet", columns)
    run = store.ingest(path, columns={"neuron": "timestep", "timestep": "neuron"})
    assert events_of(store, run) == STORED


def test_a_sample_is_0_and_a_row_is_one_spike_by_default(store: EnergyStore, tmp_path: Path) -> None:
    columns = {"layer": ["a", "a"], "neuron": [0, 1], "timestep": [0, 1]}
    run = store.ingest(run_file(tmp_path / "run.parquet", columns))
    assert events_of(store, run) == [("a", 0, 0, 0, 1), ("a", 1, 1, 0, 1)]


def test_several_spikes_in_a_step(store: EnergyStore, tmp_path: Path) -> None:
    path = run_file(tmp_path / "run.parquet", {**EVENTS, "n_spikes": [1, 2, 3, 4, 5, 6]})
    run = store.ingest(with_sidecar(path))
    assert (run.n_spikes, run.n_events) == (21, 6)
    spikes = store.sql("SELECT layer, neuron, n_spikes FROM activity_by_neuron ORDER BY ALL").to_pylist()
    expected = [("hidden", 0, 1), ("hidden", 1, 5), ("hidden", 2, 4), ("output", 0, 5), ("output", 1, 6)]
    assert [tuple(row.values()) for row in spikes] == expected
    # 10 hidden spikes of 2.1 pJ and 11 readout spikes of 1.0 pJ
    assert store.report(run, "loihi2").total_energy_pj == 32.0


@pytest.mark.parametrize("name", ["weight", "Neurons", "file_row_number"])
def test_other_columns_are_ignored_and_named(store: EnergyStore, tmp_path: Path, name: str) -> None:
    run = store.ingest(run_file(tmp_path / "run.parquet", {**EVENTS, name: [0.5] * 6}))
    assert events_of(store, run) == STORED
    assert run.notes == (f"ignored columns: {name}",)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "name",
    ["it's", "two words", 'so "called"', "[1]*?", "Schnürsenkel 雪", "100%", "a;b--c", "key=value"],
)
def test_paths_of_any_name(store: EnergyStore, tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    run = store.ingest(with_sidecar(run_file(tmp_path / name / f"{name}.parquet")))
    assert events_of(store, run) == STORED
    assert run.name == name
    assert run.n_samples == 2


@pytest.mark.one_in(3)
@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
def test_any_compression(store: EnergyStore, tmp_path: Path, codec: str) -> None:
    run = store.ingest(run_file(tmp_path / "run.parquet", compression=codec, row_group_size=4))
    assert events_of(store, run) == STORED


def test_any_order(store: EnergyStore, tmp_path: Path) -> None:
    run = store.ingest(run_file(tmp_path / "run.parquet", rearranged(EVENTS, [5, 2, 0, 4, 1, 3])))
    assert events_of(store, run) == STORED


def test_a_silent_run(store: EnergyStore, tmp_path: Path) -> None:
    types = {"layer": pa.string(), "neuron": pa.int32(), "timestep": pa.int32()}
    columns: dict[str, list[Any]] = {name: [] for name in types}
    run = store.ingest(with_sidecar(run_file(tmp_path / "run.parquet", columns, types=types)))
    assert (run.n_spikes, run.n_timesteps, run.n_samples, run.inferred) == (0, 4, 2, ())
    report = store.report(run, "loihi2")
    assert (report.total_energy_pj, report.energy_per_spike_pj, report.dominant_layer) == (0.0, None, None)
    assert [(layer.layer, layer.spikes, layer.share) for layer in report.layers] == [("hidden", 0, 0), ("output", 0, 0)]


def test_what_nobody_declared_is_inferred_and_marked(store: EnergyStore, tmp_path: Path) -> None:
    run = store.ingest(run_file(tmp_path / "run.parquet"))
    assert (run.n_timesteps, run.n_samples, run.timestep_us) == (4, 2, None)
    assert [(layer.name, layer.role, layer.n_neurons) for layer in run.layers] == [
        ("hidden", "hidden", 3),
        ("output", "hidden", 2),
    ]
    marks = {"n_timesteps", "n_samples", "hidden.role", "hidden.n_neurons", "output.role", "output.n_neurons"}
    assert set(run.inferred) == marks
    warnings = " ".join(store.report(run, "loihi2").warnings)
    assert "no role is declared for hidden, output" in warnings
    assert "inferred from the events, not declared: n_timesteps, n_samples" in warnings


def test_what_is_declared_is_not_marked(store: EnergyStore, tmp_path: Path) -> None:
    network = {"n_timesteps": 9, "layers": [{"name": "hidden", "role": "hidden"}, {"name": "output", "n_neurons": 5}]}
    run = store.ingest(run_file(tmp_path / "run.parquet"), network=network)
    assert run.n_timesteps == 9
    assert [(layer.role, layer.n_neurons) for layer in run.layers] == [("hidden", 3), ("hidden", 5)]
    assert set(run.inferred) == {"n_samples", "hidden.n_neurons", "output.role"}


def test_layers_are_inferred_in_their_natural_order(store: EnergyStore, tmp_path: Path) -> None:
    columns = {**EVENTS, "layer": ["fc10", "fc2", "fc1", "conv", "fc2", "fc1"]}
    run = store.ingest(run_file(tmp_path / "run.parquet", columns))
    assert [layer.name for layer in run.layers] == ["conv", "fc1", "fc2", "fc10"]


def test_fan_out_of_every_neuron(store: EnergyStore, tmp_path: Path) -> None:
    network = {"layers": [{"name": "hidden", "fan_out": [2, 0, 5]}, {"name": "output", "fan_out": 0}]}
    run = store.run(store.ingest(run_file(tmp_path / "run.parquet"), network=network))
    assert [layer.fan_out for layer in run.layers] == [(2, 0, 5), 0]
    assert run.layers[0].n_neurons == 3


METADATA = {"n_timesteps": 10, "n_samples": 10, "timestep_us": 10, "run": "metadata", "seed": 10, "tags": {"a": 10}}
SIDECAR = {"n_timesteps": 20, "n_samples": 20, "run": "sidecar", "tags": {"a": 20, "b": 20}}
NETWORK_FILE = {"n_timesteps": 30, "run": "network", "layers": NETWORK["layers"]}


class TestPrecedence:
    """Options go before the sidecar or network file, and those before the file's own metadata."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return run_file(tmp_path / "run.parquet", metadata={"energy_db": json.dumps(METADATA)})

    def test_metadata_alone(self, store: EnergyStore, path: Path) -> None:
        run = store.ingest(path)
        assert (run.n_timesteps, run.n_samples, run.timestep_us, run.name, run.seed) == (10, 10, 10, "metadata", "10")
        assert run.tags == {"a": "10"}

    def test_a_sidecar_goes_before_metadata(self, store: EnergyStore, path: Path) -> None:
        run = store.ingest(with_sidecar(path, SIDECAR))
        assert (run.n_timesteps, run.n_samples, run.timestep_us, run.name, run.seed) == (20, 20, 10, "sidecar", "10")
        assert run.tags == {"a": "20", "b": "20"}

    def test_a_network_file_replaces_the_sidecar(self, store: EnergyStore, path: Path, tmp_path: Path) -> None:
        network = tmp_path / "network.json"
        network.write_text(json.dumps(NETWORK_FILE), encoding="utf-8")
        run = store.ingest(with_sidecar(path, SIDECAR), network=network)
        assert (run.n_timesteps, run.n_samples, run.timestep_us, run.name) == (30, 10, 10, "network")
        assert run.tags == {"a": "10"}
        assert run.layers[1].role == "readout"

    def test_options_go_before_everything(self, store: EnergyStore, path: Path) -> None:
        run = store.ingest(
            with_sidecar(path, {**SIDECAR, "layers": NETWORK["layers"]}),
            n_timesteps=40, name="option", tags={"b": 40, "c": 0.5}, roles={"output": "hidden"},
        )  # fmt: skip
        assert (run.n_timesteps, run.n_samples, run.timestep_us, run.name) == (40, 20, 10, "option")
        assert run.tags == {"a": "20", "b": "40", "c": "0.5"}
        assert [layer.role for layer in run.layers] == ["hidden", "hidden"]


def test_layers_of_the_same_number_are_refused(store: EnergyStore, tmp_path: Path) -> None:
    path = run_file(tmp_path / "run.parquet", {"layer": [0, 0], "neuron": [0, 1], "timestep": [0, 0]})
    network = {"layers": [{"name": "0"}, {"name": "00"}]}
    with pytest.raises(RunFileError, match="the same number"):
        store.ingest(path, network=network)


def test_large_counts_can_be_reported(store: EnergyStore, tmp_path: Path) -> None:
    most = 2**31 - 1
    events = {"layer": ["a"] * 3, "neuron": [0, 0, most], "timestep": [0, 1, 0], "n_spikes": [most] * 3}
    path = run_file(tmp_path / "run.parquet", events)
    report = store.report(store.ingest(path), "akida")
    assert report.total_energy_pj == 3 * most * 3.5


def test_a_tilde_in_a_path_is_no_home_folder(
    store: EnergyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("~").mkdir()
    run_file(Path("run.parquet"), {"layer": ["a"], "neuron": [0], "timestep": [0]}).rename(Path("~/run.parquet"))
    assert store.ingest("~/run.parquet").n_spikes == 1


@pytest.mark.one_in(4)
@pytest.mark.parametrize("others", [{"neuron": [0] * 6}, {"neuron": ["x"] * 6}, {}], ids=str)
@pytest.mark.parametrize("stage", [0.0, 0.3])
@pytest.mark.parametrize("change", ["replaced", "written to", "removed"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    store: EnergyStore, tmp_path: Path, change: str, stage: float, others: dict[str, list[Any]]
) -> None:
    path = run_file(tmp_path / "run.parquet")
    later = run_file(tmp_path / "later.parquet", {**EVENTS, **others} if others else {"x": [1]})

    def interfere(share: float) -> None:
        if share == stage:
            match change:
                case "replaced":
                    later.replace(path)
                case "written to":
                    path.write_bytes(later.read_bytes())
                case _:
                    path.unlink()

    with pytest.raises(RunFileError, match=r"run\.parquet: was changed while it was read"):
        store.ingest(path, on_stage=interfere)
    assert store.runs() == []


@pytest.mark.thorough
def test_files_of_very_many_columns_are_refused_at_once(store: EnergyStore, tmp_path: Path) -> None:
    columns = {"layer": ["a"], "neuron": [0], "timestep": [0]} | {f"c{number}": [0] for number in range(10_000)}
    with pytest.raises(RunFileError, match=r"run\.parquet: has 10003 columns, .* at most 10000 are supported"):
        store.ingest(run_file(tmp_path / "run.parquet", columns))
    assert store.runs() == []


def test_metadata_that_takes_very_much_memory_is_not_read(store: EnergyStore, tmp_path: Path) -> None:
    path, length = tmp_path / "run.parquet", 200_000_000
    with path.open("wb") as file:
        file.seek(length)  # a file of zeros takes no room
        file.write(length.to_bytes(4, "little") + b"PAR1")
    with pytest.raises(RunFileError, match=r"run\.parquet: its metadata takes 200000000 bytes"):
        store.ingest(path)


@pytest.mark.parametrize(("columns", "named"), [
    (["layer", "neuron", "timestep", "N_spikes", "n_spikes"], "'N_spikes', 'n_spikes'"),
    (["Sample", "layer", "neuron", "timestep", "sample"], "'Sample', 'sample'"),
    (["layer", "neuron", "timestep", "neuron"], "'neuron', 'neuron'"),
])  # fmt: skip
def test_columns_of_one_name_are_refused(store: EnergyStore, tmp_path: Path, columns: list[str], named: str) -> None:
    table = pa.Table.from_arrays([pa.array([0, 1])] * len(columns), names=columns)
    parquet.write_table(table, tmp_path / "run.parquet")
    with pytest.raises(RunFileError, match=f"run.parquet: has 2 columns of one name: {named}"):
        store.ingest(tmp_path / "run.parquet")
    assert store.runs() == []


def test_columns_that_are_numbered_are_no_namesakes(store: EnergyStore, tmp_path: Path) -> None:
    columns = {**EVENTS, "sample_1": [7] * 6, "neuron_2": [8] * 6, "Layer_1": ["x"] * 6}
    run = store.ingest(run_file(tmp_path / "run.parquet", columns))
    assert events_of(store, run) == STORED
