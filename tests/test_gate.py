"""The gate: each case with its exit code, worked out by hand on runs of a few spikes.

On loihi2 a hidden spike costs 2.1 pJ and a readout spike 1.0 pJ. `kept` has 4 hidden and 2 readout spikes in 2
samples: 10.4 pJ, 5.2 pJ per inference, 8.4 pJ in hidden. `more` has one hidden spike more, of neuron 0: 12.5 pJ,
6.25 pJ per inference, 10.5 pJ in hidden; +20.19 % in all, +25 % in hidden.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from factories import EVENTS, NETWORK, Shell, run_file, with_sidecar

from energy_db import EnergyStore
from energy_db.errors import NotFoundError, UsageError
from energy_db.gate.budget import Limit

PASS, FAIL, USAGE, UNCHECKED, OPERATIONAL = 0, 1, 2, 3, 4
case = pytest.param
also = partial(pytest.param, marks=pytest.mark.thorough)

TWO_VERSIONS = """
[chip]
name = "lab"
title = "A chip with two versions"
note = "For tests."
"""
VERSION = """
[[version]]
name = "{name}"
label = "{name}"
status = "user"
source = "nowhere"
note = "Invented."
{in_force_from}

[[version.cost]]
operation = "spike"
driver = "neuron_spike"
scope = "operation"
energy_pj = {energy_pj}
"""
ROUTE = """
[[version.cost]]
operation = "route"
driver = "hop"
scope = "operation"
energy_pj = 2
"""


def hidden_spikes(number: int) -> dict[str, list[Any]]:
    """Return the events of `kept` with more hidden spikes, all of neuron 0: the energy is 2.1 pJ x number + 2 pJ."""
    extra = number - 4
    added = {"layer": "hidden", "neuron": 0, "sample": 0}
    steps = {"timestep": [*EVENTS["timestep"], *(1 + index % 3 for index in range(extra))]}
    return {**{name: [*EVENTS[name], *[value] * extra] for name, value in added.items()}, **steps}


def ingest(store: EnergyStore, folder: Path, name: str, spikes: int, network: Any = NETWORK, **tags: Any) -> str:
    path = with_sidecar(run_file(folder / f"{name}.parquet", hidden_spikes(spikes)), network)
    return store.ingest(path, tags=tags).run_id


@pytest.fixture(scope="module")
def _stored(_small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gate")
    path = Path(shutil.copy(_small_store, folder / "energy.duckdb"))
    with EnergyStore(path) as store:
        store.tag("kept", {"main": "1", "branch": "main"})
        ingest(store, folder, "more", 5, branch="wider")
    return path


@pytest.fixture
def store_path(_stored: Path, tmp_path: Path) -> Path:
    """A store in which `kept` is the newest on main, and `more` the newest of all."""
    return Path(shutil.copy(_stored, tmp_path / "energy.duckdb"))


def on_loihi2(*arguments: str) -> list[str]:
    return ["check", *arguments, "--chip", "loihi2"]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        also(on_loihi2("--max-energy", "13 pJ"), PASS, ["pass: more", "0.5 pJ"], id="room"),
        case(on_loihi2("--max-energy", "12.5 pJ"), PASS, ["pass: more", "100.0 %"], id="just within"),
        case(on_loihi2("--max-energy", "12.499999 pJ"), FAIL, ["FAIL: more", "0.000001 pJ"], id="just not"),
        also(on_loihi2("--max-energy", "0.0124 nJ"), FAIL, ["is 0.1 pJ (+0.8 %) over its limit of 12.4 pJ"], id="fail"),
        also(on_loihi2("kept", "--max-energy", "10.4 pJ"), PASS, ["pass: kept"], id="another run"),
        also(on_loihi2("--max-energy-per-inference", "6.25 pJ"), PASS, ["per inference"], id="per inference"),
        also(on_loihi2("--max-energy-per-inference", "6.2 pJ"), FAIL, ["0.05 pJ (+0.8 %) over"],
             id="per inference, fail"),
        also(on_loihi2("--max-increase", "20.2 %", "--against", "@main"), PASS, ["+20.2 %", "10.4 pJ"], id="increase"),
        case(on_loihi2("--max-increase", "20.1 %", "--against", "@main"), FAIL,
             ["12.5 pJ, +20.2 %, is 0.0096 pJ", "its limit of 12.49 pJ (+20.1 %)", "hidden"], id="increase, fail"),
        also(on_loihi2("--max-increase", "0%", "--against", "latest~1"), FAIL, ["FAIL"], id="the run before"),
        also(on_loihi2("kept", "--max-increase", "0%", "--against", "more"), PASS, ["-16.8 %"], id="a decrease"),
        also(on_loihi2("kept", "--max-increase", "0 %", "--against", "@main"), PASS, ["the baseline is the run itself"],
             id="itself"),
        case(on_loihi2("--max-increase", "5 %", "--max-energy", "13 pJ", "--against", "@main"), FAIL,
             ["FAIL: more", "pass"], id="one of two"),
        case(on_loihi2("--max-increase", "5 %", "--against", "@mian"), UNCHECKED,
             ["NOT CHECKED", "there is no baseline '@mian'", "--allow-missing"], id="missing baseline"),
        case(on_loihi2("--max-increase", "5 %", "--against", "@mian", "--allow-missing"), PASS,
             ["pass: more", "increases are not checked"], id="missing baseline, allowed"),
        also(on_loihi2("--max-increase", "5 %", "--against", "@mian", "--max-energy", "9 pJ"), FAIL,
             ["FAIL: more", "there is no baseline"], id="missing baseline, and broken"),
        also(on_loihi2("--max-increase", "5 %", "--against", "@mian", "--max-energy", "9 pJ", "--allow-missing"), FAIL,
             ["FAIL: more"], id="missing baseline, allowed, and broken"),
        case(on_loihi2("--max-energy", "13 pJ", "--against", "@mian"), UNCHECKED, ["there is no baseline '@mian'"],
             id="missing baseline that no limit needs"),
        case(on_loihi2("--max-increase", "5 %", "--against", "blessed"), UNCHECKED,
             ["no level of 'more' is blessed on loihi2", "energy-db bless"], id="nothing blessed"),
        also(on_loihi2("--max-increase", "5 %", "--against", "group:branch=gone"), UNCHECKED,
             ["there is no baseline 'group:branch=gone'"], id="empty group"),
        also(on_loihi2("--max-increase", "5 %", "--against", "group:branch=wider"), UNCHECKED,
             ["no other run is in it"], id="group of itself"),
        also(on_loihi2("--max-increase", "5 %", "--against", "group:brnch=main"), UNCHECKED,
             ["Did you mean 'branch'"], id="misspelt group"),
        also(on_loihi2("--max-increase", "30 %", "--against", "group:branch=main"), PASS, ["+20.2 %"],
             id="group of one"),
        case(on_loihi2("nobody", "--max-energy", "1 nJ"), UNCHECKED, ["no run is called 'nobody'"], id="unknown run"),
        also(["check", "--chip", "lohi2", "--max-energy", "1 nJ"], UNCHECKED, ["Did you mean 'loihi2'"],
             id="unknown chip"),
        also(on_loihi2("--cost", "tutorial73", "--max-energy", "1 nJ"), UNCHECKED, ["no cost version 'tutorial73'"],
             id="unknown cost version"),
        case(on_loihi2(), USAGE, ["there is no limit to check", "energy-budget.toml", "[[limit]]"], id="no limits"),
        also(["check", "--max-energy", "1 nJ"], USAGE, ["it names no chip", "--chip loihi2"], id="no chip"),
        also(on_loihi2("--max-increase", "5 %"), USAGE, ["over which baseline", "--against @main"], id="no baseline"),
        case(on_loihi2("--max-energy", "12"), USAGE, ["'12' is not an energy with its unit"], id="no unit"),
        also(on_loihi2("--max-energy", "12 kWh"), USAGE, ["'12 kWh' is not an energy"], id="unknown unit"),
        also(on_loihi2("--max-energy", "-1 pJ"), USAGE, ["'-1 pJ' is not an energy"], id="negative"),
        also(on_loihi2("--max-energy", "nan pJ"), USAGE, ["'nan pJ' is not an energy"], id="no number"),
        also(on_loihi2("--max-increase", "0.05", "--against", "@main"), USAGE, ["'0.05' is not a percentage"],
             id="no percentage"),
        also(on_loihi2("--max-energy", "1 nJ", "--budget", "gone.toml"), USAGE, ["gone.toml cannot be read"],
             id="no such budget"),
        case(on_loihi2("--max-energy", "1 nJ", "--report", "gone/x.md"), OPERATIONAL, ["gone/x.md: cannot be written"],
             id="report nowhere"),
        also(on_loihi2("--max-energy", "1 nJ", "--report", "energy.duckdb"), USAGE, ["is the store itself"],
             id="report over the store"),
        also(["--db", "gone.duckdb", *on_loihi2("--max-energy", "1 nJ")], OPERATIONAL, ["there is no store"],
             id="no store"),
    ],
)  # fmt: skip
def test_exit_codes(store_path: Path, shell: Shell, arguments: list[str], exit_code: int, says: list[str]) -> None:
    before = store_path.read_bytes()
    result = shell(*arguments)
    assert result.exit_code == exit_code, result.output
    for piece in says:
        assert piece in result.output
    assert "Traceback" not in result.output
    assert "unexpected" not in result.stderr
    assert store_path.read_bytes() == before
    assert not Path(f"{store_path}.wal").exists()


class TestNotComparable:
    @pytest.fixture
    def arguments(self, store_path: Path, tmp_path: Path) -> list[str]:
        """A check of a run of as many spikes in 8 timesteps against one of 4."""
        with EnergyStore(store_path) as store:
            ingest(store, tmp_path, "longer", 5, {**NETWORK, "n_timesteps": 8})
        return on_loihi2("longer", "--against", "kept", "--max-increase", "30 %")

    @pytest.mark.thorough
    def test_it_is_no_pass(self, shell: Shell, arguments: list[str]) -> None:
        result = shell(*arguments)
        assert result.exit_code == UNCHECKED
        assert "are not comparable (timesteps: 8 now, 4 before)" in result.stderr

    @pytest.mark.thorough
    def test_it_can_be_allowed(self, shell: Shell, arguments: list[str]) -> None:
        result = shell(*arguments, "--allow")
        assert (result.exit_code, "held against each other all the same" in result.stderr) == (PASS, True)
        arguments[arguments.index("30 %")] = "20 %"
        assert shell(*arguments, "--allow").exit_code == FAIL

    @pytest.mark.thorough
    def test_a_broken_limit_is_a_broken_limit(self, shell: Shell, arguments: list[str]) -> None:
        assert shell(*arguments, "--max-energy", "12 pJ").exit_code == FAIL
        assert shell(*arguments, "--max-energy", "13 pJ").exit_code == UNCHECKED

    @pytest.mark.thorough
    def test_every_run_of_a_group_counts(self, store_path: Path, tmp_path: Path, arguments: list[str]) -> None:
        with EnergyStore(store_path) as store:
            store.tag("longer", {"branch": "main"})
            found = store.check("more", "loihi2", limits=[{"max_increase": "50 %"}], against="group:branch=main")
            # The newest of the group is not the one that differs, either.
            ingest(store, tmp_path, "newest", 6, branch="main")
            again = store.check("more", "loihi2", limits=[{"max_increase": "50 %"}], against="group:branch=main")
        assert [report.verdict for report in (found, again)] == ["unchecked", "unchecked"]
        assert "timesteps: 4 now, 4, 8 before" in again.obstacles[0]


def test_a_locked_store_is_no_failed_check(store_path: Path, shell: Shell) -> None:
    with EnergyStore(store_path):
        result = shell(*on_loihi2("--max-energy", "1 pJ"))
    assert (result.exit_code, result.stdout) == (OPERATIONAL, "")
    assert "already open" in result.stderr


class TestUnpriced:
    """Of a chip that asks for hops, which the run does not bring, nobody knows what the run costs."""

    @pytest.fixture
    def lab(self, store_path: Path, tmp_path: Path) -> Path:
        path = tmp_path / "lab.toml"
        path.write_text(
            TWO_VERSIONS + VERSION.format(name="v1", energy_pj=1, in_force_from="") + ROUTE, encoding="utf-8"
        )
        with EnergyStore(store_path) as store:
            store.costs.add(path)
        return store_path

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize("limit", [["--max-energy", "1 J"], ["--max-increase", "99 %", "--against", "@main"]])
    def test_it_is_no_pass(self, lab: Path, shell: Shell, limit: list[str]) -> None:
        result = shell("check", "--chip", "lab", *limit)
        assert result.exit_code == UNCHECKED
        assert "lab v1 cannot price all of it (route: the run brings no counter hop)" in result.stderr

    def test_a_layer_is_not_known_either(self, lab: Path) -> None:
        with EnergyStore(lab) as store:
            found = store.check("more", "lab", limits=[{"max_energy": "1 J", "layer": "hidden"}])
        assert (found.verdict, found.limits[0].energy_pj) == ("unchecked", None)

    def test_static_power_is_no_part_of_a_layer(self, store_path: Path, tmp_path: Path) -> None:
        """Nobody says how long a timestep is: the leakage is not known, but the 6 spikes of hidden at 1 pJ are."""
        path = tmp_path / "leaky.toml"
        leakage = ROUTE.replace('"hop"', '"second"').replace('"operation"\nenergy_pj', '"static"\nenergy_pj')
        path.write_text(TWO_VERSIONS + VERSION.format(name="v1", energy_pj=1, in_force_from="") + leakage)
        with EnergyStore(store_path) as store:
            store.costs.add(path)
            ingest(store, tmp_path, "timeless", 6, {**NETWORK, "timestep_us": None})
            found = store.check(
                "timeless", "lab", limits=[{"max_energy": "1 J"}, {"max_energy": "6 pJ", "layer": "hidden"}]
            )
        assert [(one.verdict, one.energy_pj) for one in found.limits] == [("unchecked", None), ("pass", 6.0)]


class TestBlessed:
    """A history of runs named net: @first costs what `kept` does, @second what `more` does, @third 14.6 pJ."""

    @pytest.fixture
    def history(self, store_path: Path, tmp_path: Path) -> Path:
        with EnergyStore(store_path) as store:
            for spikes, tag in ((4, "first"), (5, "second"), (6, "third")):
                events = hidden_spikes(spikes)
                events["timestep"][0] = 1  # the same spikes as of `kept` would be no new run
                path = with_sidecar(run_file(tmp_path / f"{tag}.parquet", events))
                store.ingest(path, name="net", tags={tag: "1"}, on_duplicate="new")
        return store_path

    def check(self, path: Path, limit: dict[str, Any], run: str = "@second", **options: Any) -> Any:
        with EnergyStore(path, read_only=True) as store:
            return store.check(run, "loihi2", limits=[limit], against="blessed", **options)

    def test_a_level_is_a_baseline_until_it_is_taken_back(self, history: Path) -> None:
        with EnergyStore(history) as store:
            store.bless("@second", "loihi2", reason="wider on purpose")
        found = self.check(history, {"max_increase": "5 %"}, "@third")
        assert (found.verdict, found.limits[0].baseline_pj) == ("fail", 12.5)
        assert "blessing 1 (run " in found.limits[0].baseline
        assert "wider on purpose" in found.limits[0].baseline
        # 14.6 / 12.5 is +16.8 %.
        assert self.check(history, {"max_increase": "16.8 %"}, "@third").passed
        assert not self.check(history, {"max_increase": "16.79 %"}, "@third").passed
        with EnergyStore(history) as store:
            store.bless("@third", "loihi2", reason="wider still")
            assert store.check("@third", "loihi2", limits=[{"max_increase": "0 %"}], against="blessed").passed
            store.revoke(2, reason="no better")
            store.revoke(1, reason="no better either")
        assert self.check(history, {"max_increase": "5 %"}, "@third").verdict == "unchecked"

    @pytest.mark.thorough
    def test_the_level_of_another_history_is_none(self, history: Path) -> None:
        with EnergyStore(history) as store:
            store.bless("kept", "loihi2", reason="another's")
        found = self.check(history, {"max_increase": "99 %"})
        assert (found.verdict, found.limits[0].baseline_pj) == ("unchecked", None)
        for says in (
            "no level of 'net' is blessed on loihi2",
            "Levels of other histories",
            "'kept'",
            "energy-db bless",
        ):
            assert says in found.obstacles[0]
        assert self.check(history, {"max_increase": "99 %"}, allow_missing=True).passed

    @pytest.mark.thorough
    @pytest.mark.parametrize("limit", [{}, {"layer": "hidden"}])
    def test_its_own_comes_before_a_newer_one_of_another(self, history: Path, limit: dict[str, Any]) -> None:
        with EnergyStore(history) as store:
            store.bless("@second", "loihi2", reason="its own, of the whole run")
            store.bless("kept", "loihi2", reason="another's", **limit)
        assert self.check(history, {"max_increase": "0 %", **limit}).passed

    @pytest.mark.thorough
    def test_of_its_own_the_newest_counts_be_it_of_the_layer_or_the_run(self, history: Path) -> None:
        limit = {"max_increase": "25 %", "layer": "hidden"}
        baselines = []
        with EnergyStore(history) as store:
            for run, layer in (("@first", None), ("@second", "hidden"), ("@third", None), ("@first", "hidden")):
                store.bless(run, "loihi2", reason="as it came", layer=layer)
                found = store.check("@second", "loihi2", limits=[limit], against="blessed")
                baselines.append(found.limits[0].baseline_pj)
            # The level of a layer is none of the run.
            whole = store.check("@second", "loihi2", limits=[{"max_increase": "25 %"}], against="blessed")
        assert baselines == [8.4, 10.5, 12.6, 8.4]
        assert whole.limits[0].baseline_pj == 14.6

    @pytest.mark.thorough
    def test_who_is_accepted_is_checked_against_the_own_level(self, history: Path) -> None:
        """As the label accept-energy does it (docs/ci.md): an older level of a layer is no longer in the way."""
        with EnergyStore(history) as store:
            store.bless("@first", "loihi2", reason="once", layer="hidden")
            store.bless("@third", "loihi2", reason="accepted")
        assert self.check(history, {"max_increase": "0 %", "layer": "hidden"}, "@third").passed
        # It counts, too, if the level is the one that was accepted before something was said of the layer.
        with EnergyStore(history) as store:
            store.bless("@first", "loihi2", reason="of the layer, and newer", layer="hidden")
            assert store.bless("@third", "loihi2", reason="once more").status == "blessed"
            assert store.bless("@third", "loihi2", reason="and again").status == "unchanged"
        assert self.check(history, {"max_increase": "0 %", "layer": "hidden"}, "@third").passed

    @pytest.mark.thorough
    def test_the_level_of_a_layer_alone_is_none_of_the_run(self, history: Path) -> None:
        with EnergyStore(history) as store:
            store.bless("@first", "loihi2", reason="layer", layer="hidden")
        found = self.check(history, {"max_increase": "25 %"})
        assert (found.verdict, "only of layers" in found.obstacles[0]) == ("unchecked", True)
        assert self.check(history, {"max_increase": "25 %", "layer": "hidden"}).verdict == "pass"

    @pytest.mark.thorough
    def test_a_level_per_inference(self, history: Path) -> None:
        with EnergyStore(history) as store:
            store.bless("@first", "loihi2", reason="whole")
        found = self.check(history, {"max_increase": "25 %", "per": "inference"})
        assert (found.limits[0].baseline_pj, found.limits[0].energy_pj) == (5.2, 6.25)

    @pytest.mark.thorough
    def test_both_runs_are_priced_as_the_level_was(self, history: Path, tmp_path: Path) -> None:
        """Under v1, 6 and 7 spikes cost 6 and 7 pJ; v2, then in force, costs twice as much, which is no increase."""
        path = tmp_path / "lab.toml"
        path.write_text(
            TWO_VERSIONS
            + VERSION.format(name="v1", energy_pj=1, in_force_from="in_force_from = 2026-01-01")
            + VERSION.format(name="v2", energy_pj=2, in_force_from=""),
            encoding="utf-8",
        )
        with EnergyStore(history) as store:
            store.costs.add(path)
            store.bless("@first", "lab", reason="under v1")
            store.costs.put_in_force("lab", "v2", "2026-01-02")
            limits = [{"max_increase": "17 %", "max_energy": "14 pJ"}]
            found = store.check("@second", "lab", limits=limits, against="blessed")
        absolute, relative = found.limits
        assert (absolute.cost_version, absolute.energy_pj, absolute.verdict) == ("v2", 14.0, "pass")
        assert (relative.cost_version, relative.energy_pj, relative.baseline_pj) == ("v1", 7.0, 6.0)
        assert relative.increase == pytest.approx(1 / 6)
        assert found.passed
        assert "blessing 1 was priced with lab v1, not v2: both runs are priced with it" in found.notes
        assert [entry["cost_version"] for entry in found.provenance] == ["v2", "v1"]


class TestGroup:
    """Seeds of 4, 5 and 6 hidden spikes: 10.4, 12.5 and 14.6 pJ, their mean 12.5, their standard deviation 2.1."""

    @pytest.fixture
    def seeds(self, store_path: Path, tmp_path: Path) -> Path:
        with EnergyStore(store_path) as store:
            for name in ("kept", "more"):
                store.tag(name, {"group": "seeds"})
            ingest(store, tmp_path, "six", 6, group="seeds")
            ingest(store, tmp_path, "seven", 7, group="seeds")
        return store_path

    @pytest.mark.thorough
    def test_the_mean_of_the_others_is_the_baseline(self, seeds: Path) -> None:
        with EnergyStore(seeds) as store:
            found = store.check("seven", "loihi2", limits=[{"max_increase": "30 %"}], against="group:group=seeds")
        [result] = found.limits
        assert (result.baseline_pj, result.energy_pj, result.verdict) == (12.5, 16.7, "fail")
        assert result.increase == pytest.approx(4.2 / 12.5)
        assert result.baseline == "the mean of 3 runs with group=seeds"
        # 4.303 (Student's t, 2 degrees, 95 %) x 2.1 x sqrt(1 + 1/3) = 10.43 on both sides of 12.5.
        assert found.notes == (
            "the 3 runs with group=seeds scatter: one more of them lies in 2.067 pJ to 22.93 pJ, 19 times of 20",
        )
        assert found.why[0].baseline.startswith("run ")
        assert found.why[0].text.startswith("+14.4 %")  # since the newest of the group: 16.7 / 14.6

    @pytest.mark.thorough
    def test_per_inference(self, seeds: Path) -> None:
        limit = {"max_increase": "34 %", "per": "inference"}
        with EnergyStore(seeds) as store:
            found = store.check("seven", "loihi2", limits=[limit], against="group:group=seeds")
        assert (found.limits[0].baseline_pj, found.limits[0].energy_pj, found.verdict) == (6.25, 8.35, "pass")

    @pytest.mark.thorough
    def test_two_runs_do_not_predict(self, seeds: Path) -> None:
        with EnergyStore(seeds) as store:
            store.tag("six", {"group": None})
            found = store.check("seven", "loihi2", limits=[{"max_increase": "50 %"}], against="group:group=seeds")
        assert found.limits[0].baseline_pj == 11.45
        assert found.notes == ()


class TestWaysBack:
    """Of `more`, hidden neurons 0, 1, 2 fire 2, 2 and 1 times, 2.1 pJ each.

    The report's advice: the busiest tenth of hidden (neuron 0) burns 4.2 pJ; what its neurons burn above their mean of
    5/3 spikes is 1.4 pJ; 10 % fewer spikes are 1.05 pJ; neurons 0 and 1 burn 0.7 pJ each above the mean.
    """

    def ways(self, path: Path, **limit: str) -> list[tuple[float, bool]]:
        with EnergyStore(path, read_only=True) as store:
            found = store.check("more", "loihi2", limits=[limit])
        return [(round(way.saving_pj, 9), way.suffices) for way in found.ways_back]

    def test_the_smallest_that_suffice_come_first(self, store_path: Path) -> None:
        assert self.ways(store_path, max_energy="12 pJ") == [(0.7, True), (0.7, True), (1.05, True)]
        assert self.ways(store_path, max_energy="11.4 pJ") == [(1.4, True), (4.2, True)]

    def test_if_none_suffices_the_largest_come_first(self, store_path: Path) -> None:
        assert self.ways(store_path, max_energy="8 pJ") == [(4.2, False), (1.4, False), (1.05, False)]

    @pytest.mark.thorough
    def test_savings_are_of_what_the_limit_is_about(self, store_path: Path) -> None:
        assert self.ways(store_path, max_energy="6 pJ", per="inference") == [(0.35, True), (0.35, True), (0.525, True)]
        # 0.45 pJ too much: of a mean sample, 0.7 pJ of the run are 0.35 pJ.
        assert self.ways(store_path, max_energy="5.8 pJ", per="inference") == [(0.525, True), (0.7, True), (2.1, True)]
        assert self.ways(store_path, max_energy="10.4 pJ", layer="hidden")[0] == (0.7, True)
        assert self.ways(store_path, max_energy="1.9 pJ", layer="output") == []

    def test_a_kept_limit_needs_none(self, store_path: Path) -> None:
        assert self.ways(store_path, max_energy="13 pJ") == []

    def test_the_farthest_broken_limit_counts(self, store_path: Path) -> None:
        with EnergyStore(store_path) as store:
            limits = [{"max_energy": "12 pJ"}, {"max_energy": "11.4 pJ"}, {"max_energy": "12.4 pJ"}]
            found = store.check("more", "loihi2", limits=limits)
        assert {(way.limit, round(way.needed_pj, 9)) for way in found.ways_back} == {("limits[1]", 1.1)}

    def test_no_advice_is_said(self, store_path: Path, shell: Shell) -> None:
        (store_path.parent / "energy-budget.toml").write_text('[[limit]]\nmax_energy = "1 pJ"\nlayer = "output"\n')
        result = shell(*on_loihi2())
        assert result.exit_code == FAIL
        assert "no advice that would save energy here" in result.stdout


class TestPython:
    @pytest.mark.thorough
    def test_what_a_result_says(self, store_path: Path) -> None:
        with EnergyStore(store_path) as store:
            limits = [{"max_energy": "10 pJ", "max_increase": "5 %"}]
            found = store.check(store.run("more"), "loihi2", limits=limits, against=store.run("kept"))
        absolute, relative = found.limits
        assert (absolute.limit, absolute.kind, absolute.energy_pj, absolute.limit_pj) == (
            "limits[0]",
            "absolute",
            12.5,
            10,
        )
        assert (absolute.excess_pj, absolute.limit_share, absolute.baseline_pj) == (2.5, 1.25, None)
        assert (relative.kind, relative.max_increase, relative.baseline_pj) == ("relative", 0.05, 10.4)
        assert (relative.limit_pj, relative.excess_pj) == (10.92, 1.58)
        assert relative.increase == pytest.approx(2.1 / 10.4)
        assert found.broken == found.limits
        assert (found.verdict, found.passed) == ("fail", False)
        assert found.why[0].text.startswith("+20.2 %")
        assert found.why[0].baseline.endswith("(kept)")
        assert found.warnings == ("the costs tutorial72 are literature values of a tutorial, not measurements",)

    def test_the_receipt_is_that_of_the_report(self, store_path: Path) -> None:
        with EnergyStore(store_path) as store:
            found = store.check("more", "loihi2", limits=[{"max_energy": "1 J"}])
            report = store.report("more", "loihi2")
        [entry] = found.provenance
        assert entry["report_hash"] == report.provenance["report_hash"]
        assert (entry["run_id"], entry["chip"], entry["cost_version"]) == (report.run.run_id, "loihi2", "tutorial72")

    def test_each_chip_has_its_own_costs(self, store_path: Path) -> None:
        with EnergyStore(store_path) as store:
            energy = store.report("more", "akida").total_energy_pj
            limits = [Limit("ours", max_energy_pj=20), Limit("theirs", max_energy_pj=9, chip="akida")]  # type: ignore[arg-type]
            found = store.check("more", "loihi2", limits=limits)
        assert [(one.limit, one.chip, one.energy_pj) for one in found.limits] == [
            ("ours", "loihi2", 12.5),
            ("theirs", "akida", energy),
        ]
        assert [reason.chip for reason in found.why] == ["loihi2", "akida"]

    @pytest.mark.thorough
    def test_nothing_can_increase_from_nothing(self, store_path: Path, tmp_path: Path) -> None:
        """The output layer is silent in one run: any energy is more than that, and no share of it."""
        silent = {name: values[:4] for name, values in EVENTS.items()}
        with EnergyStore(store_path) as store:
            store.ingest(with_sidecar(run_file(tmp_path / "silent.parquet", silent)))
            limit = {"max_increase": "50 %", "layer": "output"}
            [worse] = store.check("more", "loihi2", limits=[limit], against="silent").limits
            [same] = store.check("silent", "loihi2", limits=[limit], against="silent").limits
        assert (worse.verdict, worse.baseline_pj, worse.increase, worse.limit_share) == ("fail", 0.0, None, None)
        assert same.verdict == "pass"

    def test_a_layer_that_is_not_there_is_no_pass(self, store_path: Path) -> None:
        with EnergyStore(store_path) as store:
            found = store.check("more", "loihi2", limits=[{"max_energy": "1 J", "layer": "hiden"}])
        assert found.verdict == "unchecked"
        assert "Did you mean 'hidden'" in found.obstacles[0]

    @pytest.mark.thorough
    @pytest.mark.parametrize("against", ["kept", "group:branch=main", "blessed"])
    def test_a_layer_that_the_baseline_lacks_is_no_pass(self, store_path: Path, tmp_path: Path, against: str) -> None:
        network = {**NETWORK, "layers": [{**NETWORK["layers"][0], "name": "hiden"}, NETWORK["layers"][1]]}
        events = {**EVENTS, "layer": ["hiden" if layer == "hidden" else layer for layer in EVENTS["layer"]]}
        with EnergyStore(store_path) as store:
            store.bless("kept", "loihi2", reason="before")
            path = with_sidecar(run_file(tmp_path / "new.parquet", events), network)
            run = store.ingest(path, name="kept" if against == "blessed" else "new", on_duplicate="new")
            baseline = store.runs(name="kept")[-1].run_id if against == "kept" else against
            question: Any = {"limits": [{"max_increase": "5 %", "layer": "hiden"}], "against": baseline}
            found = store.check(run, "loihi2", **question)
            [obstacle] = found.obstacles
            assert (found.verdict, "the baseline, " in obstacle) == ("unchecked", True)
            assert "has no layer 'hiden'" in obstacle
            assert "--allow-missing" in obstacle
            assert "Did you mean" not in obstacle
            found = store.check(run, "loihi2", **question, allow_missing=True)
            assert (found.verdict, "has no layer 'hiden'" in found.notes[0]) == ("pass", True)
            # What neither has is a mistake, which is never passed over.
            question["limits"] = [{"max_increase": "5 %", "layer": "hidn"}]
            found = store.check(run, "loihi2", **question, allow_missing=True)
            assert (found.verdict, "Did you mean 'hiden'" in found.obstacles[0]) == ("unchecked", True)

    @pytest.mark.thorough
    def test_a_group_is_read_with_few_queries(self, store_path: Path, tmp_path: Path) -> None:
        """One query for all runs of a group: what is read does not grow with them, nor with the limits."""
        limits = [{"max_increase": "900 %", "per": per, "layer": layer} for per in ("run", "inference")
                  for layer in ("hidden", "output")]  # fmt: skip
        with EnergyStore(store_path) as store:
            counts = []
            for spikes in (6, 7, 8, 9):
                ingest(store, tmp_path, f"seed{spikes}", spikes, sweep="1")
                counts.append(self.n_queries(store, limits[:1]))
            assert counts[2] == counts[3] == self.n_queries(store, limits)

    def n_queries(self, store: EnergyStore, limits: list[dict[str, Any]]) -> int:
        asked: list[str] = []
        engine, rows = store._engine, store._engine.rows

        def counting(query: str, *arguments: Any) -> Any:
            asked.extend([query] if "energy_by_layer_operation_all_versions" in query else [])
            return rows(query, *arguments)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine, "rows", counting)
            found = store.check("more", "loihi2", limits=limits, against="group:sweep=1")
        assert (found.verdict, len(found.limits)) == ("pass", len(limits))
        return len(asked)

    def test_a_limit_must_limit(self, store_path: Path) -> None:
        with EnergyStore(store_path) as store, pytest.raises(UsageError, match="ours: it limits nothing"):
            store.check("more", "loihi2", limits=[Limit("ours")])

    @pytest.mark.parametrize("against", [7, "", " "])
    def test_a_baseline_must_be_named(self, store_path: Path, against: Any) -> None:
        with EnergyStore(store_path) as store, pytest.raises(UsageError, match="against is"):
            store.check("more", "loihi2", limits=[{"max_increase": "5 %"}], against=against)

    def test_the_run_must_be_there(self, store_path: Path) -> None:
        with EnergyStore(store_path) as store, pytest.raises(NotFoundError, match="nobody"):
            store.check("nobody", "loihi2", limits=[{"max_energy": "5 pJ"}])


class TestOutput:
    def test_no_room_is_nothing(self, store_path: Path, shell: Shell) -> None:
        shown = shell(*on_loihi2("--max-energy", "12.5 pJ")).stdout
        assert ("-0.0 pJ" in shown, " 0.0 pJ" in shown) == (False, True)

    @pytest.mark.thorough
    def test_json(self, store_path: Path, shell: Shell) -> None:
        result = shell(*on_loihi2("--max-increase", "5 %", "--against", "@main", "--json"))
        found = json.loads(result.stdout)
        assert result.exit_code == FAIL
        assert (found["schema"], found["verdict"], found["name"]) == ("energy-db/check/1", "fail", "more")
        assert found["against"] == "@main"
        [limit] = found["limits"]
        assert (limit["limit"], limit["energy_pj"], limit["baseline_pj"]) == ("--max-increase", 12.5, 10.4)
        assert [round(way["saving_pj"], 9) for way in found["ways_back"]] == [4.2]  # 12.5 - 1.05 x 10.4 = 1.58 too much
        assert set(found) == {
            *("schema", "verdict", "run_id", "name", "against", "limits", "why", "ways_back", "obstacles", "notes"),
            *("warnings", "provenance"),
        }

    def test_csv(self, store_path: Path, shell: Shell) -> None:
        result = shell(*on_loihi2("--max-energy", "10 pJ", "-f", "csv"))
        [row] = csv.DictReader(io.StringIO(result.stdout))
        assert (row["verdict"], row["energy_pj"], row["excess_pj"]) == ("fail", "12.5", "2.5")

    @pytest.mark.thorough
    def test_the_report_for_a_pull_request(self, store_path: Path, shell: Shell) -> None:
        report = store_path.parent / "energy.md"
        report.write_text("of yesterday")
        result = shell(*on_loihi2("--max-increase", "5 %", "--against", "@main", "--report", "energy.md"))
        assert result.exit_code == FAIL
        text = report.read_text()
        lines = text.splitlines()
        assert lines[0].startswith("### FAIL: more (run ")
        assert "12.5 pJ, +20.2 %, is 1.58 pJ (+14.5 %) over its limit of 10.92 pJ (+5.0 %)" in lines[0]
        assert lines[2].startswith("| verdict | energy of | now | before | change | limit |")
        assert "| FAIL | the run on loihi2 | 12.5 pJ | 10.4 pJ | +20.2 % | 10.92 pJ (+5.0 %) |" in text
        order = [text.index(part) for part in ("### FAIL", "| verdict", "**Why:**", "alone saves", "**From:**")]
        assert order == sorted(order)
        assert "of yesterday" not in text
        assert ", report_hash " in text

    def test_a_report_is_written_of_what_could_not_be_checked(self, store_path: Path, shell: Shell) -> None:
        result = shell(*on_loihi2("--max-increase", "5 %", "--against", "@mian", "--report", "energy.md"))
        assert result.exit_code == UNCHECKED
        text = (store_path.parent / "energy.md").read_text()
        assert text.startswith("### NOT CHECKED: more")
        assert "there is no baseline '@<!-- -->mian'" in text

    def test_names_cannot_break_the_report(self, store_path: Path, tmp_path: Path, shell: Shell) -> None:
        with EnergyStore(store_path) as store:
            path = with_sidecar(run_file(tmp_path / "x.parquet", hidden_spikes(6)))
            store.ingest(path, name="<img src=x> | **bold**")
        shell(*on_loihi2("--max-energy", "1 pJ", "--report", "energy.md"))
        assert (tmp_path / "energy.md").read_text().startswith("### FAIL: \\<img src=x\\> \\| \\*\\*bold\\*\\* (run")
