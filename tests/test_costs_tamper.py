"""A number under an existing version cannot be changed: every way to try is refused, or found by `verify`."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import sqlalchemy
from factories import Shell, assert_refused

from energy_db import Cost, CostSet, EnergyStore, sql
from energy_db.catalogue import files, shipped
from energy_db.catalogue.sets import COST_COLUMNS, VERSION_COLUMNS, Chip, content_hash
from energy_db.errors import CostError, QueryError

MINE = CostSet("toy", "rev1", "Our bench", [Cost("add", "neuron_spike", 5)])
AKIDA = sql.root() / "schema" / "costs" / "akida.toml"
CHANGED, UNLIKE = "costs_are_unchanged", "shipped_costs_are_as_published"
UPDATE = "UPDATE costs SET energy_pj = 0.1 WHERE chip = 'akida' AND cost_version = 'tutorial72'"


def with_first_number(cost_set: CostSet, energy_pj: float) -> CostSet:
    first, *others = cost_set.costs
    return dataclasses.replace(cost_set, costs=[dataclasses.replace(first, energy_pj=energy_pj), *others])


def failures_of(store: EnergyStore, quick: bool = False) -> dict[str, object]:
    return {result.check: result.first_failure for result in store.verify(quick=quick) if result.n_failures}


def failing(path: Path) -> dict[str, object]:
    with EnergyStore(path, read_only=True) as store:
        return failures_of(store)


def edit(path: Path, statement: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(statement)


def seal_anew(path: Path, chip: str, version: str) -> None:
    """Do what a forger who knows the hash does after changing a number."""
    with duckdb.connect(str(path)) as connection:
        key = f"WHERE chip = '{chip}' AND cost_version = '{version}'"
        row = connection.execute(f"SELECT {', '.join(VERSION_COLUMNS)} FROM cost_versions {key}").fetchall()[0]
        costs = connection.execute(f"SELECT {', '.join(COST_COLUMNS)} FROM costs {key}").fetchall()
        connection.execute(f"UPDATE cost_versions SET content_hash = '{content_hash(row, costs)}' {key}")


class TestByFile:
    def test_a_file_with_another_number(self, shell: Shell, small_store: Path) -> None:
        text = AKIDA.read_text(encoding="utf-8")
        assert "energy_pj = 3.5" in text
        Path("akida.toml").write_text(text.replace("energy_pj = 3.5", "energy_pj = 0.1"), encoding="utf-8")
        says = ["akida.toml: version 'tutorial72': akida has a version of that name with other content",
                "Another number is another version"]  # fmt: skip
        assert_refused(shell, small_store, 1, ["costs", "lint", "akida.toml"], says)
        assert_refused(shell, small_store, 4, ["costs", "add", "akida.toml"], says)
        Path("akida.toml").write_text(text, encoding="utf-8")
        assert shell("costs", "lint", "akida.toml").exit_code == 0

    def test_an_edited_file_of_the_release(self, small_store: Path) -> None:
        chip = files.read_chip(AKIDA)
        edited = dataclasses.replace(chip, versions=tuple(with_first_number(each, 0.1) for each in chip.versions))
        before = small_store.read_bytes()
        with EnergyStore(small_store) as store, pytest.raises(CostError) as caught:
            shipped.install(store._engine, [edited])
        assert "akida.toml: version '" in str(caught.value)
        assert "of akida is in the store with other content" in str(caught.value)
        assert small_store.read_bytes() == before

    def test_the_file_of_the_release_again(self, small_store: Path) -> None:
        before = small_store.read_bytes()
        with EnergyStore(small_store) as store:
            shipped.install_shipped(store._engine)
        assert small_store.read_bytes() == before


class TestByApi:
    def test_another_number(self, small_store: Path) -> None:
        with EnergyStore(small_store) as store:
            store.costs.add(MINE)
            [published] = [new for new in files.read_chip(AKIDA).versions if new.version == "tutorial72"]
            for forged in (with_first_number(MINE, 6), with_first_number(published, 0.1)):
                with pytest.raises(CostError, match="has a version of that name with other content"):
                    store.costs.add(forged)
            assert [row["energy_pj"] for row in store.costs.show("toy")] == [Decimal(5)]

    @pytest.mark.parametrize(
        "change", [{"source": "A better one"}, {"note": "x"}, {"label": "x"}, {"status": "measured"}], ids=str
    )
    def test_another_word(self, small_store: Path, change: dict[str, str]) -> None:
        with EnergyStore(small_store) as store:
            store.costs.add(MINE)
            with pytest.raises(CostError, match="Another number is another version"):
                store.costs.add(dataclasses.replace(MINE, **change))

    def test_values_cannot_be_set(self) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            MINE.costs[0].energy_pj = Decimal(1)  # type: ignore[misc]

    def test_another_chip_of_the_same_file(self, small_store: Path) -> None:
        """All or nothing: a good version beside a forged one does not come in."""
        good = dataclasses.replace(MINE, chip="akida", version="ours")
        forged = CostSet("akida", "tutorial72", "Tutorial", [Cost("undivided", "spike", 1)])
        before = small_store.read_bytes()
        with EnergyStore(small_store) as store, pytest.raises(CostError):
            store.costs.add(Chip("akida", "Akida", "", (good, forged)))
        assert small_store.read_bytes() == before


class TestBySql:
    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        "statement",
        [UPDATE, "DELETE FROM costs", "INSERT INTO costs SELECT * FROM costs", "DROP TABLE cost_versions",
         "UPDATE cost_versions SET content_hash = ''", "INSERT OR REPLACE INTO chips VALUES ('akida', '', '')",
         "DELETE FROM cost_in_force", "ALTER TABLE costs RENAME TO prices", "CREATE OR REPLACE TABLE costs (a INT)"],
    )  # fmt: skip
    def test_it_is_refused(self, shell: Shell, small_store: Path, statement: str) -> None:
        assert_refused(shell, small_store, 2, ["sql", statement], "a query must not change anything")
        with EnergyStore(small_store) as store, pytest.raises(QueryError):
            store.sql(statement)

    @pytest.mark.thorough
    def test_the_door_for_other_tools_is_found_out(self, small_store: Path) -> None:
        """A SQLAlchemy engine can write where the store is open for writing; what it did is seen."""
        with EnergyStore(small_store) as store, store.engine.begin() as connection:
            connection.execute(sqlalchemy.text(UPDATE))
        assert set(failing(small_store)) == {CHANGED, UNLIKE}
        before = small_store.read_bytes()
        refused = pytest.raises(sqlalchemy.exc.DBAPIError)
        with EnergyStore(small_store, read_only=True) as store, refused, store.engine.begin() as connection:
            connection.execute(sqlalchemy.text(UPDATE))
        assert small_store.read_bytes() == before


class TestByEditingTheStore:
    @pytest.fixture(scope="class")
    @classmethod
    def _only_store(cls, _small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
        with EnergyStore(shutil.copy(_small_store, tmp_path_factory.mktemp("edited") / "energy.duckdb")) as opened:
            yield opened

    @pytest.fixture
    def edited(self, _only_store: EnergyStore) -> Iterator[EnergyStore]:
        """A store that has what is edited only until the test is over."""
        _only_store._engine.run("BEGIN")
        yield _only_store
        _only_store._engine.run("ROLLBACK")

    @pytest.mark.one_in(5)
    @pytest.mark.parametrize(
        "change",
        ["energy_pj = 0.1", "energy_pj = NULL", "low_pj = 1", "high_pj = 9", "driver = 'neuron_spike'",
         "scope = 'operation'", "is_reference = true", "status = 'measured'", "source = 'A better one'", "doi = '10.1'",
         "confidence = 'sure'", "node_nm = 7", "supply_v = 1", "note = 'trust me'", "operation = 'whole'"],
    )  # fmt: skip
    def test_any_value_of_a_cost(self, edited: EnergyStore, change: str) -> None:
        edited._engine.run(f"UPDATE costs SET {change} WHERE chip = 'akida' AND cost_version = 'tutorial72'")
        found = failures_of(edited, quick=True)
        assert found[CHANGED] == found[UNLIKE] == {"chip": "akida", "cost_version": "tutorial72"}

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        "change",
        [
            "label = 'x'",
            "status = 'measured'",
            "source = 'x'",
            "doi = '10.1'",
            "published_on = '2026-01-01'",
            "note = 'x'",
        ],
    )
    def test_any_value_of_a_version(self, edited: EnergyStore, change: str) -> None:
        edited._engine.run(f"UPDATE cost_versions SET {change} WHERE chip = 'akida' AND cost_version = 'tutorial72'")
        assert {CHANGED, UNLIKE} <= set(failures_of(edited, quick=True))

    @pytest.mark.thorough
    def test_a_row_more_and_a_row_less(self, small_store: Path) -> None:
        key = "WHERE cost_version = 'tutorial72' AND chip ="
        edit(small_store, f"DELETE FROM costs {key} 'loihi2' AND operation = 'aer_routing'")
        assert failing(small_store)[CHANGED] == {"chip": "loihi2", "cost_version": "tutorial72"}
        edit(small_store, f"INSERT INTO costs SELECT * REPLACE ('extra' AS operation) FROM costs {key} 'akida'")
        assert failing(small_store)[CHANGED] == {"chip": "akida", "cost_version": "tutorial72"}

    def test_with_the_seal_made_anew(self, small_store: Path) -> None:
        edit(small_store, UPDATE)
        seal_anew(small_store, "akida", "tutorial72")
        assert failing(small_store) == {UNLIKE: {"chip": "akida", "cost_version": "tutorial72"}}

    def test_a_shipped_version_that_was_taken_out(self, small_store: Path) -> None:
        edit(small_store, "DELETE FROM costs WHERE chip = 'akida' AND cost_version = 'putra2025'")
        edit(small_store, "DELETE FROM cost_versions WHERE chip = 'akida' AND cost_version = 'putra2025'")
        assert failing(small_store) == {UNLIKE: {"chip": "akida", "cost_version": "putra2025"}}

    @pytest.mark.thorough
    def test_an_added_version(self, small_store: Path) -> None:
        with EnergyStore(small_store) as store:
            store.costs.add(MINE)
        assert failing(small_store) == {}
        edit(small_store, "UPDATE costs SET energy_pj = 6 WHERE chip = 'toy'")
        assert failing(small_store) == {CHANGED: {"chip": "toy", "cost_version": "rev1"}}

    def test_verify_says_it_on_the_command_line(self, shell: Shell, small_store: Path) -> None:
        edit(small_store, UPDATE)
        result = shell("verify")
        assert result.exit_code == 1
        assert f"{CHANGED}: Cost versions whose content is not what was added." in result.stderr
        assert f"{UNLIKE}: Shipped cost versions that are missing or changed." in result.stderr


COST_FILE = """
[chip]
name = "{chip}"
[[version]]
name = "v1"
source = "Our bench"
[[version.cost]]
operation = "add"
driver = "neuron_spike"
energy_pj = 5
"""


@pytest.mark.parametrize("n_processes", [2, pytest.param(4, marks=pytest.mark.thorough)])
def test_processes_add_at_once(small_store: Path, tmp_path: Path, n_processes: int) -> None:
    """One waits its turn or is told to; nothing is lost, nothing is half there, no number is given twice."""
    chips = [f"toy{number}" for number in range(n_processes)]
    for chip in chips:
        (tmp_path / f"{chip}.toml").write_text(COST_FILE.format(chip=chip), encoding="utf-8")

    def start(chip: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "energy_db", "--db", str(small_store), "costs", "add", f"{chip}.toml"]
        return subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    left = chips
    for _ in range(len(chips)):
        started = {chip: start(chip) for chip in left}
        left = []
        for chip, process in started.items():
            _, talk = process.communicate(timeout=120)
            if process.returncode:
                assert (process.returncode, "is held by" in talk) == (4, True), talk
                left.append(chip)
        if not left:
            break
    assert left == []
    with EnergyStore(small_store, read_only=True) as store:
        assert [store.costs.version_for(chip) for chip in chips] == ["v1"] * n_processes
        numbers = [row["fact_number"] for row in store.costs.in_force()]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert failing(small_store) == {}


def test_two_doors_of_one_process(small_store: Path) -> None:
    with EnergyStore(small_store) as first, EnergyStore(small_store) as second:
        first.costs.add(MINE)
        assert second.costs.version_for("toy") == "rev1"
        assert [row["status"] for row in second.costs.add(MINE)] == ["unchanged"]
