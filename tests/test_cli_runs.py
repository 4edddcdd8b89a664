"""The verb that lists runs: formats, energies, groups, the front, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from factories import EVENTS, NETWORK, Shell, assert_refused, rearranged, run_file, with_sidecar

from energy_db import EnergyStore


@pytest.fixture(scope="module")
def _two_runs(_small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    stored = Path(shutil.copy(_small_store, folder / "energy.duckdb"))
    with EnergyStore(stored) as store:
        store.tag("kept", {"accuracy": "0.90", "branch": "main"})
        path = with_sidecar(run_file(folder / "less.parquet", rearranged(EVENTS, range(5))), NETWORK)
        store.ingest(path, name="kept", run_id="second", on_duplicate="new", tags={"accuracy": "0.8"})
        store._engine.run("UPDATE runs SET run_name = 'kept'")
    return stored


@pytest.fixture
def two_runs(_two_runs: Path, tmp_path: Path) -> Path:
    """Beside `kept` (10.4 pJ on loihi2) a second run of that name without its last spike, of the readout: 9.4 pJ."""
    return Path(shutil.copy(_two_runs, tmp_path / "energy.duckdb"))


def test_energies_and_changes(two_runs: Path, shell: Shell) -> None:
    result = shell("runs", "--chip", "loihi2")
    assert result.exit_code == 0
    header, _, newest, oldest = result.stdout.splitlines()
    assert header.split()[:9] == [
        "run_id",
        "name",
        "spikes",
        "samples",
        "energy",
        "per",
        "inference",
        "change",
        "share",
    ]
    assert newest.split()[:14] == (
        ["second", "kept", "5", "2", "9.4", "pJ", "4.7", "pJ", "-1.0", "pJ", "-9.6", "%", "5", "of"]
    )
    assert oldest.split()[1:10] == ["kept", "6", "2", "10.4", "pJ", "5.2", "pJ", "5", "of"]


def test_without_a_chip_the_list_is_as_it_was(two_runs: Path, shell: Shell) -> None:
    rows = json.loads(shell("runs", "--json").stdout)["rows"]
    keys = ["run_id", "name", "kind", "spikes", "timesteps", "samples", "layers", "events", "ingested_at", "tags"]
    assert [list(row) for row in rows] == [keys, keys]


def test_json_adds_what_was_asked_for(two_runs: Path, shell: Shell) -> None:
    found = json.loads(shell("runs", "--chip", "loihi2", "--pareto", "accuracy", "--json").stdout)
    assert {key: found[key] for key in found if key != "rows"} == {
        "schema": "energy-db/runs/1",
        "chip": "loihi2",
        "cost_version": "tutorial72",
        "pareto": "accuracy",
        "minimize": False,
    }
    newest, oldest = found["rows"]
    assert newest["tags"] == {"accuracy": "0.8"}
    assert {key: newest[key] for key in list(newest)[10:]} == {
        "energy_pj": 9.4,
        "energy_per_inference_pj": 4.7,
        "n_priced": 5,
        "n_operations": 5,
        "previous_run_id": oldest["run_id"],
        "change_pj": -1.0,
        "change_share": pytest.approx(-1 / 10.4),
        "has_same_extent": True,
        "worth": 0.8,
        "is_on_front": True,
        "dominated_by": None,
    }


def test_the_front_and_who_stands_before(two_runs: Path, shell: Shell) -> None:
    result = shell("runs", "--chip", "loihi2", "--pareto", "accuracy", "--minimize", "--sort", "-energy")
    dearest, cheapest = result.stdout.splitlines()[2:]
    assert "behind second" in dearest
    assert "on it" in cheapest


def test_groups(two_runs: Path, shell: Shell) -> None:
    result = shell("runs", "--chip", "loihi2", "--group-by", "name", "-f", "csv")
    header, line = result.stdout.splitlines()
    found = dict(zip(header.split(","), line.split(","), strict=True))
    # 10.4 and 9.4: the mean is 9.9, and the deviations of 0.5 give a variance of 0.5 / 1.
    assert (found["group"], found["n"], found["energy_n"]) == ("kept", "2", "2")
    assert float(found["energy_mean_pj"]) == pytest.approx(9.9)
    assert float(found["energy_sd_pj"]) == pytest.approx(0.5**0.5)
    assert (found["energy_min_pj"], found["energy_max_pj"], found["spikes_mean"]) == ("9.4", "10.4", "5.5")
    assert float(found["accuracy_mean"]) == pytest.approx(0.85)
    human = shell("runs", "--chip", "loihi2", "--group-by", "branch").stdout
    assert [line.split()[0] for line in human.splitlines()] == ["branch", "------", "main", "(none)"]
    groups = json.loads(shell("runs", "--group-by", "branch", "--json").stdout)["groups"]
    assert [(group["group"], group["n"], group["spikes_mean"]) for group in groups] == [("main", 1, 6), (None, 1, 5)]
    assert groups[1]["run_ids"] == ["second"]


def test_what_cannot_be_priced_is_a_question_mark(two_runs: Path, shell: Shell) -> None:
    result = shell("runs", "--chip", "loihi")
    assert result.stdout.splitlines()[2].count("?") == 2  # the change, and its share
    assert "3 of 6" in result.stdout
    assert "2 of 2 runs are priced in part by loihi davies2018" in result.stderr
    grouped = shell("runs", "--chip", "loihi", "--group-by", "name")
    assert grouped.stdout.splitlines()[2].count("?") == 4


def test_runs_of_other_extent_are_told(two_runs: Path, shell: Shell) -> None:
    with EnergyStore(two_runs) as store:
        store._engine.run("UPDATE runs SET n_samples = 3 WHERE run_id = 'second'")
    assert "so the change says little: second" in shell("runs", "--chip", "loihi2").stderr
    assert "timesteps or samples differ within kept" in shell("runs", "--group-by", "name").stderr


@pytest.mark.thorough
def test_filters_sort_and_limit(two_runs: Path, shell: Shell) -> None:
    def ids(*options: str) -> list[str]:
        lines = shell("runs", "-f", "csv", *options).stdout.splitlines()[1:]
        return ["second" if line.startswith("second,") else "first" for line in lines]

    assert ids() == ["second", "first"]
    assert ids("--where", "accuracy>0.85") == ["first"]
    assert ids("--where", "name=kept", "--where", "spikes<6") == ["second"]
    assert ids("--chip", "loihi2", "--where", "energy>0.01nJ") == ["first"]
    assert ids("--chip", "loihi2", "--sort", "energy-desc", "--limit", "1") == ["first"]
    assert ids("--since", "1 hour ago") == ["second", "first"]
    assert ids("--since", "2100-01-01") == []
    assert ids("--limit", "99999999999999999999999") == ["second", "first"]
    assert ids("--where", "accuracy>85%") == ["first"]


def test_none_meets_the_conditions(two_runs: Path, shell: Shell) -> None:
    result = shell("runs", "--where", "accuracy>0.99")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no runs meet the conditions\n")
    assert shell("runs", "--where", "accuracy>0.99", "-f", "csv").stdout.startswith("run_id,name,kind,spikes,")
    assert shell("runs", "--where", "accuracy>0.99", "--group-by", "name", "-f", "csv").stdout == "group,n\n"


def test_parquet(two_runs: Path, shell: Shell, tmp_path: Path) -> None:
    shell("runs", "--chip", "loihi2", "-o", "runs.parquet")
    assert pq.read_table(tmp_path / "runs.parquet")["energy_pj"].to_pylist() == [9.4, 10.4]
    shell("runs", "--chip", "loihi2", "--group-by", "name", "-o", "groups.parquet")
    assert pq.read_table(tmp_path / "groups.parquet")["n"].to_pylist() == [2]


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("exit_code", "arguments", "says"),
    [
        (3, ["--where", "acuracy>1"], ["no run has a tag or field 'acuracy'", "Did you mean 'accuracy'?"]),
        (2, ["--where", "accuracy"], ["'accuracy' is not a condition", "accuracy>=0.95"]),
        (2, ["--where", "energy>1"], ["needs a chip", "--chip"]),
        (2, ["--since", "someday"], ["since is 'someday'", "2 weeks ago"]),
        (2, ["--sort", "energy"], ["to sort by energy takes a chip"]),
        (3, ["--sort", "colour"], ["no run has a tag or field 'colour'"]),
        (3, ["--group-by", "brunch"], ["Did you mean 'branch'?"]),
        (2, ["--pareto", "accuracy"], ["takes a chip"]),
        (2, ["--chip", "loihi2", "--minimize"], ["--pareto"]),
        (2, ["--cost", "tutorial72"], ["without a chip"]),
        (3, ["--chip", "lohi2"], ["Did you mean 'loihi2'?"]),
        (3, ["--chip", "loihi2", "--cost", "tutorial"], ["tutorial72"]),
        (2, ["--limit", "0"], ["--limit"]),
        (2, ["--since", "9999-12-31T23:59:59-05:00"], ["no moment in UTC"]),
        (2, ["--since", "0001-01-01T00:00+05:00"], ["no moment in UTC"]),
        (2, ["--where", "accuracy>good"], ["only numbers and per cents", "accuracy>95%"]),
        (2, ["--chip", "loihi2", "--pareto", "energy"], ["weighed against a tag", "'energy' is a field"]),
        (2, ["--chip", "loihi2", "--pareto", "spikes"], ["'spikes' is a field", "--pareto accuracy"]),
        (3, ["--chip", "loihi2", "--pareto", "acuracy"], ["no run has a tag 'acuracy'", "Did you mean 'accuracy'?"]),
    ],
)
def test_what_is_refused(two_runs: Path, shell: Shell, exit_code: int, arguments: list[str], says: list[str]) -> None:
    assert_refused(shell, two_runs, exit_code, ["runs", *arguments], says)
