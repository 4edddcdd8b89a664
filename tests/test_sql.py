"""SQL for people: `EnergyStore.sql` reads and nothing else, `EnergyStore.engine` opens the door to pandas."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy
from factories import EVENTS, run_file

from energy_db import EnergyStore
from energy_db.errors import QueryError


@pytest.fixture(scope="module")
def store(_small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
    """A store with the run `kept`: on loihi2, 4 hidden spikes of 2.1 pJ and 2 of a readout, of 1.0 pJ."""
    with EnergyStore(shutil.copy(_small_store, tmp_path_factory.mktemp("asked") / "energy.duckdb")) as opened:
        yield opened


class TestSql:
    def test_a_query_returns_arrow(self, store: EnergyStore) -> None:
        table = store.sql("SELECT layer, energy_pj FROM energy_by_layer WHERE chip = 'loihi2' ORDER BY layer_index")
        assert isinstance(table, pa.Table)
        assert table.to_pylist() == [
            {"layer": "hidden", "energy_pj": Decimal("8.4")},
            {"layer": "output", "energy_pj": Decimal("2.0")},
        ]

    def test_parameters(self, store: EnergyStore) -> None:
        by_position = store.sql("SELECT layer FROM activity_by_layer WHERE n_spikes = ?", [2])
        by_name = store.sql("SELECT layer FROM activity_by_layer WHERE n_spikes = $n", {"n": 2})
        assert by_position.to_pylist() == by_name.to_pylist() == [{"layer": "output"}]

    @pytest.mark.parametrize(
        "query",
        ["SHOW TABLES", "DESCRIBE runs", "SUMMARIZE layers", "EXPLAIN SELECT 1", "FROM runs", "VALUES (1)",
         "WITH x AS (SELECT 1) SELECT * FROM x", "SELECT 1;"],
    )  # fmt: skip
    def test_what_only_reads_is_allowed(self, store: EnergyStore, query: str) -> None:
        assert store.sql(query).num_rows > 0

    @pytest.mark.parametrize(
        "query",
        ["DELETE FROM runs", "UPDATE costs SET energy_pj = 0", "DROP TABLE costs",
         "INSERT INTO chips VALUES ('a', 'b', 'c')", "CREATE TABLE x (y INTEGER)", "CREATE TEMP TABLE x (y INTEGER)",
         "ATTACH ':memory:' AS x", "SET threads = 1", "COPY runs TO 'stolen.csv'", "EXPORT DATABASE 'stolen'",
         "PRAGMA threads = 1", "BEGIN", "COMMIT", "CHECKPOINT", "INSTALL httpfs", "LOAD httpfs",
         "CALL pragma_version()", "SELECT 1; SELECT 2", "SELECT 1; DROP TABLE costs",
         "EXPLAIN ANALYZE DELETE FROM runs", "", ";", "-- nothing", "SELEC 1", "SELECT nope FROM runs", "SELECT ?",
         "WITH x AS (DELETE FROM runs RETURNING *) SELECT * FROM x"],
    )  # fmt: skip
    def test_everything_else_is_refused(self, store: EnergyStore, query: str, monkeypatch: Any) -> None:
        path = Path(store.path)
        monkeypatch.chdir(path.parent)
        files, status = sorted(path.parent.iterdir()), path.stat()
        with pytest.raises(QueryError):
            store.sql(query)
        assert store.sql("SELECT count(*) AS n FROM spike_events").to_pylist() == [{"n": len(EVENTS["neuron"])}]
        store._engine.run("CHECKPOINT")  # to open the file here would drop this process's lock on it
        assert (path.stat().st_mtime_ns, path.stat().st_size) == (status.st_mtime_ns, status.st_size)
        assert sorted(path.parent.iterdir()) == files

    def test_wrong_parameters_are_a_wrong_query(self, store: EnergyStore) -> None:
        for params in ([1, 2], {"other": 1}, [object()]):
            with pytest.raises(QueryError):
                store.sql("SELECT $n", params)


class TestSqlAlchemy:
    def test_pandas_reads_through_the_engine(self, store: EnergyStore) -> None:
        frame = pd.read_sql(
            "SELECT layer, n_spikes FROM energy_by_layer WHERE chip = 'loihi2' ORDER BY layer_index", store.engine
        )
        assert list(frame.itertuples(index=False, name=None)) == [("hidden", 4), ("output", 2)]

    def test_the_engine_sees_the_open_store(self, bare_store: EnergyStore, tmp_path: Path) -> None:
        engine = bare_store.engine
        bare_store.ingest(run_file(tmp_path / "more.parquet", {**EVENTS, "neuron": [0, 0, 0, 0, 0, 0]}))
        with engine.connect() as connection:
            query = sqlalchemy.text("SELECT count(*) FROM runs WHERE run_name = :name")
            assert connection.execute(query, {"name": "more"}).scalar() == 1
        engine.dispose()
        assert len(bare_store.runs()) == 1


def test_what_explain_would_run_is_looked_at(tmp_path: Path) -> None:
    target = tmp_path / "written.csv"
    with EnergyStore(":memory:") as store:
        assert store.sql("EXPLAIN ANALYZE SELECT count(*) FROM runs").num_rows > 0
        with pytest.raises(QueryError, match="COPY"):
            store.sql(f"EXPLAIN ANALYZE COPY (SELECT 1) TO '{target}'")
    assert not target.exists()
