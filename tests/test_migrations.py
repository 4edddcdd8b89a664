"""Old stores step to today's schema and keep their runs; what cannot be stepped is refused and left alone."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from alembic import command
from alembic.config import Config
from click.testing import CliRunner, Result
from factories import Dump, dump, run_file, unchanged, with_sidecar

from energy_db import EnergyStore, lifecycle, sql
from energy_db.cli import cli
from energy_db.engines import alchemy
from energy_db.engines.duckdb import Engine
from energy_db.errors import StoreError, StoreVersionError

Shell = Callable[..., Result]

# The tables as revision 0001 made them, which no later release may change.
TABLES_OF_0001 = """
    CREATE TABLE alembic_version (
        version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
    );
    CREATE TABLE runs (
        run_key INTEGER NOT NULL PRIMARY KEY, run_id VARCHAR NOT NULL UNIQUE, run_name VARCHAR NOT NULL,
        kind VARCHAR NOT NULL, recorded_at TIMESTAMP, ingested_at TIMESTAMP NOT NULL, n_timesteps BIGINT NOT NULL,
        n_samples BIGINT NOT NULL, timestep_us DECIMAL(18, 6), inferred VARCHAR NOT NULL, n_spikes BIGINT NOT NULL,
        n_events BIGINT NOT NULL, has_events BOOLEAN NOT NULL, seed VARCHAR, git_commit VARCHAR,
        contract_version INTEGER NOT NULL, activity_hash VARCHAR NOT NULL, content_hash VARCHAR NOT NULL,
        source_path VARCHAR, source_sha256 VARCHAR, column_map VARCHAR
    );
    CREATE TABLE run_tags (
        run_key INTEGER NOT NULL, tag VARCHAR NOT NULL, tag_value VARCHAR NOT NULL, tag_number DOUBLE
    );
    CREATE TABLE layers (
        run_key INTEGER NOT NULL, layer_index SMALLINT NOT NULL, layer VARCHAR NOT NULL, role VARCHAR NOT NULL,
        n_inputs BIGINT, n_neurons BIGINT NOT NULL, fan_out BIGINT, inferred VARCHAR NOT NULL,
        n_spikes BIGINT NOT NULL, n_active_neurons BIGINT NOT NULL
    );
    CREATE TABLE fan_out (
        run_key INTEGER NOT NULL, layer_index SMALLINT NOT NULL, neuron INTEGER NOT NULL, fan_out BIGINT NOT NULL
    );
    CREATE TABLE spike_events (
        run_key INTEGER NOT NULL, layer_index SMALLINT NOT NULL, neuron INTEGER NOT NULL, timestep INTEGER NOT NULL,
        sample_index INTEGER NOT NULL, n_spikes INTEGER NOT NULL
    );
    CREATE TABLE neuron_activity (
        run_key INTEGER NOT NULL, layer_index SMALLINT NOT NULL, neuron INTEGER NOT NULL, n_spikes BIGINT NOT NULL
    );
    CREATE TABLE step_activity (
        run_key INTEGER NOT NULL, layer_index SMALLINT NOT NULL, timestep INTEGER NOT NULL, n_spikes BIGINT NOT NULL
    );
    CREATE TABLE counters (
        run_key INTEGER NOT NULL, layer_index SMALLINT NOT NULL, neuron INTEGER, driver VARCHAR NOT NULL,
        driver_count BIGINT NOT NULL
    );
    CREATE TABLE store_info (fact VARCHAR NOT NULL, fact_value VARCHAR NOT NULL);
    INSERT INTO alembic_version VALUES ('0001');
    CREATE VIEW spikes_of_old AS SELECT run_id, n_spikes FROM runs;
    INSERT INTO store_info VALUES ('view', 'spikes_of_old');
"""
# 5 spikes of two hidden neurons and one of a readout: on loihi2 5 x 2.1 + 1 x 1.0 = 11.5 pJ.
RUN_OF_0001 = """
    INSERT INTO runs VALUES (1, 'old-run', 'old', 'inference', NULL, '2026-01-02 03:04:05', 3, 1, NULL, '', 6, 6, true,
        NULL, NULL, 1, 'a', 'c', 'old.parquet', 's', NULL);
    INSERT INTO run_tags VALUES (1, 'accuracy', '0.9', 0.9);
    INSERT INTO layers VALUES
        (1, 0, 'hidden', 'hidden', 4, 2, 1, '', 5, 2), (1, 1, 'output', 'readout', 2, 1, 0, '', 1, 1);
    INSERT INTO spike_events VALUES
        (1, 0, 0, 0, 0, 1), (1, 0, 0, 1, 0, 1), (1, 0, 0, 2, 0, 1), (1, 0, 1, 0, 0, 1), (1, 0, 1, 2, 0, 1),
        (1, 1, 0, 2, 0, 1);
    INSERT INTO neuron_activity VALUES (1, 0, 0, 3), (1, 0, 1, 2), (1, 1, 0, 1);
    INSERT INTO step_activity VALUES (1, 0, 0, 2), (1, 0, 1, 1), (1, 0, 2, 2), (1, 1, 2, 1);
"""
CATALOGUE = {
    "tables": "SELECT schema_name, table_name, comment FROM duckdb_tables()",
    "columns": "SELECT schema_name, table_name, column_name, column_index, data_type, is_nullable, column_default, "
    "comment FROM duckdb_columns() WHERE NOT internal",
    "constraints": "SELECT table_name, constraint_type, constraint_column_names, expression FROM duckdb_constraints()",
    "indexes": "SELECT table_name, index_name FROM duckdb_indexes()",
    "views": "SELECT schema_name, view_name, sql, comment FROM duckdb_views() WHERE NOT internal",
}


def execute(path: Path, statements: str) -> None:
    with duckdb.connect(str(path), config={"storage_compatibility_version": "v1.5.0"}) as connection:
        connection.execute(statements)


def catalogue(path: Path) -> Dump:
    with duckdb.connect(str(path), read_only=True) as connection:
        return {part: connection.execute(f"{query} ORDER BY ALL").fetchall() for part, query in CATALOGUE.items()}


@pytest.fixture
def old_store(tmp_path: Path) -> Path:
    """A store of revision 0001 with one run."""
    path = tmp_path / "energy.duckdb"
    execute(path, TABLES_OF_0001 + RUN_OF_0001)
    return path


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dump, Result, Path]:
    """What an old store had, what is said when it is migrated, and the store then, for tests that only look."""
    path = tmp_path_factory.mktemp("migrated") / "energy.duckdb"
    execute(path, TABLES_OF_0001 + RUN_OF_0001)
    return dump(path), CliRunner().invoke(cli, ["--db", str(path), "migrate"], catch_exceptions=False), path


@pytest.fixture
def stepped_store(tmp_path: Path) -> Path:
    """A store that Alembic made from nothing, through every revision."""
    path = tmp_path / "stepped.duckdb"
    engine = Engine(str(path))
    alchemy.upgrade(engine, sql.root() / "migrations")
    lifecycle.refresh(engine)
    engine.close()
    return path


class TestBothWays:
    @pytest.mark.thorough
    def test_a_stepped_store_equals_a_fresh_one(self, stepped_store: Path, tmp_store: Path) -> None:
        stepped, fresh = catalogue(stepped_store), catalogue(tmp_store)
        for part in CATALOGUE:
            assert stepped[part] == fresh[part], part
        assert len(fresh["tables"]) == len(sql.tables())
        assert len(fresh["views"]) == len(sql.views())

    @pytest.mark.thorough
    def test_it_holds_the_same_costs(self, stepped_store: Path, tmp_store: Path) -> None:
        stepped, fresh = dump(stepped_store), dump(tmp_store)
        assert stepped["costs"] == fresh["costs"]
        assert stepped["alembic_version"] == fresh["alembic_version"] == [(sql.newest_revision(),)]

    @pytest.mark.thorough
    def test_it_gives_the_same_reports(self, stepped_store: Path, tmp_store: Path, tmp_path: Path) -> None:
        path = with_sidecar(run_file(tmp_path / "run.parquet"))
        reports = []
        for place in (stepped_store, tmp_store):
            with EnergyStore(place) as store:
                run = store.ingest(path)
                priced = [store.report(run, chip.chip).to_dict() for chip in store.chips(run)]
            for report in priced:
                del report["provenance"]["ingested_at"]
            reports.append(priced)
        assert reports[0] == reports[1]
        assert {"akida", "brainscales2", "fpga_ice40", "loihi2", "spinnaker2"} < {row["chip"] for row in reports[0]}

    def test_the_revisions_are_one_line(self) -> None:
        numbers = sorted(path.stem[:4] for path in (sql.root() / "migrations/versions").glob("[0-9]*.py"))
        assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
        assert sql.newest_revision() == numbers[-1]

    @pytest.mark.thorough
    def test_the_first_revision_is_what_it_was(self, old_store: Path, tmp_path: Path) -> None:
        path = tmp_path / "stepped.duckdb"
        engine, config = Engine(str(path)), Config()
        config.set_main_option("script_location", str(sql.root() / "migrations"))
        with alchemy.engine_for(engine).connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
        engine.close()
        execute(old_store, "DROP VIEW spikes_of_old")
        assert catalogue(path) == catalogue(old_store)


class TestMigrate:
    def test_an_old_store_keeps_its_runs(self, migrated: tuple[Dump, Result, Path]) -> None:
        before, result, path = migrated
        assert (result.exit_code, result.stdout) == (0, "")
        assert all(word in result.stderr for word in ("0001", sql.newest_revision(), "backup"))
        after = dump(path)
        for table in before.keys() - {"alembic_version", "layers", "store_info"}:
            assert after[table] == before[table], table
        # 5 hidden spikes of fan-out 1 are 5 synaptic events; the readout's fan-out is 0.
        assert after["layers"] == [(*before["layers"][0], 5), (*before["layers"][1], 0)]
        assert after["alembic_version"] == [(sql.newest_revision(),)]

    def test_its_figures_are_right(self, migrated: tuple[Dump, Result, Path]) -> None:
        with EnergyStore(migrated[-1], read_only=True) as store:
            report = store.report("old", "loihi2")
            assert (report.total_energy_pj, report.total_spikes, report.run.tags) == (11.5, 6, {"accuracy": "0.9"})
            assert [(neuron.layer, neuron.neuron, neuron.energy_pj) for neuron in report.neurons()] == [
                ("hidden", 0, 6.3),
                ("hidden", 1, 4.2),
                ("output", 0, 1.0),
            ]
            assert [result.check for result in store.verify() if result.n_failures] == []

    @pytest.mark.thorough
    def test_it_equals_a_fresh_store(self, old_store: Path, shell: Shell, stepped_store: Path) -> None:
        assert shell("migrate").exit_code == 0
        migrated, fresh = catalogue(old_store), catalogue(stepped_store)
        for part in CATALOGUE:
            assert migrated[part] == fresh[part], part

    @pytest.mark.thorough
    def test_the_backup_is_the_old_store(self, old_store: Path) -> None:
        before, shape = dump(old_store), catalogue(old_store)
        found, now, backup = lifecycle.migrate(str(old_store))
        assert (found, now) == ("0001", sql.newest_revision())
        assert backup is not None
        assert Path(backup).parent == old_store.parent
        assert dump(Path(backup)) == before
        assert catalogue(Path(backup)) == shape

    @pytest.mark.thorough
    def test_the_backup_can_be_migrated_itself(self, old_store: Path) -> None:
        _, _, backup = lifecycle.migrate(str(old_store))
        lifecycle.migrate(str(backup))
        with EnergyStore(str(backup), read_only=True) as store:
            assert store.report("old", "loihi2").total_energy_pj == 11.5

    def test_a_backup_is_not_overwritten(self, old_store: Path) -> None:
        in_the_way = Path(f"{old_store}.backup-0001")
        in_the_way.write_text("precious")
        with pytest.raises(StoreError, match="in the way"), unchanged(old_store):
            lifecycle.migrate(str(old_store))
        assert in_the_way.read_text() == "precious"

    def test_a_dry_run_changes_nothing(self, old_store: Path, shell: Shell) -> None:
        content = old_store.read_bytes()
        result = shell("migrate", "--dry-run")
        assert result.exit_code == 0
        assert all(word in result.stderr for word in ("would", "0001", sql.newest_revision()))
        assert old_store.read_bytes() == content
        assert [path.name for path in old_store.parent.iterdir()] == [old_store.name]

    @pytest.mark.thorough
    def test_migrating_twice_is_migrating_once(self, old_store: Path, shell: Shell) -> None:
        assert shell("migrate").exit_code == 0
        before, files = dump(old_store), sorted(old_store.parent.iterdir())
        result = shell("migrate")
        assert (result.exit_code, "newest" in result.stderr) == (0, True)
        assert dump(old_store) == before
        assert sorted(old_store.parent.iterdir()) == files

    def test_a_store_that_does_not_exist_is_not_made(self, tmp_path: Path, shell: Shell) -> None:
        result = shell("migrate")
        assert result.exit_code == 4
        assert "there is no store" in result.stderr
        assert list(tmp_path.iterdir()) == []


class TestFailure:
    """The step to 0002 creates four tables; the last of them exists already, so that it fails when three are made."""

    def test_a_name_that_is_taken_is_told_before_anything_is_done(self, old_store: Path, shell: Shell) -> None:
        execute(old_store, "CREATE SCHEMA mart; CREATE TABLE mart.runs (mine INTEGER)")
        before, files = dump(old_store), sorted(old_store.parent.iterdir())
        result = shell("migrate")
        assert result.exit_code == 4
        assert "mart.runs of your own is in the way" in result.stderr
        assert (dump(old_store), sorted(old_store.parent.iterdir())) == (before, files)

    @pytest.fixture
    def blocked_store(self, old_store: Path) -> Path:
        execute(old_store, "CREATE TABLE cost_in_force (mine INTEGER)")
        return old_store

    def test_a_failed_step_leaves_the_store_as_it_was(self, blocked_store: Path) -> None:
        before, shape = dump(blocked_store), catalogue(blocked_store)
        with pytest.raises(StoreError):
            lifecycle.migrate(str(blocked_store))
        assert dump(blocked_store) == before
        assert catalogue(blocked_store) == shape

    @pytest.mark.thorough
    def test_it_says_so_without_a_traceback(self, blocked_store: Path, shell: Shell) -> None:
        result = shell("migrate")
        assert result.exit_code == 4
        assert "cost_in_force" in result.stderr
        assert "Traceback" not in result.output
        assert "unexpected" not in result.stderr

    @pytest.mark.thorough
    def test_once_the_cause_is_gone_it_can_be_tried_again(self, blocked_store: Path, shell: Shell) -> None:
        assert shell("migrate").exit_code == 4
        execute(blocked_store, "DROP TABLE cost_in_force")
        assert shell("migrate").exit_code == 0
        with EnergyStore(blocked_store, read_only=True) as store:
            assert store.report("old", "loihi2").total_energy_pj == 11.5


class TestOtherVersions:
    @pytest.fixture
    def newer_store(self, small_store: Path) -> Path:
        execute(small_store, "UPDATE alembic_version SET version_num = '9999'")
        return small_store

    @pytest.mark.parametrize("read_only", [True, False])
    def test_an_older_store_is_refused(self, old_store: Path, read_only: bool) -> None:
        before = dump(old_store)
        with pytest.raises(StoreVersionError) as refusal:
            EnergyStore(old_store, read_only=read_only)
        assert all(part in str(refusal.value) for part in ("0001", sql.newest_revision(), f"--db {old_store} migrate"))
        assert dump(old_store) == before

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize("read_only", [False, True])
    def test_a_newer_store_is_refused(self, newer_store: Path, read_only: bool) -> None:
        before = dump(newer_store)
        with pytest.raises(StoreVersionError) as refusal:
            EnergyStore(newer_store, read_only=read_only)
        assert all(part in str(refusal.value) for part in ("9999", sql.newest_revision(), "pip install --upgrade"))
        assert dump(newer_store) == before

    @pytest.mark.thorough
    @pytest.mark.parametrize("verb", [["report"], ["runs"], ["verify"], ["sql", "SELECT 1"], ["ingest", "run.parquet"]])
    def test_the_command_line_refuses_both(self, old_store: Path, shell: Shell, verb: list[str]) -> None:
        run_file(old_store.parent / "run.parquet")
        for revision, advice in (("0001", "migrate"), ("9999", "pip install --upgrade")):
            execute(old_store, f"UPDATE alembic_version SET version_num = '{revision}'")
            before: Any = dump(old_store)
            result = shell(*verb)
            assert (result.exit_code, result.stdout) == (4, "")
            assert all(part in result.stderr for part in (revision, sql.newest_revision(), advice))
            assert dump(old_store) == before

    @pytest.mark.parametrize("arguments", [["migrate"], ["migrate", "--dry-run"]])
    def test_a_newer_store_is_not_migrated(self, newer_store: Path, shell: Shell, arguments: list[str]) -> None:
        before = dump(newer_store)
        result = shell(*arguments)
        assert result.exit_code == 4
        assert "9999" in result.stderr
        assert dump(newer_store) == before


class TestRefresh:
    """A store of the same schema may hold the views and shipped costs of another release."""

    @pytest.fixture
    def stale_store(self, small_store: Path) -> Path:
        changes = (
            "UPDATE store_info SET fact_value = 'of another release' WHERE fact = 'shipped_fingerprint';"
            "INSERT INTO store_info VALUES ('view', 'gone'), ('view', 'mart.gone');"
            "CREATE VIEW gone AS SELECT 1 AS one; CREATE VIEW mart.gone AS SELECT 1 AS one;"
        )
        execute(small_store, changes + "CREATE OR REPLACE VIEW energy_by_chip AS SELECT 0 AS energy_pj")
        return small_store

    def test_a_writer_refreshes_it(self, stale_store: Path, stepped_store: Path) -> None:
        with EnergyStore(stale_store) as store:
            assert store.report("kept", "loihi2").total_energy_pj == 10.4
        assert catalogue(stale_store) == catalogue(stepped_store)

    @pytest.mark.thorough
    def test_views_of_the_user_stay(self, stale_store: Path) -> None:
        execute(stale_store, "CREATE SCHEMA mine; CREATE VIEW mine.v AS SELECT 7 AS x; CREATE VIEW v AS SELECT 8 AS x")
        with EnergyStore(stale_store) as store:
            assert store.sql("SELECT a.x AS a, b.x AS b FROM mine.v AS a, v AS b").to_pylist() == [{"a": 7, "b": 8}]

    @pytest.mark.thorough
    def test_views_of_the_user_stay_in_the_schema_mart_too(self, stale_store: Path) -> None:
        execute(stale_store, "CREATE VIEW mart.mine AS SELECT 7 AS x; CREATE TABLE mart.noted AS SELECT 8 AS x")
        with EnergyStore(stale_store) as store:
            assert store.sql("SELECT a.x AS a, b.x AS b FROM mart.mine AS a, mart.noted AS b").to_pylist() == [
                {"a": 7, "b": 8}
            ]

    @pytest.mark.thorough
    def test_a_store_from_before_the_schema_mart_gets_it(self, stale_store: Path, stepped_store: Path) -> None:
        execute(stale_store, "DROP SCHEMA mart CASCADE; DELETE FROM store_info WHERE fact_value LIKE 'mart.%'")
        with EnergyStore(stale_store) as store:
            assert store.sql("SELECT energy_pj FROM mart.run_energy WHERE chip = 'loihi2'")[
                "energy_pj"
            ].to_pylist() == [Decimal("10.400000")]
        assert catalogue(stale_store) == catalogue(stepped_store)

    @pytest.mark.thorough
    @pytest.mark.parametrize("kind", ["TABLE", "VIEW"])
    @pytest.mark.parametrize("name", ["mart.costs", "comparison"])
    def test_what_a_user_named_as_a_new_view_is_not_lost(
        self, stale_store: Path, shell: Shell, kind: str, name: str
    ) -> None:
        execute(stale_store, f"DROP VIEW {name}; DELETE FROM store_info WHERE fact_value = '{name}'")
        execute(stale_store, f"CREATE {kind} {name} AS SELECT 7 AS mine")
        before = catalogue(stale_store)
        for verb in (["migrate"], ["tag", "kept", "a=b"]):
            result = shell(*verb)
            assert result.exit_code == 4
            assert f": {name} of your own is in the way" in result.stderr
            assert "Rename or drop it" in result.stderr
        assert catalogue(stale_store) == before
        execute(stale_store, f"DROP {kind} {name}")
        assert shell("migrate").exit_code == 0

    @pytest.mark.thorough
    def test_a_reader_is_told_how(self, stale_store: Path, shell: Shell) -> None:
        with pytest.raises(StoreVersionError, match="migrate"):
            EnergyStore(stale_store, read_only=True)
        assert shell("migrate").exit_code == 0
        with EnergyStore(stale_store, read_only=True) as store:
            assert store.report("kept", "loihi2").total_energy_pj == 10.4
