"""The verbs of the command line: what each does, to the last digit."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from factories import EVENTS, Shell, dump, run_file, with_sidecar

CHIPS = {"akida": 21.0, "brainscales2": 1.8, "fpga_ice40": 70.0, "loihi2": 10.4, "spinnaker2": 48.0}
"""The run of factories.EVENTS in pJ: 4 hidden spikes and 2 readout spikes, by the costs of the tutorial."""
JSON_KEYS = {
    "schema", "run_id", "name", "chip", "cost_version", "total_spikes", "total_energy_pj", "energy_per_spike_pj",
    "energy_per_inference_pj", "layers", "operations", "neurons", "dominant_layer", "dominant_neuron", "advice",
    "provenance", "warnings",
}  # fmt: skip


def json_of(shell: Shell, *arguments: object) -> Any:
    result = shell(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def rows_of(shell: Shell, *arguments: object) -> list[dict[str, str]]:
    result = shell(*arguments, "--format", "csv")
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(result.stdout.splitlines()))


def other_run(name: str, neuron: int = 0) -> Path:
    """Write a run of one layer, whose six spikes are all of one neuron."""
    return run_file(Path(f"{name}.parquet"), {**EVENTS, "layer": ["a"] * 6, "neuron": [neuron] * 6})


class TestInit:
    def test_it_makes_a_store_with_the_five_chips(self, shell: Shell, tmp_path: Path) -> None:
        result = shell("init")
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr == "energy.duckdb made: 97 cost versions\n"
        assert {row["chip"] for row in rows_of(shell, "costs", "list")} > set(CHIPS)

    def test_a_second_time_changes_nothing(self, shell: Shell, small_store: Path) -> None:
        before = dump(small_store)
        assert "is a store already" in shell("init").stderr
        assert dump(small_store) == before


class TestIngest:
    def test_one_file(self, shell: Shell) -> None:
        with_sidecar(run_file(Path("mine.parquet")))
        [row] = rows_of(shell, "ingest", "mine.parquet", "--tag", "accuracy=0.5")
        assert (row["status"], row["name"], row["spikes"], row["layers"]) == ("stored", "mine", "6", "2")
        [run] = json_of(shell, "runs")["rows"]
        assert (run["run_id"], run["tags"]) == (row["run_id"], {"accuracy": "0.5"})

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize(
        ("sources", "stdin"),
        [
            pytest.param(["runs/a.parquet", "runs/deep/b.parquet"], None, id="files"),
            pytest.param(["runs"], None, id="folder"),
            pytest.param(["runs/**/*.parquet"], None, id="glob"),
            pytest.param(["-"], "runs/a.parquet\nruns/deep/b.parquet\r\n\n", id="stdin"),
            pytest.param(["runs", "-", "runs/a.parquet"], "runs/*.parquet\n", id="each once"),
        ],
    )
    def test_several_files(self, shell: Shell, sources: list[str], stdin: str | None) -> None:
        Path("runs/deep").mkdir(parents=True)
        other_run("runs/a", 1)
        other_run("runs/deep/b", 2)
        Path("runs/notes.txt").write_text("not a run", encoding="utf-8")
        result = shell("ingest", *sources, stdin=stdin)
        assert result.exit_code == 0
        assert result.stderr.splitlines()[-1].startswith("2 stored")
        assert sorted(row["name"] for row in rows_of(shell, "runs")) == ["a", "b"]

    def test_one_bad_file_does_not_stop_the_others(self, shell: Shell) -> None:
        other_run("a", 1)
        other_run("bad", -1)
        other_run("c", 2)
        result = shell("ingest", "a.parquet", "bad.parquet", "gone.parquet", "c.parquet")
        assert result.exit_code == 4
        assert "bad.parquet: column 'neuron' must not be negative: 6 bad rows, first at row 0" in result.stderr
        assert "gone.parquet: no such file" in result.stderr
        assert {"2 stored", "2 refused"} == set(result.stderr.splitlines()[-1].split(", "))
        assert [line.split()[2] for line in result.stdout.splitlines()[2:]] == ["a", "c"]
        assert sorted(row["name"] for row in rows_of(shell, "runs")) == ["a", "c"]

    def test_a_dry_run_keeps_nothing(self, shell: Shell, small_store: Path) -> None:
        other_run("a")
        before = dump(small_store)
        [row] = rows_of(shell, "ingest", "a.parquet", "--dry-run")
        assert (row["status"], row["spikes"]) == ("would be stored", "6")
        assert dump(small_store) == before

    def test_a_dry_run_makes_no_store(self, shell: Shell) -> None:
        other_run("a")
        assert shell("ingest", "a.parquet", "--dry-run").exit_code == 0
        assert sorted(path.name for path in Path.cwd().iterdir()) == ["a.parquet"]

    @pytest.mark.thorough
    def test_without_events_the_reports_are_the_same(self, shell: Shell) -> None:
        with_sidecar(run_file(Path("mine.parquet")))
        assert shell("ingest", "mine.parquet", "--events", "none").exit_code == 0
        assert [row["events"] for row in rows_of(shell, "runs")] == ["rolled up"]
        assert json_of(shell, "report", "--chip", "loihi2")["total_energy_pj"] == 10.4
        assert json_of(shell, "sql", "SELECT count(*) AS n FROM spike_events")["rows"] == [{"n": 0}]


class TestRunsAndShow:
    def test_the_newest_run_is_first(self, shell: Shell, small_store: Path) -> None:
        shell("ingest", other_run("later"))
        rows = rows_of(shell, "runs")
        assert [(row["name"], row["spikes"], row["timesteps"], row["samples"]) for row in rows] == [
            ("later", "6", "4", "2"),
            ("kept", "6", "4", "2"),
        ]
        assert [row["name"] for row in rows_of(shell, "runs", "--limit", 1)] == ["later"]
        assert [row["name"] for row in rows_of(shell, "runs", "--name", "kept")] == ["kept"]

    def test_no_runs(self, shell: Shell, tmp_store: Path) -> None:
        result = shell("runs")
        assert (result.exit_code, result.stdout) == (0, "")
        assert "no runs yet: energy-db ingest run.parquet" in result.stderr

    def test_show(self, shell: Shell, small_store: Path) -> None:
        shown = json_of(shell, "show", "kept")
        assert shown["schema"] == "energy-db/run/1"
        assert (shown["name"], shown["spikes"], shown["timesteps"], shown["timestep_us"]) == ("kept", 6, 4, 1000)
        layers = [tuple(row.values()) for row in shown["rows"]]
        assert layers == [("hidden", "hidden", 4, 3, 2, ""), ("output", "readout", 3, 2, 0, "")]

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("selector", ["kept", "latest", "latest~0", "@model", "@model=small"])
    def test_a_run_has_many_names(self, shell: Shell, small_store: Path, selector: str) -> None:
        shell("tag", "kept", "model=small")
        shown = json_of(shell, "show", selector)
        assert shown["name"] == "kept"
        assert json_of(shell, "show", shown["run_id"][:6])["run_id"] == shown["run_id"]


class TestReport:
    def test_json(self, shell: Shell, small_store: Path) -> None:
        report = json_of(shell, "report", "--chip", "loihi2")
        assert set(report) >= JSON_KEYS
        assert (report["schema"], report["name"], report["chip"]) == ("energy-db/report/1", "kept", "loihi2")
        assert (report["total_spikes"], report["total_energy_pj"], report["energy_per_inference_pj"]) == (6, 10.4, 5.2)
        assert report["energy_per_spike_pj"] == pytest.approx(10.4 / 6)
        assert report["dominant_layer"] == "hidden"
        assert report["dominant_neuron"] == {"layer": "hidden", "neuron": 1}
        assert [(la["layer"], la["role"], la["spikes"], la["energy_pj"]) for la in report["layers"]] == [
            ("hidden", "hidden", 4, 8.4),
            ("output", "readout", 2, 2.0),
        ]
        assert [la["energy_per_spike_pj"] for la in report["layers"]] == [2.1, 1.0]
        assert sum(la["share"] for la in report["layers"]) == pytest.approx(1)

    def test_by_layer(self, shell: Shell, small_store: Path) -> None:
        rows = rows_of(shell, "report", "--chip", "spinnaker2", "--by", "layer")
        assert [(row["layer"], float(row["energy_pj"])) for row in rows] == [("hidden", 40.0), ("output", 8.0)]

    def test_by_operation(self, shell: Shell, small_store: Path) -> None:
        rows = rows_of(shell, "report", "--chip", "loihi2", "--by", "operation")
        found = {row["operation"]: (row["driver"], int(row["count"]), float(row["energy_pj"])) for row in rows}
        assert found == {
            "synapse_lookup": ("transmitted_spike", 4, 3.2),
            "membrane_update": ("neuron_spike", 6, 3.0),
            "weight_multiply": ("neuron_spike", 6, 3.0),
            "aer_routing": ("transmitted_spike", 4, 0.8),
            "spike_generation": ("generated_spike", 4, 0.4),
        }

    def test_by_neuron(self, shell: Shell, small_store: Path) -> None:
        rows = rows_of(shell, "report", "--chip", "loihi2", "--by", "neuron")
        found = [(row["layer"], int(row["neuron"]), int(row["spikes"]), float(row["energy_pj"])) for row in rows]
        hidden = [("hidden", 1, 2, 4.2), ("hidden", 0, 1, 2.1), ("hidden", 2, 1, 2.1)]
        assert found == [*hidden, ("output", 0, 1, 1.0), ("output", 1, 1, 1.0)]

    def test_by_step(self, shell: Shell, small_store: Path) -> None:
        rows = rows_of(shell, "report", "--chip", "loihi2", "--by", "step")
        found = [(int(row["timestep"]), row["layer"], int(row["spikes"]), float(row["energy_pj"])) for row in rows]
        last = [(3, "hidden", 1, 2.1), (3, "output", 1, 1.0)]
        assert found == [(0, "hidden", 2, 4.2), (1, "output", 1, 1.0), (2, "hidden", 1, 2.1), *last]

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize(("top", "n_rows"), [("0", 0), ("2", 2), ("all", 5), ("99", 5)])
    def test_top(self, shell: Shell, small_store: Path, top: str, n_rows: int) -> None:
        result = shell("report", "--chip", "loihi2", "--by", "neuron", "--top", top, "-f", "csv")
        assert len(result.stdout.splitlines()) == 1 + n_rows
        assert (f"the {n_rows} costliest of 5 neurons" in result.stderr) == (n_rows < 5)
        assert len(json_of(shell, "report", "--chip", "loihi2", "--top", top)["neurons"]) == n_rows

    def test_all_chips(self, shell: Shell, small_store: Path) -> None:
        for arguments in (["report"], ["report", "kept", "--chip", "all"]):
            rows = json_of(shell, *arguments)["rows"]
            assert {row["chip"]: row["total_energy_pj"] for row in rows if row["chip"] in CHIPS} == CHIPS

    def test_a_file_is_priced_without_a_store(self, shell: Shell) -> None:
        with_sidecar(run_file(Path("mine.parquet")))
        report = json_of(shell, "report", "mine.parquet", "--chip", "loihi2")
        assert (report["name"], report["total_energy_pj"]) == ("mine", 10.4)
        rows = json_of(shell, "report", "./mine.parquet", "--role", "output=hidden")["rows"]
        # 6 hidden spikes
        assert {row["chip"]: row["total_energy_pj"] for row in rows}["loihi2"] == 12.6
        steps = rows_of(shell, "report", "mine.parquet", "--chip", "loihi2", "--by", "step")
        assert [int(row["spikes"]) for row in steps] == [2, 1, 1, 1, 1]
        assert sorted(path.name for path in Path.cwd().iterdir()) == ["mine.json", "mine.parquet"]

    def test_the_page_of_a_real_run(self, shell: Shell, digits_store: Path) -> None:
        page = shell("report", "digits-baseline", "--chip", "loihi2").stdout
        assert "Total 899.3 nJ, 2.498 nJ per inference: 528507 spikes in 360 samples of 25 timesteps" in page
        assert "hidden1 accounts for 45.9 % of the energy; its neuron 115 fires 4.1 times its layer's mean" in page

    def test_a_real_run_equals_its_arrays(self, shell: Shell, digits_store: Path, digits: Path) -> None:
        report = json_of(shell, "report", "--chip", "loihi2", "--top", "all")
        sizes = {"input": 64, "hidden1": 128, "hidden2": 64, "output": 10}
        tenths_of_pj = {"input": 10, "hidden1": 21, "hidden2": 21, "output": 10}
        expected: dict[tuple[str, int], tuple[int, float]] = {}
        with np.load(digits / "digits-baseline.npz") as arrays:
            for layer, n_neurons in sizes.items():
                spikes = np.unpackbits(arrays[layer], axis=-1, count=n_neurons).sum(axis=(0, 1), dtype=int)
                expected |= {(layer, n): (int(s), int(s) * tenths_of_pj[layer] / 10) for n, s in enumerate(spikes) if s}
        found = {(row["layer"], row["neuron"]): (row["spikes"], row["energy_pj"]) for row in report["neurons"]}
        assert found == expected
        assert report["total_energy_pj"] == 899253.2


class TestCosts:
    def test_show(self, shell: Shell, tmp_store: Path) -> None:
        rows = rows_of(shell, "costs", "show", "fpga_ice40")
        assert {row["operation"]: (row["driver"], float(row["energy_pj"])) for row in rows} == {
            "membrane_update": ("neuron_spike", 3.0),
            "spike_generation": ("generated_spike", 1.0),
            "synapse_lookup": ("transmitted_spike", 8.0),
            "weight_multiply": ("neuron_spike", 2.0),
            "aer_routing": ("transmitted_spike", 1.0),
        }

    def test_a_lump_says_where_it_is_from(self, shell: Shell, tmp_store: Path) -> None:
        shown = json_of(shell, "costs", "show", "akida", "--cost", "tutorial72")
        assert (shown["schema"], shown["status"]) == ("energy-db/costs/1", "tutorial")
        assert "Tutorial 72" in shown["source"]
        [row] = shown["rows"]
        assert (row["operation"], row["driver"], row["scope"], row["energy_pj"]) == (
            "undivided",
            "spike",
            "aggregate",
            3.5,
        )


class TestTag:
    def test_set_list_and_remove(self, shell: Shell, small_store: Path) -> None:
        assert shell("tag", "kept", "accuracy=0.98", "note=a=b").exit_code == 0
        tags = {row["tag"]: row["value"] for row in rows_of(shell, "tag", "kept")}
        assert tags == {"accuracy": "0.98", "note": "a=b"}
        query = "SELECT tag, tag_number FROM run_tags ORDER BY tag"
        found = json_of(shell, "sql", query)["rows"]
        assert found == [{"tag": "accuracy", "tag_number": 0.98}, {"tag": "note", "tag_number": None}]
        shell("tag", "kept", "accuracy=0.99", "--remove", "note")
        assert rows_of(shell, "tag", "kept") == [{"tag": "accuracy", "value": "0.99"}]


class TestVerify:
    def test_a_sound_store(self, shell: Shell, small_store: Path) -> None:
        result = shell("verify")
        assert result.exit_code == 0
        assert "failed" not in result.stdout

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize(
        ("damage", "checks"),
        [
            ("UPDATE neuron_activity SET n_spikes = 9", {"neurons_equal_events", "neurons_sum_to_layers"}),
            ("UPDATE costs SET energy_pj = 9 WHERE chip = 'akida'", {"costs_are_unchanged"}),
        ],
    )  # fmt: skip
    def test_a_tampered_store(self, shell: Shell, small_store: Path, damage: str, checks: set[str]) -> None:
        with duckdb.connect(str(small_store)) as connection:
            connection.execute(damage)
        result = shell("verify", "--json")
        assert result.exit_code == 1
        rows = json.loads(result.stdout)["rows"]
        assert {row["check"] for row in rows if row["result"] == "failed"} >= checks
