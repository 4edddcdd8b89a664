"""Nothing that a query says can change a store, an engine or a file, or read what is not in the store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from factories import Shell, dump

from energy_db import EnergyStore, sql
from energy_db.engines import vetting
from energy_db.errors import QueryError

SECRET = "what-no-query-may-see"
WRITES = [
    "DELETE FROM runs",
    "TRUNCATE runs",
    "UPDATE costs SET energy_pj = 0",
    "MERGE INTO chips USING (SELECT 'akida' AS chip) AS other USING (chip) WHEN MATCHED THEN DELETE",
    "INSERT INTO chips SELECT * FROM chips",
    "ALTER TABLE runs ADD COLUMN more INTEGER",
    "DROP VIEW energy_by_layer",
    "CREATE TABLE more (x INTEGER)",
    "CREATE TEMP TABLE more (x INTEGER)",
    "CREATE VIEW more AS SELECT 1 AS x",
    "CREATE MACRO more(x) AS x",
    "CREATE SEQUENCE more",
    "COMMENT ON TABLE runs IS 'mine'",
    "WITH gone AS (DELETE FROM runs RETURNING *) SELECT * FROM gone",
    "EXPLAIN ANALYZE DELETE FROM runs",
    "SELECT nextval('numbers')",
    "SELECT 1; DELETE FROM runs",
]
READS_OF_FILES = [
    "SELECT * FROM read_text('secret.csv')",
    "SELECT * FROM READ_TEXT('secret.csv')",
    "SELECT * FROM main.read_text('secret.csv')",
    "SELECT * FROM system.main.read_text('secret.csv')",
    "SELECT * FROM range(1), read_blob('secret.csv')",
    "SELECT (SELECT content FROM read_text('secret.csv'))",
    "SELECT 1 WHERE 'x' IN (SELECT content FROM read_text('secret.csv'))",
    "SELECT 1 UNION ALL SELECT 2 FROM read_csv('secret.csv')",
    "WITH stolen AS (SELECT * FROM read_csv('secret.csv')) SELECT * FROM stolen",
    "SELECT * FROM glob('*')",
    "SELECT * FROM read_parquet('secret.parquet')",
    "SELECT * FROM parquet_metadata('secret.parquet')",
    "SELECT * FROM parquet_schema('secret.parquet')",
    "SELECT * FROM read_json('secret.json')",
    "SELECT * FROM sniff_csv('secret.csv')",
    "SELECT * FROM read_duckdb('other.duckdb')",
    "SELECT * FROM 'secret.csv'",
    "SELECT * FROM secret.csv",
    'SELECT * FROM "secret.csv"',
    "FROM runs, 'secret.csv'",
    "DESCRIBE 'secret.csv'",
    "DESCRIBE SELECT * FROM read_csv('secret.csv')",
    "SUMMARIZE 'secret.csv'",
    "SHOW 'secret.csv'",
    "EXPLAIN SELECT * FROM 'secret.csv'",
    "EXPLAIN ANALYZE SELECT * FROM read_csv('secret.csv')",
    "PIVOT 'secret.csv' ON word IN ('a') USING count(*)",
    "UNPIVOT 'secret.csv' ON word INTO NAME n VALUE v",
    "SELECT * FROM summary((FROM 'secret.csv'))",
    "SELECT * FROM histogram('sizes.csv', size)",
    "SELECT * FROM histogram_values('sizes.csv', size)",
    "SELECT * FROM query('FROM ''secret.csv''')",
    "SELECT * FROM query_table('secret.csv')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('FROM ''secret.csv'''))",
    "SELECT json_serialize_plan('FROM ''secret.csv''')",
    # A name of WITH does not hold everywhere, and what it does not hold for would be looked for among the files.
    'WITH "secret.csv" AS (FROM "secret.csv") FROM "secret.csv"',
    'SELECT * FROM (WITH "secret.csv" AS (SELECT 1) FROM "secret.csv"), "secret.csv"',
    'WITH one AS (FROM "secret.csv"), "secret.csv" AS (SELECT 1) FROM one',
    'WITH RECURSIVE "secret.csv" AS (FROM "secret.csv" UNION ALL SELECT 1) FROM "secret.csv"',
    "WITH csv AS (SELECT 1) FROM secret.csv",
]
LEAKS = [
    "COPY runs TO 'stolen.csv'",
    "COPY (SELECT 1) TO 'stolen.csv'",
    "COPY FROM DATABASE energy TO other",
    "EXPORT DATABASE 'stolen'",
    "EXPLAIN ANALYZE COPY runs TO 'stolen.csv'",
    "ATTACH 'stolen.duckdb' AS stolen",
    "ATTACH ':memory:' AS stolen",
    "DETACH energy",
    "INSTALL httpfs",
    "LOAD httpfs",
    "IMPORT DATABASE 'stolen'",
]
CHANGES_OF_THE_ENGINE = [
    "SET threads = 1",
    "SET enable_external_access = true",
    "RESET threads",
    "SET VARIABLE x = 1",
    "USE mart",
    "PRAGMA threads = 1",
    "PRAGMA enable_profiling",
    "CALL enable_logging()",
    "CHECKPOINT",
    "BEGIN",
    "PREPARE q AS SELECT 1",
    "VACUUM",
    "SELECT * FROM enable_logging()",
    "SELECT * FROM disable_logging()",
    "SELECT * FROM enable_profiling()",
    "SELECT * FROM checkpoint()",
    "SELECT * FROM force_checkpoint()",
    "SELECT * FROM truncate_duckdb_logs()",
    "SELECT * FROM create_external_resource('a')",
    "SELECT * FROM register_external_resource('a')",
    "SELECT * FROM destroy_external_resource('a')",
    "SELECT setseed(0.5)",
    "SELECT write_log('mine')",
    "SELECT st_area('of an extension that would be fetched')",
]
FORBIDDEN = [*WRITES, *READS_OF_FILES, *LEAKS, *CHANGES_OF_THE_ENGINE]


@pytest.fixture(params=["written to", "only read", "in memory"])
def store(request: pytest.FixtureRequest, small_store: Path) -> Iterator[EnergyStore]:
    """Stores of each kind."""
    path = ":memory:" if request.param == "in memory" else small_store
    with EnergyStore(path, read_only=request.param == "only read") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with files that must stay unread."""
    (tmp_path / "secret.csv").write_text(f"word\n{SECRET}\n")
    (tmp_path / "sizes.csv").write_text("size\n1\n")
    (tmp_path / "secret.json").write_text(json.dumps({"word": SECRET}))
    pd.DataFrame({"word": [SECRET]}).to_parquet(tmp_path / "secret.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
class TestRefusals:
    @pytest.mark.thorough
    def test_the_traps_are_real(self) -> None:
        """Without a store around it, the engine does read the files: nothing here is refused because it is wrong."""
        for query in READS_OF_FILES[:6] + READS_OF_FILES[16:19] + READS_OF_FILES[-5:-3] + READS_OF_FILES[-1:]:
            assert SECRET in str(duckdb.connect().sql(query).to_arrow_table().to_pylist()), query

    @pytest.mark.thorough
    def test_nothing_else_is_read_or_changed(self, store: EnergyStore, folder: Path) -> None:
        files = {path.name for path in folder.iterdir()}
        tables = store.sql("SHOW ALL TABLES").to_pylist()
        settings = store.sql("SELECT name, value FROM duckdb_settings()").to_pylist()
        served = []
        for query in FORBIDDEN:
            try:
                served.append((query, store.sql(query).to_pylist()))
            except QueryError as refusal:
                assert SECRET not in str(refusal), query
        assert served == []
        assert {path.name for path in folder.iterdir()} == files
        assert store.sql("SHOW ALL TABLES").to_pylist() == tables
        assert store.sql("SELECT name, value FROM duckdb_settings()").to_pylist() == settings

    def test_variables_of_python_are_not_read(self, store: EnergyStore) -> None:
        stolen = pd.DataFrame({"word": [SECRET]})
        with pytest.raises(QueryError, match="no table or view 'stolen'"):
            store.sql("SELECT * FROM stolen")
        with pytest.raises(QueryError, match="no table or view"):
            store.sql("DESCRIBE stolen")
        assert len(stolen) == 1

    def test_the_command_refuses_them_too(self, folder: Path, small_store: Path, shell: Shell) -> None:
        before = dump(small_store)
        for query in (
            "DELETE FROM runs",
            "FROM 'secret.csv'",
            "SELECT * FROM read_text('secret.csv')",
            "SET threads = 1",
        ):
            result = shell("sql", query)
            assert (result.exit_code, result.stdout) == (2, ""), query
            assert result.stderr.startswith("Error: ")
        assert dump(small_store) == before
        assert not (folder / "stolen.csv").exists()


class TestMessages:
    @pytest.mark.parametrize(
        ("query", "message", "hint"),
        [
            ("FROM read_text('x')", "cannot call read_text()", "tables and views of the store"),
            ("SELECT setseed(1)", "cannot call setseed()", "change something"),
            ("FROM energy_by_layr", "no table or view 'energy_by_layr'", "Did you mean 'energy_by_layer'?"),
            ("FROM mart.run", "no table or view 'mart.run'", "Did you mean 'mart.runs'?"),
            ("PIVOT runs ON kind USING count(*)", "expected one query", "ON column IN"),
            ("SET threads = 1", "this is a SET statement", "Only SELECT"),
        ],
    )
    def test_a_refusal_says_what_and_what_instead(
        self, bare_store: EnergyStore, query: str, message: str, hint: str
    ) -> None:
        with pytest.raises(QueryError) as refusal:
            bare_store.sql(query)
        assert message in refusal.value.message
        assert hint in str(refusal.value.hint)


class TestReaders:
    def test_what_is_read_only_cannot_be_configured(self, small_store: Path) -> None:
        with (
            EnergyStore(small_store, read_only=True) as store,
            store.engine.connect() as connection,
            pytest.raises(Exception, match="configuration has been locked"),
        ):
            connection.exec_driver_sql("SET enable_external_access = true")

    def test_pandas_reads_it_all_the_same(self, small_store: Path) -> None:
        with EnergyStore(small_store, read_only=True) as store:
            frame = pd.read_sql("SELECT run_name FROM runs", store.engine)
        assert frame["run_name"].tolist() == ["kept"]


@pytest.fixture(scope="module")
def store_in_memory() -> Iterator[EnergyStore]:
    """A store in which somebody keeps views and macros of their own."""
    with EnergyStore(":memory:") as store:
        store._engine.run("CREATE SCHEMA apart; CREATE VIEW mine AS SELECT 1 AS x")
        store._engine.run("CREATE VIEW apart.mine AS SELECT 2 AS x")
        store._engine.run("CREATE MACRO twice(x) AS x * 2; CREATE MACRO so_many(n) AS TABLE SELECT n")
        yield store


class TestWhatIsAllowed:
    @pytest.mark.one_in(4)
    @pytest.mark.parametrize("view", sql.views(), ids=lambda view: view.name)
    def test_the_body_of_every_view_is_understood(self, store_in_memory: EnergyStore, view: sql.SqlObject) -> None:
        body = view.statement.split(") AS\n", 1)[1].rstrip().removesuffix(";")
        assert store_in_memory.sql(body).column_names == list(view.columns)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("FROM mine", [1]),
            ("FROM apart.mine", [2]),
            ("SELECT twice(4)", [8]),
            ("FROM so_many(3)", [3]),
            ("WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n WHERE x < 3) FROM n", [1, 2, 3]),
            ("WITH a AS (SELECT 5), b AS (FROM a) FROM b", [5]),
            ("SELECT x FROM (WITH a AS (SELECT 1 AS x) FROM a), (SELECT 2)", [1]),
            ("SELECT count(*) FROM MART.Runs", [0]),
            ("SELECT count(*) FROM energy_by_layer WHERE layer IN (SELECT layer FROM layers)", [0]),
            ("SELECT count(*) FROM pg_catalog.pg_class WHERE relname = 'runs'", [2]),
            ("SELECT table_name FROM information_schema.tables WHERE table_name = 'mine' LIMIT 1", ["mine"]),
            (
                "SELECT view_name FROM duckdb_views() WHERE view_name = 'energy_by_run_of_nobody' UNION SELECT 'x'",
                ["x"],
            ),
            ("SELECT name FROM pragma_table_info('mine')", ["x"]),
            ("SELECT unnest([7, 8])", [7, 8]),
            ("FROM generate_series(1, 2)", [1, 2]),
            ("SELECT a FROM (PIVOT (SELECT 'a' AS k, 3 AS v) ON k IN ('a') USING sum(v))", [3]),
            ("SELECT v FROM (UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b INTO NAME n VALUE v)", [1, 2]),
            ("FROM (VALUES (1), (2))", [1, 2]),
            ("SELECT list_sum([x + 1 FOR x IN [1, 2]])", [5]),
            ("SELECT sum(x) OVER (ORDER BY x) FROM range(3) AS t(x) ORDER BY 1", [0, 1, 3]),
        ],
    )
    def test_it_answers(self, store_in_memory: EnergyStore, query: str, expected: list[object]) -> None:
        table = store_in_memory.sql(query)
        assert table.column(0).to_pylist() == expected


class TestTrees:
    """What a later engine may say that this one does not."""

    @pytest.mark.parametrize(
        "tree",
        [
            "",
            "[]",
            "{}",
            '{"error": false, "statements": []}',
            '{"error": false, "statements": [{"node": {"type": "INSERT_QUERY_NODE", "cte_map": {"map": []}}}]}',
            '{"error": false, "statements": [{"node": {"cte_map": {"map": []}}}]}',
            '{"error": false, "statements": [{"node": {"type": "SELECT_NODE", "from_table": {"type": "FILE"}}}]}',
            '{"error": false, "statements": [{"node": {"type": "SELECT_NODE", "select_list": [{"class": "FILE"}]}}]}',
            '{"error": false, "statements": [{"node": {"type": "SELECT_NODE", "from_table": {"type": "BASE_TABLE"}}}]}',
            '{"error": false, "statements": [{"from_table": {"type": "BASE_TABLE", "catalog_name": "",'
            '"schema_name": "", "table_name": "runs", "qualified_name": {"path": ["other", "runs"]}}}]}',
            '{"error": false, "statements": ' + "[" * 100_000 + "]" * 100_000 + "}",
        ],
    )
    def test_what_is_not_understood_is_refused(self, tree: str) -> None:
        with pytest.raises(QueryError, match="cannot be judged"):
            vetting.reading(tree)

    def test_a_macro_does_not_lend_its_name_to_a_function_of_the_engine(self) -> None:
        with EnergyStore(":memory:") as store:
            store._engine.run("CREATE MACRO read_text(x) AS TABLE SELECT 1 AS one")
            with pytest.raises(QueryError, match="read_text"):
                store.sql("FROM system.main.read_text('/etc/hostname')")
