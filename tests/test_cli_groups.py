"""Groups of runs on the command line: compare group:TAG=VALUE group:TAG=VALUE."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from factories import Shell, assert_refused, run_file, with_sidecar

from energy_db import EnergyStore

GROUPS = ["compare", "group:branch=main", "group:branch=sparse"]


@pytest.fixture(scope="module")
def _grouped(_empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grouped")
    path = Path(shutil.copy(_empty_store, folder / "energy.duckdb"))
    runs = {"main": (10, 12), "sparse": (1, 3), "alone": (5,)}
    with EnergyStore(path) as store:
        for branch, spikes in runs.items():
            for number in spikes:
                columns = {"layer": ["hidden"] * number, "neuron": [0] * number, "timestep": range(number)}
                recorded = with_sidecar(run_file(folder / f"{branch}-{number}.parquet", columns), {"n_timesteps": 12})
                store.ingest(recorded, tags={"branch": branch}, roles={"hidden": "hidden"})
    return path


@pytest.fixture
def grouped(_grouped: Path, tmp_path: Path) -> Path:
    """Runs of a lone hidden layer, 2.1 pJ a spike on loihi2: main 21.0 and 25.2 pJ, sparse 2.1 and 6.3, one alone."""
    return Path(shutil.copy(_grouped, tmp_path / "energy.duckdb"))


def test_a_page(grouped: Path, shell: Shell) -> None:
    result = shell(*GROUPS, "--chip", "loihi2")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "group:branch=main (2 runs) -> group:branch=sparse (2 runs) on loihi2 (costs tutorial72)"
    assert "Mean energy: 23.1 pJ -> 4.2 pJ, -18.9 pJ (-81.8 %)" in lines
    assert "literature values of a tutorial" in result.stderr


def test_json_says_how_sure(grouped: Path, shell: Shell) -> None:
    found = json.loads(shell(*GROUPS, "--chip", "loihi2", "--json").stdout)
    assert found["schema"] == "energy-db/compare-groups/1"
    energy = found["energy_pj"]
    # Both variances are 8.82: the error is the root of 8.82, the degrees are 2, whose t of 95 % is 4.303.
    assert energy["degrees"] == pytest.approx(2)
    assert energy["high"] - energy["low"] == pytest.approx(2 * 4.3027 * 8.82**0.5, abs=1e-3)
    assert energy["p_value"] == pytest.approx(1 - (18.9**2 / 8.82 / (2 + 18.9**2 / 8.82)) ** 0.5)


@pytest.mark.thorough
def test_other_formats(grouped: Path, shell: Shell, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(shell(*GROUPS, "--chip", "loihi2", "-f", "csv").stdout)))
    assert [row["measure"] for row in rows] == ["energy_pj", "energy_per_inference_pj", "spikes", "energy_pj"]
    assert float(rows[3]["change"]) == pytest.approx(-18.9)
    assert shell(*GROUPS, "--chip", "loihi2", "-f", "md").stdout.startswith("# group:branch=main")
    shell(*GROUPS, "--chip", "loihi2", "-o", "groups.parquet")
    assert pq.read_table(tmp_path / "groups.parquet")["layer"].to_pylist() == [None, None, None, "hidden"]


@pytest.mark.thorough
def test_what_is_not_comparable_is_shown_and_exits_with_3(grouped: Path, shell: Shell) -> None:
    with EnergyStore(grouped) as store:
        store._engine.run("UPDATE runs SET n_samples = 2 WHERE run_name = 'sparse-3'")
    result = shell(*GROUPS, "--chip", "loihi2")
    assert result.exit_code == 3
    assert "NOT comparable: samples: 1 / 2, 1" in result.stdout
    assert "the groups are not comparable: samples" in result.stderr
    assert shell(*GROUPS, "--chip", "loihi2", "--allow").exit_code == 0


@pytest.mark.thorough
def test_a_condition_on_energy_names_a_group(grouped: Path, shell: Shell) -> None:
    result = shell("compare", "group:energy>=20pJ", "group:energy<10pJ", "--chip", "loihi2")
    assert (result.exit_code, "23.1 pJ -> 4.2 pJ" in result.stdout) == (0, True)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("exit_code", "arguments", "says"),
    [
        (3, ["group:branch=main", "group:branch=alone", "--chip", "loihi2"], "too few runs: 1"),
        (3, ["group:branch=main", "group:branch=nowhere", "--chip", "loihi2"], "no run is in group:branch=nowhere"),
        (3, ["group:branch=main", "group:brunch=x", "--chip", "loihi2"], "Did you mean 'branch'?"),
        (2, ["group:branch=main", "latest", "--chip", "loihi2"], "a group cannot be held against a single run"),
        (2, ["group:branch=main", "group:branch=sparse"], "--chip"),
        (2, ["group:branch=main", "group:branch~main", "--chip", "loihi2"], "share 2 of their runs"),
        (2, [*GROUPS[1:], "--chip", "loihi2", "--method", "pvm"], "--method: for single runs, not for groups"),
        (2, [*GROUPS[1:], "--chip", "loihi2", "--top", "3"], "--top: for single runs, not for groups"),
        (2, [*GROUPS[1:], "--chip", "loihi2", "--by", "neuron"], "--by: for single runs, not for groups"),
        (2, [*GROUPS[1:], "--chip", "loihi2", "--fail-on", "energy>5%"], "--fail-on: for single runs"),
        (2, [*GROUPS[1:], "--chip", "loihi2", "--html", "x.html"], "--html: for single runs"),
        (2, [*GROUPS[1:], "--chip", "loihi2", "--plot", "x.svg"], "--plot: for single runs"),
        (2, [*GROUPS[1:], "--chip", "loihi2", "--top", "10"], "--top: for single runs"),
        (2, [*GROUPS[1:], "--chip", "loihi2", "--method", "shapley", "--relative"], "--method, --relative: for single"),
        (2, [*GROUPS[1:], "--chip", "loihi2", "--only-changed"], "--only-changed: for single runs"),
        (2, [*GROUPS[1:], "--chip", "loihi2", "--layers-alias", "a=b"], "--layers-alias: for single runs"),
        (2, [*GROUPS[1:], "--chip", "loihi2", "--cost-a", "a", "--cost-b", "b"], "priced by one cost set"),
        (3, [*GROUPS[1:], "--chip", "loihi2", "--cost-b", "tutorial"], "tutorial72"),
    ],
)
def test_what_is_refused(grouped: Path, shell: Shell, exit_code: int, arguments: list[str], says: str) -> None:
    assert_refused(shell, grouped, exit_code, ["compare", *arguments], says)
