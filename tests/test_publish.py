"""Publications: what they hold equals the store, and a reader sees one or another of them, never a half."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from random import Random

import duckdb
import pytest
from factories import run_file, with_sidecar
from pyarrow import parquet

from energy_db import EnergyStore, sql
from energy_db.engines.duckdb import Engine, EngineError
from energy_db.errors import NotFoundError, PublicationError, StoreError, UsageError
from energy_db.publishing.snapshot import LARGE, Counted

MARTS = {view.name: view for view in sql.views() if view.room == sql.MART}
FACTS = [name for name, view in MARTS.items() if "energy_pj" in view.columns]


@pytest.fixture(scope="module")
def _two_runs(_digits_store: Path, digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(shutil.copy(_digits_store, tmp_path_factory.mktemp("two") / "energy.duckdb"))
    with EnergyStore(path) as store:
        store.ingest(digits / "digits-sparse.parquet", events="none")
    return path


@pytest.fixture
def store(_two_runs: Path, tmp_path: Path) -> Iterator[EnergyStore]:
    """A store of two runs, of which only one has its events."""
    with EnergyStore(shutil.copy(_two_runs, tmp_path / "energy.duckdb")) as opened:
        yield opened


def read(database: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(query).fetchall()


def columns(rows: Iterator[tuple[object, ...]] | list[tuple[object, ...]]) -> dict[object, object]:
    return {(name, column): (kind, comment) for name, column, kind, comment in rows}


OF_COLUMNS = (
    "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() "
    "WHERE schema_name = 'mart' AND database_name = current_database()"
)


class TestContent:
    @pytest.mark.thorough
    @pytest.mark.parametrize("events", [True, False])
    def test_every_mart_is_the_stores_row_by_row(self, store: EnergyStore, tmp_path: Path, events: bool) -> None:
        published = store.publish(tmp_path / "bi", events=events)
        counted = dict(read(Path(published.database), "SELECT object_name, n_rows FROM mart.publication_contents"))
        for name in MARTS:
            expected = store.sql(f"FROM {name}").to_pylist()
            with duckdb.connect(published.database, read_only=True) as connection:
                found = connection.sql(f"FROM {name}").to_arrow_table().to_pylist()
            assert sorted(map(repr, found)) == sorted(map(repr, expected)), name
            files = parquet.read_table(tmp_path / "bi" / "marts" / f"{name.removeprefix('mart.')}.parquet")
            assert sorted(map(repr, files.to_pylist())) == sorted(map(repr, expected)), name
            assert counted[name] == len(expected), name

    @pytest.mark.thorough
    def test_columns_keep_their_types_and_their_meaning(self, store: EnergyStore, tmp_path: Path) -> None:
        published = store.publish(tmp_path / "bi")
        found = columns(read(Path(published.database), OF_COLUMNS))
        expected = columns(store._engine.rows(OF_COLUMNS))
        assert expected.items() <= found.items()
        assert {name for name, _ in found.keys() - expected.keys()} == {"publication", "publication_contents"}
        kinds = dict(read(Path(published.database), "SELECT object_name, object_kind FROM mart.publication_contents"))
        assert {name for name in MARTS if kinds[name] == "view"} == set(LARGE)

    @pytest.mark.thorough
    def test_energies_are_those_of_the_report(self, store: EnergyStore, tmp_path: Path) -> None:
        """Of digits-baseline, 899,253.2 pJ on loihi2 were worked out from its arrays with NumPy."""
        published = store.publish(tmp_path / "bi")
        for mart in ("layer_energy", "operation_energy", "neuron_energy", "timestep_energy"):
            query = f"SELECT sum(energy_pj) FROM mart.{mart} WHERE chip = 'loihi2' AND run_name = 'digits-baseline'"
            assert read(Path(published.database), query) == [(Decimal("899253.2"),)]

    @pytest.mark.thorough
    def test_it_is_a_sound_store_without_events(self, store: EnergyStore, tmp_path: Path) -> None:
        published = store.publish(tmp_path / "bi")
        with EnergyStore(published.database, read_only=True) as opened:
            assert [result.check for result in opened.verify() if result.n_failures] == []
            assert {run.name: run.has_events for run in opened.runs()} == dict.fromkeys(
                ("digits-baseline", "digits-sparse"), False
            )
            assert opened.report("digits-baseline", "loihi2").total_energy_pj == 899253.2
        assert read(Path(published.database), "SELECT count(*) FROM spike_events") == [(0,)]

    @pytest.mark.thorough
    def test_events_come_along_when_asked_for(self, store: EnergyStore, tmp_path: Path) -> None:
        published = store.publish(tmp_path / "bi", events=True)
        query = "SELECT run_name, sum(n_spikes) FROM activity_by_spike GROUP BY ALL"
        assert read(Path(published.database), query) == [("digits-baseline", 528507)]
        with EnergyStore(published.database, read_only=True) as opened:
            assert [result.check for result in opened.verify() if result.n_failures] == []

    @pytest.mark.thorough
    def test_it_says_what_it_is(self, store: EnergyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        store._engine.path = Path(store.path).name  # as it is when somebody opens it without a folder
        published = store.publish("bi", chips=["loihi2", "truenorth"])
        ((number, path, revision, n_runs, n_spikes, has_events, chips),) = read(
            Path(published.database),
            "SELECT publication_number, store_path, schema_revision, n_runs, n_spikes, has_events, chips "
            "FROM mart.publication",
        )
        assert (number, path, revision) == (1, str(tmp_path / "energy.duckdb"), sql.newest_revision())
        assert (n_runs, n_spikes, has_events, chips) == (2, 528507 + 200500, False, "loihi2, truenorth")
        assert (published.number, published.n_runs, published.n_spikes) == (1, 2, 528507 + 200500)

    @pytest.mark.thorough
    def test_facts_of_the_chips_that_are_asked_for(self, store: EnergyStore, tmp_path: Path) -> None:
        published = store.publish(tmp_path / "bi", chips=["truenorth", "loihi2", "loihi2"])
        counted = dict(read(Path(published.database), "SELECT object_name, n_rows FROM mart.publication_contents"))
        for name in [*FACTS, "mart.chips", "mart.costs"]:
            rows = read(Path(published.database), f"SELECT chip FROM {name}")
            expected = {("loihi2",), ("truenorth",)} if rows or name != "mart.training_step_energy" else set()
            assert set(rows) == expected, name
            assert counted[name] == len(rows), name
        assert (
            columns(store._engine.rows(OF_COLUMNS)).items()
            <= columns(read(Path(published.database), OF_COLUMNS)).items()
        )
        file = parquet.read_table(tmp_path / "bi" / "marts" / "neuron_energy.parquet")
        assert set(file["chip"].to_pylist()) == {"loihi2", "truenorth"}

    @pytest.mark.thorough
    def test_tables_and_views_of_the_users_own_come_along(self, store: EnergyStore, tmp_path: Path) -> None:
        store._engine.run(
            "CREATE TABLE labels AS SELECT 1 AS label; CREATE VIEW twice AS SELECT label * 2 AS n FROM labels"
        )
        published = store.publish(tmp_path / "bi")
        assert read(Path(published.database), "FROM twice") == [(2,)]
        counted = read(Path(published.database), "FROM mart.publication_contents WHERE object_name = 'labels'")
        assert counted == [("labels", "table", 1)]

    def test_of_an_empty_store(self, tmp_path: Path) -> None:
        with EnergyStore(":memory:") as empty:
            published = empty.publish(tmp_path / "bi")
        assert (published.n_runs, published.n_spikes) == (0, 0)
        assert read(Path(published.database), "SELECT count(*) FROM mart.run_energy") == [(0,)]


class TestCatalogue:
    @pytest.mark.thorough
    def test_it_names_columns_units_and_files(self, store: EnergyStore, tmp_path: Path) -> None:
        store.publish(tmp_path / "bi")
        catalog = json.loads((tmp_path / "bi" / "catalog.json").read_text())
        assert catalog["schema"] == "energy-db/catalog/1"
        about = catalog["publication"]
        assert (about["number"], about["database"], about["version"]) == (1, "energy.duckdb", "publications/000001")
        things = {thing["name"]: thing for thing in catalog["objects"]}
        assert things.keys() >= MARTS.keys() | {"energy_by_layer", "mart.publication", "mart.publication_contents"}
        for name in MARTS:
            table = parquet.read_table(tmp_path / "bi" / things[name]["file"])
            assert table.num_rows == things[name]["n_rows"]
            assert table.column_names == [column["name"] for column in things[name]["columns"]]
        energy = next(column for column in things["mart.layer_energy"]["columns"] if column["name"] == "energy_pj")
        assert (energy["type"], energy["unit"]) == ("DECIMAL(38,6)", "pJ")
        assert "[" not in energy["meaning"]

    @pytest.mark.thorough
    def test_without_files(self, store: EnergyStore, tmp_path: Path) -> None:
        store.publish(tmp_path / "bi")
        store.publish(tmp_path / "bi", parquet=False)
        catalog = json.loads((tmp_path / "bi" / "catalog.json").read_text())
        assert {thing["file"] for thing in catalog["objects"]} == {None}
        assert not os.path.lexists(tmp_path / "bi" / "marts")


class TestFolder:
    def test_names_that_stay_lead_to_the_newest(self, small_store: Path, tmp_path: Path) -> None:
        with EnergyStore(small_store) as store:
            for _ in range(3):
                published = store.publish(tmp_path / "bi 1", keep=2, chips=["loihi2"])
        versions = tmp_path / "bi 1" / "publications"
        assert sorted(path.name for path in versions.iterdir() if path.is_dir()) == ["000002", "000003"]
        assert Path(published.database).samefile(versions / "000003" / "energy.duckdb")
        assert (tmp_path / "bi 1" / "marts").samefile(versions / "000003" / "marts")
        assert {path.name for path in (tmp_path / "bi 1").iterdir()} == {
            "energy.duckdb", "marts", "catalog.json", "publications",
        }  # fmt: skip

    @pytest.mark.thorough
    def test_a_reader_keeps_what_it_has(self, store: EnergyStore, tmp_path: Path, digits: Path) -> None:
        published = store.publish(tmp_path / "bi", keep=1, chips=["loihi2"])
        with duckdb.connect(published.database, read_only=True) as reader:
            store.ingest(digits / "digits-reseeded.parquet")
            store.publish(tmp_path / "bi", keep=1, chips=["loihi2"])
            assert reader.execute("SELECT n_runs FROM mart.publication").fetchall() == [(2,)]
            assert reader.execute("SELECT count(*) FROM mart.runs").fetchall() == [(2,)]
        assert read(Path(published.database), "SELECT n_runs FROM mart.publication") == [(3,)]

    @pytest.mark.thorough
    def test_the_log_of_somebody_who_wrote_is_not_replayed(self, store: EnergyStore, tmp_path: Path) -> None:
        published = store.publish(tmp_path / "bi", chips=["loihi2"])
        Path(f"{published.database}.wal").write_bytes(b"of another database")
        published = store.publish(tmp_path / "bi", chips=["loihi2"])
        assert read(Path(published.database), "SELECT publication_number FROM mart.publication") == [(2,)]

    @pytest.mark.thorough
    def test_files_cannot_be_written_to(self, store: EnergyStore, tmp_path: Path) -> None:
        published = store.publish(tmp_path / "bi", chips=["loihi2"])
        files = [path for path in (tmp_path / "bi" / "publications" / "000001").rglob("*") if path.is_file()]
        assert len(files) == 2 + len(MARTS)
        assert {path.stat().st_mode & 0o222 for path in [*files, Path(published.database)]} == {0}

    @pytest.mark.thorough
    def test_where_links_are_impossible_it_is_copied(
        self, store: EnergyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise OSError("no links here")

        monkeypatch.setattr(os, "link", refuse)
        monkeypatch.setattr(Path, "symlink_to", refuse)
        published = store.publish(tmp_path / "bi", chips=["loihi2"])
        assert read(Path(published.database), "SELECT n_runs FROM mart.publication") == [(2,)]
        assert len(published.notes) == 1
        assert "catalog.json names the newest publication" in published.notes[0]

    @pytest.mark.thorough
    def test_a_name_that_is_held_is_said(
        self, store: EnergyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As on Windows, where an open file cannot be replaced."""
        store.publish(tmp_path / "bi", chips=["loihi2"])
        replace = Path.replace

        def refuse(path: Path, target: Path) -> Path:
            if Path(target).name == "energy.duckdb":
                raise PermissionError(13, "it is open", str(target))
            return replace(path, target)

        monkeypatch.setattr(Path, "replace", refuse)
        published = store.publish(tmp_path / "bi", chips=["loihi2"])
        assert "is open elsewhere and stays as it is" in published.notes[0]
        assert read(Path(published.database), "SELECT publication_number FROM mart.publication") == [(1,)]
        catalog = json.loads((tmp_path / "bi" / "catalog.json").read_text())
        newest = tmp_path / "bi" / catalog["publication"]["version"] / "energy.duckdb"
        assert read(newest, "SELECT publication_number FROM mart.publication") == [(2,)]

    @pytest.mark.thorough
    def test_a_store_that_moved_goes_on(self, store: EnergyStore, tmp_path: Path) -> None:
        store.publish(tmp_path / "bi", chips=["loihi2"])
        store.close()
        moved = Path(store.path).rename(tmp_path / "moved.duckdb")
        with EnergyStore(moved) as opened:
            assert opened.publish(tmp_path / "bi", chips=["loihi2"]).number == 2


class TestRefused:
    def test_what_is_not_ours_stays(self, store: EnergyStore, tmp_path: Path, small_store: Path) -> None:
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "energy.duckdb").write_bytes(b"mine")
        cases = {
            tmp_path: "is the store itself",
            tmp_path / "other": "no catalog.json of energy-db",
            tmp_path / "energy.duckdb": "is a file, not a folder",
        }
        for folder, says in cases.items():
            with pytest.raises(UsageError, match=says):
                store.publish(folder)
        assert (tmp_path / "other" / "energy.duckdb").read_bytes() == b"mine"
        assert {path.name for path in (tmp_path / "other").iterdir()} == {"energy.duckdb"}

    @pytest.mark.thorough
    def test_the_publications_of_another_store(self, store: EnergyStore, tmp_path: Path) -> None:
        with EnergyStore(tmp_path / "other.duckdb") as other:
            other.publish(tmp_path / "bi", chips=["loihi2"])
        with pytest.raises(UsageError, match=r"another store, .*other.duckdb"):
            store.publish(tmp_path / "bi")

    def test_arguments(self, store: EnergyStore, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="keep is 0"):
            store.publish(tmp_path / "bi", keep=0)
        with pytest.raises(NotFoundError, match="Did you mean 'loihi2'"):
            store.publish(tmp_path / "bi", chips=["loihi22"])
        assert not (tmp_path / "bi").exists()

    def test_a_store_that_is_only_read(self, digits_store: Path, tmp_path: Path) -> None:
        with EnergyStore(digits_store, read_only=True) as opened, pytest.raises(StoreError, match="read-only"):
            opened.publish(tmp_path / "bi")


KILLED = """
import sys
from energy_db import EnergyStore

with EnergyStore(sys.argv[1]) as store:
    print("open", flush=True)
    while True:
        store.publish(sys.argv[2], keep=2, chips=["loihi2"])
"""


class TestTrouble:
    @pytest.mark.thorough
    def test_a_full_disk_leaves_the_earlier_one(self, digits_store: Path, tmp_path: Path) -> None:
        with EnergyStore(digits_store) as store:
            published = store.publish(tmp_path / "bi", chips=["loihi2"])
        before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        with EnergyStore(digits_store) as store:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
            handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            try:
                with pytest.raises(PublicationError, match=r"nothing was published: .*File too large"):
                    store.publish(tmp_path / "bi", chips=["loihi2"])
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))
                signal.signal(signal.SIGXFSZ, handler)
            assert read(Path(published.database), "SELECT publication_number FROM mart.publication") == [(1,)]
            assert [path.name for path in (tmp_path / "bi" / "publications").glob("0*")] == ["000001"]
            assert store.publish(tmp_path / "bi", chips=["loihi2"]).number == 2

    @pytest.mark.thorough
    @pytest.mark.parametrize("how", ["the engine fails", "Ctrl-C"])
    def test_the_store_goes_on_after_one_that_was_cut_short(
        self, store: EnergyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
    ) -> None:
        def cut(engine: Engine) -> Iterator[Counted]:
            if how == "Ctrl-C":
                # What a statement that is interrupted leaves: a transaction that takes none any more.
                with suppress(EngineError):
                    engine.rows("SELECT error('cut')")
                raise KeyboardInterrupt
            yield from engine.rows("SELECT error('cut')")

        with monkeypatch.context() as patch:
            patch.setattr("energy_db.publishing.snapshot._count_tables", cut)
            with pytest.raises(KeyboardInterrupt if how == "Ctrl-C" else PublicationError):
                store.publish(tmp_path / "bi", chips=["loihi2"])
        assert store.sql("SELECT database_name FROM duckdb_databases() WHERE NOT internal").num_rows == 1
        assert store.report("digits-baseline", "loihi2").total_energy_pj == 899253.2
        assert not list((tmp_path / "bi").rglob("*.unfinished"))
        assert store.publish(tmp_path / "bi", chips=["loihi2"]).number == 1

    @pytest.mark.thorough
    def test_kill_9_at_any_moment(self, digits_store: Path, tmp_path: Path) -> None:
        random = Random(6)
        for _ in range(4):
            command = [sys.executable, "-c", KILLED, str(digits_store), str(tmp_path / "bi")]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                process.stdout.readline()
                time.sleep(random.uniform(0.1, 0.8))
                process.kill()
            if (tmp_path / "bi" / "energy.duckdb").exists():
                ((number,),) = read(
                    tmp_path / "bi" / "energy.duckdb", "SELECT publication_number FROM mart.publication"
                )
                assert number >= 1
        with EnergyStore(digits_store) as store:
            published = store.publish(tmp_path / "bi", keep=1, chips=["loihi2"])
            assert store.report("latest", "loihi2").total_energy_pj == 899253.2
        versions = [path.name for path in (tmp_path / "bi" / "publications").iterdir() if path.is_dir()]
        assert versions == [f"{published.number:06}"]


class TestAfterIngest:
    def new_run(self, folder: Path, name: str) -> Path:
        events = {"layer": ["hidden"], "neuron": [len(name)], "timestep": [0]}
        network = {"layers": [{"name": "hidden", "role": "hidden", "n_neurons": 40}]}
        return with_sidecar(run_file(folder / f"{name}.parquet", events), network)

    def numbers(self, folder: Path) -> list[tuple[object, ...]]:
        return read(folder / "energy.duckdb", "SELECT publication_number, n_runs FROM mart.publication")

    @pytest.mark.thorough
    def test_every_way_in_publishes(self, tmp_store: Path, small_store: Path, tmp_path: Path, digits: Path) -> None:
        with EnergyStore(tmp_path / "other.duckdb") as other:
            other.ingest(self.new_run(tmp_path, "merged"))
        with EnergyStore(tmp_path / "main.duckdb") as store:
            store.publish_after_ingest(tmp_path / "bi", chips=["loihi2"])
            assert not (tmp_path / "bi").exists()
            store.ingest(self.new_run(tmp_path, "a"))
            assert self.numbers(tmp_path / "bi") == [(1, 1)]
            store.ingest(self.new_run(tmp_path, "a"))
            store.ingest(self.new_run(tmp_path, "ab"), dry_run=True)
            assert self.numbers(tmp_path / "bi") == [(1, 1)]
            store.merge(tmp_path / "other.duckdb")
            assert self.numbers(tmp_path / "bi") == [(2, 2)]
            with store.publishing_once():
                store.ingest(self.new_run(tmp_path, "abc"))
                store.ingest(self.new_run(tmp_path, "abcd"))
                assert self.numbers(tmp_path / "bi") == [(2, 2)]
            assert self.numbers(tmp_path / "bi") == [(3, 4)]
        with EnergyStore(tmp_path / "main.duckdb") as store:
            assert store.published_to is not None
            assert (store.published_to.to, store.published_to.chips) == (str(tmp_path / "bi"), ("loihi2",))
            store.publish_after_ingest(None)
            store.ingest(self.new_run(tmp_path, "abcde"))
            assert self.numbers(tmp_path / "bi") == [(3, 4)]

    @pytest.mark.thorough
    def test_a_refresh_of_the_store_keeps_the_setting(self, tmp_store: Path, tmp_path: Path) -> None:
        with EnergyStore(tmp_store) as store:
            store.publish_after_ingest(tmp_path / "bi", chips=["loihi2"])
            store._engine.run("UPDATE store_info SET fact_value = 'old' WHERE fact = 'shipped_fingerprint'")
        with EnergyStore(tmp_store) as store:
            assert store.published_to is not None
            store.ingest(self.new_run(tmp_path, "a"))
        assert read(tmp_path / "bi" / "energy.duckdb", "FROM store_info WHERE starts_with(fact, 'publish')") == []

    def test_trouble_is_a_note_and_the_run_is_stored(self, tmp_store: Path, tmp_path: Path) -> None:
        with EnergyStore(tmp_store) as store:
            store.publish_after_ingest(tmp_path / "bi")
            (tmp_path / "bi").write_text("in the way")
            run = store.ingest(self.new_run(tmp_path, "a"))
            assert run.status == "stored"
            assert any(f"stored, but not published to {tmp_path / 'bi'}" in note for note in run.notes)
            with pytest.raises(PublicationError, match="stored, but not published"), store.publishing_once():
                store.ingest(self.new_run(tmp_path, "ab"))
            assert len(store.runs()) == 2

    def test_a_block_that_fails_publishes_nothing(self, tmp_store: Path, tmp_path: Path) -> None:
        with EnergyStore(tmp_store) as store:
            store.publish_after_ingest(tmp_path / "bi")
            with pytest.raises(ZeroDivisionError), store.publishing_once():
                store.ingest(self.new_run(tmp_path, "a"))
                raise ZeroDivisionError
            assert not (tmp_path / "bi").exists()

    def test_a_folder_that_cannot_be_meant(self, tmp_store: Path, tmp_path: Path) -> None:
        with EnergyStore(tmp_store) as store:
            with pytest.raises(UsageError, match="is the store itself"):
                store.publish_after_ingest(tmp_path)
            assert store.published_to is None
