"""Small run files whose every number is known by hand, and what a store holds, table by table."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result

from energy_db import EnergyStore

Shell = Callable[..., Result]
Columns = Mapping[str, Any]
Dump = dict[str, list[tuple[Any, ...]]]

EVENTS: dict[str, list[Any]] = {
    "layer": ["hidden", "hidden", "hidden", "hidden", "output", "output"],
    "neuron": [0, 1, 1, 2, 0, 1],
    "timestep": [0, 0, 2, 3, 1, 3],
    "sample": [0, 0, 1, 1, 0, 1],
}
NETWORK: dict[str, Any] = {
    "n_timesteps": 4,
    "n_samples": 2,
    "timestep_us": 1000,
    "layers": [
        {"name": "hidden", "role": "hidden", "n_inputs": 4, "n_neurons": 3, "fan_out": 2},
        {"name": "output", "role": "readout", "n_inputs": 3, "n_neurons": 2, "fan_out": 0},
    ],
}
"""Of EVENTS: on loihi2, 4 hidden spikes of 2.1 pJ and 2 readout spikes of 1.0 pJ are 10.4 pJ."""

OF_RUNS = ("runs", "run_tags", "layers", "fan_out", "counters", "driver_counts", "neuron_activity", "step_activity",
           "spike_events")  # fmt: skip


def mostly_thorough(values: Iterable[Any], n_daily: int = 1) -> list[Any]:
    """Return parameters of which the daily tests take the first ones, and the thorough ones the others."""
    several = list(values)
    return several[:n_daily] + [pytest.param(value, marks=pytest.mark.thorough) for value in several[n_daily:]]


def run_file(
    path: Path,
    columns: Columns = EVENTS,
    *,
    types: Mapping[str, pa.DataType] | None = None,
    metadata: Mapping[str, str | bytes] | None = None,
    **parquet_options: Any,
) -> Path:
    """Write a run file; a column that is None is left out."""
    wanted = types or {}
    arrays = {name: pa.array(values, wanted.get(name)) for name, values in columns.items() if values is not None}
    table = pa.table(arrays)
    pq.write_table(table.replace_schema_metadata(metadata) if metadata else table, path, **parquet_options)
    return path


def with_sidecar(path: Path, content: Any = NETWORK) -> Path:
    """Write the sidecar of a run file; text is written as it is, everything else as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    path.with_suffix(".json").write_text(text, encoding="utf-8")
    return path


def forget_runs(store: EnergyStore) -> None:
    """Make a store one without runs, in a tenth of the time that it takes to open another."""
    for table in OF_RUNS:
        store._engine.run(f"DELETE FROM {table}")


def rearranged(columns: Columns, order: Sequence[int]) -> dict[str, list[Any]]:
    """Return the same events in another order."""
    return {name: [values[row] for row in order] for name, values in columns.items()}


def dump(store: Path) -> Dump:
    """Return all rows of all tables of a store, in an order of their own."""
    with duckdb.connect(str(store), read_only=True) as connection:
        tables = connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY table_name").fetchall()
        return {name: connection.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall() for (name,) in tables}


@contextmanager
def unchanged(store: Path) -> Iterator[None]:
    """Assert that a store has in the end what it has in the beginning."""
    before = Path(shutil.copy(store, f"{store}.before"))
    yield
    # The same bytes are the same store; only others are worth the time that it takes to read both.
    if store.read_bytes() != before.read_bytes() or Path(f"{store}.wal").exists():
        assert dump(store) == dump(before)
    before.unlink()


def assert_refused(
    shell: Shell, store: Path, exit_code: int, arguments: Sequence[object], says: str | Sequence[str]
) -> str:
    """Assert that a command ends with an exit code, says what it should, and changes nothing; return what it says."""
    with unchanged(store):
        result = shell(*arguments)
    assert result.exit_code == exit_code, result.output
    for piece in [says] if isinstance(says, str) else says:
        assert piece in result.stderr
    assert "Traceback" not in result.output
    assert "unexpected" not in result.stderr
    assert result.stdout == ""
    return str(result.stderr)
