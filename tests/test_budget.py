"""Budgets are read strictly: a mistake is named with its file and key, and with what to write instead."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from factories import EVENTS, Shell, run_file, with_sidecar

from energy_db import EnergyStore
from energy_db.errors import UsageError
from energy_db.gate.amounts import read_energy, read_share
from energy_db.gate.budget import Budget, Limit, find_budget, read_budget, read_limits

FULL = """
chip = "loihi2"
baseline = "@main"

[[limit]]
max_energy = "12 nJ"

[[limit]]
max_energy = "0.5 nJ"
max_increase = "5 %"
per = "inference"
layer = "hidden1"
chip = "akida"
where = {branch = "main", seed = 7, threshold = 0.5}
"""
BROKEN = pytest.param


def written(folder: Path, text: str, name: str = "energy-budget.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


class TestReading:
    def test_all_that_a_budget_can_say(self, tmp_path: Path) -> None:
        path = written(tmp_path, FULL)
        assert read_budget(path) == Budget(
            chip="loihi2",
            baseline="@main",
            limits=(
                Limit(f"{path}, limit 1", max_energy_pj=Decimal(12_000)),
                Limit(
                    f"{path}, limit 2",
                    max_energy_pj=Decimal(500),
                    max_increase=Decimal("0.05"),
                    per="inference",
                    layer="hidden1",
                    chip="akida",
                    where={"branch": "main", "seed": "7", "threshold": "0.5"},
                ),
            ),
        )

    def test_a_project_has_it_in_a_table_of_its_own(self, tmp_path: Path) -> None:
        text = (
            '[project]\nname = "x"\n[tool.energy-db]\nchip = "loihi2"\n[[tool.energy-db.limit]]\nmax_energy = "1 pJ"\n'
        )
        path = written(tmp_path, text, "pyproject.toml")
        assert read_budget(path) == Budget("loihi2", None, (Limit(f"{path}, limit 1", max_energy_pj=Decimal(1)),))

    def test_an_empty_budget_limits_nothing(self, tmp_path: Path) -> None:
        assert read_budget(written(tmp_path, "")) == Budget()

    @pytest.mark.parametrize(
        ("text", "pj"),
        [
            ("1 pJ", 1),
            ("1nJ", 10**3),
            ("1 uJ", 10**6),
            ("1 µJ", 10**6),
            ("1 \u03bcJ", 10**6),
            ("1 mJ", 10**9),
            ("1 J", 10**12),
        ],
    )
    def test_units(self, text: str, pj: int) -> None:
        assert read_energy(text) == pj

    def test_nothing_is_rounded(self) -> None:
        assert read_energy("0.000000000000000001 J") == Decimal("0.000001")
        assert read_energy("123456789.123456789 nJ") == Decimal("123456789123.456789")
        assert read_share("0.1 %") == Decimal("0.001")

    @pytest.mark.parametrize(
        "text", ["", "nJ", "12", "1e3 pJ", "-1 pJ", "+1 pJ", "1 PJ", "1 kJ", "1,5 nJ", "١ pJ", 12, None, True]
    )
    def test_what_is_no_energy(self, text: Any) -> None:
        assert read_energy(text) is None

    @pytest.mark.parametrize("text", ["", "%", "5", "-5 %", "5 %%", "5 percent", 0.05, None])
    def test_what_is_no_percentage(self, text: Any) -> None:
        assert read_share(text) is None


MISTAKES = [
    BROKEN("chip = \n", ["is not TOML", "line 1"], id="no TOML"),
    BROKEN(f"chip = {'9' * 5000}", ["cannot be read: Exceeds the limit (4300 digits)"], id="digits"),
    BROKEN(f"chip = {'[' * 2000}{']' * 2000}", ["cannot be read: maximum recursion depth exceeded"], id="lists"),
    BROKEN('chips = "loihi2"', ["unknown key 'chips'. Did you mean 'chip'?", "chip, baseline, limit"], id="key"),
    BROKEN('[[limits]]\nmax_energy = "1 nJ"', ["unknown key 'limits'. Did you mean 'limit'?"], id="limits"),
    BROKEN('[limit]\nmax_energy = "1 nJ"', ["limit is one table", "write [[limit]]"], id="single brackets"),
    BROKEN("limit = 5", ["limit is 5", "write [[limit]]"], id="limit is a number"),
    BROKEN(
        'limit = ["5 nJ"]', ["limit 1: '5 nJ' is not a limit", 'write max_energy = "12.5 nJ"'], id="limit is a text"
    ),
    BROKEN("chip = 2", ['chip is 2, must be a text: write chip = "loihi2"'], id="chip"),
    BROKEN('baseline = " "', ["baseline is ' '", 'write baseline = "@main"'], id="baseline"),
    BROKEN("[[limit]]", ['it limits nothing: write max_energy = "12.5 nJ" or max_increase = "5 %"'], id="empty limit"),
    BROKEN(
        '[[limit]]\nmax_enrgy = "1 nJ"', ["limit 1: unknown key 'max_enrgy'. Did you mean 'max_energy'?"], id="typo"
    ),
    BROKEN(
        "[[limit]]\nmax_energy = 12",
        ["max_energy is 12, must be an energy with its unit", "pJ, nJ, µJ, uJ, mJ, J"],
        id="energy is a number",
    ),
    BROKEN('[[limit]]\nmax_energy = "12"', ["max_energy is '12'", 'write max_energy = "12.5 nJ"'], id="no unit"),
    BROKEN('[[limit]]\nmax_energy = "12 kWh"', ["max_energy is '12 kWh'"], id="unit"),
    BROKEN(
        "[[limit]]\nmax_increase = 0.05",
        ['max_increase is 0.05, must be a percentage: write max_increase = "5 %"'],
        id="share",
    ),
    BROKEN(
        '[[limit]]\nmax_energy = "1 nJ"\nper = "inferense"', ["per is 'inferense'. Did you mean 'inference'?"], id="per"
    ),
    BROKEN('[[limit]]\nmax_energy = "1 nJ"\nper = 1', ["per is 1", 'per = "inference"'], id="per is a number"),
    BROKEN('[[limit]]\nmax_energy = "1 nJ"\nlayer = 1', ["layer is 1, must be a text"], id="layer"),
    BROKEN('[[limit]]\nmax_energy = "1 nJ"\nchip = []', ["chip is [], must be a text"], id="chip of a limit"),
    BROKEN(
        '[[limit]]\nmax_energy = "1 nJ"\nwhere = "main"', ["where is 'main'", 'where = {branch = "main"}'], id="where"
    ),
    BROKEN('[[limit]]\nmax_energy = "1 nJ"\nwhere = {branch = ["a"]}', ["where.branch is ['a']"], id="tag is a list"),
    BROKEN('[[limit]]\nmax_energy = "1 nJ"\nwhere = {branch = true}', ["where.branch is True"], id="tag is true"),
    BROKEN(
        'chips = 1\n[[limit]]\nper = "x"\n[[limit]]\nmax_energy = 1',
        ["unknown key 'chips'", "limit 1: it limits nothing", "limit 1: per is 'x'", "limit 2: max_energy is 1"],
        id="all at once",
    ),
]


class TestMistakes:
    @pytest.mark.one_in(4)
    @pytest.mark.parametrize(("text", "says"), MISTAKES)
    def test_a_mistake_is_named(self, small_store: Path, shell: Shell, text: str, says: list[str]) -> None:
        written(small_store.parent, text)
        result = shell("check", "--chip", "loihi2", "--max-energy", "1 J")
        assert (result.exit_code, result.stdout) == (2, "")
        for piece in ("energy-budget.toml", *says, "A budget looks like this:"):
            assert piece in result.stderr
        assert "Traceback" not in result.stderr
        assert "unexpected" not in result.stderr

    def test_a_file_must_be_text(self, tmp_path: Path) -> None:
        path = tmp_path / "energy-budget.toml"
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(UsageError, match="is not text in UTF-8"):
            read_budget(path)

    def test_a_project_without_a_budget_is_no_budget(self, tmp_path: Path) -> None:
        path = written(tmp_path, "[tool.other]\n", "pyproject.toml")
        with pytest.raises(UsageError, match=r"no table \[tool.energy-db\]"):
            read_budget(path)
        assert find_budget(tmp_path) is None

    @pytest.mark.parametrize(
        ("limits", "says"),
        [
            ([{"max_energy": 12}], r"limits\[0\]: max_energy is 12"),
            ([{"max_energy": "1 nJ"}, {"max_increase": "5"}], r"limits\[1\]: max_increase is '5'"),
            ([7], r"limits\[0\]: 7 is not a limit"),
            ({"max_energy": "1 nJ"}, "must be a list of mappings"),
            ("1 nJ", "must be a list of mappings"),
        ],
    )
    def test_limits_in_python(self, limits: Any, says: str) -> None:
        with pytest.raises(UsageError, match=says):
            read_limits(limits)


class TestWhereItIsLookedFor:
    """`kept` costs 10.4 pJ on loihi2."""

    @pytest.mark.parametrize(("energy", "exit_code"), [("10.4 pJ", 0), ("10.3 pJ", 1)])
    def test_in_the_folder(self, small_store: Path, shell: Shell, energy: str, exit_code: int) -> None:
        written(small_store.parent, f'chip = "loihi2"\n[[limit]]\nmax_energy = "{energy}"')
        result = shell("check")
        assert result.exit_code == exit_code
        assert "energy-budget.toml, limit 1" in result.stdout

    def test_in_the_project(self, small_store: Path, shell: Shell) -> None:
        text = '[tool.energy-db]\nchip = "loihi2"\n[[tool.energy-db.limit]]\nmax_energy = "{} pJ"'
        written(small_store.parent, text.format(10), "pyproject.toml")
        result = shell("check")
        assert (result.exit_code, "pyproject.toml, limit 1" in result.stdout) == (1, True)
        # A file of its own comes first.
        written(small_store.parent, 'chip = "loihi2"\n[[limit]]\nmax_energy = "11 pJ"')
        assert shell("check").exit_code == 0
        assert shell("check", "--budget", "pyproject.toml").exit_code == 1

    def test_a_project_without_a_budget_is_passed_over(self, small_store: Path, shell: Shell) -> None:
        written(small_store.parent, '[project]\nname = "x"\n', "pyproject.toml")
        result = shell("check", "--chip", "loihi2")
        assert (result.exit_code, "there is no limit to check" in result.stderr) == (2, True)

    @pytest.mark.thorough
    def test_a_broken_project_is_nothing_to_other_limits(self, small_store: Path, shell: Shell) -> None:
        limit = ("check", "--chip", "loihi2", "--max-energy", "1 J")
        for text in ('[project\nname = "x"', '[project]\ndependencies = ["energy-db>=1"\n', "\xff = ["):
            written(small_store.parent, text, "pyproject.toml")
            assert shell(*limit).exit_code == 0
        # But limits that are in it are not lost.
        for text in (
            "[tool.energy-db]\nchip =",
            "[[tool.energy-db.limit]\n",
            "[tool]\nenergy-db = {",
            "[ tool . 'energy-db' ]x",
        ):
            written(small_store.parent, text, "pyproject.toml")
            result = shell(*limit)
            assert (result.exit_code, "pyproject.toml is not TOML" in result.stderr) == (2, True)

    def test_an_empty_name_is_said_to_be_one(self, small_store: Path, shell: Shell) -> None:
        result = shell("check", "--chip", "loihi2", "--max-energy", "1 J", "--budget", "")
        assert (result.exit_code, "the name of the budget file is empty" in result.stderr) == (2, True)

    @pytest.mark.thorough
    def test_a_baseline_of_the_budget_that_no_limit_needs_is_a_note(self, small_store: Path, shell: Shell) -> None:
        written(small_store.parent, 'chip = "loihi2"\nbaseline = "@main"\n[[limit]]\nmax_energy = "1 J"')
        result = shell("check")
        assert (result.exit_code, "there is no baseline '@main'" in result.stderr) == (0, True)
        assert "no limit needs it" in result.stderr
        assert shell("check", "--against", "@main").exit_code == 3
        assert shell("check", "--max-increase", "1 %").exit_code == 3

    @pytest.mark.thorough
    def test_options_are_checked_beside_it(self, small_store: Path, shell: Shell) -> None:
        written(small_store.parent, 'chip = "loihi2"\n[[limit]]\nmax_energy = "11 pJ"')
        assert shell("check", "--max-energy", "10 pJ").exit_code == 1
        # They make it no looser.
        written(small_store.parent, 'chip = "loihi2"\n[[limit]]\nmax_energy = "10 pJ"')
        assert shell("check", "--max-energy", "1 J").exit_code == 1

    def test_the_baseline_of_the_budget_can_be_overruled(self, small_store: Path, shell: Shell) -> None:
        written(small_store.parent, 'chip = "loihi2"\nbaseline = "@main"\n[[limit]]\nmax_increase = "5 %"')
        assert shell("check").exit_code == 3
        assert shell("check", "--against", "kept").exit_code == 0

    def test_the_chip_of_the_question_is_for_limits_that_name_none(self, small_store: Path) -> None:
        path = written(
            small_store.parent,
            'chip = "loihi2"\n[[limit]]\nmax_energy = "1 J"\n[[limit]]\nmax_energy = "1 J"\nchip = "spinnaker2"',
        )
        with EnergyStore(small_store) as store:
            assert [one.chip for one in store.check("kept", budget=path).limits] == ["loihi2", "spinnaker2"]
            assert [one.chip for one in store.check("kept", "akida", budget=path).limits] == ["akida", "spinnaker2"]


class TestWhere:
    """A limit is for runs that carry its tags."""

    @pytest.fixture(scope="class")
    @classmethod
    def tagged(cls, _small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
        with EnergyStore(shutil.copy(_small_store, tmp_path_factory.mktemp("tagged") / "energy.duckdb")) as store:
            store.tag("kept", {"branch": "main", "seed": "7", "threshold": "0.500"})
            yield store

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("where", "is_checked"),
        [
            ('{branch = "main"}', True),
            ('{branch = "other"}', False),
            ('{branch = "main", seed = 7}', True),
            ('{branch = "main", seed = 8}', False),
            ("{threshold = 0.50}", True),
            ("{threshold = 0.51}", False),
            ("{git_commit = 'abc'}", False),
            ('{name = "kept"}', True),
            ('{name = "other"}', False),
            ('{kind = "inference"}', True),
            ("{}", True),
        ],
    )
    def test_tags(self, tagged: EnergyStore, tmp_path: Path, where: str, is_checked: bool) -> None:
        path = written(tmp_path, f'chip = "loihi2"\n[[limit]]\nmax_energy = "1 pJ"\nwhere = {where}')
        found = tagged.check("kept", budget=path)
        may_miss = tagged.check("kept", budget=path, allow_missing=True)
        nothing = "no limit is about this run: nothing was checked"
        assert [one.verdict for one in found.limits] == ["fail"] * is_checked
        assert (found.verdict, nothing in found.obstacles) == (("fail", False) if is_checked else ("unchecked", True))
        assert (may_miss.verdict, nothing in may_miss.notes) == (("fail", False) if is_checked else ("pass", True))

    def test_what_is_declared_counts_as_a_tag_does(self, small_store: Path, tmp_path: Path) -> None:
        path = written(tmp_path, 'chip = "loihi2"\n[[limit]]\nmax_energy = "1 pJ"\nwhere = {seed = 7}')
        with EnergyStore(small_store) as store:
            events = {**EVENTS, "timestep": [1, 0, 2, 3, 1, 3]}
            run = store.ingest(with_sidecar(run_file(tmp_path / "seeded.parquet", events)), seed="7")
            assert (run.seed, store.check(run, budget=path).verdict) == ("7", "fail")

    def test_nothing_checked_is_no_pass(self, small_store: Path, shell: Shell) -> None:
        text = 'chip = "loihi2"\n[[limit]]\nmax_energy = "1 pJ"\nwhere = {name = "other"}'
        written(small_store.parent, text)
        result = shell("check")
        assert result.exit_code == 3
        assert result.stdout.startswith("NOT CHECKED: kept")
        assert "no limit is about it" in result.stdout
        assert shell("check", "--allow-missing").exit_code == 0

    def test_a_tag_that_no_run_carries_is_no_pass(self, small_store: Path, shell: Shell) -> None:
        text = 'chip = "loihi2"\n[[limit]]\nmax_energy = "1 J"\n[[limit]]\nmax_energy = "1 pJ"\nwhere = {brnch = "x"}'
        written(small_store.parent, text)
        with EnergyStore(small_store) as store:
            store.tag("kept", {"branch": "x"})
        result = shell("check")
        assert result.exit_code == 3
        assert "limit 2: no run has a tag or field 'brnch'. Did you mean 'branch'?" in result.stderr
        # What is broken is broken all the same.
        assert shell("check", "--max-energy", "2 pJ").exit_code == 1
        assert shell("check", "--allow-missing").exit_code == 0

    @pytest.mark.thorough
    def test_one_that_is_left_out_is_said(self, small_store: Path, shell: Shell) -> None:
        text = (
            'chip = "loihi2"\n[[limit]]\nmax_energy = "1 pJ"\nwhere = {branch = "main"}\n[[limit]]\nmax_energy = "1 J"'
        )
        written(small_store.parent, text)
        with EnergyStore(small_store) as store:
            store.tag("kept", {"branch": "wider"})
        result = shell("check")
        assert result.exit_code == 0
        assert "limit 1 is for runs with branch=main, not for this one" in result.stderr
        assert "keeps 1 limit" in result.stdout
