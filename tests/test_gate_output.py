"""What a check leaves behind, whoever reads it: its exit code and its report for a pull request.

`kept` costs 10.4 pJ on loihi2 (tests/factories.py), `more` one hidden spike of 2.1 pJ more.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from factories import EVENTS, NETWORK, Shell, run_file, with_sidecar

from energy_db import EnergyStore
from energy_db.tables import markdown_table, plain_markdown

ON_LOIHI2 = ("check", "kept", "--chip", "loihi2")
TOO_MUCH = (*ON_LOIHI2, "--max-energy", "1 pJ")


@pytest.fixture
def store_path(small_store: Path, tmp_path: Path) -> Path:
    """A store with `kept` and `more`."""
    more = {**{name: [*values, values[0]] for name, values in EVENTS.items()}, "timestep": [*EVENTS["timestep"], 1]}
    with EnergyStore(small_store) as store:
        store.ingest(with_sidecar(run_file(tmp_path / "more.parquet", more)))
    return small_store


class TestReaderThatLeaves:
    """A pipe whose other end is closed before anything is said, as of `head` that has seen enough."""

    @pytest.fixture
    def closed(self) -> Iterator[int]:
        read_end, write_end = os.pipe()
        os.close(read_end)
        yield write_end
        os.close(write_end)

    def run(self, folder: Path, stdout: int, stderr: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "energy_db", *arguments],
            cwd=folder, stdout=stdout, stderr=stderr, text=True, encoding="utf-8", check=False, timeout=60,
        )  # fmt: skip

    @pytest.mark.thorough
    @pytest.mark.parametrize("form", ["table", "json", "csv", "md"])
    def test_a_check_fails_all_the_same(self, store_path: Path, closed: int, form: str) -> None:
        report = store_path.parent / "r.md"
        done = self.run(store_path.parent, closed, subprocess.PIPE, *TOO_MUCH, "--report", "r.md", "-f", form)
        assert (done.returncode, "Error" in done.stderr) == (1, False)
        assert "literature values" in done.stderr
        assert report.read_text().startswith("### FAIL: kept")

    @pytest.mark.thorough
    def test_what_was_kept_or_not_checked_stays_so(self, store_path: Path, closed: int) -> None:
        kept, unknown = ("--max-energy", "1 nJ"), ("--max-increase", "1 %", "--against", "@gone")
        for limit, exit_code in ((kept, 0), (unknown, 3)):
            done = self.run(store_path.parent, closed, subprocess.PIPE, *ON_LOIHI2, *limit)
            assert done.returncode == exit_code

    @pytest.mark.thorough
    def test_nobody_listens_at_all(self, store_path: Path, closed: int) -> None:
        assert self.run(store_path.parent, closed, closed, *TOO_MUCH).returncode == 1

    @pytest.mark.thorough
    def test_a_page_is_written_all_the_same(self, store_path: Path, closed: int) -> None:
        wanted = ("compare", "kept", "more", "--chip", "loihi2", "--html", "change.html")
        assert self.run(store_path.parent, closed, subprocess.PIPE, *wanted).returncode == 0
        assert (store_path.parent / "change.html").read_text(encoding="utf-8").endswith("</html>\n")

    @pytest.mark.thorough
    @pytest.mark.parametrize("form", ["table", "json", "csv", "md"])
    def test_a_comparison_fails_all_the_same(self, store_path: Path, closed: int, form: str) -> None:
        arguments = ("compare", "kept", "more", "--chip", "loihi2", "--fail-on", "energy>5%", "-f", form)
        done = self.run(store_path.parent, closed, subprocess.PIPE, *arguments)
        assert (done.returncode, "FAIL energy>5%" in done.stderr) == (1, True)
        assert self.run(store_path.parent, closed, closed, *arguments).returncode == 1


class TestReport:
    @pytest.fixture
    def report(self, store_path: Path) -> Path:
        """The report of yesterday."""
        path = store_path.parent / "energy.md"
        path.write_text("of yesterday")
        return path

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["check", "nobody", "--chip", "loihi2", "--max-energy", "1 nJ"], "no run is called 'nobody'"),
            (["check", "kept", "--chip", "lohi2", "--max-energy", "1 nJ"], "Did you mean 'loihi2'"),
            ([*TOO_MUCH, "--cost", "tutorial73"], "no cost version 'tutorial73'"),
        ],
    )
    def test_what_is_not_there_is_said_in_it(self, report: Path, shell: Shell, arguments: list[str], says: str) -> None:
        assert shell(*arguments, "--report", "energy.md").exit_code == 3
        text = report.read_text()
        assert text.startswith("### NOT CHECKED: ")
        assert says in text

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize(
        ("arguments", "exit_code"),
        [
            (["check", "kept", "--chip", "loihi2"], 2),
            ([*TOO_MUCH, "--budget", "gone.toml"], 2),
            (["--db", "gone.duckdb", *TOO_MUCH], 4),
        ],
    )
    def test_of_other_failures_no_old_one_is_left(
        self, report: Path, shell: Shell, arguments: list[str], exit_code: int
    ) -> None:
        assert shell(*arguments, "--report", "energy.md").exit_code == exit_code
        assert not report.exists()

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("name", ["energy-budget.toml", "./energy-budget.toml", "of-ours.toml"])
    @pytest.mark.parametrize("option", [["--report"], ["-f", "md", "-o"]])
    def test_it_never_takes_the_place_of_the_budget(
        self, store_path: Path, shell: Shell, name: str, option: list[str]
    ) -> None:
        text = 'chip = "loihi2"\n[[limit]]\nmax_energy = "1 nJ"\n'
        path = store_path.parent / name
        path.write_text(text)
        chosen = ["--budget", "of-ours.toml"] if name == "of-ours.toml" else []
        result = shell("check", *chosen, *option, name)
        assert (result.exit_code, "is the budget" in result.stderr) == (2, True)
        assert path.read_text() == text

    def test_it_never_takes_the_place_of_the_data(self, store_path: Path, shell: Shell) -> None:
        result = shell(*TOO_MUCH, "-o", "x.md", "--report", "./x.md")
        assert (result.exit_code, "-o" in result.stderr) == (2, True)
        assert not (store_path.parent / "x.md").exists()


class TestNamesThatLookLikeMarkup:
    NAME = "**b** [x](http://e) @octocat #12 <i> `c` | ~~s~~ _u_ www.e.org &lt; $a$ a_b"
    # A comment parts what GitHub would otherwise take for a mention, a reference or an address.
    PLAIN = (
        r"\*\*b\*\* \[x\](http:<!-- -->//e) @<!-- -->octocat \#<!-- -->12 \<i\> \`c\` \| \~\~s\~\~ \_u\_ "
        r"www<!-- -->.e.org \&lt; \$a\$ a_b"
    )

    def test_they_stay_names(self) -> None:
        assert plain_markdown(self.NAME) == self.PLAIN
        assert plain_markdown("22.5 nJ, +8.8 %: a__b, -1.0 (x)") == "22.5 nJ, +8.8 %: a__b, -1.0 (x)"
        assert plain_markdown("__a b__") == r"\_\_a b\_\_"

    def test_a_table_is_for_people_or_has_markup_of_its_own(self) -> None:
        rows = [{"a|b": self.NAME, "n": 1}]
        shown = markdown_table(rows).splitlines()
        assert shown == ["| a\\|b | n |", "| --- | ---: |", f"| {self.PLAIN} | 1 |"]
        assert markdown_table([{"view": "`x`", "b": "a|b"}], is_markup=True).endswith("| `x` | a\\|b |")

    @pytest.mark.thorough
    def test_they_stay_names_in_every_table(self, store_path: Path, shell: Shell) -> None:
        with EnergyStore(store_path) as store:
            store.tag("kept", {"main": "1"})
            store.ingest(store_path.parent / "more.parquet", name=self.NAME, on_duplicate="new")
        shell("bless", "kept", "--chip", "loihi2", "--reason", self.NAME)
        for arguments in (
            ["check", "kept", "--against", "blessed", "--max-increase", "1 %", "--chip", "loihi2"],
            ["bless", "--list"],
        ):
            shown = shell(*arguments, "-f", "md").stdout
            assert self.PLAIN in shown, shown
            assert self.NAME not in shown

    @pytest.mark.thorough
    def test_a_layer_stays_a_name(self, store_path: Path, tmp_path: Path, shell: Shell) -> None:
        network = {**NETWORK, "layers": [{**NETWORK["layers"][0], "name": "@octocat"}, NETWORK["layers"][1]]}
        events = {**EVENTS, "layer": ["@octocat" if name == "hidden" else name for name in EVENTS["layer"]]}
        with EnergyStore(store_path) as store:
            store.ingest(with_sidecar(run_file(tmp_path / "named.parquet", events), network))
        (tmp_path / "energy-budget.toml").write_text('[[limit]]\nmax_energy = "1 pJ"\nlayer = "@octocat"\n')
        shell("check", "named", "--chip", "loihi2", "--report", "energy.md")
        text = (tmp_path / "energy.md").read_text()
        assert "| FAIL | @<!-- -->octocat on loihi2 |" in text
        assert "@octocat" not in text
