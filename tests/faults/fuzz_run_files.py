"""Seeded mutations of run files: of their columns, of how Parquet lays them out, and of their bytes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from mutations import mutated_bytes
from world import LAYERS

N_EVENTS = 200
Columns = dict[str, pa.Array]


def events(random: Random) -> Columns:
    """Return events that keep the contract."""
    return {
        "layer": pa.array([random.choice(list(LAYERS)) for _ in range(N_EVENTS)]),
        "neuron": pa.array([random.randrange(10) for _ in range(N_EVENTS)]),
        "timestep": pa.array([random.randrange(50) for _ in range(N_EVENTS)]),
        "sample": pa.array([random.randrange(40) for _ in range(N_EVENTS)]),
    }


def _any_of(random: Random, columns: Columns) -> str:
    return random.choice(list(columns))


def drop_column(random: Random, columns: Columns) -> None:
    del columns[_any_of(random, columns)]


def rename_column(random: Random, columns: Columns) -> None:
    name = _any_of(random, columns)
    columns[random.choice([name.upper(), f"{name} ", f"{name}s", f"{name}_1", "x", ""])] = columns.pop(name)


def add_column(random: Random, columns: Columns) -> None:
    kind = random.choice([pa.int8(), pa.string(), pa.list_(pa.int64()), pa.float64(), pa.null()])
    names = ["weight", "n_spikes2", "file_row_number", "a b", "filename", "neuron_1", "\x1b[31m", '"', "x" * 3000]
    columns[random.choice(names)] = pa.nulls(_length(columns), kind)


def add_namesake(random: Random, columns: Columns) -> None:
    name = _any_of(random, columns)
    others = {name.title(): columns[name]}
    columns.update(others if random.random() < 0.5 else {**others, **{name: columns.pop(name)}})


KINDS = [
    pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64(), pa.float16(),
    pa.float32(), pa.float64(), pa.string(), pa.large_string(), pa.binary(), pa.bool_(), pa.decimal128(38, 0),
    pa.decimal128(20, 3), pa.timestamp("us"), pa.date32(), pa.time32("s"),
]  # fmt: skip


def retype_column(random: Random, columns: Columns) -> None:
    name = _any_of(random, columns)
    with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
        columns[name] = columns[name].cast(random.choice(KINDS))


def make_fractions(random: Random, columns: Columns) -> None:
    odd = [0.0, 0.5, 1.0, -0.0, float("nan"), float("inf"), 1e300]
    columns[_any_of(random, columns)] = pa.array([random.choice(odd) for _ in range(_length(columns))])


def nest_column(random: Random, columns: Columns) -> None:
    name = _any_of(random, columns)
    values = columns[name]
    match random.randrange(3):
        case 0:
            columns[name] = pa.ListArray.from_arrays(range(len(values) + 1), values)
        case 1:
            columns[name] = pa.StructArray.from_arrays([values], ["value"])
        case _:
            columns[name] = pa.nulls(len(values))


def encode_column(random: Random, columns: Columns) -> None:
    """Let a column be a dictionary whose values are there twice, or are not used."""
    name = _any_of(random, columns)
    if pa.types.is_nested(columns[name].type) or pa.types.is_dictionary(columns[name].type):
        return
    values = columns[name].drop_null().unique()
    indices = columns[name].dictionary_encode().indices
    doubled = pa.concat_arrays([values, values])
    shift = pa.array([random.choice([0, len(values)]) for _ in range(len(indices))], pa.int32())
    with suppress(pa.ArrowInvalid):
        columns[name] = pa.DictionaryArray.from_arrays(pa.compute.add(indices, shift), doubled)


def number_layers(random: Random, columns: Columns) -> None:
    """Let layers be positions, or numbers that are no positions."""
    if "layer" in columns:
        shift = random.choice([0, 0, 1, -1, 2**63 - 3])
        columns["layer"] = pa.array([random.randrange(3) + shift for _ in range(_length(columns))], pa.int64())


ODD_NUMBERS = [None, -1, 0, 1, 7, 49, 50, 199, 200, 2**31 - 1, 2**31, 2**32, 2**63 - 1, -(2**63)]
ODD_NAMES = [
    "input", "hidden", "output", "", "hiden", "Hidden", "hidden ", "0", "00", None, "'--", "\x1b[1m", "a\0b",
    "x" * 3000,
]  # fmt: skip


def replace_values(random: Random, columns: Columns) -> None:
    name = _any_of(random, columns)
    if pa.types.is_nested(columns[name].type) or name not in ("layer", "neuron", "timestep", "sample", "n_spikes"):
        return
    values: list[Any] = columns[name].to_pylist()
    odd = ODD_NAMES if name == "layer" else ODD_NUMBERS
    for _ in range(random.choice([1, 1, 2, len(values)])):
        values[random.randrange(len(values))] = random.choice(odd)
    with suppress(pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        columns[name] = pa.array(values, pa.string() if name == "layer" else pa.int64())


def exceed_64_bits(random: Random, columns: Columns) -> None:
    name = random.choice(["layer", "neuron", "timestep", "sample", "n_spikes"])
    values = [random.choice([1, 1, 1, 2**63, 2**64 - 1]) for _ in range(_length(columns))]
    columns[name] = pa.array(values, pa.uint64())


def repeat_rows(random: Random, columns: Columns) -> None:
    n_rows = _length(columns)
    rows = pa.array([random.randrange(n_rows) for _ in range(random.choice([1, n_rows, 3 * n_rows]))])
    columns.update({name: values.take(rows) for name, values in columns.items()})


def empty_rows(random: Random, columns: Columns) -> None:
    columns.update({name: values.slice(0, 0) for name, values in columns.items()})


def count_spikes(random: Random, columns: Columns) -> None:
    counts = random.choice([[1, 1, 2, 5, 100], [1, 2**31 - 1], [1, 0], [1, -5], [1, None], [1, 2**31]])
    columns["n_spikes"] = pa.array([random.choice(counts) for _ in range(_length(columns))], pa.int64())


def shuffle_columns(random: Random, columns: Columns) -> None:
    for name in random.sample(list(columns), len(columns)):
        columns[name] = columns.pop(name)


def _length(columns: Columns) -> int:
    return len(next(iter(columns.values())))


MUTATIONS: list[Callable[[Random, Columns], None]] = [
    drop_column, rename_column, add_column, add_namesake, retype_column, make_fractions, nest_column, encode_column,
    number_layers, replace_values, replace_values, exceed_64_bits, repeat_rows, empty_rows, count_spikes, count_spikes,
    shuffle_columns,
]  # fmt: skip
HARMLESS = [repeat_rows, shuffle_columns, add_column, encode_column, number_layers]


@dataclass
class Written:
    """A run file with mutations.

    Attributes
    ----------
    kinds : list of str
        What was done to it.
    column_map : dict of str to str
        Columns that were renamed, for ingest to be told.
    whole : bytes
        What it was before its bytes were changed.
    """

    kinds: list[str] = field(default_factory=list)
    column_map: dict[str, str] = field(default_factory=dict)
    whole: bytes = b""

    @property
    def is_as_told(self) -> bool:
        """Whether neither bytes nor metadata were changed, so that pyarrow and the contract alone say what it holds."""
        return not {"bytes", "metadata"} & set(self.kinds)


def write_mutated(path: Path, random: Random) -> Written:
    """Write a run file with mutations."""
    columns, written = events(random), Written()
    allowed = HARMLESS if random.random() < 0.25 else MUTATIONS
    for mutate in random.choices(allowed, k=random.choice([0, 1, 1, 1, 2, 3])):
        if columns and _length(columns):
            mutate(random, columns)
            written.kinds.append(mutate.__name__)
    if random.random() < 0.1 and "neuron" in columns:
        written.column_map = {"neuron": "Senders"}
        columns["Senders"] = columns.pop("neuron")
        written.kinds.append("map_column")
    table = pa.table(columns)
    if random.random() < 0.1:
        said = random.choice(["{", "[]", '{"run": 1}', '{"runn": "x"}', "\xff", '{"tags": {"a": 1}}', "[" * 5000])
        table = table.replace_schema_metadata({"energy_db": said})
        written.kinds.append("metadata")
    pq.write_table(table, path, **_layout(random, table))
    written.whole = path.read_bytes()
    if random.random() < 0.25:
        path.write_bytes(_mutated(written.whole, random))
        written.kinds.append("bytes")
    written.kinds = written.kinds or ["layout"]
    return written


def _layout(random: Random, table: pa.Table) -> dict[str, Any]:
    layout: dict[str, Any] = {
        "compression": random.choice(["snappy", "zstd", "gzip", "brotli", "none", "lz4"]),
        "row_group_size": random.choice([1, 7, 1000, None]),
        "data_page_version": random.choice(["1.0", "2.0"]),
        "data_page_size": random.choice([1, 64, None]),
        "version": random.choice(["1.0", "2.4", "2.6"]),
        "write_statistics": random.random() < 0.8,
        "write_page_index": random.random() < 0.2,
        "write_page_checksum": random.random() < 0.2,
        "store_schema": random.random() < 0.7,
        "use_dictionary": random.random() < 0.5,
    }
    if layout["use_dictionary"]:
        layout["dictionary_pagesize_limit"] = random.choice([1, 2**20])
    elif random.random() < 0.5:
        layout["column_encoding"] = {
            column.name: random.choice(_encodings_of(column.type))
            for column in table.schema
            if _encodings_of(column.type)
        }
    return layout


def _encodings_of(kind: pa.DataType) -> list[str]:
    if pa.types.is_integer(kind):
        return ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return ["PLAIN", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"]
    return []


def _mutated(data: bytes, random: Random) -> bytes:
    """Change bytes anywhere, or of the file's end, which says what its columns are and where they lie."""
    length = int.from_bytes(data[-8:-4], "little") + 8
    if random.random() < 0.5:
        return data[:-length] + mutated_bytes(data[-length:], random)
    return mutated_bytes(data, random)
