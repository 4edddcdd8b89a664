"""A store as files, and a store of those files: the same, row by row and to the last digit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from factories import Dump, dump, run_file, with_sidecar
from test_export import everything, told

from energy_db import EnergyStore, sql
from energy_db.engines.duckdb import Engine
from energy_db.errors import StoreError, StoreLockedError, StoreVersionError, UsageError
from energy_db.exporting import stores

FORMS = ("parquet", "csv", "arrow")
FIGURES = ("energy_by_chip_all_versions", "energy_by_layer_operation_all_versions", "mart.run_comparison")


@pytest.fixture(scope="module")
def full(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with something in every table that a user can fill."""
    folder = tmp_path_factory.mktemp("full")
    with EnergyStore(folder / "full.duckdb") as store:
        store.ingest(digits / "digits-sparse.parquet")
        store.ingest(told(folder))
        store.ingest(run_file(folder / "bare.parquet"), events="none", tags={"empty": "", "null": "\\N", "quoted": '"'})
        with store.live("loihi2", layers=[{"name": "hidden", "role": "hidden"}], name="training") as live:
            for epoch in (0, 1):
                live.step(counts_of(epoch), epoch=epoch)
        level = store.bless("digits-sparse", "loihi2", reason="a, b; \"c\" and 'd'")
        store.revoke(level.blessing_number, reason="no longer")
        store.bless("digits-sparse", "loihi2", reason="again")
        store.save_query("mine", "SELECT 1 AS one", about="One.")
    return folder / "full.duckdb"


def counts_of(epoch: int) -> dict[str, Any]:
    return {"hidden": [[[1, epoch, 0]], [[0, 1, 1]]]}


def exported(full: Path, folder: Path, form: str, events: bool = True) -> dict[str, Any]:
    with EnergyStore(full, read_only=True) as store:
        return store.export_store(folder, format=form, events=events)


def rows_of(store: Path) -> Dump:
    """Return the rows of all tables, but for those that a store makes for itself."""
    return {name: rows for name, rows in dump(store).items() if name != "store_info"}


def figures(store: EnergyStore) -> list[list[str]]:
    return [sorted(map(repr, store.sql(f"FROM {view}").to_pylist())) for view in FIGURES]


class TestRoundTrip:
    @pytest.mark.thorough
    @pytest.mark.parametrize("form", FORMS)
    def test_every_row_of_every_table(self, full: Path, tmp_path: Path, form: str) -> None:
        before = rows_of(full)
        filled = {name for name, rows in before.items() if rows}
        assert {table.name for table in sql.tables()} - filled - {"store_info"} == {"cost_withdrawals"}
        exported(full, tmp_path / "out", form)
        with EnergyStore.from_export(tmp_path / "out", tmp_path / "again.duckdb") as again:
            assert [result.check for result in again.verify() if result.n_failures] == []
            with EnergyStore(full, read_only=True) as store:
                assert figures(again) == figures(store)
        after = rows_of(tmp_path / "again.duckdb")
        assert {name for name in before if before[name] != after[name]} == set()

    @pytest.mark.thorough
    def test_without_events(self, full: Path, tmp_path: Path) -> None:
        exported(full, tmp_path / "out", "parquet", events=False)
        assert not (tmp_path / "out" / "spike_events").exists()
        with EnergyStore.from_export(tmp_path / "out", tmp_path / "again.duckdb") as again:
            assert [result.check for result in again.verify() if result.n_failures] == []
            assert {run.has_events for run in again.runs()} == {False}
            with EnergyStore(full, read_only=True) as store:
                assert figures(again) == figures(store)

    @pytest.mark.thorough
    def test_of_an_empty_store(self, tmp_store: Path, tmp_path: Path) -> None:
        exported(tmp_store, tmp_path / "out", "parquet")
        with EnergyStore.from_export(tmp_path / "out", tmp_path / "again.duckdb") as again:
            assert again.runs() == []
        assert rows_of(tmp_path / "again.duckdb") == rows_of(tmp_store)

    @pytest.mark.thorough
    def test_merges_of_restored_stores_are_merges_of_the_originals(
        self, full: Path, small_store: Path, tmp_path: Path
    ) -> None:
        for name, path in (("full", full), ("small", small_store)):
            exported(path, tmp_path / name, "parquet")
            EnergyStore.from_export(tmp_path / name, tmp_path / f"{name}-again.duckdb").close()
        found = []
        for suffix, one, other in (
            ("originals", full, small_store),
            ("restored", tmp_path / "full-again.duckdb", tmp_path / "small-again.duckdb"),
        ):
            with EnergyStore(tmp_path / f"{suffix}.duckdb") as merged:
                merged.merge(one)
                merged.merge(other)
                assert [result.check for result in merged.verify() if result.n_failures] == []
                found.append([*everything(merged), *figures(merged)])
        assert len(found[0]) > 10
        assert found[0] == found[1]

    @pytest.mark.thorough
    def test_publications_of_a_restored_store_hold_the_same(self, full: Path, tmp_path: Path) -> None:
        exported(full, tmp_path / "out", "parquet")
        EnergyStore.from_export(tmp_path / "out", tmp_path / "again.duckdb").close()
        found = []
        for path in (full, tmp_path / "again.duckdb"):
            with EnergyStore(path) as store:
                published = store.publish(tmp_path / f"bi-{path.stem}", chips=["loihi2", "truenorth"])
            files = sorted((Path(published.version) / "marts").iterdir())
            found.append({file.name: sorted(map(repr, pq.read_table(file).to_pylist())) for file in files})
        assert found[0] == found[1]


class TestFiles:
    def test_the_manifest_says_what_there_is(self, full: Path, tmp_path: Path) -> None:
        manifest = exported(full, tmp_path / "out", "parquet")
        assert json.loads((tmp_path / "out" / "export.json").read_text()) == manifest
        assert (manifest["schema"], manifest["schema_revision"]) == ("energy-db/export/1", sql.newest_revision())
        for table in manifest["tables"]:
            files = sorted((tmp_path / "out").glob(table["files"]))
            assert sum(pq.read_metadata(file).num_rows for file in files) == table["rows"], table["name"]
        with EnergyStore(full, read_only=True) as store:
            ids = {run.run_id for run in store.runs()}
        assert {path.name for path in (tmp_path / "out" / "layers").iterdir()} == {f"run_id={run_id}" for run_id in ids}

    def test_a_folder_that_holds_something_stays(self, full: Path, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine").write_text("mine")
        with pytest.raises(UsageError, match="not empty"):
            exported(full, tmp_path / "out", "parquet")
        assert [path.name for path in tmp_path.rglob("*")] == ["out", "mine"]

    def test_what_fails_leaves_nothing(self, full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("energy_db.exporting.stores.write_by_run", fail)
        with pytest.raises(KeyboardInterrupt):
            exported(full, tmp_path / "out", "parquet")
        assert list(tmp_path.iterdir()) == []


def without_a_file(out: Path) -> None:
    next((out / "spike_events").rglob("*.parquet")).unlink()


def with_a_damaged_file(out: Path) -> None:
    path = out / "runs.parquet"
    path.write_bytes(path.read_bytes()[:-100])


def with_a_row_less(out: Path) -> None:
    path = next((out / "neuron_activity").rglob("*.parquet"))
    pq.write_table(pq.read_table(path, partitioning=None).slice(1), path)


def with_another_revision(out: Path) -> None:
    manifest = json.loads((out / "export.json").read_text())
    (out / "export.json").write_text(json.dumps({**manifest, "schema_revision": "0001"}))


def with_a_manifest_of_something_else(out: Path) -> None:
    (out / "export.json").write_text('{"schema": "other"}')


class TestDamage:
    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("damage", "error", "says"),
        [
            (without_a_file, StoreError, r"spike_events.* rows, but export\.json says"),
            (with_a_damaged_file, StoreError, r"runs\.parquet cannot be read"),
            (with_a_row_less, StoreError, r"neuron_activity.* rows, but export\.json says"),
            (with_another_revision, StoreVersionError, "schema revision 0001"),
            (with_a_manifest_of_something_else, StoreError, "is not of an export"),
        ],
    )
    def test_it_is_named_and_nothing_is_made(
        self, full: Path, tmp_path: Path, damage: Callable[[Path], None], error: type[Exception], says: str
    ) -> None:
        exported(full, tmp_path / "out", "parquet")
        damage(tmp_path / "out")
        with pytest.raises(error, match=says):
            EnergyStore.from_export(tmp_path / "out", tmp_path / "again.duckdb")
        assert {path.name for path in tmp_path.iterdir()} == {"out"}

    @pytest.mark.thorough
    def test_a_store_that_is_there_stays(self, full: Path, small_store: Path, tmp_path: Path) -> None:
        exported(full, tmp_path / "out", "parquet")
        before = dump(small_store)
        with pytest.raises(StoreError, match="is there already"):
            EnergyStore.from_export(tmp_path / "out", small_store)
        assert dump(small_store) == before

    def test_a_log_that_is_there_is_not_taken_for_its_own(self, full: Path, tmp_path: Path) -> None:
        exported(full, tmp_path / "out", "parquet")
        (tmp_path / "again.duckdb.wal").write_text("another's")
        with pytest.raises(StoreError, match=r"again\.duckdb\.wal is there already"):
            EnergyStore.from_export(tmp_path / "out", tmp_path / "again.duckdb")
        assert {path.name for path in tmp_path.iterdir()} == {"out", "again.duckdb.wal"}

    def test_a_folder_that_is_no_export(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match=r"export\.json cannot be read"):
            EnergyStore.from_export(with_sidecar(tmp_path / "x.parquet").parent, tmp_path / "again.duckdb")


# The process is killed where this is called: while the tables are filled, or when all is done but the last step.
CUT_SHORT = """
import os, signal, sys
from energy_db import EnergyStore
from energy_db.exporting import stores

stores.{where} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
EnergyStore.from_export("out", "again.duckdb")
"""


@pytest.mark.thorough
class TestCutShort:
    @pytest.mark.parametrize("where", ["_fill_table", "take_name"])
    def test_a_store_has_its_name_only_when_it_is_whole(self, full: Path, tmp_path: Path, where: str) -> None:
        exported(full, tmp_path / "out", "parquet")
        killed = subprocess.run([sys.executable, "-c", CUT_SHORT.format(where=where)], cwd=tmp_path, check=False)
        assert killed.returncode == -9
        assert not (tmp_path / "again.duckdb").exists()
        assert (tmp_path / "again.duckdb.init-unfinished").exists()
        with (
            EnergyStore.from_export(tmp_path / "out", tmp_path / "again.duckdb") as again,
            EnergyStore(full, read_only=True) as store,
        ):
            assert {run.run_id for run in again.runs()} == {run.run_id for run in store.runs()}
        assert {path.name for path in tmp_path.iterdir()} == {"out", "again.duckdb"}

    @pytest.mark.parametrize("content", [b"", bytes(5000), b"DUCK" * 3000], ids=["empty", "zeros", "no database"])
    def test_whatever_was_left_is_replaced(self, full: Path, tmp_path: Path, content: bytes) -> None:
        exported(full, tmp_path / "out", "parquet")
        (tmp_path / "again.duckdb.init-unfinished").write_bytes(content)
        (tmp_path / "again.duckdb.init-unfinished.wal").write_bytes(content)
        (tmp_path / "again.duckdb.init-unfinished.tmp").mkdir()
        EnergyStore.from_export(tmp_path / "out", tmp_path / "again.duckdb").close()
        assert {path.name for path in tmp_path.iterdir()} == {"out", "again.duckdb"}

    def test_one_that_is_under_way_is_left_alone(self, full: Path, tmp_path: Path) -> None:
        exported(full, tmp_path / "out", "parquet")
        under_way = Engine(str(tmp_path / "again.duckdb.init-unfinished"))
        try:
            with pytest.raises(StoreLockedError, match=r"again\.duckdb\.init-unfinished is already open"):
                EnergyStore.from_export(tmp_path / "out", tmp_path / "again.duckdb")
            assert under_way.value("SELECT 1") == 1
        finally:
            under_way.close()
        assert {path.name for path in tmp_path.iterdir()} == {"out", "again.duckdb.init-unfinished"}

    def test_what_came_to_its_name_meanwhile_stays(
        self, full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        exported(full, tmp_path / "out", "parquet")
        target, fill = tmp_path / "again.duckdb", stores._fill

        def fill_slowly(*given: Any) -> None:
            fill(*given)
            target.write_text("another's")

        monkeypatch.setattr(stores, "_fill", fill_slowly)
        with pytest.raises(StoreError, match="is there already"):
            EnergyStore.from_export(tmp_path / "out", target)
        assert target.read_text() == "another's"
        assert {path.name for path in tmp_path.iterdir()} == {"out", "again.duckdb"}
