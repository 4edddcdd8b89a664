"""The verbs of costs: list, show, add, template, lint, in-force, withdraw, diff, cite.

The template on factories.EVENTS (4 hidden spikes of fan-out 2, 2 readout spikes; 5 neurons, 4 timesteps of 1 ms,
2 samples): 40 neuron_steps x 300 + 40 x 180, 8 synaptic_events x 80, 4 generated_spikes x 100, 8 ms x 0.042 W.
"""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from factories import Shell, assert_refused, dump, mostly_thorough

from energy_db import EnergyStore

USAGE, NOT_FOUND, OPERATIONAL = 2, 3, 4
TEMPLATE_PJ = 40 * 300 + 40 * 180 + 8 * 80 + 4 * 100 + 336_000_000  # 0.042 W x 0.008 s = 336 µJ

REV = """
[chip]
name = "toy"
title = "Toy chip"
[[version]]
name = "{version}"
label = "Revision"
source = 'Doe and Roe 2026, "Power of a toy", J. Toys 3(1):10-12'
doi = "10.1234/toy_{version}"
note = "As good as it gets."
[[version.cost]]
operation = "update"
driver = "neuron_spike"
energy_pj = {update}
[[version.cost]]
operation = "send"
driver = "generated_spike"
energy_pj = {send}
{more}
"""
BOARD = """
[[version.cost]]
operation = "board"
driver = "second"
scope = "system"
power_w = 1.5
reference = true
status = "measured"
source = "Bench supply, 2026"
note = "With the host."
"""


def revision(version: str, update: object, send: object, more: str = "") -> str:
    path = Path(f"{version}.toml")
    path.write_text(REV.format(version=version, update=update, send=send, more=more), encoding="utf-8")
    return str(path)


def data(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    loaded: dict[str, Any] = json.loads(result.stdout)
    return loaded


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def revisions() -> list[str]:
    return [revision("rev1", 5, 1, BOARD), revision("rev2", 4, 2)]


@pytest.fixture(scope="module")
def _toy(_small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(shutil.copy(_small_store, tmp_path_factory.mktemp("toy") / "energy.duckdb"))
    with pytest.MonkeyPatch.context() as patch, EnergyStore(path) as store:
        patch.chdir(path.parent)
        for file in revisions():
            store.costs.add(file)
    return path


@pytest.fixture
def toy(_toy: Path, shell: Shell, tmp_path: Path) -> Path:
    """A store with the chip toy: rev1 (5 and 1 pJ, 34 pJ for the run) in force, rev2 (4 and 2 pJ, 32 pJ) not.

    The files of both are in the folder that `shell` works in.
    """
    revisions()
    return Path(shutil.copy(_toy, tmp_path / "energy.duckdb"))


class TestList:
    def test_the_columns(self, shell: Shell, toy: Path) -> None:
        result = shell("costs", "list", "--chip", "toy")
        header, _, first, second = result.stdout.splitlines()
        assert re.split(r"  +", header) == [
            "chip", "cost_version", "in force", "status", "n_operations", "n_reference", "scope group", "label",
        ]  # fmt: skip
        assert re.split(r"  +", first) == ["toy", "rev1", "in force", "user", "2", "1", "operation", "Revision"]
        assert second.split() == ["toy", "rev2", "user", "2", "0", "operation", "Revision"]

    def test_every_version_of_every_chip(self, shell: Shell, tmp_store: Path) -> None:
        rows = data(shell("costs", "list", "--json"))["rows"]
        assert {(row["chip"], row["cost_version"]) for row in rows} == {
            row[:2] for row in dump(tmp_store)["cost_versions"]
        }
        assert all(row["source"] and row["scope_group"] for row in rows)

    def test_what_was_withdrawn_says_so(self, shell: Shell, toy: Path) -> None:
        shell("costs", "withdraw", "toy", "rev2", "--reason", "misread")
        assert shell("costs", "list", "--chip", "toy").stdout.splitlines()[3].split()[2] == "withdrawn"


class TestShow:
    def test_reference_rows_stand_apart(self, shell: Shell, toy: Path) -> None:
        result = shell("costs", "show", "toy")
        assert result.stdout == (
            "operation  driver           energy  scope\n"
            "---------  ---------------  ------  ---------\n"
            "send       generated_spike    1 pJ  operation\n"
            "update     neuron_spike       5 pJ  operation\n"
            "\nFor reference, never summed:\n\n"
            "operation  driver  energy  scope   status    source  note\n"
            "---------  ------  ------  ------  --------  ------  --------------\n"
            "board      second   1.5 W  system  measured  [1]     With the host.\n"
        )
        assert result.stderr.splitlines()[:3] == [
            'toy rev1 (user): Doe and Roe 2026, "Power of a toy", J. Toys 3(1):10-12 (doi:10.1234/toy_rev1)',
            "As good as it gets.",
            "[1] Bench supply, 2026",
        ]
        assert "neuron_spike: One spike of a neuron on the chip" in result.stderr

    def test_a_blank_is_no_zero(self, shell: Shell, toy: Path) -> None:
        text = Path("rev1.toml").read_text(encoding="utf-8").replace("energy_pj = 5\n", "").replace("rev1", "rev3")
        Path("rev3.toml").write_text(text, encoding="utf-8")
        shell("costs", "add", "rev3.toml")
        assert "not published" in shell("costs", "show", "toy", "--cost", "rev3").stdout
        rows = data(shell("costs", "show", "toy", "--cost", "rev3", "--json"))["rows"]
        assert {row["operation"]: row["energy_pj"] for row in rows}["update"] is None

    def test_markdown_shows_both_tables(self, shell: Shell, toy: Path) -> None:
        text = shell("costs", "show", "toy", "-f", "md").stdout
        assert text.count("| operation | driver |") == 2 and "| board | second | 1.5 W |" in text

    def test_json_has_every_column(self, shell: Shell, toy: Path) -> None:
        shown = data(shell("costs", "show", "toy", "--json"))
        assert (shown["schema"], shown["cost_version"], shown["scope_group"]) == (
            "energy-db/costs/1",
            "rev1",
            "operation",
        )
        board = shown["rows"][-1]
        assert (board["operation"], board["energy_pj"], board["is_reference"]) == ("board", 1.5e12, True)
        assert (board["source"], board["doi"]) == ("Bench supply, 2026", None)

    def test_a_withdrawn_version_comes_with_a_note(self, shell: Shell, toy: Path) -> None:
        shell("costs", "withdraw", "toy", "rev2", "--reason", "misread")
        assert "Note: toy rev2 was withdrawn" in shell("costs", "show", "toy", "--cost", "rev2").stderr


class TestTemplate:
    @pytest.mark.thorough
    def test_it_is_right_and_prices_by_hand(self, shell: Shell, small_store: Path) -> None:
        result = shell("costs", "template")
        assert result.stderr == ""
        Path("my_fpga.toml").write_text(result.stdout, encoding="utf-8")
        assert shell("costs", "lint", "my_fpga.toml").stderr == "1 file, 1 version, no problems\n"
        assert data(shell("costs", "add", "my_fpga.toml", "--json"))["rows"][0]["status"] == "added"
        report = data(shell("report", "kept", "--chip", "my_fpga", "--json"))
        assert report["total_energy_pj"] == TEMPLATE_PJ == 336_020_240

    def test_under_another_name_in_a_file(self, shell: Shell, small_store: Path) -> None:
        assert shell("costs", "template", "--chip", "lif_array", "-o", "lif array.toml").exit_code == 0
        assert shell("costs", "add", "lif array.toml").exit_code == 0
        assert [row["chip"] for row in data(shell("costs", "list", "--chip", "lif_array", "--json"))["rows"]] == [
            "lif_array"
        ]
        assert "my_fpga" not in Path("lif array.toml").read_text(encoding="utf-8")

    @pytest.mark.parametrize("name", ["all", "My FPGA", "", 'x"\n[evil]'])
    def test_names_that_no_chip_can_have(self, shell: Shell, small_store: Path, name: str) -> None:
        assert_refused(shell, small_store, USAGE, ["costs", "template", "--chip", name], "no chip can be called")

    def test_a_file_is_not_written_over(self, shell: Shell, small_store: Path) -> None:
        Path("mine.toml").write_text("precious", encoding="utf-8")
        assert_refused(shell, small_store, USAGE, ["costs", "template", "-o", "mine.toml"], "mine.toml exists already")
        assert Path("mine.toml").read_text(encoding="utf-8") == "precious"

    def test_every_key_that_a_file_may_have_is_explained(self) -> None:
        page = (Path(__file__).parents[1] / "docs" / "costs.md").read_text(encoding="utf-8")
        from energy_db.catalogue import files

        for kinds in (files._CHIP, files._DRIVER, files._VERSION, files._COST):
            assert [key for key in kinds if f"`{key}`" not in page and f"`{key} = true`" not in page] == []


class TestAdd:
    def test_rows_and_statuses(self, shell: Shell, tmp_store: Path) -> None:
        file = revision("rev1", 5, 1, BOARD)
        columns = "status  chip  cost_version  n_operations  n_reference  in_force_from\n"
        assert shell("costs", "add", file).stdout.startswith(columns)
        again = data(shell("costs", "add", file, "--json"))
        [row] = again["rows"]
        assert again["schema"] == "energy-db/costs-added/1"
        assert (row["status"], row["n_operations"], row["n_reference"], row["in_force_from"]) == (
            "unchanged",
            2,
            1,
            None,
        )

    def test_in_force_from_a_day(self, shell: Shell, toy: Path) -> None:
        file = revision("rev3", 7, "0.5")
        added = data(shell("costs", "add", file, "--in-force-from", today(), "--json"))
        assert added["rows"][0]["in_force_from"] == today()
        assert data(shell("report", "kept", "--chip", "toy", "--json"))["total_energy_pj"] == 44.0

    def test_a_dry_run(self, shell: Shell, small_store: Path) -> None:
        before = dump(small_store)
        rows = data(shell("costs", "add", revision("rev1", 5, 1), "--dry-run", "--json"))["rows"]
        assert [row["status"] for row in rows] == ["would be added"]
        assert dump(small_store) == before

    def test_without_a_store(self, shell: Shell, tmp_path: Path) -> None:
        file = revision("rev1", 5, 1)
        assert shell("costs", "add", file, "--dry-run").exit_code == 0
        assert not (tmp_path / "energy.duckdb").exists()
        assert shell("costs", "add", file).exit_code == 0
        assert shell("costs", "show", "toy").exit_code == 0

    @pytest.mark.thorough
    def test_several_files_at_once(self, shell: Shell, tmp_store: Path) -> None:
        files = [revision("rev1", 5, 1, BOARD), revision("rev2", 4, 2)]
        assert_refused(
            shell, tmp_store, OPERATIONAL, ["costs", "add", *files], "toy would have rev1, rev2, and none in force"
        )
        assert_refused(
            shell, tmp_store, USAGE, ["costs", "add", *files, "--in-force-from", "2026-01-01"],
            ["2 of the given versions can price a run", "Give in_force_from in the files"],
        )  # fmt: skip
        shell("costs", "add", files[0])
        statuses = [row["status"] for row in data(shell("costs", "add", *files, "--json"))["rows"]]
        assert statuses == ["unchanged", "added"]

    def test_a_day_that_is_none(self, shell: Shell, small_store: Path) -> None:
        arguments = ["costs", "add", revision("rev1", 5, 1), "--in-force-from", "soon"]
        assert_refused(shell, small_store, USAGE, arguments, ["in_force is 'soon', must be a date", "Write it as 2026"])


class TestLint:
    def test_the_files_of_the_release(self, shell: Shell, small_store: Path) -> None:
        n_versions = len(dump(small_store)["cost_versions"])
        n_chips = len(dump(small_store)["chips"])
        result = shell("costs", "lint")
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr == f"{n_chips} files, {n_versions} versions, no problems\n"

    def test_no_store_is_needed_or_made(self, shell: Shell, tmp_path: Path) -> None:
        assert shell("costs", "lint", revision("rev1", 5, 1)).stderr == "1 file, 1 version, no problems\n"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["rev1.toml"]

    def test_the_store_counts(self, shell: Shell, toy: Path) -> None:
        result = shell("costs", "lint", revision("rev1", 6, 1))
        assert result.exit_code == 1
        assert "rev1.toml: version 'rev1': toy has a version of that name with other content" in result.stderr

    def test_a_store_that_cannot_be_read_is_no_clean_bill(self, shell: Shell, tmp_path: Path) -> None:
        (tmp_path / "energy.duckdb").write_text("no store", encoding="utf-8")
        result = shell("costs", "lint", revision("rev1", 5, 1))
        assert result.exit_code == OPERATIONAL
        assert "Error: energy.duckdb cannot be opened" in result.stderr
        assert "no problems" not in result.stderr

    def test_wrong_values_of_one_version_do_not_hide_broken_rules_of_another(
        self, shell: Shell, small_store: Path
    ) -> None:
        version = '[[version]]\nname = "{}"\nsource = "A paper"\n[[version.cost]]\noperation = "add"\n'
        first = version.format("v1") + 'driver = "spike"\nenergy_pj = -1\n'
        second = version.format("v2") + 'driver = "spikes"\nenergy_pj = 1\n'
        Path("toy.toml").write_text('[chip]\nname = "toy"\n' + first + second, encoding="utf-8")
        for verb, exit_code in (("lint", 1), ("add", OPERATIONAL)):
            lines = shell("costs", verb, "toy.toml")
            assert lines.exit_code == exit_code
            assert "version 'v1', operation 'add': energy_pj is -1, must not be negative" in lines.stderr
            assert "version 'v2', operation 'add': the driver 'spikes' is unknown" in lines.stderr
        nameless = first.replace('"v1"', '""').replace("-1", "1")
        Path("toy.toml").write_text('[chip]\nname = "toy"\n' + nameless, encoding="utf-8")
        assert "the version's name is ''" in shell("costs", "lint", "toy.toml").stderr

    def test_machines_get_rows(self, shell: Shell, small_store: Path) -> None:
        result = shell("costs", "lint", revision("rev1", -5, 1), "--json")
        assert result.exit_code == 1
        [row] = json.loads(result.stdout)["rows"]
        assert (row["file"], row["version"], row["operation"]) == ("rev1.toml", "rev1", "update")
        assert row["problem"] == "energy_pj is -5, must not be negative"
        assert json.loads(shell("costs", "lint", revision("rev1", 5, 1), "--json").stdout)["rows"] == []


class TestInForce:
    def test_the_history(self, shell: Shell, toy: Path) -> None:
        told = shell("costs", "in-force", "toy", "rev2", "--from", "2020-01-01", "--reason", "looked again")
        assert told.exit_code == 0 and "added" in told.stdout
        lines = shell("costs", "in-force", "toy").stdout.splitlines()
        assert re.split(r"  +", lines[0]) == [
            "chip",
            "cost_version",
            "in_force_from",
            "recorded_at",
            "in force",
            "reason",
        ]
        assert lines[2].split()[:3] == ["toy", "rev2", "2020-01-01"] and lines[2].endswith("looked again")
        assert lines[3].split()[:3] == ["toy", "rev1", today()] and " yes " in lines[3]

    def test_of_every_chip(self, shell: Shell, tmp_store: Path) -> None:
        rows = data(shell("costs", "in-force", "--json"))["rows"]
        assert len(rows) == len(dump(tmp_store)["cost_in_force"])
        in_force = {row["chip"]: row["cost_version"] for row in rows if row["is_in_force"]}
        assert in_force["loihi2"] == in_force["akida"] == "tutorial72"

    @pytest.mark.thorough
    def test_a_fact_changes_the_next_report(self, shell: Shell, toy: Path) -> None:
        total = ["report", "kept", "--chip", "toy", "--json"]
        assert data(shell(*total))["total_energy_pj"] == 34.0
        assert shell("costs", "in-force", "toy", "rev2").exit_code == 0
        assert data(shell(*total))["total_energy_pj"] == 32.0
        assert data(shell(*total, "--cost", "rev1"))["total_energy_pj"] == 34.0

    def test_as_of_a_day(self, shell: Shell, toy: Path) -> None:
        for chip in ("toy",), ():
            before = ["costs", "in-force", *chip, "--as-of", "1999-01-01"]
            assert_refused(shell, toy, NOT_FOUND, before, ["1999-01-01", "energy-db costs in-force"])
        said = "no cost version is in force for 'toy' on 2020-01-01, as known then"
        assert_refused(shell, toy, NOT_FOUND, ["costs", "in-force", "toy", "--as-of", "2020-01-01"], said)
        result = shell("costs", "in-force", "toy", "--as-of", "2999-01-01")
        assert "rev1" in result.stdout and "Note: 2999-01-01 is to come" in result.stderr
        assert "to come" not in shell("costs", "in-force", "toy", "--as-of", today()).stderr
        assert len(data(shell("costs", "in-force", "toy", "--as-of", today(), "--json"))["rows"]) == 1

    def test_unchanged_shows_what_is_on_record(self, shell: Shell, toy: Path) -> None:
        shell("costs", "in-force", "toy", "rev2", "--reason", "looked again")
        [row] = data(shell("costs", "in-force", "toy", "rev2", "--reason", "other words", "--json"))["rows"]
        assert (row["status"], row["reason"]) == ("unchanged", "looked again")

    @pytest.mark.thorough
    def test_what_does_not_hold_today_is_said(self, shell: Shell, toy: Path) -> None:
        shell("costs", "in-force", "toy", "rev2", "--from", "2020-03-01")
        says = (
            f"Note: toy rev2 does not hold today: rev1 is in force since {today()}; to put rev2 in its place: "
            f"energy-db costs in-force toy rev2 --from {today()}\n"
        )
        assert shell("costs", "in-force", "toy", "rev2", "--from", "2020-03-01").stderr == says
        late = shell("costs", "add", revision("rev3", 5, 1), "--in-force-from", "2020-01-01")
        assert late.exit_code == 0 and late.stderr == says.replace("rev2", "rev3")
        assert shell("costs", "in-force", "toy", "rev1", "--from", "2020-01-01").stderr == ""
        assert shell("costs", "in-force", "toy", "rev2").stderr == ""

    @pytest.mark.thorough
    def test_a_dry_run(self, shell: Shell, toy: Path) -> None:
        before = dump(toy)
        assert "would be added" in shell("costs", "in-force", "toy", "rev2", "--dry-run").stdout
        assert dump(toy) == before

    @pytest.mark.parametrize(
        ("arguments", "exit_code", "says"),
        [
            (["toy", "rev9"], NOT_FOUND, ["toy has no cost version 'rev9'", "It has rev1, rev2."]),
            (["tpy"], NOT_FOUND, ["unknown chip 'tpy'", "Did you mean 'toy'?"]),
            (["truenorth", "merolla2014"], NOT_FOUND, "truenorth merolla2014 has reference figures only"),
            (["gpu_v100"], NOT_FOUND, "gpu_v100 has reference figures only"),
            (["toy", "rev2", "--from", "soon"], USAGE, ["from_date is 'soon', must be a date", "2026-01-31"]),
            (["toy", "--from", "2026-01-01"], USAGE, "--from, --reason and --dry-run need a version"),
            (["toy", "rev2", "--as-of", "2026-01-01"], USAGE, "--as-of is for looking back"),
        ],
    )
    def test_what_cannot_be_meant(
        self, shell: Shell, toy: Path, arguments: list[str], exit_code: int, says: Any
    ) -> None:
        assert_refused(shell, toy, exit_code, ["costs", "in-force", *arguments], says)


class TestWithdraw:
    @pytest.mark.thorough
    def test_it_warns_while_it_is_in_force(self, shell: Shell, toy: Path) -> None:
        result = shell("costs", "withdraw", "toy", "rev1", "--reason", "misread")
        assert result.exit_code == 0
        assert "Note: it is still in force for toy; put another in force" in result.stderr
        assert "Note" not in shell("costs", "withdraw", "toy", "rev2", "--reason", "misread").stderr
        assert data(shell("report", "kept", "--chip", "toy", "--json"))["total_energy_pj"] == 34.0
        refused = ["costs", "in-force", "toy", "rev2"]
        assert_refused(shell, toy, OPERATIONAL, refused, ["toy rev2 was withdrawn: misread", "Put another version"])

    @pytest.mark.parametrize(
        ("arguments", "exit_code", "says"),
        [
            (["toy", "rev9", "--reason", "x"], NOT_FOUND, "toy has no cost version 'rev9'"),
            (["toy", "rev1"], USAGE, "--reason"),
            (["toy", "rev1", "--reason", " "], USAGE, "a withdrawal needs a reason"),
            (["toy", "rev1", "--reason", "a\nb"], USAGE, "must be on one line"),
        ],
    )
    def test_what_cannot_be_meant(
        self, shell: Shell, toy: Path, arguments: list[str], exit_code: int, says: Any
    ) -> None:
        assert_refused(shell, toy, exit_code, ["costs", "withdraw", *arguments], says)


class TestDiff:
    def test_operations_and_runs(self, shell: Shell, toy: Path) -> None:
        found = data(shell("costs", "diff", "toy", "rev1", "rev2", "--json"))
        rows = {row["operation"]: row for row in found["rows"]}
        assert [rows["update"][key] for key in ("old_pj", "new_pj", "change_pj", "remark")] == [5, 4, -1, ""]
        assert [rows["send"][key] for key in ("old_pj", "new_pj", "change_pj", "remark")] == [1, 2, 1, ""]
        assert rows["board"]["remark"] == "not in rev2, for reference in rev1"
        assert rows["board"]["change_pj"] is None
        [run] = found["runs"]
        assert [run[key] for key in ("run_name", "old_pj", "new_pj", "change_pj")] == ["kept", 34.0, 32.0, -2.0]
        assert found["totals"] == {
            "n_runs": 1, "n_compared": 1, "old_pj": 34.0, "new_pj": 32.0, "change_pj": -2.0, "change_share": -2 / 34,
        }  # fmt: skip

    def test_for_people(self, shell: Shell, toy: Path) -> None:
        text = shell("costs", "diff", "rev1", "rev2").stdout
        assert "toy, pJ for one unit of the driver:" in text
        assert re.search(r"^all compared +34 +32 +-2 +-5\.9%$", text, re.MULTILINE)

    def test_a_run_that_is_priced_in_part_is_not_compared(self, shell: Shell, toy: Path) -> None:
        blank = REV.format(version="rev3", update=4, send=2, more="").replace("energy_pj = 2\n", "")
        Path("rev3.toml").write_text(blank, encoding="utf-8")
        shell("costs", "add", "rev3.toml")
        result = shell("costs", "diff", "toy", "rev1", "rev3", "--json")
        found = data(result)
        assert {row["operation"]: row["remark"] for row in found["rows"]}["send"] == "blank in rev3"
        assert (found["runs"][0]["old_pj"], found["runs"][0]["new_pj"], found["runs"][0]["change_pj"]) == (
            34,
            None,
            None,
        )
        assert "1 of 1 runs are not priced in full under both versions" in result.stderr

    def test_another_driver(self, shell: Shell, toy: Path) -> None:
        other = REV.format(version="rev3", update=4, send=2, more="").replace('"generated_spike"', '"spike"')
        Path("rev3.toml").write_text(other, encoding="utf-8")
        shell("costs", "add", "rev3.toml")
        rows = {row["operation"]: row for row in data(shell("costs", "diff", "rev1", "rev3", "--json"))["rows"]}
        assert (rows["send"]["driver"], rows["send"]["remark"]) == ("spike", "charged on generated_spike in rev1")
        assert rows["send"]["change_pj"] is None

    @pytest.mark.parametrize(
        ("names", "exit_code", "says"),
        [
            (["rev1", "rev9"], NOT_FOUND, "no chip has both 'rev1' and 'rev9'"),
            (["toy", "rev1", "rev9"], NOT_FOUND, ["toy has no cost version 'rev9'", "It has rev1, rev2."]),
            (["tpy", "rev1", "rev2"], NOT_FOUND, "Did you mean 'toy'?"),
            (["rev1"], USAGE, "1 names are given"),
            (["toy", "rev1", "rev1"], USAGE, "'rev1' is held against itself"),
            (["tutorial72", "sc_neurocore_3_16_0"], USAGE, ["all have 'tutorial72'", "Name one: akida tutorial72"]),
        ],
    )
    def test_what_cannot_be_meant(self, shell: Shell, toy: Path, names: list[str], exit_code: int, says: Any) -> None:
        assert_refused(shell, toy, exit_code, ["costs", "diff", *names], says)


class TestCite:
    def test_an_article(self, shell: Shell, toy: Path) -> None:
        with EnergyStore(toy, read_only=True) as store:
            [seal] = [row["content_hash"] for row in store.costs.versions("toy") if row["cost_version"] == "rev1"]
        text = shell("costs", "cite", "toy").stdout
        sentence, _, bibtex = text.partition("\n\n")
        assert sentence == (
            "Energies were computed from recorded spikes by activity-based costing with energy-db 0.1.0, "
            f"cost version rev1 of Toy chip (supplied by the authors; content hash {seal[:12]}): "
            'Doe and Roe 2026, "Power of a toy", J. Toys 3(1):10-12, doi:10.1234/toy_rev1.'
        )
        assert bibtex == (
            "@article{toy_rev1,\n"
            "  author = {Doe and Roe},\n"
            "  title = {Power of a toy},\n"
            "  year = {2026},\n"
            "  journal = {J. Toys},\n"
            "  volume = {3},\n"
            "  number = {1},\n"
            "  pages = {10--12},\n"
            "  doi = {10.1234/toy_rev1},\n"
            '  note = {Doe and Roe 2026, "Power of a toy", J. Toys 3(1):10-12. Costs toy rev1 of energy-db 0.1.0, '
            f"SHA-256 {seal}}},\n"
            "}\n"
        )

    def test_nothing_is_made_up(self, shell: Shell, tmp_store: Path) -> None:
        text = shell("costs", "cite", "loihi2", "--cost", "tutorial72").stdout
        assert "literature values of a tutorial, not measurements" in text
        entry = text.partition("\n\n")[2]
        assert entry.startswith("@misc{loihi2_tutorial72,\n  howpublished = {Tutorial 72")
        assert not re.search(r"^  (author|year|title|journal) =", entry, re.MULTILINE)

    @pytest.mark.parametrize(
        ("chip", "version", "fields"),
        [
            ("loihi", "davies2018", {"author": "Davies and others", "year": "2018", "journal": "IEEE Micro"}),
            ("reckon", None, {"author": "Frenkel and Indiveri", "year": "2022"}),
            ("darwin_wafer", None, {}),  # "DarwinWafer 2025" names a chip
            ("gpu_v100", None, {}),  # one paper's figure, in another paper, whose DOI it is
        ],
    )
    def test_what_a_source_says_of_itself(
        self, tmp_store: Path, chip: str, version: str | None, fields: dict[str, str]
    ) -> None:
        with EnergyStore(tmp_store, read_only=True) as store:
            version = version or store.costs.versions(chip)[-1]["cost_version"]
            entry = store.costs.cite(chip, version).bibtex
        assert dict(re.findall(r"^  (author|year|journal) = \{(.*)\},$", entry, re.MULTILINE)) == fields, entry

    def test_each_publication_once(self, shell: Shell, toy: Path) -> None:
        other = '[[version.cost]]\noperation = "{}"\ndriver = "spike"\nenergy_pj = 1\n'
        other += 'source = "A thesis of R&D, 50% done"\n'
        shell("costs", "add", revision("rev3", 1, 1, other.format("a") + other.format("b")))
        cited = data(shell("costs", "cite", "toy", "--cost", "rev3", "--json"))
        assert [(row["doi"], row["operations"]) for row in cited["rows"]] == [
            ("10.1234/toy_rev3", "send, update"),
            (None, "a, b"),
        ]
        assert "@misc{toy_rev3_2,\n  howpublished = {A thesis of R\\&D, 50\\% done}," in cited["bibtex"]
        assert "\\_rev" not in cited["bibtex"].partition("doi = {")[2].partition("}")[0]

    def test_how_a_number_was_read_is_said(self, shell: Shell, toy: Path) -> None:
        row = '[[version.cost]]\noperation = "add"\ndriver = "spike"\nenergy_pj = 1\nconfidence = "{}"\n'
        shell("costs", "add", revision("rev3", 1, 1, row.format("read in a secondary source: a thesis")))
        text = shell("costs", "cite", "toy", "--cost", "rev3").stdout
        assert "doi:10.1234/toy_rev3 (read in a secondary source: a thesis)." in text
        assert "J. Toys 3(1):10-12. Read in a secondary source: a thesis. Costs toy rev3" in text
        shell("costs", "add", revision("rev4", 1, 1, row.format("read in the source itself")))
        assert "ead in" not in shell("costs", "cite", "toy", "--cost", "rev4").stdout

    def test_reference_figures_are_not_said_to_price(self, shell: Shell, tmp_store: Path) -> None:
        text = shell("costs", "cite", "truenorth", "--cost", "merolla2014").stdout
        assert text.startswith("Reference figures are those of merolla2014")
        assert text.count("@article{") == 1  # one paper, although each row says where in it

    @pytest.mark.parametrize("suffix", ["md", "csv", "txt", "json"])
    def test_into_a_file(self, shell: Shell, toy: Path, suffix: str) -> None:
        assert shell("costs", "cite", "toy", "-o", f"cite.{suffix}").exit_code == 0
        assert "Doe and Roe" in Path(f"cite.{suffix}").read_text(encoding="utf-8")

    @pytest.mark.thorough
    def test_every_shipped_version_can_be_cited(self, tmp_store: Path) -> None:
        with EnergyStore(tmp_store, read_only=True) as store:
            for row in store.costs.versions():
                cited = store.costs.cite(row["chip"], row["cost_version"])
                assert row["content_hash"] in cited.bibtex
                assert cited.bibtex.count("{") == cited.bibtex.count("}")


READERS = (["costs", "list"], ["costs", "show", "loihi2"], ["costs", "in-force"], ["costs", "cite", "loihi2"],
           ["costs", "diff", "loihi2", "tutorial72", "sc_neurocore_3_16_0"], ["costs", "lint"])  # fmt: skip


@pytest.mark.parametrize("verb", READERS, ids=" ".join)
def test_readers_share_the_store(shell: Shell, tmp_store: Path, verb: list[str]) -> None:
    """They open it to read only: a writer in another process would lock them out, another reader does not."""
    tmp_store.chmod(0o444)
    before = tmp_store.read_bytes()
    with EnergyStore(tmp_store, read_only=True):
        assert shell(*verb).exit_code == 0
    assert tmp_store.read_bytes() == before


@pytest.mark.parametrize("verb", READERS[:-1], ids=" ".join)
@pytest.mark.parametrize("suffix", mostly_thorough(["json", "csv", "md", "parquet", "txt"]))
def test_every_verb_speaks_every_format(shell: Shell, tmp_store: Path, verb: list[str], suffix: str) -> None:
    result = shell(*verb, "-o", f"x.{suffix}")
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert Path(f"x.{suffix}").stat().st_size > 20
