"""Stores are merged: every run once, with all that belongs to it, and the other store stays as it is."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from factories import EVENTS, Shell, dump, run_file, with_sidecar
from small_runs import LAYERS, costs, small_run, with_layer, with_spikes

from energy_db import EnergyStore
from energy_db.errors import RunFileError, StoreError, StoreLockedError, StoreVersionError

HOLDER = """
import sys, time
from energy_db import EnergyStore
store = EnergyStore(sys.argv[1])
print("held", flush=True)
time.sleep(60)
"""
RUN_TABLES = (
    "layers", "fan_out", "run_tags", "counters", "neuron_activity", "step_activity", "training_steps", "spike_events",
    "driver_counts",
)  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def _other(_empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("other")
    path = Path(shutil.copy(_empty_store, folder / "other.duckdb"))
    each = with_layer("hid", fan_out=[3, 1, 2])
    counted = [{"driver": "hop", "layer": "hid", "count": 5}, {"driver": "hop", "layer": "in", "count": 0}]
    with EnergyStore(path) as store:
        store.ingest(small_run(folder, "each", layers=each, timestep_us=1000, seed=3), tags={"accuracy": 0.9})
        store.ingest(small_run(folder, "counted", with_spikes(hid=(1, 2, 3)), counters=counted, git_commit="abc"))
        store.ingest(small_run(folder, "bare", with_spikes(out=(2, 2))), events="none", run_id="by-hand")
        store.ingest(
            small_run(folder, "each", with_spikes(hid=(9, 0, 0))), recorded_at="2025-01-02", on_duplicate="new"
        )
        store.ingest(small_run(folder, "silent", {}))
        layers = [{"name": "hidden", "role": "hidden", "n_neurons": 4}]
        with store.live("loihi2", layers=layers, name="training") as live:
            for epoch in range(2):
                live.step({"hidden": np.ones((3, 2, 4), dtype=bool)}, epoch=epoch)
    return folder


@pytest.fixture
def other(here: Path, _other: Path) -> Path:
    """A store with a run of every kind: fan-outs, counters, without events, chosen ids, a training, silence.

    It and the files of its runs are in the folder `here`.
    """
    shutil.copytree(_other, here, dirs_exist_ok=True)
    return here / "other.duckdb"


def rows_by_id(path: Path) -> dict[str, dict[str, Any]]:
    """What a store has of each run, by its id: its row and the rows of all other tables, without keys."""
    found = dump(path)
    with duckdb.connect(str(path), read_only=True) as connection:
        place = [row[0] for row in connection.execute("DESCRIBE runs").fetchall()].index("run_id")
    ids = {row[0]: row[place] for row in found["runs"]}
    of_runs: dict[str, dict[str, Any]] = {ids[row[0]]: {"runs": row[1:]} for row in found["runs"]}
    for table in RUN_TABLES:
        for row in found[table]:
            of_runs[ids[row[0]]].setdefault(table, []).append(row[1:])
    return of_runs


def failures(store: EnergyStore) -> list[str]:
    return [result.check for result in store.verify() if result.n_failures]


def energies(store: EnergyStore) -> dict[str, list[Any]]:
    return store.sql("SELECT * FROM energy_by_chip_all_versions ORDER BY ALL").to_pydict()


def test_every_run_comes_with_all_that_belongs_to_it(here: Path, other: Path) -> None:
    before = other.read_bytes()
    with EnergyStore("mine.duckdb") as store:
        found = store.merge("other.duckdb")
        assert [run.status for run in found] == ["stored"] * 6
        assert [run.name for run in found] == ["each", "counted", "bare", "each", "silent", "training"]
        assert found[0].notes == ()
        assert failures(store) == []
        mine = energies(store)
    with EnergyStore(other, read_only=True) as origin:
        assert mine == energies(origin)
        assert len(mine["energy_pj"]) > 100
    tables = rows_by_id(other)
    assert rows_by_id(Path("mine.duckdb")) == tables
    assert {table for rows in tables.values() for table in rows} == {"runs", *RUN_TABLES}
    assert other.read_bytes() == before


@pytest.mark.thorough
def test_reports_are_those_of_the_origin(here: Path, other: Path) -> None:
    with EnergyStore(":memory:") as store:
        found = store.merge(other)
        mine = {run.run_id: store.report(run, "loihi2").total_energy_pj for run in found}
    with EnergyStore(other, read_only=True) as origin:
        assert mine == {run.run_id: origin.report(run, "loihi2").total_energy_pj for run in origin.runs()}
    # 24 spikes a step of 2.1 pJ, twice.
    assert Decimal(str(mine[found[5].run_id])) == Decimal("100.8")


def test_twice_is_once(here: Path, other: Path) -> None:
    with EnergyStore("mine.duckdb") as store:
        first = store.merge(other)
        again = store.merge(other)
    assert [run.status for run in again] == ["unchanged"] * 6
    assert [run.run_id for run in again] == [run.run_id for run in first]
    with EnergyStore("mine.duckdb") as store:
        assert len(store.runs()) == 6


@pytest.mark.thorough
def test_run_files_that_come_again_after_a_merge_are_unchanged(here: Path, other: Path) -> None:
    with EnergyStore("mine.duckdb") as store:
        store.merge(other)
        assert store.ingest("counted.parquet").status == "unchanged"


@pytest.mark.thorough
def test_histories_under_one_name_are_one(here: Path, _empty_store: Path) -> None:
    for place, days in (("mine", (1, 3)), ("other", (2, 4))):
        with EnergyStore(f"{place}.duckdb") as store:
            for day in days:
                path = small_run(here, "nightly", with_spikes(hid=(day, 0, 0)))
                store.ingest(path, recorded_at=f"2026-01-0{day}", on_duplicate="new")
    with EnergyStore("mine.duckdb") as store:
        latest = store.run("latest").run_id
        store.merge("other.duckdb")
        query = "SELECT n_spikes FROM runs WHERE run_name = 'nightly' ORDER BY coalesce(recorded_at, ingested_at)"
        assert [row["n_spikes"] for row in store.sql(query).to_pylist()] == [4 + day for day in (1, 2, 3, 4)]
        assert len(store.runs(name="nightly")) == 4
        # The other store's runs came in later.
        assert store.run("latest").run_id != latest
        assert failures(store) == []


@pytest.mark.thorough
def test_times_are_those_of_the_origin(here: Path, other: Path) -> None:
    with EnergyStore("mine.duckdb") as store:
        own = store.ingest(small_run(here, "own", with_spikes(hid=(7, 7, 7))))
        merged = store.merge(other)
        assert all(run.ingested_at < own.ingested_at for run in merged)
        assert store.run("latest").run_id == own.run_id


@pytest.mark.thorough
def test_an_id_that_is_taken_by_other_content(here: Path, other: Path) -> None:
    with EnergyStore("mine.duckdb") as store:
        store.ingest(small_run(here, "own", with_spikes(hid=(7, 7, 7))), run_id="by-hand")
        found = {run.name: run for run in store.merge(other)}
        assert found["bare"].run_id == "by-hand-2"
        assert found["bare"].notes == ("its id 'by-hand' is taken by another run here, so it has the id 'by-hand-2'",)
        assert store.run("by-hand").name == "own"
        assert [run.status for run in store.merge(other)] == ["unchanged"] * 6
        assert failures(store) == []


@pytest.mark.thorough
def test_a_free_id_is_not_one_that_comes_too(here: Path) -> None:
    with EnergyStore("other.duckdb") as store:
        store.ingest(small_run(here, "a", with_spikes(hid=(1, 0, 0))), run_id="x")
        store.ingest(small_run(here, "b", with_spikes(hid=(2, 0, 0))), run_id="x-2")
    with EnergyStore("mine.duckdb") as store:
        store.ingest(small_run(here, "c", with_spikes(hid=(3, 0, 0))), run_id="x")
        assert {run.name: run.run_id for run in store.merge("other.duckdb")} == {"a": "x-3", "b": "x-2"}


def test_the_same_content_under_another_name_and_with_other_tags(here: Path) -> None:
    with EnergyStore("other.duckdb") as store:
        store.ingest(small_run(here, "a"), tags={"branch": "main", "same": 1})
    with EnergyStore("mine.duckdb") as store:
        own = store.ingest(small_run(here, "b"), tags={"same": 1}, events="none")
        [run] = store.merge("other.duckdb")
        assert (run.status, run.run_id, run.name, run.tags) == ("unchanged", own.run_id, "b", {"same": "1"})
        assert len(store.runs()) == 1
    assert run.notes == (
        "its events are only kept there, so only the counts per neuron and per timestep could be compared",
        f"it is stored already, and keeps the name 'b' and the id '{own.run_id}'",
        f"its tags were left as they are; set them with: energy-db tag {own.run_id} branch=main",
    )


@pytest.mark.thorough
@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"layers": with_layer("hid", fan_out=2)}, id="fan-out"),
        pytest.param({"layers": with_layer("hid", fan_out=[2, 2, 2])}, id="fan-outs"),
        pytest.param({"layers": with_layer("out", n_neurons=9)}, id="size"),
        pytest.param({"layers": [LAYERS[1], LAYERS[0], LAYERS[2]]}, id="order"),
        pytest.param({"n_samples": 3}, id="samples"),
        pytest.param({"timestep_us": 1000}, id="timestep"),
        pytest.param({"counters": [{"driver": "hop", "count": 5}]}, id="counters"),
    ],
)
@pytest.mark.parametrize("is_there", [True, False])
def test_what_is_declared_otherwise_is_another_run(here: Path, change: dict[str, Any], is_there: bool) -> None:
    with EnergyStore("other.duckdb") as store:
        store.ingest(small_run(here, "a", **(change if is_there else {})))
    with EnergyStore("mine.duckdb") as store:
        store.ingest(small_run(here, "a", **({} if is_there else change)))
        assert [run.status for run in store.merge("other.duckdb")] == ["stored"]
        assert [run.status for run in store.merge("other.duckdb")] == ["unchanged"]
        assert len(store.runs()) == 2
        assert failures(store) == []


@pytest.mark.thorough
def test_the_same_counts_by_other_events_are_another_run(here: Path) -> None:
    """Two neurons and two timesteps: the same sums, joined otherwise."""
    for place, timesteps in (("mine", [0, 1]), ("other", [1, 0])):
        with EnergyStore(f"{place}.duckdb") as store:
            run_file(here / "a.parquet", {"layer": ["l", "l"], "neuron": [0, 1], "timestep": timesteps})
            store.ingest("a.parquet")
    with EnergyStore("mine.duckdb") as store:
        [run] = store.merge("other.duckdb")
        assert (run.status, run.run_id) == ("stored", f"{store.runs()[-1].run_id.partition('-')[0]}-2")
        assert [run.status for run in store.merge("other.duckdb")] == ["unchanged"]


def test_the_same_events_of_another_file_are_the_same_run(here: Path) -> None:
    order = {"mine": [0, 1, 2, 3, 4, 5], "other": [5, 4, 3, 2, 1, 0]}
    for place, rows in order.items():
        with EnergyStore(f"{place}.duckdb") as store:
            store.ingest(
                run_file(here / "a.parquet", {name: [values[row] for row in rows] for name, values in EVENTS.items()})
            )
    with EnergyStore("mine.duckdb") as store:
        assert [run.status for run in store.merge("other.duckdb")] == ["unchanged"]


@pytest.mark.thorough
def test_a_dry_run_keeps_nothing(here: Path, other: Path) -> None:
    with EnergyStore("mine.duckdb") as store:
        store.ingest("bare.parquet", events="none")
    before = dump(Path("mine.duckdb"))
    with EnergyStore("mine.duckdb") as store:
        found = store.merge(other, dry_run=True)
    assert [run.status for run in found].count("would be stored") == 5
    assert [run.status for run in found].count("unchanged") == 1
    assert dump(Path("mine.duckdb")) == before


@pytest.mark.thorough
def test_costs_and_blessings_stay_and_that_is_said(here: Path, other: Path) -> None:
    with EnergyStore(other) as store:
        store.costs.add(costs())
        store.bless("counted", "loihi2", reason="as measured")
    with EnergyStore("mine.duckdb") as store:
        [first, *others] = store.merge(other)
        assert "cost version (toy v1)" in first.notes[0]
        assert "1 blessing (loihi2)" in first.notes[0]
        assert [run.notes for run in others] == [()] * 5
        assert store.sql("SELECT count(*) AS n FROM blessings").to_pylist() == [{"n": 0}]
        store.costs.add(costs())
        assert "toy" not in store.merge(other)[0].notes[0]


def test_a_store_without_runs(here: Path, _empty_store: Path) -> None:
    shutil.copy(_empty_store, "other.duckdb")
    with EnergyStore("mine.duckdb") as store:
        assert store.merge("other.duckdb") == []


class TestRefused:
    @pytest.mark.thorough
    def test_what_is_no_other_store(self, here: Path, other: Path) -> None:
        run_file(here / "a.parquet")
        with duckdb.connect("plain.duckdb") as connection:
            connection.execute("CREATE TABLE runs (run_key INTEGER)")
        Path("cut.duckdb").write_bytes(other.read_bytes()[:5000])
        Path("empty.duckdb").touch()
        Path("link.duckdb").symlink_to("mine.duckdb")
        with EnergyStore("mine.duckdb") as store:
            for name, kind, says in (
                ("gone.duckdb", RunFileError, "no such file"),
                (".", RunFileError, "is not a file"),
                ("mine.duckdb", RunFileError, "is the store itself"),
                ("link.duckdb", RunFileError, "is the store itself"),
                ("a.parquet", StoreError, "is not a DuckDB database"),
                ("empty.duckdb", StoreError, "is not a DuckDB database"),
                ("plain.duckdb", StoreError, "is a DuckDB database, but not an energy-db store"),
                ("cut.duckdb", StoreError, "cut.duckdb"),
            ):
                with pytest.raises(kind, match=says):
                    store.merge(name)
            assert store.runs() == []

    @pytest.mark.thorough
    @pytest.mark.parametrize(("revision", "says"), [("0001", "other.duckdb migrate"), ("9999", "newer than")])
    def test_another_revision(self, here: Path, other: Path, revision: str, says: str) -> None:
        with duckdb.connect(str(other)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
        with EnergyStore("mine.duckdb") as store, pytest.raises(StoreVersionError, match=says):
            store.merge("other.duckdb")

    @pytest.mark.thorough
    def test_a_store_of_another_release_of_the_same_revision_is_merged(self, here: Path, other: Path) -> None:
        with duckdb.connect(str(other)) as connection:
            connection.execute("UPDATE store_info SET fact_value = 'older' WHERE fact = 'shipped_fingerprint'")
        with EnergyStore("mine.duckdb") as store:
            assert len(store.merge(other)) == 6

    @pytest.mark.thorough
    def test_a_store_that_a_writer_holds(self, here: Path, other: Path) -> None:
        with subprocess.Popen([sys.executable, "-c", HOLDER, str(other)], stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with EnergyStore("mine.duckdb") as store, pytest.raises(StoreLockedError, match="is held by"):
                store.merge(other)
            holder.kill()

    @pytest.mark.thorough
    @pytest.mark.parametrize("read_only", [True, False])
    def test_a_store_that_is_open_here_keeps_its_lock(self, here: Path, other: Path, read_only: bool) -> None:
        with EnergyStore("mine.duckdb") as store, EnergyStore(other, read_only=read_only):
            with pytest.raises(StoreLockedError, match="open in this process"):
                store.merge(other)
            writes = f"import duckdb; duckdb.connect({str(other)!r})"
            done = subprocess.run([sys.executable, "-c", writes], capture_output=True, text=True, check=False)
            assert "Could not set lock" in done.stderr

    @pytest.mark.thorough
    def test_a_store_that_is_read_only(self, here: Path, other: Path) -> None:
        EnergyStore("mine.duckdb").close()
        with EnergyStore("mine.duckdb", read_only=True) as store, pytest.raises(StoreError, match="not possible"):
            store.merge(other)


class TestCommandLine:
    @pytest.mark.thorough
    def test_stores_and_files_together(self, shell: Shell, other: Path) -> None:
        with_sidecar(run_file(Path("new.parquet")))
        done = shell("ingest", "other.duckdb", "new.parquet", "--json")
        assert done.exit_code == 0, done.output
        rows = json.loads(done.stdout)["rows"]
        assert [row["file"] for row in rows] == ["other.duckdb"] * 6 + ["new.parquet"]
        assert done.stderr.endswith("7 stored\n")
        assert shell("ingest", "other.duckdb").stderr.endswith("6 unchanged\n")
        assert shell("verify").exit_code == 0

    @pytest.mark.thorough
    def test_a_dry_run_makes_no_store(self, shell: Shell, other: Path) -> None:
        assert shell("ingest", "other.duckdb", "--dry-run").stderr.endswith("6 would be stored\n")
        assert not Path("energy.duckdb").exists()

    def test_options_of_run_files(self, shell: Shell, other: Path) -> None:
        for option in (("--name", "x"), ("--tag", "a=b"), ("--events", "none"), ("--samples", "3")):
            done = shell("ingest", "other.duckdb", *option)
            assert done.exit_code == 2
            assert f"{option[0]}" in done.stderr
            assert "is for run files, but other.duckdb is a store" in done.stderr

    @pytest.mark.thorough
    def test_a_bad_one_does_not_stop_the_others(self, shell: Shell, other: Path) -> None:
        duckdb.connect("plain.duckdb").close()
        done = shell("ingest", "plain.duckdb", "other.duckdb")
        assert done.exit_code == 4
        assert "plain.duckdb is a DuckDB database, but not an energy-db store" in done.stderr
        assert done.stderr.splitlines()[-1] == "1 refused, 6 stored"
