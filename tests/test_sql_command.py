"""SQL for people: what there is to ask, values by name, saved queries, and queries that take too long."""

from __future__ import annotations

import csv
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from factories import EVENTS, Shell, dump, run_file, with_sidecar

from energy_db import EnergyStore, sql, tables
from energy_db.asking import queries
from energy_db.errors import NotFoundError, QueryError, QueryTimeoutError, StoreError, UsageError

TOP = Path(__file__).parents[1]
SLOW = "SELECT sum(a.range % 7 + b.range) FROM range(1000000) AS a, range(1000000) AS b"
# On loihi2, a hidden spike is 2.1 pJ and one of a readout 1.0 pJ. The first run is factories.EVENTS: 4 and 2 spikes are
# 8.4 + 2.0 = 10.4 pJ. The second has 7 and 1: 14.7 + 1.0 = 15.7 pJ. Both have two samples; hidden neuron 3 never fires.
NETWORK = {
    "run": "net",
    "n_timesteps": 4,
    "n_samples": 2,
    "layers": [
        {"name": "hidden", "role": "hidden", "n_inputs": 4, "n_neurons": 4, "fan_out": 2},
        {"name": "output", "role": "readout", "n_inputs": 3, "n_neurons": 2, "fan_out": 0},
    ],
}
LATER = {
    "layer": ["hidden"] * 7 + ["output"],
    "neuron": [1, 1, 1, 1, 1, 1, 2, 0],
    "timestep": [0, 0, 1, 2, 3, 3, 2, 3],
    "sample": [0, 1, 0, 0, 0, 1, 0, 0],
}


@pytest.fixture(scope="module")
def _two_runs(_empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("net")
    path = Path(shutil.copy(_empty_store, folder / "net.duckdb"))
    with EnergyStore(path) as store:
        for day, (events, accuracy) in enumerate([(EVENTS, 0.9), (LATER, 0.8)], start=1):
            source = with_sidecar(run_file(folder / f"{day}.parquet", events), NETWORK)
            about: dict[str, Any] = {"run_id": f"run-{day}", "recorded_at": f"2026-01-0{day}T00:00:00Z"}
            store.ingest(source, tags={"accuracy": accuracy}, on_duplicate="new", **about)
    return path


@pytest.fixture
def net(_two_runs: Path, tmp_path: Path) -> Path:
    """A store with two runs of one name, run-1 and run-2."""
    return Path(shutil.copy(_two_runs, tmp_path / "energy.duckdb"))


@pytest.fixture(scope="module")
def reader(_two_runs: Path) -> Iterator[EnergyStore]:
    with EnergyStore(_two_runs, read_only=True) as store:
        yield store


def pj(text: str) -> Decimal:
    return Decimal(text)


CHIP = {"chip": "loihi2"}
# Name of a shipped query -> values, columns that are looked at, and what they must show, worked out from the spikes.
SHIPPED: dict[str, tuple[dict[str, Any], list[str], list[tuple[Any, ...]]]] = {
    "top_neurons": (
        {**CHIP, "n": 2},
        ["neuron_rank", "layer", "neuron", "n_spikes", "energy_pj", "energy_share"],
        [(1, "hidden", 1, 6, pj("12.6"), 12.6 / 15.7), (2, "hidden", 2, 1, pj("2.1"), 2.1 / 15.7)],
    ),
    # 8 spikes of neurons that compute, 7 of which are sent on.
    "hot_operations": (
        CHIP,
        ["operation", "driver_count", "cost_pj", "energy_pj", "energy_share"],
        [
            ("synapse_lookup", 7, pj("0.8"), pj("5.6"), 5.6 / 15.7),
            ("membrane_update", 8, pj("0.5"), pj("4.0"), 4.0 / 15.7),
            ("weight_multiply", 8, pj("0.5"), pj("4.0"), 4.0 / 15.7),
            ("aer_routing", 7, pj("0.2"), pj("1.4"), 1.4 / 15.7),
            ("spike_generation", 7, pj("0.1"), pj("0.7"), 0.7 / 15.7),
        ],
    ),
    "layer_history": (
        {**CHIP, "name": "n%"},
        ["run_number", "run_id", "layer", "n_spikes", "energy_pj", "change_pj", "change_share", "has_same_extent"],
        [
            (1, "run-1", "hidden", 4, pj("8.4"), None, None, None),
            (1, "run-1", "output", 2, pj("2.0"), None, None, None),
            (2, "run-2", "hidden", 7, pj("14.7"), pj("6.3"), 0.75, True),
            (2, "run-2", "output", 1, pj("1.0"), pj("-1.0"), -0.5, True),
        ],
    ),
    "chips_for_run": (
        {"run": "run-2"},
        ["chip", "cost_version", "energy_pj", "energy_per_inference_pj", "energy_per_spike_pj"],
        # brainscales2 prices each of the 8 spikes at 0.3 pJ.
        [("brainscales2", "tutorial72", pj("2.4"), 1.2, 0.3), ("loihi2", "tutorial72", pj("15.7"), 7.85, 15.7 / 8)],
    ),
    "inference_history": (
        CHIP,
        ["run_id", "run_at", "n_samples", "energy_per_inference_pj", "is_fully_priced"],
        [("run-1", datetime(2026, 1, 1), 2, 5.2, True), ("run-2", datetime(2026, 1, 2), 2, 7.85, True)],
    ),
    "dearer_runs": (
        {**CHIP, "share": 0.5},
        ["run_id", "previous_run_id", "previous_energy_pj", "energy_pj", "change_pj", "change_share"],
        [("run-2", "run-1", pj("10.4"), pj("15.7"), pj("5.3"), 5.3 / 10.4)],
    ),
    "silent_neurons": (
        {},
        ["layer", "role", "neuron"],
        [("hidden", "hidden", 0), ("hidden", "hidden", 3), ("output", "readout", 1)],
    ),
    "dead_neurons": (
        {"name": "net"},
        ["layer", "n_runs", "n_neurons", "n_dead_neurons", "dead_share"],
        [("hidden", 2, 4, 1, 0.25), ("output", 2, 2, 0, 0.0)],
    ),
    "costs_in_force": (
        {"chip": "loihi2"},
        ["chip", "cost_version", "in_force_from", "status", "n_operations"],
        [("loihi2", "tutorial72", date(2026, 1, 1), "tutorial", 5)],
    ),
    "spikes_by_timestep": (
        {},
        ["layer", "timestep", "n_spikes", "spike_share"],
        [
            ("hidden", 0, 2, 2 / 7),
            ("hidden", 1, 1, 1 / 7),
            ("hidden", 2, 2, 2 / 7),
            ("hidden", 3, 2, 2 / 7),
            ("output", 3, 1, 1.0),
        ],
    ),
    # A tenth of the neurons of either layer, rounded up, is one.
    "firing_concentration": (
        {},
        ["layer", "n_silent_neurons", "n_spikes", "busiest_tenth_share", "busiest_neuron", "busiest_by_mean"],
        [("output", 1, 1, 1.0, 0, 2.0), ("hidden", 2, 7, 6 / 7, 1, 6 / (7 / 4))],
    ),
    "tag_against_energy": (
        CHIP,
        ["run_id", "tag_number", "energy_per_inference_pj", "n_spikes"],
        [("run-1", 0.9, 5.2, 6), ("run-2", 0.8, 7.85, 8)],
    ),
    "layer_changes": (
        CHIP,
        ["layer", "spikes_before", "spikes_after", "energy_before_pj", "energy_after_pj", "change_pj"],
        [
            ("hidden", 4, 7, pj("8.4"), pj("14.7"), pj("6.3")),
            ("output", 2, 1, pj("2.0"), pj("1.0"), pj("-1.0")),
        ],
    ),
}


class TestShippedQueries:
    def test_each_has_a_case(self) -> None:
        assert set(SHIPPED) == set(queries.shipped())

    @pytest.mark.parametrize("name", SHIPPED)
    def test_it_answers(self, reader: EnergyStore, name: str) -> None:
        values, columns, expected = SHIPPED[name]
        found = reader.sql(f"@{name}", values).select(columns).to_pylist()
        if name == "chips_for_run":
            found = [row for row in found if row["chip"] in ("loihi2", "brainscales2")]
        assert [tuple(row.values()) for row in found] == [
            tuple(pytest.approx(value) if isinstance(value, float) else value for value in row) for row in expected
        ]

    @pytest.mark.parametrize("query", queries.shipped().values(), ids=lambda query: query.name)
    def test_its_head_explains_it(self, reader: EnergyStore, query: queries.SavedQuery) -> None:
        assert query.about[0].isupper()
        assert query.about.endswith(".")
        assert {parameter.name for parameter in query.parameters} == reader._engine.vet(query.query).parameters
        assert all(parameter.about.endswith(".") for parameter in query.parameters)

    def test_chips_stand_in_their_groups_by_energy(self, reader: EnergyStore) -> None:
        rows = reader.sql("@chips_for_run").to_pylist()
        assert [row["scope_group"] for row in rows] == sorted(row["scope_group"] for row in rows)
        for group in {row["scope_group"] for row in rows}:
            energies = [
                row["energy_pj"] for row in rows if row["scope_group"] == group and row["energy_pj"] is not None
            ]
            assert energies == sorted(energies)

    def test_costs_are_those_of_the_cost_file(self, reader: EnergyStore) -> None:
        (row,) = reader.sql("@costs_in_force", {"chip": "loihi2"}).to_pylist()
        text = (TOP / "schema" / "costs" / "loihi2.toml").read_text(encoding="utf-8")
        written = next(each for each in tomllib.loads(text)["version"] if each["name"] == "tutorial72")
        assert (row["label"], row["source"]) == (written["label"], written["source"])

    def test_dearer_is_as_much_as_was_asked(self, reader: EnergyStore) -> None:
        assert reader.sql("@dearer_runs", {**CHIP, "share": 0.51}).num_rows == 0

    def test_runs_can_be_said_as_everywhere(self, reader: EnergyStore) -> None:
        for run in ("latest~1", "run-1", reader.run("run-1"), "@accuracy=0.9"):
            table = reader.sql("@top_neurons", {**CHIP, "run": run, "n": 1})
            assert table["n_spikes"].to_pylist() == [2]

    @pytest.mark.parametrize(
        ("name", "values", "kind", "message"),
        [
            ("top_neurons", {}, QueryError, r"needs a value for \$chip: The chip"),
            ("top_neurons", {**CHIP, "m": 3}, QueryError, r"no parameter \$m"),
            ("top_neurons", {"chip": "lohi2"}, NotFoundError, "Did you mean 'loihi2'"),
            ("top_neurons", {**CHIP, "run": "nett"}, NotFoundError, "no run is called 'nett'"),
            ("top_neurons", ["loihi2"], UsageError, "by name"),
            ("top_neuron", CHIP, NotFoundError, "Did you mean 'top_neurons'"),
            ("top_neurons~1", CHIP, NotFoundError, "has one version"),
            ("top_neurons~x", CHIP, NotFoundError, "no version"),
        ],
    )
    def test_what_is_wrong_is_said(
        self, reader: EnergyStore, name: str, values: Any, kind: type[Exception], message: str
    ) -> None:
        with pytest.raises(kind, match=message):
            reader.sql(f"@{name}", values)


class TestSavingQueries:
    @pytest.mark.thorough
    def test_a_query_has_a_history(self, net: Path) -> None:
        with EnergyStore(net) as store:
            first = store.save_query("mine", "SELECT 1 AS x", about="One.")
            second = store.save_query("mine", "-- Two.\n-- $x = 2: What.\nSELECT $x AS x")
            again = store.save_query("mine", "\n-- Two.\n-- $x = 2: What.\nSELECT $x AS x\n")
        assert [(each.version, each.about, each.status) for each in (first, second, again)] == [
            (1, "One.", "saved"),
            (2, "Two.", "saved"),
            (2, "Two.", "unchanged"),
        ]
        with EnergyStore(net, read_only=True) as store:
            assert store.sql("@mine").to_pylist() == store.sql("@mine~0").to_pylist() == [{"x": 2}]
            assert store.sql("@mine", {"x": "y"}).to_pylist() == [{"x": "y"}]
            assert store.sql("@mine~1").to_pylist() == [{"x": 1}]
            assert [each.version for each in store.query_history("mine")] == [2, 1]
            assert [each.name for each in store.saved_queries()] == [*sorted(SHIPPED), "mine"]
            with pytest.raises(NotFoundError, match="2 versions"):
                store.sql("@mine~2")
            with pytest.raises(NotFoundError, match="Did you mean 'mine'"):
                store.query_history("mie")

    def test_a_change_of_the_sentence_is_a_version(self, net: Path) -> None:
        with EnergyStore(net) as store:
            for about, version in (("One.", 1), ("Another.", 2), ("Another.", 2), ("One.", 3)):
                assert store.save_query("mine", "SELECT 1", about=about).version == version

    @pytest.mark.one_in(4)
    @pytest.mark.parametrize(
        ("name", "query", "kind", "message"),
        [
            ("top_neurons", "SELECT 1", UsageError, "shipped query"),
            ("a.sql", "SELECT 1", UsageError, "cannot be the name"),
            ("a~1", "SELECT 1", UsageError, "cannot be the name"),
            ("", "SELECT 1", UsageError, "cannot be the name"),
            ("mine", "DELETE FROM runs", QueryError, "DELETE"),
            ("mine", "FROM 'x.csv'", QueryError, "no table or view"),
            ("mine", "SELECT 1; SELECT 2", QueryError, "found 2"),
            ("mine", "SELECT energy FROM energy_by_layer", QueryError, "would fail"),
            ("mine", "", QueryError, "found 0"),
        ],
    )
    def test_what_cannot_be_kept_is_refused(
        self, net: Path, name: str, query: str, kind: type[Exception], message: str
    ) -> None:
        before = dump(net)
        with EnergyStore(net) as store, pytest.raises(kind, match=message):
            store.save_query(name, query)
        assert dump(net) == before

    def test_a_reader_keeps_nothing(self, net: Path) -> None:
        with EnergyStore(net, read_only=True) as store, pytest.raises(StoreError, match="read-only"):
            store.save_query("mine", "SELECT 1")

    @pytest.mark.thorough
    def test_a_merge_leaves_the_queries_of_others_where_they_are(self, net: Path, tmp_path: Path) -> None:
        with EnergyStore(net) as store:
            store.save_query("theirs", "SELECT 1")
        with EnergyStore(tmp_path / "ours.duckdb") as store:
            store.merge(net)
            assert [each.name for each in store.saved_queries()] == sorted(SHIPPED)


class TestTime:
    @pytest.mark.parametrize("seconds", [0.001, 0.3])
    def test_a_query_that_takes_too_long_is_stopped(self, reader: EnergyStore, seconds: float) -> None:
        begun = time.monotonic()
        with pytest.raises(QueryTimeoutError, match=f"longer than {seconds:g} s"):
            reader.sql(SLOW, timeout=seconds)
        assert seconds <= time.monotonic() - begun < seconds + 5
        assert reader.sql("SELECT 1 AS x", timeout=60).to_pylist() == [{"x": 1}]

    def test_in_python_there_is_no_limit_unless_one_is_given(self, reader: EnergyStore) -> None:
        assert reader.sql("SELECT sleep_ms(50)", timeout=0).num_rows == reader.sql("SELECT sleep_ms(50)").num_rows == 1

    @pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
    def test_a_limit_is_a_time(self, reader: EnergyStore, seconds: float) -> None:
        with pytest.raises(UsageError, match="timeout is"):
            reader.sql("SELECT 1", timeout=seconds)

    def test_the_command_says_so(self, net: Path, shell: Shell) -> None:
        result = shell("sql", SLOW, "--timeout", "0.2")
        assert (result.exit_code, result.stdout) == (4, "")
        assert "longer than 0.2 s" in result.stderr
        assert "--timeout" in result.stderr

    @pytest.mark.thorough
    def test_ctrl_c_stops_it_at_once(self, net: Path) -> None:
        command = [sys.executable, "-m", "energy_db", "--db", str(net), "sql", SLOW]
        # Where tests run in the background of a shell, children are told to ignore it.
        before = signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        finally:
            signal.signal(signal.SIGINT, before)
        with process:
            time.sleep(3)
            assert process.poll() is None
            begun = time.monotonic()
            process.send_signal(signal.SIGINT)
            output, talk = process.communicate(timeout=30)
        assert time.monotonic() - begun < 5
        assert (process.returncode, output, talk.strip()) == (130, b"", b"interrupted; nothing is half-stored")


class TestValues:
    @pytest.mark.one_in(4)
    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("5", (5, "INTEGER")),
            ("-5", (-5, "INTEGER")),
            ("0.10", (Decimal("0.10"), "DECIMAL(2,2)")),
            ("true", (True, "BOOLEAN")),
            ("False", (False, "BOOLEAN")),
            ("2026-01-02", (date(2026, 1, 2), "DATE")),
            ("2026-01-02 03:04:05", (datetime(2026, 1, 2, 3, 4, 5), "TIMESTAMP")),
            ('"5"', ("5", "VARCHAR")),
            ("007", ("007", "VARCHAR")),
            ("a=b", ("a=b", "VARCHAR")),
            ("it's; DROP TABLE runs", ("it's; DROP TABLE runs", "VARCHAR")),
            ("", ("", "VARCHAR")),
            ('"', ('"', "VARCHAR")),
        ],
    )
    def test_a_value_is_what_it_looks_like(
        self, net: Path, shell: Shell, tmp_path: Path, written: str, expected: tuple[Any, str]
    ) -> None:
        query = "SELECT $value AS value, typeof($value) AS kind"
        assert shell("sql", query, "-p", f"value={written}", "-o", "out.parquet").exit_code == 0
        (row,) = pq.read_table(tmp_path / "out.parquet").to_pylist()
        assert (row["value"], row["kind"].replace("DECIMAL(3,2)", "DECIMAL(2,2)")) == expected

    @pytest.mark.one_in(4)
    @pytest.mark.parametrize("parameter", ["run", "before_run"])
    @pytest.mark.parametrize("selector", ["latest", "net", "run-2", "@accuracy=0.8", '"latest"'])
    def test_a_run_may_be_said_in_any_way(self, net: Path, shell: Shell, parameter: str, selector: str) -> None:
        result = shell("sql", f"SELECT ${parameter} AS id", "-p", f"{parameter}={selector}", "-f", "csv")
        assert result.stdout == "id\nrun-2\n"

    def test_a_word_that_ends_likewise_is_none(self, net: Path, shell: Shell) -> None:
        assert shell("sql", "SELECT $rerun AS id", "-p", "rerun=latest", "-f", "csv").stdout == "id\nlatest\n"

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("arguments", "exit_code", "message"),
        [
            (["SELECT $run", "-p", "run=nobody"], 3, "no run is called 'nobody'"),
            (["SELECT $a", "-p", "b=1"], 2, "a parameter $a, but no value"),
            (["SELECT $a", "-p", "a=1", "-p", "b=1"], 2, "no parameter $b"),
            (["SELECT $chip", "-p", "chip=1", "-p", "chp=1"], 2, "Did you mean 'chip'?"),
            (["SELECT 1", "-p", "a=1"], 2, "Its parameters: none"),
            (["SELECT $a", "-p", "a"], 2, "expected NAME=VALUE"),
            (["SELECT $a", "-p", "=1"], 2, "expected NAME=VALUE"),
            (["SELECT $a", "-p", "a=1", "-p", "a=2"], 2, "given twice"),
        ],
    )
    def test_what_does_not_fit_is_said_before_the_query_runs(
        self, net: Path, shell: Shell, arguments: list[str], exit_code: int, message: str
    ) -> None:
        result = shell("sql", *arguments)
        assert (result.exit_code, result.stdout) == (exit_code, "")
        assert message in result.stderr


class TestLists:
    def test_views_come_by_room(self, net: Path, shell: Shell) -> None:
        with EnergyStore(net) as store:
            store._engine.run(
                "CREATE VIEW my_view AS SELECT 1 AS x; COMMENT ON VIEW my_view IS 'Mine. Grain: one row.'"
            )
            store._engine.run("CREATE SCHEMA apart; CREATE TABLE apart.my_table (x INTEGER)")
        rows = json.loads(shell("sql", "--views", "--json").stdout)["rows"]
        rooms = list(dict.fromkeys(row["room"] for row in rows))
        assert rooms == ["mart", "activity", "energy", "compare", "your own"]
        public = {view.name for view in sql.views() if view.room != "checks" and not view.is_private}
        assert {row["name"] for row in rows} == public | {"my_view", "apart.my_table"}
        by_name = {row["name"]: row for row in rows}
        runs = next(view for view in sql.views() if view.name == "mart.runs")
        assert (by_name["mart.runs"]["about"], by_name["mart.runs"]["grain"]) == (runs.sentence, "one row per run.")
        assert by_name["my_view"] == {
            "name": "my_view", "room": "your own", "kind": "view", "grain": "one row.", "about": "Mine.",
        }  # fmt: skip

    def test_columns_have_type_unit_and_meaning(self, net: Path, shell: Shell) -> None:
        result = shell("sql", "--describe", "energy_by_layer", "-f", "csv")
        rows = {row["name"]: row for row in csv.DictReader(result.stdout.splitlines())}
        assert list(rows)[:3] == ["run_id", "run_name", "chip"]
        assert (rows["energy_pj"]["type"], rows["energy_pj"]["unit"]) == ("DECIMAL(38,6)", "pJ")
        assert rows["chip"] == {"name": "chip", "type": "VARCHAR", "unit": "", "about": "The chip."}
        assert not any("[" in row["about"] for row in rows.values())

    def test_tables_and_views_of_ones_own_can_be_described(self, net: Path) -> None:
        with EnergyStore(net) as store:
            store._engine.run("CREATE TABLE mine (x INTEGER); COMMENT ON COLUMN mine.x IS 'How far. [m]'")
            assert [(column.name, column.unit, column.about) for column in store.describe("mine")] == [
                ("x", "m", "How far.")
            ]
            assert (
                store.describe("MAIN.runs")[0].about
                == "Narrow key that the activity tables carry instead of the run's id."
            )

    def test_a_store_in_memory_explains_itself_too(self) -> None:
        with EnergyStore(":memory:") as store:
            assert {view.room for view in store.views() if view.about} == {"mart", "activity", "energy", "compare"}
            assert {column.unit for column in store.describe("mart.runs") if column.name == "n_spikes"} == {"count"}

    @pytest.mark.parametrize(
        ("wrong", "right"), [("energy_by_layr", "energy_by_layer"), ("layer_energy", "mart.layer_energy")]
    )
    def test_a_typo_is_understood(self, net: Path, shell: Shell, wrong: str, right: str) -> None:
        result = shell("sql", "--describe", wrong)
        assert (result.exit_code, result.stdout) == (3, "")
        assert f"Did you mean '{right}'?" in result.stderr

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize("option", [["--views"], ["--describe", "mart.runs"], ["--queries"], ["--history", "mine"]])
    def test_each_list_comes_in_each_format(self, net: Path, shell: Shell, tmp_path: Path, option: list[str]) -> None:
        assert shell("sql", "SELECT 1", "--save", "mine").exit_code == 0
        rows = json.loads(shell("sql", *option, "--json").stdout)["rows"]
        assert len(rows) == len(list(csv.DictReader(shell("sql", *option, "-f", "csv").stdout.splitlines(True))))
        assert len(rows) == len(shell("sql", *option).stdout.splitlines()) - 2
        assert len(rows) == len(shell("sql", *option, "-f", "md").stdout.splitlines()) - 2
        assert shell("sql", *option, "-o", "out.parquet").exit_code == 0
        assert pq.read_table(tmp_path / "out.parquet").to_pylist()[0]["name"] == rows[0]["name"]

    def test_queries_are_listed_with_their_parameters(self, net: Path, shell: Shell) -> None:
        lines = shell("sql", "--queries").stdout.splitlines()
        line = next(line for line in lines if line.startswith("@top_neurons"))
        assert line.split("  ")[-1].strip() == "run=latest, chip, n=20"


class TestTerminals:
    ROWS = ({"name": "short", "about": "many words " * 12 + "end", "n": 3}, {"name": "b", "about": "few", "n": 4})

    def test_long_texts_go_on_below(self) -> None:
        lines = tables.text_table(self.ROWS, 60).splitlines()
        assert max(map(len, lines)) <= 60
        texts = [line[len("short  ") :].rstrip(" 3") for line in lines[2:-1]]
        assert " ".join(texts) == self.ROWS[0]["about"]
        assert lines[-1].split() == ["b", "few", "4"]

    def test_what_fits_stays(self) -> None:
        assert tables.text_table(self.ROWS, 500) == tables.text_table(self.ROWS)

    def test_a_column_stays_wide_enough_to_read(self) -> None:
        lines = tables.text_table([{"about": "word " * 20 + "end"}], 10).splitlines()
        assert max(map(len, lines)) == len("word word word word word") == 24

    def test_nothing_is_lost_where_it_cannot_fit(self) -> None:
        rows = [{"a": "x" * 40, "b": "y" * 40}]
        assert tables.text_table(rows, 30) == tables.text_table(rows)

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize("is_watched", [True, False])
    def test_only_a_terminal_gets_them_so(self, net: Path, is_watched: bool) -> None:
        command = [sys.executable, "-m", "energy_db", "--db", str(net), "sql", "--queries"]
        environment = os.environ | {"COLUMNS": "80"}
        if is_watched:
            mine, theirs = pty.openpty()
            with subprocess.Popen(command, stdout=theirs, env=environment) as process:
                os.close(theirs)
                output = b"".join(iter(lambda: read_terminal(mine), b""))
            os.close(mine)
            assert process.returncode == 0
        else:
            output = subprocess.run(command, capture_output=True, check=True, env=environment).stdout
        widths = [len(line) for line in output.decode().splitlines()]
        assert (max(widths) <= 80) is is_watched
        assert (len(widths) == len(SHIPPED) + 2) is not is_watched


def read_terminal(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed
        return b""


class TestCommand:
    def test_a_saved_query_says_its_defaults(self, net: Path, shell: Shell) -> None:
        result = shell("sql", "@top_neurons", "-p", "run=latest", "-p", "chip=loihi2", "-f", "csv")
        assert [line.split(",")[1:5] for line in result.stdout.splitlines()[1:]] == [
            ["hidden", "hidden", "1", "6"],
            ["hidden", "hidden", "2", "1"],
            ["output", "readout", "0", "1"],
        ]
        assert result.stderr == "top_neurons with n=20 (its default)\n"

    def test_a_query_is_kept_and_asked(self, net: Path, shell: Shell) -> None:
        kept = shell("sql", "SELECT 1 AS x", "--save", "mine", "--about", "One.")
        assert (kept.exit_code, kept.stdout) == (0, "")
        assert "saved: mine, version 1" in kept.stderr
        assert "unchanged: mine, version 1" in shell("sql", "SELECT 1 AS x", "--save", "mine", "--about", "One.").stderr
        assert "version 2" in shell("sql", "-", "--save", "mine", stdin="SELECT 2 AS x\n").stderr
        assert shell("sql", "@mine", "-f", "csv").stdout == "x\n2\n"
        assert shell("sql", "@mine~1", "-f", "csv").stdout == "x\n1\n"
        history = shell("sql", "--history", "mine").stdout.splitlines()
        assert [line.split()[:2] for line in history[2:]] == [["@mine", "2"], ["@mine~1", "1"]]
        assert [line[-13:] for line in history[2:]] == ["SELECT 2 AS x", "SELECT 1 AS x"]

    @pytest.mark.thorough
    def test_what_the_at_sign_names(self, net: Path, shell: Shell, tmp_path: Path) -> None:
        (tmp_path / "query.sql").write_text("SELECT 'suffix' AS x")
        (tmp_path / "plain").write_text("SELECT 'plain' AS x")
        (tmp_path / "mine").write_text("SELECT 'file' AS x")
        shell("sql", "SELECT 'store' AS x", "--save", "mine")
        found = {
            name: shell("sql", f"@{name}", "-f", "csv").stdout for name in ("query.sql", "plain", "mine", "./mine")
        }
        assert found == {
            "query.sql": "x\nsuffix\n", "plain": "x\nplain\n", "mine": "x\nstore\n", "./mine": "x\nfile\n",
        }  # fmt: skip
        unknown = shell("sql", "@top_neuron")
        assert (unknown.exit_code, unknown.stdout) == (3, "")
        assert "Did you mean 'top_neurons'?" in unknown.stderr
        missing = shell("sql", "@gone.sql")
        assert (missing.exit_code, "gone.sql: cannot be read" in missing.stderr) == (2, True)

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["--views", "--queries"],
            ["SELECT 1", "--views"],
            ["SELECT 1", "--about", "x"],
            ["--views", "-p", "a=1"],
            ["--save", "mine"],
            ["--views", "--save", "mine"],
            ["SELECT $a", "--save", "mine", "-p", "a=1"],
        ],
    )
    def test_contradictions_are_refused(self, net: Path, shell: Shell, arguments: list[str]) -> None:
        result = shell("sql", *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("Error: ")
