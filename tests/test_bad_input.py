"""Bad run files: each is refused with a sentence that helps, and the store stays as it was."""

from __future__ import annotations

import struct
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from factories import EVENTS, NETWORK, Shell, assert_refused, run_file, with_sidecar

from energy_db import EnergyStore
from energy_db.errors import RunFileError

bad = pytest.param
DECLARED = ("--network", "network.json")
TOO_LARGE = "must be at most 2147483647"


@pytest.mark.one_in(5)
@pytest.mark.parametrize(
    ("column", "values", "options", "says"),
    [
        bad("layer", ["a", None, "a", "b", None, "b"], (), "must not be null: 2 bad rows, first at row 1 (value null)",
            id="layer null"),
        bad("layer", ["a", "a", "", "b", "b", "b"], (), "must not be empty: 1 bad row, first at row 2 (value )",
            id="layer without a name"),
        bad("layer", ["hidden", "hiden", "hiden", "hidden", "output", "output"], DECLARED,
            "must be a declared layer: 2 bad rows, first at row 1 (value hiden)", id="layer unknown"),
        bad("layer", [0, 0, 0, 7, 1, 1], DECLARED, "must be a declared layer: 1 bad row, first at row 3 (value 7)",
            id="layer number unknown"),
        bad("layer", [-1, 0, 0, 0, 1, 1], DECLARED, "must be a declared layer: 1 bad row, first at row 0 (value -1)",
            id="layer number negative"),
        bad("neuron", [0, None, 1, 2, 0, None], (), "must not be null: 2 bad rows, first at row 1 (value null)",
            id="neuron null"),
        bad("neuron", [0, 1, 1, -2, 0, -7], (), "must not be negative: 2 bad rows, first at row 3 (value -2)",
            id="neuron negative"),
        bad("neuron", [0, 1, 3, 2, 0, 2], DECLARED,
            "must be below the declared n_neurons of its layer: 2 bad rows, first at row 2 (value 3)",
            id="neuron beyond its layer"),
        bad("neuron", [0, 1, 2**31, 2, 0, 1], (), f"{TOO_LARGE}: 1 bad row, first at row 2 (value 2147483648)",
            id="neuron beyond 32 bits"),
        bad("neuron", pa.array([0, 1, 1, 2, 2**63, 1], pa.uint64()), (),
            f"{TOO_LARGE}: 1 bad row, first at row 4 (value 9223372036854775808)", id="neuron beyond 63 bits"),
        bad("timestep", [0, 0, 2, None, 1, None], (), "must not be null: 2 bad rows, first at row 3 (value null)",
            id="timestep null"),
        bad("timestep", [0, 0, 2, 3, -1, 3], (), "must not be negative: 1 bad row, first at row 4 (value -1)",
            id="timestep negative"),
        bad("timestep", [0, 0, 2, 3, 1, 3], ("--timesteps", 3),
            "must be below the declared n_timesteps: 2 bad rows, first at row 3 (value 3)", id="timestep too late"),
        bad("timestep", [2**40, 0, 2, 3, 1, 3], (), f"{TOO_LARGE}: 1 bad row, first at row 0 (value 1099511627776)",
            id="timestep beyond 32 bits"),
        bad("sample", [0, 0, 1, 1, 0, None], (), "must not be null: 1 bad row, first at row 5 (value null)",
            id="sample null"),
        bad("sample", [0, 0, -1, 1, 0, 1], (), "must not be negative: 1 bad row, first at row 2 (value -1)",
            id="sample negative"),
        bad("sample", [0, 0, 1, 1, 0, 1], ("--samples", 1),
            "must be below the declared n_samples: 3 bad rows, first at row 2 (value 1)", id="sample beyond the run"),
        bad("sample", [0, 2**31, 1, 1, 0, 1], (), f"{TOO_LARGE}: 1 bad row, first at row 1 (value 2147483648)",
            id="sample beyond 32 bits"),
        bad("n_spikes", [1, 1, None, 1, 1, 1], (), "must not be null: 1 bad row, first at row 2 (value null)",
            id="n_spikes null"),
        bad("n_spikes", [1, 1, 1, 0, 0, 0], (), "must be 1 or more: 3 bad rows, first at row 3 (value 0)",
            id="n_spikes zero"),
        bad("n_spikes", [1, -4, 1, 1, 1, 1], (), "must be 1 or more: 1 bad row, first at row 1 (value -4)",
            id="n_spikes negative"),
        bad("n_spikes", [1, 1, 1, 1, 1, 2**31], (), f"{TOO_LARGE}: 1 bad row, first at row 5 (value 2147483648)",
            id="n_spikes beyond 32 bits"),
    ],
)  # fmt: skip
def test_events_that_break_a_rule(
    shell: Shell, small_store: Path, column: str, values: Any, options: tuple[object, ...], says: str
) -> None:
    with_sidecar(Path("network.json"))
    run_file(Path("bad.parquet"), {**EVENTS, column: values}, row_group_size=2)
    expected = [f"bad.parquet: column {column!r} {says}", "Nothing was stored", "1 refused"]
    assert_refused(shell, small_store, 4, ("ingest", "bad.parquet", *options), expected)


def test_every_broken_rule_is_named(shell: Shell, small_store: Path) -> None:
    run_file(Path("bad.parquet"), {**EVENTS, "neuron": [0, None, 1, -2, 0, 1], "timestep": [0, 0, -2, 3, 1, 3]})
    says = [
        "column 'neuron' must not be null: 1 bad row, first at row 1",
        "column 'neuron' must not be negative: 1 bad row, first at row 3 (value -2)",
        "column 'timestep' must not be negative: 1 bad row, first at row 2 (value -2)",
    ]
    assert_refused(shell, small_store, 4, ("ingest", "bad.parquet"), says)


def test_a_mapped_column_is_called_as_in_the_file(shell: Shell, small_store: Path) -> None:
    run_file(Path("bad.parquet"), {**EVENTS, "neuron": None, "senders": [0, 1, 1, -2, 0, 1]})
    says = "column 'senders' must not be negative: 1 bad row, first at row 3 (value -2)"
    assert_refused(shell, small_store, 4, ("ingest", "bad.parquet", "--map", "neuron=senders"), says)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("column", "values", "says"),
    [
        bad("neuron", [0.0] * 6, "is of type DOUBLE, must be an integer", id="neuron float"),
        bad("neuron", [True] * 6, "is of type BOOLEAN, must be an integer", id="neuron bool"),
        bad("neuron", ["1"] * 6, "is of type VARCHAR, must be an integer", id="neuron text"),
        bad("neuron", [[1]] * 6, "is of type BIGINT[], must be an integer", id="neuron list"),
        bad("neuron", [None] * 6, "", id="neuron without a type"),  # refused as a type, or by DuckDB 1.5 as nulls
        bad("timestep", [Decimal("1.25")] * 6, "is of type DECIMAL(3,2), must be an integer", id="timestep decimal"),
        bad("timestep", [datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)] * 6,
            "is of type TIMESTAMP, must be an integer", id="timestep timestamp"),
        bad("sample", [date(2026, 1, 1)] * 6, "is of type DATE, must be an integer", id="sample date"),
        bad("n_spikes", [1.0] * 6, "is of type DOUBLE, must be an integer", id="n_spikes float"),
        bad("layer", [0.5] * 6, "is of type DOUBLE, must be text or an integer", id="layer float"),
        bad("layer", [True] * 6, "is of type BOOLEAN, must be text or an integer", id="layer bool"),
        bad("layer", [b"a"] * 6, "is of type BLOB, must be text or an integer", id="layer bytes"),
        bad("layer", None, "is missing", id="layer missing"),
        bad("neuron", None, "is missing", id="neuron missing"),
        bad("timestep", None, "is missing", id="timestep missing"),
    ],
)  # fmt: skip
def test_columns_that_are_not_as_they_should(
    shell: Shell, small_store: Path, column: str, values: Any, says: str
) -> None:
    run_file(Path("bad.parquet"), {**EVENTS, column: values})
    expected = [f"bad.parquet: column {column!r} {says}", "1 refused"]
    assert_refused(shell, small_store, 4, ("ingest", "bad.parquet"), expected)


@pytest.mark.parametrize(
    ("theirs", "options", "hint"),
    [
        bad("nueron", (), "--map neuron=nueron", id="misspelt"),
        bad("Neuron", (), "--map neuron=Neuron", id="other case"),
        bad("senders", ("--map", "neuron=sender"), "--map neuron=senders", id="mapping misspelt"),
    ],
)
def test_a_missing_column_is_guessed(
    shell: Shell, small_store: Path, theirs: str, options: tuple[str, ...], hint: str
) -> None:
    run_file(Path("bad.parquet"), {**EVENTS, "neuron": None, theirs: EVENTS["neuron"]})
    assert_refused(shell, small_store, 4, ("ingest", "bad.parquet", *options), ["is missing", hint])


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "cut",
    [
        bad(slice(0, 4), id="after the first magic bytes"),
        bad(slice(0, 100), id="in the data"),
        bad(slice(0, -300), id="in the footer"),
        bad(slice(0, -8), id="before the footer's length"),
        bad(slice(0, -1), id="in the last magic bytes"),
        bad(slice(4, None), id="its beginning is missing"),
    ],
)
def test_a_file_that_was_cut(shell: Shell, small_store: Path, cut: slice) -> None:
    path = run_file(Path("cut.parquet"))
    path.write_bytes(path.read_bytes()[cut])
    assert_refused(shell, small_store, 4, ("ingest", "cut.parquet"), ["cut.parquet: ", "1 refused"])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        bad(b"", "is empty (0 bytes)", id="empty"),
        bad(b"layer,neuron,timestep\nhidden,0,0\n", "is not a readable Parquet file", id="csv"),
        bad(b"PAR1PAR1", "is not a readable Parquet file", id="magic bytes alone"),
        bad(bytes(4096), "is not a readable Parquet file", id="zeros"),
    ],
)
def test_a_file_that_is_not_parquet(shell: Shell, small_store: Path, content: bytes, says: str) -> None:
    Path("bad.parquet").write_bytes(content)
    assert_refused(shell, small_store, 4, ("ingest", "bad.parquet"), [f"bad.parquet: {says}", "1 refused"])


@pytest.mark.parametrize("codec", ["snappy", "gzip", "zstd"])
def test_a_file_whose_pages_are_damaged(shell: Shell, small_store: Path, codec: str) -> None:
    path = run_file(Path("damaged.parquet"), {**EVENTS, "neuron": range(6)}, compression=codec, use_dictionary=False)
    damaged = bytearray(path.read_bytes())
    damaged[4:200] = b"\xff" * 196
    path.write_bytes(damaged)
    assert_refused(shell, small_store, 4, ("ingest", "damaged.parquet"), "damaged.parquet: cannot be read to its end")


def test_a_file_whose_statistics_lie(shell: Shell, small_store: Path) -> None:
    columns = {**EVENTS, "neuron": [0, 1, 1, 2, 987654321, 1]}
    path = run_file(Path("lying.parquet"), columns, compression="none", use_dictionary=False)
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<qq", 2, 987654321), struct.pack("<qq", 2, -5)))
    assert path.read_bytes() != content
    assert_refused(shell, small_store, 4, ("ingest", "lying.parquet"), "lying.parquet: ")
    assert "0 bad rows" not in shell("ingest", "lying.parquet").stderr


@pytest.mark.parametrize("layers", [["in", "out", "out"], [0, 1, 1]], ids=["named", "numbered"])
def test_rows_count_whatever_the_statistics_say(tmp_path: Path, bare_store: EnergyStore, layers: list[Any]) -> None:
    neurons = [*range(10), 9, *range(10)]
    columns = {"layer": layers * 7, "neuron": neurons, "timestep": [0] * 21}
    path = run_file(tmp_path / "lying.parquet", columns, compression="none", use_dictionary=False)
    path.write_bytes(path.read_bytes().replace(struct.pack("<qqq", 9, 9, 0), struct.pack("<qqq", 9, 768, 0)))
    neurons[10] = 768
    assert pq.read_table(path)["neuron"].to_pylist() == neurons
    assert pq.read_metadata(path).row_group(0).column(1).statistics.max == 9
    bare_store.ingest(path)
    counted = bare_store._engine.rows("SELECT layer, neuron, n_spikes FROM activity_by_neuron WHERE n_spikes > 0")
    assert {(layer, neuron): n_spikes for layer, neuron, n_spikes in counted} == Counter(
        (str(layer), neuron) for layer, neuron in zip(layers * 7, neurons, strict=True)
    )


def test_no_events_without_a_network(shell: Shell, small_store: Path) -> None:
    types = {"layer": pa.string(), "neuron": pa.int32(), "timestep": pa.int32(), "sample": pa.int32()}
    run_file(Path("silent.parquet"), {name: [] for name in types}, types=types)
    says = ["silent.parquet: has no events, and no network is declared", "--network"]
    assert_refused(shell, small_store, 4, ("ingest", "silent.parquet"), says)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        bad("gone.parquet", "no such file", id="missing file"),
        bad("gone*.parquet", "no file matches", id="glob without a match"),
        bad("folder", "the folder holds no .parquet file", id="folder without run files"),
        bad("energy.duckdb", "is the store itself, not a run file", id="the store itself"),
        bad("link.parquet", "is the store itself, not a run file", id="a link to the store"),
    ],
)
def test_sources_that_are_no_run_file(shell: Shell, small_store: Path, source: str, says: str) -> None:
    Path("folder").mkdir()
    Path("folder/notes.txt").write_text("no spikes here", encoding="utf-8")
    Path("link.parquet").symlink_to(small_store)
    assert_refused(shell, small_store, 4, ("ingest", source), f"{source}: {says}")


def layers(**changed: Any) -> dict[str, Any]:
    """Return a sidecar whose first layer is changed."""
    return {"layers": [{"name": "hidden", **changed}, {"name": "output"}]}


@pytest.mark.one_in(5)
@pytest.mark.parametrize(
    ("content", "says"),
    [
        bad("{n_timesteps: 4", "is not JSON", id="not JSON"),
        bad("", "is not JSON", id="empty"),
        bad("[" * 100_000, "is not JSON", id="nested without end"),
        bad([4], "must be an object", id="a list"),
        bad({"n_timestep": 4}, "unknown key 'n_timestep'\n  → Did you mean 'n_timesteps'?", id="misspelt key"),
        bad({"n_timesteps": "4"}, "n_timesteps is '4', must be a whole number from 1", id="count as text"),
        bad({"n_timesteps": 0}, "n_timesteps is 0, must be a whole number from 1", id="no timesteps"),
        bad({"n_samples": True}, "n_samples is True, must be a whole number from 1", id="count as bool"),
        bad({"n_samples": -2}, "n_samples is -2, must be a whole number from 1", id="negative samples"),
        bad({"timestep_us": 0}, "timestep_us is 0, must be a positive number", id="timestep of no length"),
        bad('{"timestep_us": NaN}', "timestep_us is nan, must be a positive number", id="timestep not a number"),
        bad({"timestep_us": "fast"}, "timestep_us is 'fast', must be a positive number", id="timestep as text"),
        bad({"recorded_at": "yesterday"}, "recorded_at is 'yesterday', must be a time", id="not a time"),
        bad({"run": ""}, "run is '', must be a text", id="empty name"),
        bad('{"run": "\\ud800"}', "run is", id="name that is no text"),
        bad({"tags": ["fast"]}, "tags must be an object", id="tags as a list"),
        bad({"tags": {"sizes": [1, 2]}}, "tags: 'sizes' is [1, 2], must be a text", id="tag as a list"),
        bad({"layers": []}, "layers must not be empty", id="no layers"),
        bad({"layers": {"hidden": {}}}, "layers must be a list", id="layers as an object"),
        bad({"layers": ["hidden"]}, "layers[0] must be an object", id="layer as text"),
        bad({"layers": [{"role": "hidden"}]}, "layers[0] needs a name", id="layer without a name"),
        bad(layers(name="output"), "the layer 'output' is declared 2 times", id="layer twice"),
        bad(layers(role="output"), "role is 'output', must be one of input, hidden, readout", id="unknown role"),
        bad(layers(n_neuron=3), "unknown key 'n_neuron'\n  → Did you mean 'n_neurons'?", id="misspelt key of a layer"),
        bad(layers(n_neurons=-3), "(hidden): n_neurons is -3, must be a whole number from 0", id="negative size"),
        bad(layers(n_neurons=2.5), "(hidden): n_neurons is 2.5, must be a whole number", id="size as a fraction"),
        bad(layers(n_inputs=-1), "(hidden): n_inputs is -1, must be a whole number from 0", id="negative fan-in"),
        bad(layers(fan_out=-1), "(hidden): fan_out is -1, must be a whole number from 0", id="negative fan-out"),
        bad(layers(fan_out=[1, -1]), "fan_out is -1, must be a whole number", id="negative fan-out of a neuron"),
        bad(layers(n_neurons=3, fan_out=[1, 2]), "fan_out has 2 entries for 3 neurons", id="fan-outs too few"),
    ],
)  # fmt: skip
def test_a_broken_sidecar(shell: Shell, small_store: Path, content: Any, says: str) -> None:
    with_sidecar(run_file(Path("bad.parquet"), {**EVENTS, "neuron": [0] * 6}), content)
    assert_refused(shell, small_store, 4, ("ingest", "bad.parquet"), ["bad.json: ", says, "1 refused"])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        bad(b"{spikes", "is not JSON", id="not JSON"),
        bad(b"\xff\xfe", "", id="not UTF-8"),
        bad(b'{"layer": []}', "unknown key 'layer'\n  → Did you mean 'layers'?", id="unknown key"),
        bad(b'{"n_timesteps": -1}', "n_timesteps is -1, must be a whole number from 1", id="negative count"),
    ],
)
def test_broken_metadata(shell: Shell, small_store: Path, content: bytes, says: str) -> None:
    run_file(Path("bad.parquet"), metadata={"energy_db": content})
    expected = ["bad.parquet (metadata key energy_db): ", says]
    assert_refused(shell, small_store, 4, ("ingest", "bad.parquet"), expected)


def test_events_that_contradict_the_sidecar(shell: Shell, small_store: Path) -> None:
    with_sidecar(run_file(Path("bad.parquet")), {**NETWORK, "n_timesteps": 3})
    says = "column 'timestep' must be below the declared n_timesteps: 2 bad rows, first at row 3 (value 3)"
    assert_refused(shell, small_store, 4, ("ingest", "bad.parquet"), says)


def test_a_file_that_stops_the_engine_is_said_to_be_damaged_and_not_the_store(tmp_store: Path, tmp_path: Path) -> None:
    """Its first column has a negative size, which DuckDB does not expect: no statement works behind that."""
    path = run_file(tmp_path / "negative.parquet", {"layer": ["a"], "neuron": [0], "timestep": [0]})
    column = pq.ParquetFile(path).metadata.row_group(0).column(0)
    # Sizes stand in the metadata as doubled numbers, behind a byte that is 0x16; an odd one is negative.
    sizes = [bytes([0x16, *_varint(2 * n)]) for n in (column.total_uncompressed_size, column.total_compressed_size)]
    data = path.read_bytes()
    assert b"".join(sizes) in data
    path.write_bytes(data.replace(b"".join(sizes), sizes[0] + bytes([sizes[1][0], sizes[1][1] | 1, *sizes[1][2:]]), 1))
    with EnergyStore(tmp_store) as store:
        store.ingest(run_file(tmp_path / "sound.parquet"))
        with pytest.raises(RunFileError, match=r"negative\.parquet: .*(stops at it|cannot be read)"):
            store.ingest(path)
    with EnergyStore(tmp_store) as store:
        assert [run.name for run in store.runs()] == ["sound"]
        assert [check.check for check in store.verify() if check.n_failures] == []


def _varint(number: int) -> list[int]:
    return [number] if number < 128 else [number & 127 | 128, *_varint(number >> 7)]
