"""The same spikes, priced as each peer prices them: every figure that a peer prints, through the command line.

peers.csv holds the figures, operations.csv what they are made of, worked out by hand: count x cost of each operation.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pyarrow import parquet

from energy_db import EnergyAccountant
from energy_db.cli import cli
from energy_db.tables import markdown_table

TOP = Path(__file__).parents[2]
FILES = TOP / "examples" / "parity"
PAGE = TOP / "docs" / "parity.md"
SC_NEUROCORE = "sc_neurocore_3_16_0"
RUNS = (
    ("p1.parquet",),
    ("p1.parquet", "--counters", "p1_lemaire.csv", "--name", "p1_lemaire"),
    ("p1.parquet", "--counters", "p1_simple.csv", "--name", "p1_simple"),
    ("sanafe_loihi.parquet", "--counters", "sanafe_loihi.csv"),
    ("sanafe_example.parquet", "--counters", "sanafe_example.csv"),
)


def table(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


PEERS = table("peers.csv")
OPERATIONS = table("operations.csv")


def operations_of(peer: dict[str, str]) -> list[dict[str, str]]:
    return [row for row in OPERATIONS if all(row[key] == peer[key] for key in ("chip", "cost_version"))]


def number(value: Any) -> Decimal:
    """Every digit that was printed, and no other."""
    return Decimal(str(value))


def energy_db(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store with the runs of all peers and the demo chip of SANA-FE, made by public commands."""
    path = tmp_path_factory.mktemp("parity") / "energy.duckdb"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(FILES)
        for arguments in [("ingest", *run) for run in RUNS] + [("costs", "add", "sanafe_demo.toml")]:
            done = energy_db(*arguments, "--db", path)
            assert done.exit_code == 0, done.output
            assert "Note" not in done.stderr
    yield path


def report(store: Path, peer: dict[str, str]) -> Any:
    done = energy_db(
        *("report", peer["run"], "--chip", peer["chip"], "--cost", peer["cost_version"]),
        *("--strict", "--json", "--db", store),
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def label(peer: dict[str, str]) -> str:
    return f"{peer['peer']} {peer['chip']}"


@pytest.mark.parametrize("peer", PEERS, ids=label)
class TestPeers:
    @pytest.mark.one_in(5)
    def test_the_total_and_every_operation_come_out_to_the_digit(self, store: Path, peer: dict[str, str]) -> None:
        priced = report(store, peer)
        assert number(priced["total_energy_pj"]) == number(peer["energy_pj"])
        found = {
            row["operation"]: (row["driver"], row["count"], number(row["cost_pj"]), number(row["energy_pj"]))
            for row in priced["operations"]
        }
        assert found == {
            row["operation"]: (row["driver"], int(row["count"]), number(row["cost_pj"]), number(row["energy_pj"]))
            for row in operations_of(peer)
        }
        assert priced["n_priced"] == priced["n_operations"] == len(found)

    def test_the_figures_add_up(self, peer: dict[str, str]) -> None:
        rows = operations_of(peer)
        assert all(int(row["count"]) * number(row["cost_pj"]) == number(row["energy_pj"]) for row in rows)
        assert sum(number(row["energy_pj"]) for row in rows) == number(peer["energy_pj"])


class TestParts:
    def test_sc_neurocore_by_layer(self, store: Path) -> None:
        """It keeps routing apart: hid is 32 x 27.6 + 15 x 1.2 + 8 x 0.5, out 18 x 27.6 + 10 x 1.2 + 6 x 0.5 pJ."""
        query = f"""
            SELECT CASE operation WHEN 'routing' THEN operation ELSE layer END AS part, sum(energy_pj) AS energy_pj
            FROM energy_by_layer_operation_all_versions
            WHERE run_name = 'p1' AND chip = 'loihi2' AND cost_version = '{SC_NEUROCORE}'
            GROUP BY part
            ORDER BY part
        """
        done = energy_db("sql", query, "--format", "csv", "--db", store)
        parts = {row["part"]: number(row["energy_pj"]) for row in csv.DictReader(done.stdout.splitlines())}
        assert parts == {
            "hid": Decimal("905.2"),
            "in": Decimal(0),
            "out": Decimal("511.8"),
            "routing": Decimal("42.0"),
        }

    def test_sana_fe_by_unit(self, store: Path) -> None:
        """It prints soma 3541.1, synapse 1597.5 and network 2089.8 pJ."""
        [peer] = [peer for peer in PEERS if peer["peer"] == "SANA-FE"]
        energy = {row["operation"]: number(row["energy_pj"]) for row in report(store, peer)["operations"]}
        assert energy["soma_access"] + energy["soma_update"] + energy["soma_spike_out"] == Decimal("3541.1")
        assert energy["synapse_dense"] == Decimal("1597.5")
        network = ("axon_out_message", "hop_north_south", "hop_east_west")
        assert sum(energy[name] for name in network) == Decimal("2089.8")

    def test_what_a_peer_has_to_count_is_not_taken_as_zero(self, store: Path) -> None:
        """P1 brings no counters: of SANA-FE's operations 25 x 51.2 + 14 x 69.3 + 43 x 35.5 pJ are priced."""
        arguments = ("report", "p1", "--chip", "loihi", "--cost", "sanafe_2_2_9", "--json", "--db", store)
        priced = json.loads(energy_db(*arguments).stdout)
        assert (priced["n_priced"], priced["n_operations"]) == (3, 7)
        assert number(priced["total_energy_pj"]) == Decimal("3776.7")
        unpriced = {row["operation"] for row in priced["operations"] if row["unpriced"]}
        assert unpriced == {"soma_update", "axon_out_message", "hop_north_south", "hop_east_west"}
        assert energy_db(*arguments, "--strict").exit_code == 3


# Per chip: P1, then 1,000 spikes of 64 neurons with 128 inputs over 100 timesteps, per spike; all in pJ.
# loihi2: 1000 x 128 x (23.6 + 4.0) + 64 x 100 x 1.2 + 1000 x (0.5 + 3.0) = 3,543,980 pJ.
COUNTED = {
    "loihi2": (1459.0, 3543.98),
    "akida": (688.2, 1670.42),
    "fpga_ice40": (3160.0, 7714.5),
    "fpga_artix7": (1993.2, 4884.5),
    "analog_28nm": (115.6, 270.48),
}


class TestAccountant:
    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("chip", COUNTED)
    def test_the_figures_of_sc_neurocore(self, chip: str) -> None:
        accountant = EnergyAccountant(chip, cost_version=SC_NEUROCORE)
        p1 = accountant.account(["hid", "out"], [(4, 3), (3, 2)], [8, 6], 5)
        lone = accountant.account(["layer"], [(128, 64)], [1000], 100)
        assert (p1.total_energy_pj, lone.energy_per_spike_pj) == COUNTED[chip]

    def test_the_quick_start_of_the_tutorial(self) -> None:
        """Layers with their share of the routing, which sc-neurocore prints apart: 5,000 x 3.0 and 200 x 3.0 pJ."""
        accountant = EnergyAccountant("loihi2", cost_version=SC_NEUROCORE)
        quick_start = accountant.account(["hidden", "output"], [(784, 256), (256, 10)], [5000, 200], 100)
        assert quick_start.total_energy_nj == 109655.24
        assert [layer.energy_pj for layer in quick_start.layers] == [108225220.0 + 15000.0, 1414420.0 + 600.0]

    def test_what_counts_do_not_determine_is_not_priced(self) -> None:
        """Nobody says how many targets a neuron has: of keras-spiking's two operations 25 x 81 pJ are priced."""
        accountant = EnergyAccountant("loihi", cost_version="keras_spiking_0_3_0")
        p1 = accountant.account(["hid", "out"], [(4, 3), (3, 2)], [8, 6], 5)
        assert p1.total_energy_pj == 2025.0
        assert "1 of 2 operations priced" in p1.summary()


def script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestFiles:
    def test_they_are_what_the_script_writes(self, tmp_path: Path) -> None:
        script(FILES / "write_files.py").write_files(tmp_path)
        written = {path.name for path in tmp_path.iterdir()}
        assert written | {"write_files.py", "sanafe_demo.toml"} == {path.name for path in FILES.glob("*.*")}
        for path in sorted(tmp_path.iterdir()):
            if path.suffix == ".parquet":  # another release of pyarrow may write other bytes
                assert parquet.read_table(path).equals(parquet.read_table(FILES / path.name))
            else:
                assert path.read_text() == (FILES / path.name).read_text()


def shown(peer: dict[str, str]) -> dict[str, str]:
    row = {"peer": f"{peer['peer']} {peer['version']}", "chip": peer["chip"], "cost version": peer["cost_version"]}
    row |= {"what it counts": peer["how it counts"], "run": peer["run"]}
    return {**row, "energy in pJ": f"{number(peer['energy_pj']):,}"}


class TestPage:
    def test_its_table_is_that_of_the_tests(self) -> None:
        assert markdown_table([shown(peer) for peer in PEERS], is_markup=True) in PAGE.read_text(encoding="utf-8")

    @pytest.mark.thorough
    def test_its_commands_print_the_figures(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each report that it shows is of a peer, and says behind a hash sign what the peer says."""
        shutil.copytree(FILES, tmp_path / "examples" / "parity")
        monkeypatch.chdir(tmp_path)
        reported = {}
        for line in re.findall(r"^energy-db .*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
            command, _, claim = line.partition(" # ")
            words = shlex.split(command)[1:]
            done = energy_db(*words, *(["--json"] if words[0] == "report" else []))
            assert done.exit_code == 0, done.output
            if words[0] == "report":
                priced = json.loads(done.stdout)
                assert f"{number(priced['total_energy_pj']):,} pJ" == claim.strip()
                reported[priced["name"], priced["chip"], priced["cost_version"]] = priced["total_energy_pj"]
        assert reported.keys() == {(peer["run"], peer["chip"], peer["cost_version"]) for peer in PEERS}
