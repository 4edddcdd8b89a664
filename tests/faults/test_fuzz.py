"""Thousands of broken inputs: each is taken, with what an independent reading finds in it, or refused in a sentence."""

from __future__ import annotations

import json
import shutil
import tomllib
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fuzz_reading import DECLARED, OPEN, counted_in_csv, picojoules, share, spikes_of, told_by_sidecar
from fuzz_run_files import N_EVENTS, events, write_mutated
from fuzz_trying import Outcome, Stores, fuzz, untouched_if_refused, within_limits
from mutations import NASTY, mutated_bytes, mutated_csv, mutated_json, mutated_toml
from world import NETWORK

from energy_db import EnergyStore, Run, sql
from energy_db.errors import EnergyDbError
from energy_db.gate.budget import find_budget, read_budget
from energy_db.record import RunWriter, Spool, recover
from energy_db.record.progress import read_progress

pytestmark = pytest.mark.faults

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


def test_journals(tmp_path: Path) -> None:
    """What a machine that lost its power leaves of recordings: as far as they are whole, they are taken."""
    n_batches, batch = 3, np.arange(160).reshape(4, 4, 10) % 4 == 0  # 40 spikes each
    whole = tmp_path / "whole.recording"
    with EnergyStore(":memory:") as store:
        writer = RunWriter(store, layers=["hidden"], name="live", journal_folder=whole)
        for _ in range(n_batches):
            writer.add("hidden", batch)
            writer.flush()
        shutil.copytree(whole, tmp_path / "spool" / "cut.recording")
        writer.close()
    cut, stores = tmp_path / "spool" / "cut.recording", Stores()
    intact = {path: path.read_bytes() for path in sorted(cut.iterdir())}

    def attempt(seed: int, random: Random) -> Outcome:
        path = random.choice(list(intact))
        data = intact[path]
        length = random.randrange(len(data) + 1)
        kind = random.choice(["cut", "zeros", "bytes"])
        damaged = {"cut": data[:length], "zeros": data[:length].ljust(len(data), b"\0")}.get(kind)
        path.write_bytes(mutated_bytes(data, random) if damaged is None else damaged)
        kinds, store = [kind, path.name], stores.next()
        try:
            with untouched_if_refused(store, "journal", seed, "cut.recording"):
                read_progress(cut)
                assert Spool(cut.parent).abandoned() == [cut]
                run = store.ingest(recover(cut), on_duplicate="new")
        except EnergyDbError:
            return "refused", kinds
        finally:
            path.write_bytes(data)
        assert run.n_events in {40 * n for n in range(1, n_batches + 1)}
        assert kind == "bytes" or run.n_spikes == run.n_events
        assert path.name != "progress.jsonl" or run.n_spikes == 40 * n_batches
        return "taken", kinds

    fuzz("journals", attempt)
