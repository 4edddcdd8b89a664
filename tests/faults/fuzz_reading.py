"""What mutated inputs say by the documented contract, read without energy-db."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from world import LAYERS, N_SAMPLES, N_TIMESTEPS

Counts = dict[tuple[str, int], int]
COLUMNS = ("layer", "neuron", "timestep", "sample", "n_spikes")
MOST, MOST_IN_ALL = 2**31, 2**63 - 1
PICOJOULES = {"pJ": 0, "nJ": 3, "µJ": 6, "uJ": 6, "mJ": 9, "J": 12}


@dataclass(frozen=True)
class Limits:
    """What is declared of a run; None is nothing."""

    layers: Mapping[str, int] | None
    n_timesteps: int = MOST
    n_samples: int = MOST


DECLARED, OPEN = Limits(LAYERS, N_TIMESTEPS, N_SAMPLES), Limits(None)


def spikes_of(source: Path | pa.BufferReader, limits: Limits, column_map: Mapping[str, str]) -> Counts | None:
    """Count a run file's spikes by layer and neuron; None if it breaks the contract."""
    try:
        file = pq.ParquetFile(source)
        known = {column_map.get(name, name).lower() for name in COLUMNS}
        # Of other columns pyarrow does not read all that it writes: nothing but nulls, in pages of version 2.
        table = file.read([name for name in file.schema_arrow.names if name.lower() in known])
    except Exception:  # whatever pyarrow does not read is no run file
        return None
    columns = _columns(table, column_map)
    if columns is None:
        return None
    counts: Counter[tuple[str, int]] = Counter()
    n_timesteps = n_samples = 0
    for said, neuron, timestep, sample, n_spikes in zip(*columns, strict=True):
        layer = _named(said, limits)
        most = MOST if limits.layers is None else limits.layers.get(layer or "", 0)
        ranges = ((neuron, most), (timestep, limits.n_timesteps), (sample, limits.n_samples), (n_spikes, MOST))
        if not layer or any(value is None or not 0 <= value < end for value, end in ranges) or n_spikes == 0:
            return None
        counts[layer, neuron] += n_spikes
        n_timesteps, n_samples = max(n_timesteps, timestep + 1), max(n_samples, sample + 1)
    if limits.layers is None and (not counts or _neurons(counts) * n_timesteps * n_samples > MOST_IN_ALL):
        return None
    return dict(counts)


def _columns(table: pa.Table, column_map: Mapping[str, str]) -> list[Sequence[Any]] | None:
    names = [column_map.get(name, name) for name in COLUMNS]
    spelt = Counter(name.lower() for name in table.column_names)
    if any(spelt[name.lower()] > 1 for name in names) or not set(names[:3]) <= set(table.column_names):
        return None
    defaults = {"sample": 0, "n_spikes": 1}
    columns: list[Sequence[Any]] = []
    for ours, theirs in zip(COLUMNS, names, strict=True):
        if theirs not in table.column_names:
            columns.append([defaults[ours]] * table.num_rows)
            continue
        column = table[theirs]
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not (pa.types.is_integer(kind) or (ours == "layer" and _is_text(kind))):
            return None
        try:
            columns.append(column.to_pylist())
        except UnicodeDecodeError:
            return None
    return columns


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _named(said: Any, limits: Limits) -> str | None:
    if limits.layers is None or said is None:
        return None if said is None else str(said)
    if isinstance(said, int):
        return list(limits.layers)[said] if 0 <= said < len(limits.layers) else None
    return said if said in limits.layers else None


def _neurons(counts: Counts) -> int:
    last: dict[str, int] = {}
    for layer, neuron in counts:
        last[layer] = max(neuron + 1, last.get(layer, 0))
    return sum(last.values())


def told_by_sidecar(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run must be that was stored with this sidecar, as far as the sidecar says it."""
    told: dict[str, Any] = {
        ours: content[theirs]
        for theirs, ours in (("run", "name"), ("n_timesteps",) * 2, ("n_samples",) * 2, ("kind",) * 2)
        if content.get(theirs) is not None
    }
    for key in ("seed", "git_commit"):
        if content.get(key) is not None:
            told[key] = str(content[key])
    tags = content.get("tags") or {}
    told["tags"] = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in tags.items()}
    if content.get("layers") is not None:
        told["layers"] = [layer["name"] for layer in content["layers"]]
    if content.get("counters"):
        told["counters"] = counted(content["counters"])
    return told


def counted(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return the sum of each driver."""
    totals: Counter[str] = Counter()
    for row in rows:
        said = row["count"] if "count" in row else row["driver_count"]
        totals[str(row["driver"])] += int(Decimal(str(said)))
    return dict(totals)


def counted_in_csv(path: Path) -> dict[str, int]:
    """Return the sum of each driver of a CSV file; lines without any field are none."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return counted(list(csv.DictReader(stream)))


def picojoules(said: Any) -> Decimal | None:
    """Return an energy that is written as a number and its unit; None if it is not."""
    match = re.fullmatch(r"\s*([-+0-9.eE]+)\s*(pJ|nJ|µJ|uJ|mJ|J)\s*", said) if isinstance(said, str) else None
    try:
        return None if match is None else Decimal(match[1]).scaleb(PICOJOULES[match[2]])
    except InvalidOperation:
        return None


def share(said: Any) -> Decimal | None:
    """Return a share that is written in per cents; None if it is not."""
    match = re.fullmatch(r"\s*([-+0-9.eE]+)\s*%\s*", said) if isinstance(said, str) else None
    try:
        return None if match is None else Decimal(match[1]).scaleb(-2)
    except InvalidOperation:
        return None
