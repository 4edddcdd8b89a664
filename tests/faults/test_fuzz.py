"""Thousands of broken inputs: each is taken, with the totals of an independent count, or refused in a sentence."""

from __future__ import annotations

import json
import resource
import signal
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mutations import NASTY, mutated_json, mutated_toml, write_mutated
from world import LAYERS, N_SAMPLES, N_TIMESTEPS, NETWORK, keep_figures, number_from_outside

from energy_db import EnergyStore, sql
from energy_db.errors import EnergyDbError
from energy_db.gate.budget import find_budget, read_budget

pytestmark = pytest.mark.faults

N_MUTATIONS = number_from_outside("FAULTS_MUTATIONS", 300)
FIRST_SEED = number_from_outside("FAULTS_SEED", 0)
MOST_SECONDS, MOST_MB = 20, 1500
RUNS_OF_A_STORE = 500

random = Random(7)
N_EVENTS = 200
EVENTS = {
    "layer": pa.array([random.choice(list(LAYERS)) for _ in range(N_EVENTS)]),
    "neuron": pa.array([random.randrange(10) for _ in range(N_EVENTS)]),
    "timestep": pa.array([random.randrange(50) for _ in range(N_EVENTS)]),
    "sample": pa.array([random.randrange(40) for _ in range(N_EVENTS)]),
}
FULL_NETWORK = {
    **NETWORK,
    "tags": {"accuracy": 0.9, "dataset": "digits"},
    "seed": 1,
    "git_commit": "4f2a91c",
    "kind": "inference",
    "recorded_at": "2026-11-23T09:30:00Z",
    "counters": [{"driver": "message", "count": 5120}, {"layer": "hidden", "driver": "hop", "count": 12}],
}


@contextmanager
def within_limits(seed: int, kind: str) -> Iterator[None]:
    """Let what hangs, takes all memory, or ends in an error that is none of ours, name the seed that made it so."""

    def out_of_time(*_: object) -> None:
        raise TimeoutError(f"{kind} {seed} takes more than {MOST_SECONDS} s")

    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(MOST_SECONDS)
    try:
        yield
    except EnergyDbError:
        raise
    except BaseException as error:
        raise AssertionError(f"{kind}: FAULTS_SEED={seed} FAULTS_MUTATIONS=1 shows it again: {error!r}") from error
    finally:
        signal.alarm(0)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert used < MOST_MB, f"{kind} {seed}: {used:.0f} MB"


def refused(error: EnergyDbError, kind: str, seed: int) -> str:
    """Assert that a refusal says something that a terminal can show."""
    assert error.message.strip(), f"{kind} {seed}"
    assert len(str(error)) < 20_000, f"{kind} {seed} says {len(str(error))} characters"
    return "refused"


def fuzz(kind: str, attempt: Callable[[int, Random], str]) -> Counter[str]:
    """Try so many mutations, and return how often each outcome was seen."""
    outcomes: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + N_MUTATIONS):
        outcomes[attempt(seed, Random(seed))] += 1
    keep_figures(f"fuzz-{kind}", dict(outcomes))
    if N_MUTATIONS >= 100:
        assert outcomes["taken"] and outcomes["refused"]
    return outcomes


class Stores:
    """A store that is made anew when it has taken many runs."""

    def __init__(self) -> None:
        self.store = EnergyStore(":memory:")
        self.n_used = 0

    def next(self) -> EnergyStore:
        self.n_used += 1
        if self.n_used % RUNS_OF_A_STORE == 0:
            self.store.close()
            self.store = EnergyStore(":memory:")
        return self.store


def table_sizes(store: EnergyStore) -> list[tuple[Any, ...]]:
    query = " UNION ALL ".join(f"SELECT '{table.name}', count(*) FROM {table.name}" for table in sql.tables())
    return store._engine.rows(query)


def counted_by_hand(path: Path) -> dict[tuple[str, int], int] | None:
    """Count a run file's spikes by the contract, from what pyarrow reads; None if it breaks the contract."""
    try:
        table = pq.read_table(path)
    except Exception:  # whatever pyarrow does not read is no run file
        return None
    names = set(table.column_names)
    if len(names) < len(table.column_names) or not {"layer", "neuron", "timestep"} <= names:
        return None
    columns = {name: _integers(table[name]) for name in ("neuron", "timestep", "sample", "n_spikes") if name in names}
    if None in columns.values():
        return None
    try:
        layers = table["layer"].to_pylist()
    except UnicodeDecodeError:
        return None
    counts: Counter[tuple[str, int]] = Counter()
    for row, said in enumerate(layers):
        layer = list(LAYERS)[said] if type(said) is int and 0 <= said < len(LAYERS) else said
        values = {"sample": 0, "n_spikes": 1, **{name: column[row] for name, column in columns.items() if column}}
        if not isinstance(layer, str) or layer not in LAYERS or not _are_in_range(layer, values):
            return None
        counts[layer, values["neuron"]] += values["n_spikes"]
    return dict(counts)


def _integers(column: pa.ChunkedArray) -> list[int | None] | None:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.to_pylist() if pa.types.is_integer(column.type) else None


def _are_in_range(layer: str, values: dict[str, int | None]) -> bool:
    limits = {
        "neuron": (0, LAYERS[layer]),
        "timestep": (0, N_TIMESTEPS),
        "sample": (0, N_SAMPLES),
        "n_spikes": (1, 2**31),
    }
    return all(values[name] is not None and least <= values[name] < most for name, (least, most) in limits.items())


def stored_counts(store: EnergyStore, run_id: str) -> dict[tuple[str, int], int]:
    rows = store._engine.rows("SELECT layer, neuron, n_spikes FROM activity_by_neuron WHERE run_id = ?", [run_id])
    return {(layer, neuron): n_spikes for layer, neuron, n_spikes in rows if n_spikes}


def test_run_files(tmp_path: Path) -> None:
    stores, wrongly_refused = Stores(), []

    def attempt(seed: int, random: Random) -> str:
        path = tmp_path / f"run{seed}.parquet"
        mutation = write_mutated(path, EVENTS, random)
        path.with_suffix(".json").write_text(json.dumps(NETWORK), encoding="utf-8")
        expected, store = counted_by_hand(path), stores.next()
        before = table_sizes(store)
        try:
            with within_limits(seed, f"run file ({mutation})"):
                run = store.ingest(path, on_duplicate="new")
        except EnergyDbError as error:
            assert path.name in error.message, f"{seed}: {error.message}"
            assert table_sizes(store) == before, seed
            if expected is not None and "bytes" not in mutation and "metadata" not in mutation:
                wrongly_refused.append((seed, mutation, error.message))
            return refused(error, "run file", seed)
        finally:
            path.unlink()
        if expected is None and "bytes" in mutation:
            # Readers differ in what they notice of damaged bytes, but what is taken must be what was written.
            expected = counted_by_hand(path.with_suffix(".whole"))
        assert expected is not None, f"run file ({mutation}) {seed} breaks the contract, and is taken"
        assert stored_counts(store, run.run_id) == expected, f"{mutation} {seed}"
        assert run.n_spikes == sum(expected.values())
        return "taken"

    fuzz("run-files", attempt)
    assert wrongly_refused == []


def test_sidecars(tmp_path: Path) -> None:
    stores = Stores()
    path = tmp_path / "run.parquet"
    pq.write_table(pa.table(EVENTS), path)

    def attempt(seed: int, random: Random) -> str:
        path.with_suffix(".json").write_text(mutated_json(FULL_NETWORK, random), encoding="utf-8")
        store = stores.next()
        before = table_sizes(store)
        try:
            with within_limits(seed, "sidecar"):
                run = store.ingest(path, on_duplicate="new")
        except EnergyDbError as error:
            assert "run.json" in str(error) or "run.parquet" in str(error), f"{seed}: {error}"
            assert table_sizes(store) == before, seed
            return refused(error, "sidecar", seed)
        assert run.n_spikes == N_EVENTS
        assert sum(stored_counts(store, run.run_id).values()) == N_EVENTS
        return "taken"

    fuzz("sidecars", attempt)


def test_cost_files(tmp_path: Path) -> None:
    template = sql.cost_template()
    files = [template, *(path.read_text(encoding="utf-8") for path in sql.cost_files())]
    stores = Stores()

    def attempt(seed: int, random: Random) -> str:
        text = mutated_toml(random.choice([template, template, random.choice(files)]), random)
        path = tmp_path / "my_fpga.toml"
        path.write_text(text, encoding="utf-8")
        store = stores.next()
        before = table_sizes(store)
        try:
            with within_limits(seed, "cost file"):
                rows = store.costs.add([path])
        except EnergyDbError as error:
            assert "my_fpga.toml" in str(error), f"{seed}: {error}"
            assert table_sizes(store) == before, seed
            return refused(error, "cost file", seed)
        content = tomllib.loads(text, parse_float=Decimal)
        for row in rows:
            [version] = [version for version in content["version"] if version["name"] == row["cost_version"]]
            told = {cost["operation"]: cost["energy_pj"] for cost in version["cost"] if "energy_pj" in cost}
            kept = store._engine.rows(
                "SELECT operation, energy_pj FROM costs WHERE chip = ? AND cost_version = ? AND energy_pj IS NOT NULL",
                [row["chip"], row["cost_version"]],
            )
            assert told.items() <= dict(kept).items(), seed
        return "taken"

    fuzz("cost-files", attempt)


def test_budget_files(tmp_path: Path) -> None:
    budget = (Path(__file__).parents[2] / "examples" / "ci" / "energy-budget.toml").read_text(encoding="utf-8")
    project = '[project]\nname = "x"\n\n[tool.energy-db]\n' + budget.replace("[[limit]]", "[[tool.energy-db.limit]]")

    def attempt(seed: int, random: Random) -> str:
        in_project = random.random() < 0.5
        path = tmp_path / ("pyproject.toml" if in_project else "energy-budget.toml")
        path.write_text(mutated_toml(project if in_project else budget, random), encoding="utf-8")
        try:
            with within_limits(seed, "budget"):
                if in_project:
                    find_budget(tmp_path)
                found = read_budget(path)
        except EnergyDbError as error:
            assert path.name in str(error), f"{seed}: {error}"
            return refused(error, "budget", seed)
        finally:
            text = path.read_text(encoding="utf-8")
            path.unlink()
        content = tomllib.loads(text)
        limits = (content["tool"]["energy-db"] if in_project else content).get("limit", [])
        assert len(found.limits) == len(limits), seed
        return "taken"

    fuzz("budget-files", attempt)


def test_options(tmp_path: Path) -> None:
    """Column maps, tags, roles, counters and timing, as Python hands them over."""
    stores = Stores()
    path = tmp_path / "run.parquet"
    pq.write_table(pa.table(EVENTS), path)
    sound: dict[str, Any] = {
        "columns": {"neuron": "neuron"},
        "tags": {"accuracy": 0.9},
        "roles": {"output": "readout"},
        "counters": [{"driver": "message", "count": 7}],
        "n_timesteps": 50,
        "n_samples": 40,
        "timestep_us": 1000,
        "name": "x",
        "run_id": None,
        "network": NETWORK,
        "recorded_at": "2026-11-23",
        "seed": 1,
    }

    def attempt(seed: int, random: Random) -> str:
        options = dict(sound)
        for name in random.sample(list(sound), random.choice([1, 1, 2])):
            nested = random.random() < 0.5 and isinstance(sound[name], dict)
            options[name] = (
                {random.choice([*sound[name], "x", ""]): random.choice(NASTY)} if nested else random.choice(NASTY)
            )
        store = stores.next()
        before = table_sizes(store)
        try:
            with within_limits(seed, f"options {options}"):
                run = store.ingest(path, on_duplicate="new", **options)
        except EnergyDbError as error:
            assert table_sizes(store) == before, seed
            return refused(error, "options", seed)
        assert sum(stored_counts(store, run.run_id).values()) == N_EVENTS
        return "taken"

    fuzz("options", attempt)
