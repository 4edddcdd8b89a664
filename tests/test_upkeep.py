"""What `doctor` and `verify` say of a store that is not whole, and of what was left beside it."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from factories import Shell

from energy_db import sql

MAKES_IT_A_STORE = "alembic_version"


@pytest.fixture(params=sorted({table.name for table in sql.tables()} - {MAKES_IT_A_STORE}))
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
