"""The doors for tools: a plain DuckDB connection, the SQLAlchemy engine of an open store, and the URI of a file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import sqlalchemy
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

import energy_db
from energy_db import EnergyStore
from energy_db.errors import StoreError, StoreLockedError, StoreVersionError, UsageError

# Of factories.EVENTS on loihi2: 4 hidden spikes of 2.1 pJ and 2 of a readout, of 1.0 pJ.
LAYERS = "SELECT layer, n_spikes, energy_pj FROM energy_by_layer WHERE chip = 'loihi2' ORDER BY layer_index"
ROWS = [("hidden", 4, Decimal("8.4")), ("output", 2, Decimal("2.0"))]

HOLDER = """
import sys
from energy_db import EnergyStore
with EnergyStore(sys.argv[1]):
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def connection(small_store: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with energy_db.connect(small_store) as opened:
        yield opened


class TestConnect:
    def test_it_gives_rows_arrow_and_pandas(self, connection: duckdb.DuckDBPyConnection) -> None:
        assert connection.execute(LAYERS).fetchall() == ROWS
        assert [tuple(row.values()) for row in connection.sql(LAYERS).to_arrow_table().to_pylist()] == ROWS
        frame = connection.sql(LAYERS).df()
        assert frame["layer"].tolist() == ["hidden", "output"]
        assert frame["n_spikes"].tolist() == [4, 2]
        assert frame["energy_pj"].tolist() == [8.4, 2.0]

    def test_it_takes_parameters(self, connection: duckdb.DuckDBPyConnection) -> None:
        query = "SELECT n_spikes FROM energy_by_layer WHERE chip = $chip AND layer = $layer"
        assert connection.execute(query, {"chip": "loihi2", "layer": "hidden"}).fetchall() == [(4,)]

    def test_the_default_is_the_file_in_the_working_folder(self, small_store: Path, monkeypatch: Any) -> None:
        monkeypatch.chdir(small_store.parent)
        with energy_db.connect() as connection:
            assert connection.execute("SELECT run_name FROM mart.runs").fetchall() == [("kept",)]

    @pytest.mark.thorough
    def test_closing_lets_go_of_the_file(self, small_store: Path) -> None:
        with energy_db.connect(small_store) as connection:
            pass
        with pytest.raises(duckdb.ConnectionException, match="already closed"):
            connection.execute("SELECT 1")
        with EnergyStore(small_store) as store:
            assert store.tag("kept", {"board": "seven"}).tags == {"board": "seven"}

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        "forbidden",
        [
            "DELETE FROM runs",
            "CREATE TABLE mine (x INTEGER)",
            "COPY runs TO 'runs.csv'",
            "SELECT * FROM read_text('secret.txt')",
            "SELECT * FROM 'secret.txt'",
            "ATTACH 'other.duckdb'",
            "SET enable_external_access = true",
            "SET lock_configuration = false",
            "SET allowed_configs = ['enable_external_access']",
            "SET autoinstall_known_extensions = true",
        ],
    )
    def test_it_reads_one_file_and_nothing_else(self, small_store: Path, monkeypatch: Any, forbidden: str) -> None:
        monkeypatch.chdir(small_store.parent)
        Path("secret.txt").write_text("word\nsecret\n")
        before = sorted(small_store.parent.iterdir())
        with energy_db.connect(small_store) as connection:
            with pytest.raises(duckdb.Error, match=r"read-only|disabled by configuration|has been locked|not exist"):
                connection.execute(forbidden)
            assert connection.execute(LAYERS).fetchall() == ROWS
        assert sorted(small_store.parent.iterdir()) == before

    def test_it_does_not_look_for_tables_among_variables(self, connection: duckdb.DuckDBPyConnection) -> None:
        frame = pd.DataFrame({"x": [1]})
        with pytest.raises(duckdb.CatalogException, match="frame does not exist"):
            connection.execute("SELECT * FROM frame")
        connection.register("given", frame)
        assert connection.execute("SELECT * FROM given").fetchall() == [(1,)]

    def test_what_tools_set_for_themselves_can_be_set(self, connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("SET TimeZone = 'UTC'; SET python_enable_replacements = false")  # as Ibis does
        connection.execute("USE mart")
        assert connection.execute("SELECT run_name FROM runs").fetchall() == [("kept",)]

    def test_readers_of_one_process_share_a_file(self, small_store: Path) -> None:
        with energy_db.connect(small_store) as one, EnergyStore(small_store, read_only=True) as store:
            with energy_db.connect(small_store) as other:
                assert other.execute(LAYERS).fetchall() == ROWS
            assert store.report("kept", "loihi2").total_energy_pj == 10.4
            assert one.execute(LAYERS).fetchall() == ROWS

    def test_a_writable_one_keeps_views_of_ones_own(self, small_store: Path) -> None:
        with energy_db.connect(small_store, read_only=False) as connection:
            connection.execute("CREATE VIEW mine AS SELECT run_name, n_spikes FROM activity_by_run")
        with EnergyStore(small_store) as store:
            assert store.sql("SELECT * FROM mine").to_pylist() == [{"run_name": "kept", "n_spikes": 6}]


class TestWhatConnectRefuses:
    @pytest.mark.parametrize("read_only", [True, False])
    def test_a_file_that_does_not_exist(self, tmp_path: Path, read_only: bool) -> None:
        with pytest.raises(StoreError, match="there is no store at"):
            energy_db.connect(tmp_path / "none.duckdb", read_only=read_only)
        assert list(tmp_path.iterdir()) == []

    def test_a_store_in_memory(self) -> None:
        with pytest.raises(UsageError, match=r"store\.engine"):
            energy_db.connect(":memory:")

    def test_a_database_that_is_no_store(self, tmp_path: Path) -> None:
        duckdb.connect(str(tmp_path / "other.duckdb")).close()
        with pytest.raises(StoreError, match="not an energy-db store"):
            energy_db.connect(tmp_path / "other.duckdb")

    @pytest.mark.parametrize(("revision", "hint"), [("0001", "energy-db --db .* migrate"), ("9999", "pip install")])
    def test_a_store_of_another_release(self, small_store: Path, revision: str, hint: str) -> None:
        with duckdb.connect(str(small_store)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
        with pytest.raises(StoreVersionError, match=rf"at schema revision {revision}.*\n.*{hint}"):
            energy_db.connect(small_store)
        duckdb.connect(str(small_store)).close()  # nothing holds it

    def test_a_store_that_another_process_writes_to(self, small_store: Path) -> None:
        command = [sys.executable, "-c", HOLDER, str(small_store)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"open\n"
            with pytest.raises(StoreLockedError, match=rf"is held by .*PID {holder.pid}"):
                energy_db.connect(small_store)
            holder.communicate()

    def test_a_store_that_this_process_writes_to(self, small_store: Path) -> None:
        with EnergyStore(small_store) as store:
            with pytest.raises(StoreLockedError, match=r"in another mode\n.*store\.engine reads beside"):
                energy_db.connect(small_store)
            assert pd.read_sql(LAYERS, store.engine)["n_spikes"].tolist() == [4, 2]
        with energy_db.connect(small_store), pytest.raises(StoreLockedError, match="Close the other EnergyStore, conn"):
            EnergyStore(small_store)

    def test_a_file_that_is_connected_is_not_merged(self, small_store: Path) -> None:
        """To attach it beside would end with the loss of its lock."""
        mine = Path(shutil.copy(small_store, small_store.with_name("mine.duckdb")))
        with EnergyStore(mine) as store:
            with energy_db.connect(small_store), pytest.raises(StoreLockedError, match="open in this process"):
                store.merge(small_store)
            assert [merged.status for merged in store.merge(small_store)] == ["unchanged"]


@pytest.fixture
def store(small_store: Path) -> Iterator[EnergyStore]:
    with EnergyStore(small_store) as opened:
        yield opened


def tables_of(store: EnergyStore, *names: str) -> list[str]:
    found = store.sql("SELECT table_name FROM duckdb_tables() ORDER BY table_name").to_pylist()
    return [row["table_name"] for row in found if row["table_name"] in names]


class TestEngine:
    def test_pandas_reads_through_it(self, store: EnergyStore) -> None:
        frame = pd.read_sql(LAYERS, store.engine)
        assert frame["energy_pj"].tolist() == [8.4, 2.0]
        exact = pd.read_sql(LAYERS, store.engine, coerce_float=False)
        assert [tuple(row) for row in exact.itertuples(index=False)] == ROWS

    def test_pandas_gives_parameters(self, store: EnergyStore) -> None:
        query = "SELECT n_spikes FROM energy_by_layer WHERE chip = ? AND layer = ?"
        assert pd.read_sql(query, store.engine, params=("loihi2", "output"))["n_spikes"].tolist() == [2]
        named = sqlalchemy.text("SELECT n_spikes FROM energy_by_layer WHERE chip = :chip AND layer = 'hidden'")
        assert pd.read_sql(named, store.engine, params={"chip": "loihi2"})["n_spikes"].tolist() == [4]

    def test_driver_sql_is_taken_as_it_is_and_text_is_not(self, store: EnergyStore) -> None:
        query = "SELECT {'layer':1} AS struct, 'a' LIKE '%' AS percent"
        with store.engine.connect() as connection:
            assert connection.exec_driver_sql(query).fetchall() == [({"layer": 1}, True)]
            assert connection.exec_driver_sql("SELECT $a + $b", {"a": 1, "b": 2}).scalar() == 3
            with pytest.raises(sqlalchemy.exc.StatementError, match="bind parameter '1'"):
                connection.execute(sqlalchemy.text(query))

    def test_a_transaction_is_kept_if_it_is_committed(self, store: EnergyStore) -> None:
        with store.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE kept AS SELECT 1 AS x")
        with store.engine.connect() as connection:
            connection.exec_driver_sql("CREATE TABLE forgotten AS SELECT 1 AS x")
        with pytest.raises(ProgrammingError), store.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE failed AS SELECT 1 AS x")
            connection.exec_driver_sql("SELECT * FROM nowhere")
        assert tables_of(store, "kept", "forgotten", "failed") == ["kept"]

    def test_connections_see_what_others_have_committed_only(self, store: EnergyStore) -> None:
        count = "SELECT count(*) FROM mine"
        with store.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE mine AS SELECT 1 AS x")
        with store.engine.connect() as writer, store.engine.connect() as reader:
            writer.exec_driver_sql("INSERT INTO mine VALUES (2)")
            assert (writer.exec_driver_sql(count).scalar(), reader.exec_driver_sql(count).scalar()) == (2, 1)
            writer.commit()
            assert reader.exec_driver_sql(count).scalar() == 1  # its transaction began before
            reader.rollback()
            assert reader.exec_driver_sql(count).scalar() == 2

    def test_it_reads_while_the_store_writes(self, store: EnergyStore) -> None:
        with store.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT tag FROM tags_by_run").scalars().all() == []
            connection.rollback()
            store.tag("kept", {"board": "seven"})
            assert connection.exec_driver_sql("SELECT tag FROM tags_by_run").scalars().all() == ["board"]

    def test_a_read_only_store_cannot_be_written_through_it(self, small_store: Path) -> None:
        with EnergyStore(small_store, read_only=True) as store:
            assert pd.read_sql(LAYERS, store.engine)["n_spikes"].tolist() == [4, 2]
            with pytest.raises(ProgrammingError, match="read-only"), store.engine.begin() as connection:
                connection.exec_driver_sql("DELETE FROM runs")
            with pytest.raises(ProgrammingError, match="read-only"):
                pd.DataFrame({"x": [1]}).to_sql("mine", store.engine)
            with pytest.raises(DatabaseError, match="disabled by"), store.engine.connect() as connection:
                connection.exec_driver_sql("SELECT * FROM read_text('/etc/hostname')")
            assert pd.read_sql(LAYERS, store.engine)["n_spikes"].tolist() == [4, 2]

    def test_a_store_in_memory_has_one(self) -> None:
        with EnergyStore(":memory:") as store:
            assert pd.read_sql("SELECT count(*) AS n FROM runs", store.engine)["n"].tolist() == [0]

    def test_what_outlives_the_store_says_that_it_is_closed(self, small_store: Path, caplog: Any) -> None:
        with EnergyStore(small_store) as store:
            engine = store.engine
            connection = engine.connect()
            connection.exec_driver_sql("CREATE TABLE forgotten AS SELECT 1 AS x")
        with pytest.raises(StoreError, match="is closed"):
            engine.connect()
        with pytest.raises(OperationalError, match="already closed"):
            connection.exec_driver_sql("SELECT 1")
        connection.close()
        assert caplog.records == []
        with EnergyStore(small_store) as store:
            assert tables_of(store, "forgotten") == []


class TestInspection:
    """What SQLAlchemy can say of a store, as docs/python.md promises."""

    def test_tables_and_views_are_listed(self, store: EnergyStore) -> None:
        found = sqlalchemy.inspect(store.engine)
        assert {"energy.main", "energy.mart"} <= set(found.get_schema_names())
        assert {"runs", "layers"} <= set(found.get_table_names(schema="main"))
        assert "energy_by_layer" in found.get_view_names(schema="main")
        assert "runs" in found.get_view_names(schema="mart")

    def test_tables_and_views_are_known(self, store: EnergyStore) -> None:
        found = sqlalchemy.inspect(store.engine)
        assert found.has_table("runs")
        assert found.has_table("energy_by_layer")
        assert found.has_table("runs", schema="mart")
        assert not found.has_table("layers", schema="mart")

    def test_comments_are_read(self, store: EnergyStore) -> None:
        found = sqlalchemy.inspect(store.engine)
        assert found.get_table_comment("energy_by_layer", schema="main")["text"].startswith("Energy of each layer")
        assert found.get_table_comment("runs", schema="mart")["text"].startswith("What each run was")

    def test_columns_are_not(self, store: EnergyStore) -> None:
        """When this fails, the dialect has learnt it: then say so in docs/python.md and docs/bi.md."""
        with pytest.raises(ProgrammingError):
            sqlalchemy.inspect(store.engine).get_columns("runs", schema="main")
        with pytest.raises(ProgrammingError):
            pd.read_sql_table("energy_by_layer", store.engine)


class TestUri:
    @pytest.fixture
    def path(self, small_store: Path, tmp_path: Path) -> Path:
        folder = tmp_path / "a folder with spaces"
        folder.mkdir()
        return Path(shutil.copy(small_store, folder / "energy.duckdb"))

    def test_the_documented_one_reads(self, path: Path) -> None:
        engine = sqlalchemy.create_engine(f"duckdb:///{path}", connect_args={"read_only": True})
        assert pd.read_sql(LAYERS, engine)["energy_pj"].tolist() == [8.4, 2.0]
        with pytest.raises(ProgrammingError, match="read-only"):
            pd.DataFrame({"x": [1]}).to_sql("mine", engine)
        engine.dispose()

    def test_read_only_can_stand_in_the_uri(self, path: Path) -> None:
        engine = sqlalchemy.create_engine(f"duckdb:///{path}?access_mode=READ_ONLY")
        assert pd.read_sql(LAYERS, engine)["n_spikes"].tolist() == [4, 2]
        with pytest.raises(ProgrammingError, match="read-only"):
            pd.DataFrame({"x": [1]}).to_sql("mine", engine)
        engine.dispose()

    def test_its_pool_holds_the_file_until_it_is_disposed_of(self, path: Path) -> None:
        engine = sqlalchemy.create_engine(f"duckdb:///{path}", connect_args={"read_only": True})
        pd.read_sql(LAYERS, engine)
        with pytest.raises(StoreLockedError, match="SQLAlchemy engine first"):
            EnergyStore(path)
        engine.dispose()
        EnergyStore(path).close()

    def test_without_a_pool_it_lets_go_after_each_query(self, path: Path) -> None:
        engine = sqlalchemy.create_engine(f"duckdb:///{path}", connect_args={"read_only": True}, poolclass=NullPool)
        assert pd.read_sql(LAYERS, engine)["n_spikes"].tolist() == [4, 2]
        EnergyStore(path).close()
        assert pd.read_sql(LAYERS, engine)["n_spikes"].tolist() == [4, 2]
