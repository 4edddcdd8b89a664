"""Seeded mutations of what users write: run files by their columns and bytes, JSON by its values, TOML by its lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

NASTY: list[Any] = [
    None, True, -1, 0, 1, 2**31, 2**63, -(2**63), 10**30, 0.5, 1e308, float("nan"), float("inf"), "", " ", "1", "NaN",
    "x" * 10_000, "'; DROP TABLE runs; --", 'a"b', "a\nb", "\x1b[31mred", "../../etc/passwd", "<script>", "\u202e", "Å",
    [], {}, [None], [[]], {"a": 1}, [1] * 1000, "2026-02-30", "hidden", "loihi2",
]  # fmt: skip

Columns = dict[str, pa.Array]


def drop_column(random: Random, columns: Columns) -> None:
    del columns[random.choice(list(columns))]


def rename_column(random: Random, columns: Columns) -> None:
    name = random.choice(list(columns))
    columns[random.choice([name.upper(), f"{name} ", f"{name}s", "x", ""])] = columns.pop(name)


def add_column(random: Random, columns: Columns) -> None:
    n_rows = len(next(iter(columns.values())))
    kind = random.choice([pa.int8(), pa.string(), pa.list_(pa.int64()), pa.float64()])
    columns[random.choice(["weight", "n_spikes2", "file_row_number", "a b", "filename"])] = pa.nulls(n_rows, kind)


def retype_column(random: Random, columns: Columns) -> None:
    name = random.choice(list(columns))
    kinds = [
        pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64(), pa.float32(),
        pa.float64(), pa.string(), pa.large_string(), pa.binary(), pa.bool_(), pa.decimal128(20, 3), pa.timestamp("us"),
    ]  # fmt: skip
    try:
        columns[name] = columns[name].cast(random.choice(kinds))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        if not pa.types.is_nested(columns[name].type):
            columns[name] = columns[name].dictionary_encode()


def nest_column(random: Random, columns: Columns) -> None:
    name = random.choice(list(columns))
    columns[name] = pa.array([[value] for value in columns[name].to_pylist()])


def replace_values(random: Random, columns: Columns) -> None:
    flat = [name for name in columns if not pa.types.is_nested(columns[name].type)]
    if not flat:
        return
    name = random.choice(flat)
    values = columns[name].to_pylist()
    kind = columns[name].type
    for _ in range(random.choice([1, 1, 2, len(values)])):
        values[random.randrange(len(values))] = random.choice([None, -1, 0, 1, 7, 49, 50, 199, 200, 2**31 - 1, 2**31])
    if name == "layer":
        names = ["input", "hidden", "output", "", "hiden", "Hidden", "hidden ", None, "'--", "\x1b[1m"]
        values = [value if isinstance(value, str) else random.choice(names) for value in values]
        kind = pa.string()
    try:
        columns[name] = pa.array(values, kind if kind == pa.string() else pa.int64())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        columns[name] = pa.array([None if value is None else str(value) for value in values])


def repeat_rows(random: Random, columns: Columns) -> None:
    n_rows = len(next(iter(columns.values())))
    rows = pa.array([random.randrange(n_rows) for _ in range(random.choice([1, n_rows, 3 * n_rows]))])
    columns.update({name: values.take(rows) for name, values in columns.items()})


def empty_rows(random: Random, columns: Columns) -> None:
    columns.update({name: values.slice(0, 0) for name, values in columns.items()})


def count_spikes(random: Random, columns: Columns) -> None:
    n_rows = len(next(iter(columns.values())))
    columns["n_spikes"] = pa.array([random.choice([1, 1, 2, 5, 100]) for _ in range(n_rows)])


def shuffle_columns(random: Random, columns: Columns) -> None:
    names = random.sample(list(columns), len(columns))
    columns.update({name: columns.pop(name) for name in names})


COLUMN_MUTATIONS: list[Callable[[Random, Columns], None]] = [
    drop_column, rename_column, add_column, retype_column, nest_column, replace_values, replace_values, repeat_rows,
    empty_rows, count_spikes, shuffle_columns,
]  # fmt: skip


def write_mutated(path: Path, columns: Columns, random: Random) -> str:
    """Write a run file with mutations, and as NAME.whole what it was before its bytes were changed; returns which."""
    columns = dict(columns)
    applied = []
    for mutate in random.choices(COLUMN_MUTATIONS, k=random.choice([0, 1, 1, 1, 2, 3])):
        if columns and len(next(iter(columns.values()))):
            mutate(random, columns)
            applied.append(mutate.__name__)
    metadata = random.choice([{}, {}, {"energy_db": random.choice(["{", "[]", '{"run": 1}', '{"runn": "x"}', "\xff"])}])
    table = pa.table(columns).replace_schema_metadata(metadata or None)
    pq.write_table(
        table,
        path,
        compression=random.choice(["snappy", "zstd", "gzip", "none", "lz4"]),
        row_group_size=random.choice([1, 7, 1000, None]),
        use_dictionary=random.random() < 0.5,
        data_page_version=random.choice(["1.0", "2.0"]),
    )
    if metadata:
        applied.append("metadata")
    if random.random() < 0.25:
        path.with_suffix(".whole").write_bytes(path.read_bytes())
        path.write_bytes(mutated_bytes(path.read_bytes(), random))
        applied.append("bytes")
    return "+".join(applied) or "layout"


def mutated_bytes(data: bytes, random: Random) -> bytes:
    """Flip, cut out, double or insert bytes."""
    broken = bytearray(data)
    if not broken:
        return b"\0"
    place = random.randrange(len(broken))
    match random.randrange(4):
        case 0:
            broken[place] ^= 1 << random.randrange(8)
        case 1:
            del broken[place : place + random.choice([1, 8, len(broken)])]
        case 2:
            broken[place:place] = broken[place : place + 16]
        case _:
            broken[place:place] = random.randbytes(random.choice([1, 4, 64]))
    return bytes(broken)


def mutated_json(content: Any, random: Random) -> str:
    """Return JSON of which some values are others, gone, renamed or doubled; or text that is hardly JSON any more."""
    content = json.loads(json.dumps(content))
    for _ in range(random.choice([1, 1, 2, 3])):
        _mutate_somewhere(content, random)
    text = json.dumps(content)
    if random.random() < 0.2:
        return mutated_bytes(text.encode(), random).decode(errors="replace")
    return text


def _mutate_somewhere(content: Any, random: Random) -> None:
    places = list(_places(content))
    if not places:
        return
    parent, key = random.choice(places)
    match random.randrange(4):
        case 0:
            del parent[key]
        case 1 if isinstance(parent, dict):
            parent[random.choice([f"{key}s", key.upper(), "", "'", "n_neuron"])] = parent.pop(key)
        case 2 if isinstance(parent, list):
            parent.append(parent[key])
        case _:
            parent[key] = deepcopy(random.choice(NASTY))


def _places(content: Any) -> list[tuple[Any, Any]]:
    keys = (
        list(content) if isinstance(content, dict) else list(range(len(content))) if isinstance(content, list) else []
    )
    return [(content, key) for key in keys] + [place for key in keys for place in _places(content[key])]


TOML_VALUES = [
    '""', '"x"', "-1", "0", "1e308", "nan", "inf", "-inf", "true", "[]", "{}", "2026-02-30", "2026-01-01", '"5 %"',
    '"-5 %"', '"3 nJ"', '"3"', '"3 kWh"', '"loihi2"', '"loihi 2"', "99999999999999999999", "0.0000001",
    '"' + "x" * 5000 + '"',
    "'''a\nb'''", '"\\u001b[31m"', '"; DROP TABLE costs"', "[1, 2]", "{a = 1}", "",
]  # fmt: skip


def mutated_toml(text: str, random: Random) -> str:
    """Return TOML of which some lines say something else, are gone, doubled or elsewhere."""
    lines = text.splitlines()
    for _ in range(random.choice([1, 1, 2, 3])):
        place = random.randrange(len(lines))
        key, is_value, _ = lines[place].partition(" = ")
        match random.randrange(6):
            case 0:
                lines.pop(place)
            case 1:
                lines.insert(place, lines[place])
            case 2:
                lines.insert(random.randrange(len(lines)), lines.pop(place))
            case 3 if is_value:
                lines[place] = f"{random.choice([f'{key}s', key.upper(), 'x', ''])} = {_}"
            case _ if is_value:
                lines[place] = f"{key} = {random.choice(TOML_VALUES)}"
            case _:
                lines[place] = mutated_bytes(lines[place].encode(), random).decode(errors="replace")
        if not lines:
            return ""
    return "\n".join(lines)
