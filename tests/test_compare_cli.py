"""The verb compare: its page, its rows, its formats, its exit codes. --fail-on stands in test_compare_limits.py.

From `before` to `after`, the hidden layer spikes 6 and 7 times, the readout once and twice: 16 and 19 pJ on `toy`
(small_runs.py). All spikes go from 10 to 12, so that at shares of 3/10 and 3/12, 6/10 and 7/12, 1/10 and 2/12 their
effect on inputs is 2 x 0.275 x 1, on hidden neurons 2 x 0.591667 x 2, on the readout 2 x 0.133333 x 1; the rest is mix.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from factories import Shell, assert_refused
from small_runs import LAYERS, costs, small_run, with_spikes
from test_comparison import worked_costs, worked_run

from energy_db import EnergyStore

NOT_COMPARABLE = NOT_FOUND = 3
SPIKES_EFFECTS = {"in": 0.55, "hid": 2 * (6 / 10 + 7 / 12), "out": 1 / 10 + 2 / 12}
CHANGES = {"in": 0.0, "hid": 2.0, "out": 1.0}
ODD = ("a|b", "<script>", "bell\x07", "it's")


@pytest.fixture(scope="module")
def _stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compare")
    odd_layers = [{"name": name, "role": "hidden", "n_neurons": 1} for name in ODD]
    with EnergyStore(folder / "energy.duckdb") as store:
        store.costs.add(costs())
        store.costs.add(costs("v2", 2))
        store.ingest(small_run(folder, "before", tags={"accuracy": "0.5"}))
        store.ingest(small_run(folder, "after", with_spikes(hid=(5, 2, 0), out=(1, 1)), tags={"accuracy": "75 %"}))
        store.ingest(small_run(folder, "longer", with_spikes(out=(3, 0)), n_timesteps=5))
        store.ingest(small_run(folder, "silent", {"in": (0, 0), "hid": (0, 0, 0), "out": (0, 0)}))
        store.ingest(small_run(folder, "odd", dict.fromkeys(ODD, (1,)), layers=odd_layers))
        renamed = {"in": (2, 1), "h": (4, 2, 0), "out": (1, 1)}
        layers = [{**layer, "name": {"hid": "h"}.get(layer["name"], layer["name"])} for layer in LAYERS]
        store.ingest(small_run(folder, "renamed", renamed, layers=layers))
    return folder / "energy.duckdb"


@pytest.fixture(autouse=True)
def store(_stored: Path, tmp_path: Path) -> Path:
    """A store in the folder that `shell` works in."""
    return Path(shutil.copy(_stored, tmp_path / "energy.duckdb"))


def data(shell: Shell, *arguments: object, exit_code: int = 0) -> Any:
    """Return what --json prints."""
    result = shell("compare", *arguments, "--json")
    assert (result.exit_code, "Traceback" in result.output) == (exit_code, False), result.output
    return json.loads(result.stdout)


def page(shell: Shell, *arguments: object) -> str:
    result = shell("compare", *arguments)
    assert result.exit_code == 0, result.output
    return str(result.stdout)


class TestTheWholeOfIt:
    def test_the_worked_example(self, shell: Shell, tmp_path: Path) -> None:
        with EnergyStore(tmp_path / "worked.duckdb") as opened:
            for name in ("before", "after"):
                opened.ingest(worked_run(tmp_path, name))
            opened.costs.add(worked_costs("v1", "1.0", "1.1"))
            opened.costs.add(worked_costs("v2", "1.1", "1.2"))
        arguments = ("before", "after", "--chip", "toy", "--cost-b", "v2", "--db", tmp_path / "worked.duckdb")
        found = data(shell, *arguments)
        assert (found["total_a_pj"], found["total_b_pj"], found["change_pj"]) == (10_700.0, 10_320.0, -380.0)
        assert {name: round(amount, 1) for name, amount in found["effects"].items()} == {
            "spikes": -842.1, "layer_mix": -497.3, "neuron_mix": 0.0, "work": 0.0, "other_drivers": 0.0, "cost": 959.4,
        }  # fmt: skip
        assert found["residual_pj"] == 0
        assert (found["cost_version_a"], found["cost_version_b"], found["method"]) == ("v1", "v2", "shapley")
        by_lmdi = data(shell, *arguments, "--method", "lmdi")
        assert [round(by_lmdi["effects"][name], 1) for name in ("spikes", "layer_mix", "cost")] == [
            -837.2,
            -496.0,
            953.2,
        ]
        assert by_lmdi["residual_pj"] == pytest.approx(0, abs=1e-9)
        shown = page(shell, *arguments)
        assert "Energy: 10.7 nJ -> 10.32 nJ, -380.0 pJ (-3.6 %)" in shown
        assert "spikes, in all  -842.1 pJ" in shown
        assert "cost version    +959.4 pJ" in shown

    def test_json_holds_all_that_was_promised(self, shell: Shell) -> None:
        found = data(shell, "before", "after", "--chip", "toy")
        promised = {
            "schema", "a", "b", "chip", "cost_version_a", "cost_version_b", "total_a_pj", "total_b_pj", "change_pj",
            "effects", "residual_pj", "layers", "neurons", "why", "comparable", "differs", "warnings",
        }  # fmt: skip
        assert promised <= found.keys()
        assert (found["schema"], found["chip"]) == ("energy-db/compare/1", "toy")
        assert (found["a"]["name"], found["a"]["spikes"], found["b"]["name"], found["b"]["spikes"]) == (
            "before", 10, "after", 12,
        )  # fmt: skip
        assert (found["total_a_pj"], found["total_b_pj"], found["change_share"]) == (16.0, 19.0, 3 / 16)
        assert found["why"] == "+18.8 %: hid fires 17 % more, out fires 2.0 times as often"
        assert (found["comparable"], found["differs"]) == (True, [])
        for layer in found["layers"]:
            effects, change = layer["effects"], CHANGES[layer["layer"]]
            assert layer["change_pj"] == change
            assert effects["spikes"] == pytest.approx(SPIKES_EFFECTS[layer["layer"]])
            assert effects["layer_mix"] == pytest.approx(change - SPIKES_EFFECTS[layer["layer"]])
        assert sum(found["effects"].values()) == pytest.approx(3.0)
        assert [(entry["layer"], entry["neuron"], entry["change_pj"]) for entry in found["neurons"]][:2] == [
            ("hid", 0, 2.0), ("out", 1, 1.0),
        ]  # fmt: skip
        assert [(entry["operation"], entry["change_pj"]) for entry in found["operations"]] == [
            ("fire", 2.0),
            ("send", 1.0),
        ]
        assert (found["accuracy_a"], found["accuracy_b"]) == (0.5, 0.75)
        assert (found["energy_per_correct_a_pj"], found["energy_per_correct_b_pj"]) == (16.0, pytest.approx(19 / 1.5))
        assert "limits" not in found

    @pytest.mark.thorough
    def test_the_page(self, shell: Shell) -> None:
        shown = page(shell, "before", "after", "--chip", "toy")
        head = shown.splitlines()
        assert head[0].startswith("before (")
        assert head[0].endswith(" on toy (costs v1)")
        assert head[2:6] == [
            "Comparable: yes",
            "Energy: 16.0 pJ -> 19.0 pJ, +3.0 pJ (+18.8 %)",
            "Accuracy: 50.0 % -> 75.0 %; energy per correct answer 16.0 pJ -> 12.67 pJ (-20.8 %)",
            "Why: +18.8 %: hid fires 17 % more, out fires 2.0 times as often",
        ]
        for row in (
            "spikes, in all   +3.183 pJ          +19.9 %",
            "mix of layers   -0.1833 pJ           -1.1 %",
            "cost version        0.0 pJ            0.0 %",
            "in                 3             3   3.0 pJ   3.0 pJ   0.0 pJ",
            "fire       neuron_spike                  7            9  7.0 pJ   9.0 pJ  +2.0 pJ",
            "hid/0               4             5  8.0 pJ  10.0 pJ  +2.0 pJ",
        ):
            assert row in shown.splitlines()

    @pytest.mark.thorough
    def test_relative_and_only_changed(self, shell: Shell) -> None:
        shown = page(shell, "before", "after", "--chip", "toy", "--relative", "--only-changed").splitlines()
        # 3.183 and -0.183 of 16 pJ; the others are 0.
        start = shown.index("because of       change  share of before") + 2
        assert shown[start : start + 3] == [
            "spikes, in all  +19.9 %          +19.9 %",
            "mix of layers    -1.1 %           -1.1 %",
            "in all          +18.8 %          +18.8 %",
        ]
        assert "hid/0               4             5  8.0 pJ  10.0 pJ  +12.5 %" in shown

    @pytest.mark.thorough
    def test_markdown(self, shell: Shell) -> None:
        shown = page(shell, "before", "after", "--chip", "toy", "-f", "md").splitlines()
        assert shown[0].startswith("# before (")
        assert "- Why: +18.8 %: hid fires 17 % more, out fires 2.0 times as often" in shown
        assert "| spikes, in all | +3.183 pJ | +19.9 % |" in shown
        assert "## Layers" in shown

    @pytest.mark.thorough
    def test_a_run_with_itself(self, shell: Shell) -> None:
        found = data(shell, "before", "before", "--chip", "toy")
        assert (found["change_pj"], set(found["effects"].values())) == (0.0, {0.0})
        assert found["why"] == "0.0 %: nothing changed"
        shown = page(shell, "before", "before", "--chip", "toy", "--only-changed")
        assert "Why: 0.0 %: nothing changed" in shown
        assert "Layers" not in shown

    @pytest.mark.thorough
    def test_a_run_under_two_versions(self, shell: Shell) -> None:
        found = data(shell, "before", "before", "--chip", "toy", "--cost-a", "v2", "--cost-b", "v1")
        assert (found["total_a_pj"], found["total_b_pj"]) == (32.0, 16.0)
        assert found["effects"] == {**dict.fromkeys(found["effects"], 0.0), "cost": -16.0}
        assert found["why"] == "-50.0 %: the costs of v1 instead of v2"
        assert found["differs"] == [{"what": "cost version", "a": "v2", "b": "v1", "matters": False}]

    @pytest.mark.thorough
    def test_a_run_without_energy(self, shell: Shell) -> None:
        found = data(shell, "silent", "before", "--chip", "toy")
        assert (found["total_a_pj"], found["change_share"], found["effects"]["spikes"]) == (0.0, None, 16.0)
        assert "Energy: 0.0 pJ -> 16.0 pJ, +16.0 pJ\n" in page(shell, "silent", "before", "--chip", "toy", "--relative")
        both = data(shell, "silent", "silent", "--chip", "toy")
        assert (both["total_b_pj"], both["why"], len(both["layers"])) == (0.0, "0.0 pJ: nothing changed", 3)
        back = data(shell, "before", "silent", "--chip", "toy")
        assert (back["change_share"], back["effects"]["spikes"]) == (-1.0, -16.0)


class TestRows:
    @pytest.mark.thorough
    @pytest.mark.parametrize(
        ("by", "key", "changes"),
        [
            ("layer", ("layer",), {("in",): "0.0", ("hid",): "2.0", ("out",): "1.0"}),
            ("operation", ("operation",), {("fire",): "2.0", ("send",): "1.0"}),
            (
                "neuron",
                ("layer", "neuron"),
                {("hid", "0"): "2.0", ("out", "1"): "1.0", ("hid", "1"): "0.0", ("in", "0"): "0.0", ("in", "1"): "0.0",
                 ("out", "0"): "0.0"},
            ),
        ],
    )  # fmt: skip
    def test_csv_json_and_parquet_say_the_same(
        self, shell: Shell, tmp_path: Path, by: str, key: tuple[str, ...], changes: dict[Any, str]
    ) -> None:
        arguments = ("before", "after", "--chip", "toy", "--by", by)
        of_csv = list(csv.DictReader(io.StringIO(page(shell, *arguments, "-f", "csv"))))
        assert {tuple(row[column] for column in key): row["change_pj"] for row in of_csv} == changes
        of_json = data(shell, *arguments)
        assert of_json["schema"] == "energy-db/compare-rows/1"
        assert (of_json["by"], of_json["chip"], of_json["comparable"]) == (by, "toy", True)
        assert [str(row["change_pj"]) for row in of_json["rows"]] == [row["change_pj"] for row in of_csv]
        page(shell, *arguments, "--top", "all", "-o", tmp_path / "rows.parquet")
        exact = pq.read_table(tmp_path / "rows.parquet").to_pylist()
        assert [row["change_pj"] for row in exact] == [Decimal(row["change_pj"]) for row in of_csv]
        if by != "operation":
            effects = [name for name in exact[0] if name.endswith("_effect_pj")]
            assert len(effects) == 6
            assert all(sum(row[name] for name in effects) == row["change_pj"] for row in exact)

    @pytest.mark.thorough
    def test_effects(self, shell: Shell) -> None:
        of_csv = dict(
            csv.reader(io.StringIO(page(shell, "before", "after", "--chip", "toy", "--by", "effect", "-f", "csv")))
        )
        assert float(of_csv["spikes"]) == pytest.approx(sum(SPIKES_EFFECTS.values()))
        assert float(of_csv["layer_mix"]) == pytest.approx(3 - sum(SPIKES_EFFECTS.values()))
        assert {of_csv[name] for name in ("neuron_mix", "work", "other_drivers", "cost", "residual")} == {"0.0"}

    @pytest.mark.thorough
    def test_top(self, shell: Shell) -> None:
        arguments = ("before", "after", "--chip", "toy", "--by", "neuron")
        assert len(data(shell, *arguments, "--top", 1)["rows"]) == 1
        assert len(data(shell, *arguments, "--top", "all")["rows"]) == 6
        assert data(shell, *arguments, "--top", 0)["rows"] == []
        assert data(shell, "before", "after", "--chip", "toy", "--top", 1)["neurons"][0]["neuron"] == 0

    @pytest.mark.thorough
    def test_only_changed(self, shell: Shell) -> None:
        rows = data(shell, "before", "after", "--chip", "toy", "--by", "layer", "--only-changed")["rows"]
        assert [row["layer"] for row in rows] == ["hid", "out"]

    @pytest.mark.thorough
    def test_nothing_changed_leaves_a_header(self, shell: Shell) -> None:
        arguments = ("before", "before", "--chip", "toy", "--by", "layer")
        header, *_ = page(shell, *arguments, "-f", "csv").splitlines()
        assert page(shell, *arguments, "--only-changed", "-f", "csv").splitlines() == [header]
        assert page(shell, *arguments, "--only-changed") == ""

    @pytest.mark.thorough
    def test_another_method_is_not_written_as_the_exact_one(self, shell: Shell, tmp_path: Path) -> None:
        # A readout of 1 and 2 spikes alone would be all spikes; here, LMDI gives it another part than Shapley.
        arguments = ("before", "after", "--chip", "toy", "--by", "layer", "--method", "lmdi")
        expected = [row["spikes_effect_pj"] for row in data(shell, *arguments)["rows"]]
        page(shell, *arguments, "-o", tmp_path / "rows.parquet")
        written = pq.read_table(tmp_path / "rows.parquet").column("spikes_effect_pj").to_pylist()
        assert written == expected
        assert written != pytest.approx(list(SPIKES_EFFECTS.values()), rel=1e-6)

    @pytest.mark.thorough
    def test_a_file(self, shell: Shell, tmp_path: Path) -> None:
        assert page(shell, "before", "after", "--chip", "toy", "-o", tmp_path / "change.json") == ""
        assert json.loads((tmp_path / "change.json").read_text())["change_pj"] == 3.0
        page(shell, "before", "after", "--chip", "toy", "-o", tmp_path / "change.md")
        assert (tmp_path / "change.md").read_text().startswith("# before (")
        page(shell, "before", "after", "--chip", "toy", "-o", tmp_path / "change.csv")
        assert (tmp_path / "change.csv").read_text().startswith("layer,in_a,in_b,spikes_a,spikes_b,")


class TestEveryChip:
    @pytest.mark.thorough
    def test_one_row_each(self, shell: Shell) -> None:
        found = data(shell, "before", "after")
        assert found["schema"] == "energy-db/compare-chips/1"
        assert (found["a"]["name"], found["comparable"]) == ("before", True)
        rows = {row["chip"]: row for row in found["rows"]}
        assert (rows["toy"]["total_a_pj"], rows["toy"]["change_pj"]) == (16.0, 3.0)
        # On loihi2, a spike of the input costs 1.0 pJ, a hidden one 2.1, one of the readout 1.0.
        assert (rows["loihi2"]["total_a_pj"], rows["loihi2"]["change_pj"]) == (16.6, pytest.approx(2.1 + 1.0))
        shares = [row["change_share"] for row in found["rows"]]
        assert shares == sorted(shares)

    @pytest.mark.thorough
    def test_as_a_table_and_csv(self, shell: Shell) -> None:
        result = shell("compare", "before", "after")
        assert "toy" in result.stdout
        assert result.stderr.splitlines()[0] == "Comparable: yes"
        rows = list(csv.DictReader(io.StringIO(page(shell, "before", "after", "-f", "csv"))))
        assert {row["chip"]: row["spikes_effect_pj"] for row in rows}["toy"].startswith("3.18333333")

    @pytest.mark.parametrize(
        "options",
        [
            ("--by", "layer"), ("--cost-a", "v1"), ("--cost-b", "v1"), ("--method", "lmdi"), ("--fail-on", "energy>5%"),
            ("--layers-alias", "a=b"), ("--top", "3"), ("--top", "10"), ("--method", "shapley"), ("--relative",),
            ("--only-changed",), ("--html", "page.html"), ("--plot", "figure.svg"),
        ],
    )  # fmt: skip
    def test_what_needs_one_chip(self, shell: Shell, store: Path, options: tuple[str, ...]) -> None:
        says = [f"{options[0]}: needs one chip", "--chip loihi2"]
        assert_refused(shell, store, 2, ["compare", "before", "after", *options], says)

    @pytest.mark.thorough
    def test_what_is_not_comparable(self, shell: Shell) -> None:
        result = shell("compare", "before", "longer")
        assert result.exit_code == NOT_COMPARABLE
        assert "NOT comparable: timesteps: 4 / 5" in result.stderr
        assert shell("compare", "before", "longer", "--allow").exit_code == 0


class TestWhatIsRefused:
    @pytest.mark.one_in(4)
    @pytest.mark.parametrize(
        ("arguments", "exit_code", "says"),
        [
            (["before"], 2, "Missing argument 'B'"),
            (["befor", "after", "--chip", "toy"], 3, ["no run is called 'befor'", "Did you mean 'before'?"]),
            (["before", "@nope", "--chip", "toy"], 3, "no run carries the tag '@nope'"),
            (["before", "after", "--chip", "lohi2"], 3, "Did you mean 'loihi2'?"),
            (["before", "after", "--chip", "toy", "--cost-a", "v7"], 3, "v7"),
            (["before", "after", "--chip", "toy", "--method", "divisia"], 2, "'divisia' is not one of"),
            (["before", "after", "--chip", "toy", "--by", "spike"], 2, "'spike' is not one of"),
            (["before", "after", "--chip", "toy", "--top", "-1"], 2, "-1"),
            (["before", "after", "--chip", "toy", "-f", "parquet"], 2, "Parquet is not for a terminal"),
            (["before", "after", "--chip", "toy", "--layers-alias", "hid"], 2, "is not of the form NAME=VALUE"),
            (["before", "renamed", "--chip", "toy", "--layers-alias", "hidd=h"], 2,
             ["before has no layer 'hidd'", "Did you mean 'hid'?"]),
            (["before", "renamed", "--chip", "toy", "--layers-alias", "hid=hid"], 2, "renamed has no layer 'hid'"),
            (["before", "renamed", "--chip", "toy", "--layers-alias", "hid=h", "--layers-alias", "hid=hid"], 2,
             "--layers-alias: hid is given two names, h and hid"),
            (["before", "renamed", "--chip", "toy", "--layers-alias", "hid=out"], 2,
             "before has two layers that would be called out"),
            (["before", "after", "--chip", "odin", "--cost-a", "frenkel2019", "--cost-b", "frenkel2019"], 3,
             "no operation of odin can be priced in both runs"),
            (["before", "after", "--chip", "toy", "-f", "csv", "-o", "energy.duckdb"], 2, "is the store itself"),
        ],
    )  # fmt: skip
    def test_it_says_so_and_changes_nothing(
        self, shell: Shell, store: Path, arguments: list[str], exit_code: int, says: str | list[str]
    ) -> None:
        assert_refused(shell, store, exit_code, ["compare", *arguments], says)

    @pytest.mark.thorough
    def test_what_is_not_comparable_is_shown_and_exits_with_3(self, shell: Shell) -> None:
        result = shell("compare", "before", "longer", "--chip", "toy")
        assert result.exit_code == NOT_COMPARABLE
        assert "NOT comparable: timesteps: 4 / 5" in result.stdout
        assert "the runs are not comparable: timesteps: 4 / 5" in result.stderr
        assert "Compare them all the same: --allow" in result.stderr
        found = data(shell, "before", "longer", "--chip", "toy", exit_code=NOT_COMPARABLE)
        assert found["comparable"] is False
        assert found["differs"] == [{"what": "timesteps", "a": "4", "b": "5", "matters": True}]
        assert data(shell, "before", "longer", "--chip", "toy", "--allow")["comparable"] is False

    def test_a_store_of_an_older_release(self, shell: Shell, store: Path) -> None:
        with duckdb.connect(str(store)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '0003'")
        says = ["energy.duckdb is at schema revision 0003", "energy-db --db energy.duckdb migrate"]
        assert_refused(shell, store, 4, ["compare", "before", "after", "--chip", "toy"], says)


class TestNamesOfLayers:
    @pytest.mark.thorough
    def test_another_name_for_the_same_layer(self, shell: Shell) -> None:
        found = data(shell, "before", "renamed", "--chip", "toy", "--layers-alias", "hid=h")
        assert [(layer["layer"], layer["change_pj"]) for layer in found["layers"]] == [
            ("in", 0.0),
            ("h", 0.0),
            ("out", 1.0),
        ]
        assert {entry["layer"] for entry in found["neurons"]} == {"in", "h", "out"}
        rows = data(
            shell, "before", "renamed", "--chip", "toy", "--layers-alias", "hid=h", "--by", "neuron", "--top", "all"
        )
        assert {row["layer"] for row in rows["rows"]} == {"in", "h", "out"}
        apart = shell("compare", "before", "renamed", "--chip", "toy")
        assert "hid only in the first run and h only in the second count as layer mix" in apart.stderr

    @pytest.mark.thorough
    def test_odd_ones(self, shell: Shell, tmp_path: Path) -> None:
        found = data(shell, "odd", "before", "--chip", "toy", "--layers-alias", "it's=hid", "--layers-alias", "a|b=in")
        assert [layer["layer"] for layer in found["layers"]] == ["in", "hid", "out", "<script>", "bell\x07"]
        shown = page(shell, "before", "odd", "--chip", "toy")
        assert "\x07" not in shown
        assert "bell\\x07" in shown
        assert "| a\\|b | " in page(shell, "before", "odd", "--chip", "toy", "-f", "md")
        assert "\x07" not in shell("compare", "before", "odd", "--chip", "toy").stderr
        rows = csv.DictReader(io.StringIO(page(shell, "before", "odd", "--chip", "toy", "--by", "layer", "-f", "csv")))
        assert {row["layer"] for row in rows} == {*ODD, "in", "hid", "out"}
