"""How the command line speaks: formats, streams, colours, help; what the verbs about the store itself say."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click
import pyarrow.parquet as pq
import pytest
from factories import EVENTS, Shell, dump, mostly_thorough, run_file

from energy_db import EnergyStore
from energy_db.cli import cli

QUERY = (
    "SELECT layer, n_spikes, CAST(0.5 AS DECIMAL(9, 2)) AS half, NULL AS nothing FROM activity_by_layer ORDER BY layer"
)
TABLE = """\
layer   n_spikes  half  nothing
------  --------  ----  -------
hidden         4   0.5
output         2   0.5
"""
CSV = "layer,n_spikes,half,nothing\nhidden,4,0.5,\noutput,2,0.5,\n"
MARKDOWN = """\
| layer | n_spikes | half | nothing |
| --- | ---: | ---: | ---: |
| hidden | 4 | 0.5 |  |
| output | 2 | 0.5 |  |
"""
ROWS = [
    {"layer": "hidden", "n_spikes": 4, "half": 0.5, "nothing": None},
    {"layer": "output", "n_spikes": 2, "half": 0.5, "nothing": None},
]
READERS = [
    ["runs"], ["show"], ["report"], ["report", "--chip", "loihi2"], ["costs", "list"], ["costs", "show", "loihi2"],
    ["tag", "latest", "a=1"], ["verify"], ["doctor"],
]  # fmt: skip


@pytest.mark.usefixtures("small_store")
class TestFormats:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ([], TABLE),
            (["-f", "table"], TABLE),
            (["--format", "csv"], CSV),
            (["-f", "md"], MARKDOWN),
        ],
    )
    def test_text_on_stdout(self, shell: Shell, options: list[str], expected: str) -> None:
        result = shell("sql", QUERY, *options)
        assert (result.exit_code, result.stdout, result.stderr) == (0, expected, "")

    @pytest.mark.parametrize("options", [["-f", "json"], ["--json"]])
    def test_json_on_stdout(self, shell: Shell, options: list[str]) -> None:
        result = shell("sql", QUERY, *options)
        assert json.loads(result.stdout) == {"schema": "energy-db/sql/1", "rows": ROWS}
        assert result.stderr == ""

    @pytest.mark.parametrize(
        ("name", "expected"),
        [("x.txt", TABLE), ("x", TABLE), ("x.csv", CSV), ("x.md", MARKDOWN), ("x.markdown", MARKDOWN), ("X.CSV", CSV)],
    )
    def test_text_in_a_file_by_its_suffix(self, shell: Shell, name: str, expected: str) -> None:
        result = shell("sql", QUERY, "-o", name)
        assert (result.exit_code, result.stdout) == (0, "")
        assert Path(name).read_text(encoding="utf-8") == expected
        assert sorted(path.name for path in Path.cwd().iterdir()) == sorted([name, "energy.duckdb"])

    def test_the_format_goes_before_the_suffix(self, shell: Shell) -> None:
        shell("sql", QUERY, "-o", "x.txt", "--json")
        assert json.loads(Path("x.txt").read_text(encoding="utf-8"))["rows"] == ROWS

    @pytest.mark.parametrize("name", ["x.parquet", "x.pq"])
    def test_parquet_keeps_the_types(self, shell: Shell, name: str) -> None:
        assert shell("sql", QUERY, "-o", name).exit_code == 0
        table = pq.read_table(name)
        assert [str(field.type) for field in table.schema][:3] == ["string", "int64", "decimal128(9, 2)"]
        assert [row["n_spikes"] for row in table.to_pylist()] == [4, 2]

    def test_energies_in_parquet_are_exact(self, shell: Shell) -> None:
        shell("report", "--chip", "loihi2", "--by", "neuron", "--top", 2, "-o", "x.parquet")
        column = pq.read_table("x.parquet")["energy_pj"]
        assert str(column.type).startswith("decimal128")
        assert [str(value) for value in column.to_pylist()] == ["4.200000", "2.100000"]

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("verb", READERS, ids=" ".join)
    @pytest.mark.parametrize("suffix", mostly_thorough(["json", "csv", "md", "parquet", "txt"]))
    def test_every_verb_speaks_every_format(self, shell: Shell, verb: list[str], suffix: str) -> None:
        result = shell(*verb, "-o", f"x.{suffix}")
        assert (result.exit_code, result.stdout) == (0, "")
        content = Path(f"x.{suffix}").read_bytes()
        if suffix == "json":
            assert json.loads(content)["schema"].startswith("energy-db/")
        elif suffix == "parquet":
            assert pq.read_table(f"x.{suffix}").num_rows > 0
        else:
            assert len(content.splitlines()) > 1

    @pytest.mark.parametrize(
        ("query", "rows"),
        [
            pytest.param("SELECT 'nan'::DOUBLE AS x, 'inf'::DOUBLE AS y", [{"x": None, "y": None}], id="no number"),
            pytest.param("SELECT TIMESTAMPTZ '2026-01-01 00:00:00+00' AS t", [{"t": "2026-01-01T00:00:00Z"}], id="UTC"),
            pytest.param("SELECT TIMESTAMP '2026-01-01 12:30:00' AS t", [{"t": "2026-01-01T12:30:00Z"}], id="no zone"),
            pytest.param("SELECT true AS yes, DATE '2026-01-31' AS d", [{"yes": True, "d": "2026-01-31"}], id="date"),
        ],
    )
    def test_values_in_json(self, shell: Shell, query: str, rows: list[dict[str, object]]) -> None:
        result = shell("sql", query, "--json")
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)["rows"] == rows

    @pytest.mark.parametrize("options", [[], ["-f", "csv"]], ids=["table", "csv"])
    def test_exact_numbers_stay_exact(self, shell: Shell, options: list[str]) -> None:
        number = "12345678901234567890123456789012.123456"
        assert number in shell("sql", f"SELECT CAST('{number}' AS DECIMAL(38, 6)) AS pj", *options).stdout

    def test_columns_of_the_same_name_are_all_shown(self, shell: Shell) -> None:
        result = shell("sql", "SELECT 11 AS n, 22 AS n", "-f", "csv")
        header, values = result.stdout.splitlines()
        assert len(header.split(",")) == 2
        assert values == "11,22"

    def test_output_into_a_named_pipe_leaves_it_one(self, shell: Shell) -> None:
        os.mkfifo("pipe.csv")
        reader = os.open("pipe.csv", os.O_RDONLY | os.O_NONBLOCK)
        try:
            result = shell("sql", QUERY, "-o", "pipe.csv")
            assert Path("pipe.csv").is_fifo()
            assert (result.exit_code, os.read(reader, 10_000).decode()) == (0, CSV)
        finally:
            os.close(reader)

    def test_output_follows_a_link(self, shell: Shell) -> None:
        Path("link.csv").symlink_to("target.csv")
        assert shell("sql", QUERY, "-o", "link.csv").exit_code == 0
        assert Path("link.csv").is_symlink()
        assert Path("target.csv").read_text(encoding="utf-8") == CSV

    def test_a_query_from_stdin_and_from_a_file(self, shell: Shell) -> None:
        Path("query.sql").write_text(QUERY, encoding="utf-8")
        assert shell("sql", "-", stdin=QUERY).stdout == TABLE
        assert shell("sql", "@query.sql").stdout == TABLE

    def test_no_rows_keep_their_header(self, shell: Shell) -> None:
        result = shell("sql", f"SELECT * FROM ({QUERY}) WHERE n_spikes > 9", "-f", "csv")
        assert (result.exit_code, result.stdout) == (0, "layer,n_spikes,half,nothing\n")

    def test_a_wide_table_is_not_cut(self, shell: Shell) -> None:
        assert "x" * 3000 in shell("sql", "SELECT repeat('x', 3000) AS wide").stdout

    def test_names_cannot_command_a_terminal(self, shell: Shell) -> None:
        run_file(Path("evil.parquet"), {**EVENTS, "layer": ["\x1b[31mred\n"] * 6})
        outputs = [shell("ingest", "evil.parquet"), shell("show"), shell("report", "--chip", "loihi2")]
        outputs += [shell("sql", 'SELECT 1 AS "\x9b2J"', "-f", form) for form in ("table", "md")]
        assert all(sign not in result.output for result in outputs for sign in "\x1b\x9b")

    def test_what_a_program_reads_is_as_it_was_recorded(self, shell: Shell) -> None:
        query = "SELECT chr(27) || '[31mred' || chr(155) AS name"
        assert shell("sql", query, "-f", "csv").stdout == "name\n\x1b[31mred\x9b\n"
        text = shell("sql", query, "-f", "json").stdout
        assert json.loads(text)["rows"] == [{"name": "\x1b[31mred\x9b"}]
        assert "\x1b" not in text and "\x9b" not in text


class TestWhichStore:
    @pytest.mark.parametrize(
        "arguments", [["--db", "mine.duckdb", "init"], ["init", "--db", "mine.duckdb"]], ids=["before", "after"]
    )
    def test_an_option_before_or_after_the_verb(self, shell: Shell, arguments: list[str]) -> None:
        assert shell(*arguments).exit_code == 0
        assert [path.name for path in Path.cwd().iterdir()] == ["mine.duckdb"]

    def test_the_environment(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ENERGY_DB", "named.duckdb")
        shell("init")
        shell("init", "--db", "mine.duckdb")
        assert sorted(path.name for path in Path.cwd().iterdir()) == ["mine.duckdb", "named.duckdb"]

    def test_the_default(self, shell: Shell) -> None:
        shell("init")
        assert [path.name for path in Path.cwd().iterdir()] == ["energy.duckdb"]


class TestColours:
    @pytest.mark.one_in(4)
    @pytest.mark.parametrize(
        ("options", "environment", "on_a_terminal", "is_coloured"),
        [
            pytest.param([], {}, True, True, id="terminal"),
            pytest.param([], {}, False, False, id="pipe"),
            pytest.param([], {"NO_COLOR": "1"}, True, False, id="NO_COLOR"),
            pytest.param([], {"FORCE_COLOR": "1"}, False, True, id="FORCE_COLOR"),
            pytest.param(["--color", "never"], {}, True, False, id="never"),
            pytest.param(["--color", "always"], {}, False, True, id="always"),
            pytest.param(["--color", "always"], {"NO_COLOR": "1"}, False, True, id="always, in spite of NO_COLOR"),
        ],
    )
    @pytest.mark.parametrize("talk", ["note", "error"])
    def test_colours_of_the_talk(
        self, shell: Shell, small_store: Path, monkeypatch: pytest.MonkeyPatch, talk: str, options: list[str],
        environment: dict[str, str], on_a_terminal: bool, is_coloured: bool,
    ) -> None:  # fmt: skip
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        run = "latest" if talk == "note" else "nobody"
        result = shell(*options, "report", run, "--chip", "loihi2", color=on_a_terminal)
        assert ("\x1b[" in result.stderr) == is_coloured
        assert "\x1b[" not in result.stdout


def verbs() -> list[list[str]]:
    found: list[list[str]] = [[]]
    for name, command in cli.commands.items():
        found.append([name])
        found += [[name, inner] for inner in command.commands] if isinstance(command, click.Group) else []
    return found


@pytest.mark.parametrize("verb", verbs(), ids=lambda verb: " ".join(verb) or "energy-db")
def test_help_begins_with_examples(shell: Shell, verb: list[str]) -> None:
    short, long = shell(*verb, "-h"), shell(*verb, "--help")
    assert (short.exit_code, short.stdout) == (0, long.stdout)
    before_options, has_options, _ = short.stdout.partition("Options:")
    examples = before_options.partition("Examples:\n")[2].partition("\n\n")[0].splitlines()
    command = " ".join(["energy-db", *verb])
    assert 2 <= len(examples) <= 5
    assert all("energy-db " in line and command.split()[-1] in line for line in examples)
    assert has_options
    assert max(map(len, short.stdout.splitlines())) <= 100


class TestUpkeep:
    @pytest.mark.thorough
    def test_migrate_a_new_store(self, shell: Shell, small_store: Path) -> None:
        before = dump(small_store)
        for options in ([], ["--dry-run"]):
            result = shell("migrate", *options)
            assert (result.exit_code, result.stdout) == (0, "")
            assert "the newest" in result.stderr
        assert dump(small_store) == before
        assert [path.name for path in Path.cwd().iterdir()] == ["energy.duckdb"]

    def test_doctor(self, shell: Shell, small_store: Path) -> None:
        facts = {row["what"]: row for row in json.loads(shell("doctor", "--json").stdout)["rows"]}
        assert facts["store state"] == {"what": "store state", "is": "usable, 1 runs", "ok": True}
        assert facts["store"]["is"] == str(small_store.resolve())
        assert facts["python"]["is"] == ".".join(map(str, sys.version_info[:3]))

    def test_doctor_finds_what_is_wrong(self, shell: Shell) -> None:
        Path("energy.duckdb").write_text("not a store", encoding="utf-8")
        result = shell("doctor", "--json")
        assert result.exit_code == 4
        assert [row["what"] for row in json.loads(result.stdout)["rows"] if not row["ok"]] == ["store state"]

    @pytest.mark.thorough
    def test_demo(self, shell: Shell) -> None:
        result = shell("demo")
        assert result.exit_code == 0
        for name in ("digits-baseline", "digits-reseeded", "digits-sparse"):
            assert f"{name}: " in result.stdout
        # digits-baseline: 175,365 input, 337,042 hidden and 16,100 readout spikes
        for chip, energy in {"loihi2": "899.3 nJ", "spinnaker2": "4.399 µJ", "fpga_ice40": "6.714 µJ",
                             "akida": "1.85 µJ", "brainscales2": "158.6 nJ"}.items():  # fmt: skip
            assert any(chip in line and energy in line for line in result.stdout.splitlines())
        assert list(Path.cwd().iterdir()) == []

    @pytest.mark.thorough
    def test_demo_keeps_a_store_on_demand(self, shell: Shell) -> None:
        assert shell("demo", "--db", "demo.duckdb").exit_code == 0
        with EnergyStore("demo.duckdb", read_only=True) as store:
            assert [run.n_spikes for run in store.runs()][::-1] == [528507, 491925, 200500]

    @pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
    def test_completion_script(self, shell: Shell, name: str) -> None:
        result = shell("completion", name)
        assert result.exit_code == 0
        assert f"_ENERGY_DB_COMPLETE={name}_complete" in result.stdout
        assert "energy-db" in result.stdout
