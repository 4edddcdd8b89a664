"""Thousands of broken inputs: each is taken, with what an independent reading finds in it, or refused in a sentence."""

from __future__ import annotations

import json
import os
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
from fuzz_reading import DECLARED, OPEN, counted_in_csv, picojoules, share, spikes_of, told_by_sidecar
from fuzz_run_files import N_EVENTS, events, write_mutated
from mutations import NASTY, mutated_bytes, mutated_csv, mutated_json, mutated_toml
from world import NETWORK, keep_figures, number_from_outside

from energy_db import EnergyStore, Run, sql
from energy_db.errors import EnergyDbError
from energy_db.gate.budget import find_budget, read_budget

pytestmark = pytest.mark.faults

N_MUTATIONS = number_from_outside("FAULTS_MUTATIONS", 300)
FIRST_SEED = number_from_outside("FAULTS_SEED", 0)
MOST_SECONDS, MOST_MB = 20, 1500
RUNS_OF_A_STORE = 500

FULL_NETWORK = {
    **NETWORK,
    "run": "digits",
    "tags": {"accuracy": 0.9, "dataset": "digits"},
    "seed": 1,
    "git_commit": "4f2a91c",
    "kind": "inference",
    "recorded_at": "2026-11-23T09:30:00Z",
    "counters": [{"driver": "message", "count": 5120}, {"layer": "hidden", "driver": "hop", "count": 12}],
}
Outcome = tuple[str, list[str]]
"""What became of a mutation, and what kinds of mutation it was."""


@contextmanager
def within_limits(kind: str, seed: int) -> Iterator[None]:
    """Let what hangs, takes all memory, or ends in an error that is none of ours, name the seed that made it so."""

    def out_of_time(*_: object) -> None:
        raise TimeoutError(f"takes more than {MOST_SECONDS} s")

    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(MOST_SECONDS)
    try:
        yield
    except EnergyDbError as error:
        assert error.message.strip()
        assert len(str(error)) < 20_000, f"says {len(str(error))} characters"
        raise
    finally:
        signal.alarm(0)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert used < MOST_MB, f"{used:.0f} MB after {kind} {seed}"


def fuzz(kind: str, attempt: Callable[[int, Random], Outcome]) -> None:
    """Try so many mutations, keep how often each outcome was seen, and name the seeds of those that went wrong."""
    outcomes: Counter[str] = Counter()
    by_mutation: dict[str, Counter[str]] = {}
    wrong = []
    for seed in range(FIRST_SEED, FIRST_SEED + N_MUTATIONS):
        try:
            outcome, mutations = attempt(seed, Random(seed))
        except Exception as error:  # all seeds that show something are wanted, not the first only
            wrong.append(f"FAULTS_SEED={seed} FAULTS_MUTATIONS=1: {type(error).__name__}: {str(error)[:300]}")
            if N_MUTATIONS == 1:
                raise
            continue
        outcomes[outcome] += 1
        for mutation in set(mutations):
            by_mutation.setdefault(mutation, Counter())[outcome] += 1
    keep_figures(f"fuzz-{kind}", dict(outcomes))
    keep_by_mutation(kind, by_mutation)
    assert not wrong, f"{len(wrong)} of {N_MUTATIONS} {kind}:\n" + "\n".join(wrong[:20])
    if N_MUTATIONS >= 100:
        assert outcomes["taken"] and outcomes["refused"]


def keep_by_mutation(kind: str, by_mutation: dict[str, Counter[str]]) -> None:
    if folder := os.environ.get("FAULTS_RESULTS"):
        path = Path(folder) / "by-mutation" / f"{kind}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(by_mutation, indent=1, sort_keys=True) + "\n", encoding="utf-8")


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


@contextmanager
def untouched_if_refused(store: EnergyStore, kind: str, seed: int, *named: str) -> Iterator[None]:
    """Assert that a refusal names one of the files and leaves every table as long as it was."""
    before = table_sizes(store)
    try:
        with within_limits(kind, seed):
            yield
    except EnergyDbError as error:
        assert not named or any(name in str(error) for name in named), f"names no file: {error}"
        assert table_sizes(store) == before, f"refused, and yet something was stored: {error}"
        raise


def table_sizes(store: EnergyStore) -> list[tuple[Any, ...]]:
    query = " UNION ALL ".join(f"SELECT '{table.name}', count(*) FROM {table.name}" for table in sql.tables())
    return store._engine.rows(query)


def stored_counts(store: EnergyStore, run: Run) -> dict[tuple[str, int], int]:
    rows = store._engine.rows("SELECT layer, neuron, n_spikes FROM activity_by_neuron WHERE run_id = ?", [run.run_id])
    return {(layer, neuron): n_spikes for layer, neuron, n_spikes in rows if n_spikes}


def spikes_of_tables(store: EnergyStore, run: Run) -> set[int]:
    """Return the spikes of a run, added up from each table that holds them."""
    query = "SELECT coalesce(sum(n_spikes), 0) FROM {} WHERE run_key = ?"
    tables = ("neuron_activity", "step_activity", "spike_events")
    return {int(store._engine.rows(query.format(table), [run.run_key])[0][0]) for table in tables}


def test_run_files(tmp_path: Path) -> None:
    stores = Stores()
    path = tmp_path / "run.parquet"  # one name for all of them, so that nothing may be remembered of a file by its name

    def attempt(seed: int, random: Random) -> Outcome:
        written = write_mutated(path, random)
        is_declared = random.random() < 0.7
        path.with_suffix(".json").unlink(missing_ok=True)
        if is_declared:
            path.with_suffix(".json").write_text(json.dumps(NETWORK), encoding="utf-8")
        limits = DECLARED if is_declared else OPEN
        expected, store = spikes_of(path, limits, written.column_map), stores.next()
        try:
            with untouched_if_refused(store, "run file", seed, "run.parquet"):
                run = store.ingest(path, on_duplicate="new", columns=written.column_map)
        except EnergyDbError as error:
            assert expected is None or not written.is_as_told, f"keeps the contract, and is refused: {error}"
            return "refused", written.kinds
        if expected is None and "bytes" in written.kinds:
            # Readers differ in what they notice of damaged bytes, but what is taken must be what was written.
            expected = spikes_of(pa.BufferReader(written.whole), limits, written.column_map)
        assert expected is not None, f"breaks the contract, and is taken ({written.kinds})"
        assert stored_counts(store, run) == expected, written.kinds
        assert spikes_of_tables(store, run) == {run.n_spikes} == {sum(expected.values())}, written.kinds
        return "taken", written.kinds

    fuzz("run-files", attempt)


def test_sidecars(tmp_path: Path) -> None:
    stores = Stores()
    path = tmp_path / "run.parquet"

    def attempt(seed: int, random: Random) -> Outcome:
        pq.write_table(pa.table(events(random)), path)
        text = mutated_json(FULL_NETWORK, random)
        path.with_suffix(".json").write_text(text, encoding="utf-8")
        store = stores.next()
        try:
            with untouched_if_refused(store, "sidecar", seed, "run.json", "run.parquet"):
                run = store.ingest(path, on_duplicate="new")
        except EnergyDbError:
            return "refused", ["sidecar"]
        assert run.status == "stored"
        assert sum(stored_counts(store, run).values()) == N_EVENTS
        for key, told in told_by_sidecar(json.loads(text, parse_float=Decimal)).items():
            kept = [layer.name for layer in run.layers] if key == "layers" else getattr(run, key)
            assert kept == told, f"{key} is {told!r} in the sidecar, and {kept!r} in the store"
        return "taken", ["sidecar"]

    fuzz("sidecars", attempt)


def test_counter_files(tmp_path: Path) -> None:
    stores = Stores()
    path, counters = tmp_path / "run.parquet", tmp_path / "counters.csv"
    lines = ["driver,count,layer,neuron", "message,5120,,", "hop,12,hidden,", "hop,3,input,", "access,7,output,2"]

    def attempt(seed: int, random: Random) -> Outcome:
        pq.write_table(pa.table(events(random)), path)
        path.with_suffix(".json").write_text(json.dumps(NETWORK), encoding="utf-8")
        counters.write_bytes(mutated_csv("\n".join(lines), random).encode())
        is_damaged = random.random() < 0.2
        if is_damaged:
            counters.write_bytes(mutated_bytes(counters.read_bytes(), random))
        store, kinds = stores.next(), ["bytes" if is_damaged else "fields"]
        try:
            with untouched_if_refused(store, "counters", seed, "counters.csv"):
                run = store.ingest(path, on_duplicate="new", counters=counters)
        except EnergyDbError:
            return "refused", kinds
        assert run.counters == counted_in_csv(counters)
        return "taken", kinds

    fuzz("counter-files", attempt)


def test_cost_files(tmp_path: Path) -> None:
    template = sql.cost_template()
    files = [template, *(path.read_text(encoding="utf-8") for path in sql.cost_files())]
    stores = Stores()

    def attempt(seed: int, random: Random) -> Outcome:
        source = random.choice([template, template, random.choice(files)])
        kinds = ["template" if source == template else "shipped"]
        text = mutated_toml(source, random)
        path = tmp_path / "my_fpga.toml"
        path.write_text(text, encoding="utf-8")
        store = stores.next()
        try:
            with untouched_if_refused(store, "cost file", seed, "my_fpga.toml"):
                rows = store.costs.add([path])
        except EnergyDbError:
            return "refused", kinds
        content = tomllib.loads(text, parse_float=Decimal)
        for row in rows:
            [version] = [version for version in content["version"] if version["name"] == row["cost_version"]]
            told = {cost["operation"]: cost["energy_pj"] for cost in version["cost"] if "energy_pj" in cost}
            kept = store._engine.rows(
                "SELECT operation, energy_pj FROM costs WHERE chip = ? AND cost_version = ? AND energy_pj IS NOT NULL",
                [row["chip"], row["cost_version"]],
            )
            assert told.items() <= dict(kept).items()
        return "taken", kinds

    fuzz("cost-files", attempt)


def test_budget_files(tmp_path: Path) -> None:
    budget = (Path(__file__).parents[2] / "examples" / "ci" / "energy-budget.toml").read_text(encoding="utf-8")
    project = '[project]\nname = "x"\n\n[tool.energy-db]\n' + budget.replace("[[limit]]", "[[tool.energy-db.limit]]")

    def attempt(seed: int, random: Random) -> Outcome:
        in_project = random.random() < 0.5
        path = tmp_path / ("pyproject.toml" if in_project else "energy-budget.toml")
        text = mutated_toml(project if in_project else budget, random)
        path.write_text(text, encoding="utf-8")
        try:
            with within_limits("budget", seed):
                if in_project:
                    find_budget(tmp_path)
                found = read_budget(path)
        except EnergyDbError as error:
            assert path.name in str(error), f"names no file: {error}"
            return "refused", [path.name]
        finally:
            path.unlink()
        content = tomllib.loads(text)
        limits = (content["tool"]["energy-db"] if in_project else content).get("limit", [])
        told = [(picojoules(limit.get("max_energy")), share(limit.get("max_increase"))) for limit in limits]
        assert [(limit.max_energy_pj, limit.max_increase) for limit in found.limits] == told
        return "taken", [path.name]

    fuzz("budget-files", attempt)


def test_options(tmp_path: Path) -> None:
    """Column maps, tags, roles, counters and timing, as Python hands them over."""
    stores = Stores()
    path = tmp_path / "run.parquet"
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

    def attempt(seed: int, random: Random) -> Outcome:
        options = dict(sound)
        changed = random.sample(list(sound), random.choice([1, 1, 2]))
        for name in changed:
            nested = random.random() < 0.5 and isinstance(sound[name], dict)
            options[name] = (
                {random.choice([*sound[name], "x", ""]): random.choice(NASTY)} if nested else random.choice(NASTY)
            )
        pq.write_table(pa.table(events(random)), path)
        store = stores.next()
        try:
            with untouched_if_refused(store, f"options {changed}", seed):
                run = store.ingest(path, on_duplicate="new", **options)
        except EnergyDbError:
            return "refused", changed
        assert sum(stored_counts(store, run).values()) == N_EVENTS
        told = {key: options[key] for key in ("n_timesteps", "n_samples", "name") if options[key] is not None}
        assert {key: getattr(run, key) for key in told} == told
        return "taken", changed

    fuzz("options", attempt)
