"""What `doctor` and `verify` say of a store that is not whole, and of what was left beside it."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from factories import Shell, mostly_thorough

from energy_db import sql

MAKES_IT_A_STORE = "alembic_version"


@pytest.fixture(params=mostly_thorough(sorted({table.name for table in sql.tables()} - {MAKES_IT_A_STORE}), 3))
def missing(small_store: Path, request: pytest.FixtureRequest) -> str:
    """A table that the store in the folder of the shell has lost."""
    with duckdb.connect(small_store) as connection:
        connection.execute(f"DROP TABLE {request.param}")
    return str(request.param)


class TestMissingTables:
    def test_verify_names_them(self, shell: Shell, missing: str) -> None:
        for options in ([], ["--quick"]):
            result = shell("verify", *options)
            assert (result.exit_code, result.stdout) == (4, "")
            assert result.stderr.startswith(f"Error: energy.duckdb is damaged: its table {missing} is missing\n")
            assert "backup" in result.stderr

    def test_doctor_names_them(self, shell: Shell, missing: str) -> None:
        result = shell("doctor", "--json")
        assert result.exit_code == 4
        [wrong] = [row for row in json.loads(result.stdout)["rows"] if not row["ok"]]
        assert wrong["what"] == "store state"
        assert wrong["is"].startswith(f"energy.duckdb is damaged: its table {missing} is missing\n")


def left_behind(shell: Shell) -> dict[str, str]:
    rows = json.loads(shell("doctor", "--json").stdout)["rows"]
    return dict(row["is"].split(": ", 1) for row in rows if row["what"] == "left behind")


class TestLeftovers:
    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("name", "of"),
        [
            ("energy.duckdb.tmp/duckdb_temp_storage-0.tmp", "memory"),
            ("energy.duckdb.archive-unfinished", "archive"),
            ("energy.duckdb.archive-unfinished.wal", "archive"),
            ("energy.duckdb.backup-0001.unfinished", "migration"),
            ("energy.duckdb.init-unfinished", "init --from"),
            (".run.parquet.unfinished", "run file"),
            (".backup.unfinished/export.json", "export"),
            ("training.recording/said.json", "ingest"),
        ],
    )
    @pytest.mark.usefixtures("small_store")
    def test_doctor_names_them(self, shell: Shell, name: str, of: str) -> None:
        assert left_behind(shell) == {}
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
        [(named, meaning)] = left_behind(shell).items()
        assert named == Path(name).parts[0]
        assert of in meaning

    def test_those_of_other_stores_are_not_named(self, shell: Shell, small_store: Path) -> None:
        Path("other.duckdb.archive-unfinished").touch()
        Path("other.duckdb.tmp").mkdir()
        assert left_behind(shell) == {}

    def test_of_a_store_that_a_link_leads_to(self, shell: Shell, small_store: Path) -> None:
        Path("real").mkdir()
        small_store.rename("real/runs.duckdb")
        small_store.symlink_to("real/runs.duckdb")
        Path("real/runs.duckdb.archive-unfinished").touch()
        Path("energy.duckdb.tmp").mkdir()
        assert left_behind(shell).keys() == {"runs.duckdb.archive-unfinished", "energy.duckdb.tmp"}

    def test_of_a_store_that_was_not_made(self, shell: Shell) -> None:
        Path("energy.duckdb.init-unfinished").touch()
        assert left_behind(shell).keys() == {"energy.duckdb.init-unfinished"}
