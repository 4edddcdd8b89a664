"""Bad cost files: tests/bad_costs has one for each rule, and says in its first lines what must be said of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from factories import Shell, assert_refused, dump, mostly_thorough

from energy_db import EnergyStore
from energy_db.errors import CostError

FOLDER = Path(__file__).parent / "bad_costs"
FILES = sorted(FOLDER.glob("*.toml"))
OPERATIONAL, CHECK_FAILED = 4, 1


def says(path: Path) -> list[str]:
    """What must be said of a file: version, operation or key, the rule, and what to do."""
    return [
        line.removeprefix("#: ") for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#: ")
    ]


@pytest.fixture(scope="module")
def store(_small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
    """A store that refuses all that it is given."""
    with EnergyStore(shutil.copy(_small_store, tmp_path_factory.mktemp("costs") / "energy.duckdb")) as opened:
        yield opened


class TestEveryRule:
    @pytest.mark.parametrize("path", mostly_thorough(FILES, 6), ids=lambda path: path.stem)
    def test_add_refuses_the_file_and_changes_nothing(self, shell: Shell, small_store: Path, path: Path) -> None:
        shutil.copy(path, "bad.toml")
        assert len(says(path)) >= 2
        expected = ["bad.toml: ", "Nothing was added. docs/costs.md explains the rules.", *says(path)]
        assert_refused(shell, small_store, OPERATIONAL, ["costs", "add", "bad.toml"], expected)

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
    def test_python_raises_it(self, store: EnergyStore, path: Path) -> None:
        with pytest.raises(CostError) as caught:
            store.costs.add(path)
        for piece in says(path):
            assert piece in str(caught.value)


def test_lint_says_the_same(shell: Shell, small_store: Path) -> None:
    names = [shutil.copy(path, path.name) for path in FILES]
    said = assert_refused(shell, small_store, CHECK_FAILED, ["costs", "lint", *names], []).splitlines()
    for path in FILES:
        of_file = "\n".join(line for line in said if line.startswith(f"{path.name}: "))
        assert [piece for piece in says(path) if piece not in of_file] == [], path.name


def test_there_are_enough_kinds() -> None:
    assert len(FILES) >= 60


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b'[chip]\nname = "\xfc"\n', ["is not UTF-8: byte 15 is 0xfc", "Save it as UTF-8"], id="Latin-1"),
        pytest.param(b"", ["is empty", "energy-db costs template prints"], id="empty"),
        pytest.param(b"\x00" * 100, ["is not TOML", "line 1"], id="zeros"),
        pytest.param(b"a = " + b"[" * 100_000, ["cannot be read"], id="very deep"),
        pytest.param(b"a = 1" + b"0" * 10_000, ["cannot be read"], id="a very long number"),
    ],
)  # fmt: skip
def test_bytes_that_are_no_text(shell: Shell, small_store: Path, content: bytes, expected: list[str]) -> None:
    Path("bad.toml").write_bytes(content)
    assert_refused(shell, small_store, OPERATIONAL, ["costs", "add", "bad.toml"], ["bad.toml: ", *expected])


@pytest.mark.parametrize("verb", ["add", "lint"])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(
            "gone.toml", ["gone.toml: cannot be read: No such file", "energy-db costs template"], id="missing"
        ),
        pytest.param("folder", ["folder: is a folder", "Name the files in it"], id="folder"),
    ],
)
def test_paths_that_are_no_file(shell: Shell, small_store: Path, verb: str, path: str, expected: list[str]) -> None:
    Path("folder").mkdir()
    exit_code = OPERATIONAL if verb == "add" else CHECK_FAILED
    assert_refused(shell, small_store, exit_code, ["costs", verb, path], expected)


def test_an_empty_file_has_one_problem(shell: Shell) -> None:
    Path("empty.toml").write_text("# nothing yet\n", encoding="utf-8")
    lines = shell("costs", "lint", "empty.toml").stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("empty.toml: is empty.")


def test_one_bad_file_keeps_the_good_ones_out(shell: Shell, small_store: Path) -> None:
    shell("costs", "template", "-o", "good.toml")
    shutil.copy(FOLDER / "mixed_scopes.toml", "bad.toml")
    shutil.copy(FOLDER / "no_costs.toml", "worse.toml")
    expected = ["bad.toml: version 'v1': it mixes the scopes", "worse.toml: version 'v1': it has no costs"]
    assert_refused(shell, small_store, OPERATIONAL, ["costs", "add", "good.toml", "bad.toml", "worse.toml"], expected)
    assert shell("costs", "add", "good.toml").exit_code == 0


def test_each_problem_has_a_line_of_its_own(shell: Shell, small_store: Path) -> None:
    result = shell("costs", "lint", FOLDER / "three_problems_at_once.toml")
    assert len(result.stderr.splitlines()) == 3
    assert all("three_problems_at_once.toml: version 'v" in line for line in result.stderr.splitlines())


def test_two_first_versions_need_a_word(shell: Shell, tmp_store: Path) -> None:
    version = '[[version]]\nname = "{}"\nsource = "A paper"\n'
    cost = '[[version.cost]]\noperation = "add"\ndriver = "spike"\nenergy_pj = 1\n'
    content = '[chip]\nname = "toy"\n' + version.format("v1") + cost + version.format("v2") + cost
    Path("two.toml").write_text(content, encoding="utf-8")
    expected = ["toy would have v1, v2, and none in force", "Give one of them an in_force_from."]
    assert_refused(shell, tmp_store, OPERATIONAL, ["costs", "add", "two.toml"], expected)
    says_so = content.replace('name = "v2"', 'name = "v2"\nin_force_from = 2020-01-01')
    Path("two.toml").write_text(says_so, encoding="utf-8")
    assert shell("costs", "add", "two.toml").exit_code == 0
    assert [row[1:3] for row in dump(tmp_store)["cost_in_force"] if row[1] == "toy"] == [("toy", "v2")]
