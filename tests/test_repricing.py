"""Runs under other costs: ranges, rankings, what was in force when, the history anew, receipts. Figures by hand.

The run of factories.py has 4 hidden spikes and 2 readout spikes in 4 timesteps of 2 samples, 1 ms each; 3 hidden
neurons with 4 inputs and fan-out 2, 2 readout neurons with 3 inputs. So: spike 6, transmitted_spike 4, synaptic_event
4 x 2 = 8, neuron_step (3 + 2) x 4 x 2 = 40, second 8 x 0.001 = 0.008.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from factories import NETWORK, run_file, with_sidecar

from energy_db import Cost, CostSet, EnergyStore
from energy_db.errors import NotFoundError, UsageError

Shell = Callable[..., Result]
RANGED = CostSet("ranged", "v1", "by hand", [Cost("fire", "spike", 1, low_pj="0.5", high_pj="1.5")])
BESIDE = CostSet("beside", "v1", "by hand", [Cost("fire", "spike", "1.2", low_pj=1, high_pj="1.4")])
POINT = CostSet("point", "v1", "by hand", [Cost("fire", "spike", 5)])
MIXED = CostSet(
    "mixed",
    "v1",
    "by hand",
    [Cost("fire", "spike", 1, low_pj="0.5", high_pj=2), Cost("look_up", "transmitted_spike", 3)],
)
STATIC = CostSet(
    "static", "v1", "by hand", [Cost("synapse", "synaptic_event", 2), Cost("leak", "second", 1000, scope="static")]
)
BLANK = CostSet("blank", "v1", "by hand", [Cost("fire", "spike", 1), Cost("think", "neuron_step", None)])
OURS = (RANGED, BESIDE, POINT, MIXED, STATIC, BLANK)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
    path = with_sidecar(run_file(tmp_path_factory.mktemp("repriced") / "worked.parquet"))
    with EnergyStore(":memory:") as opened:
        opened.ingest(path)
        opened.costs.add(list(OURS))
        yield opened


class TestRanges:
    def test_one_operation(self, store: EnergyStore) -> None:
        report = store.report("worked", "ranged")
        assert (report.energy_low_pj, report.total_energy_pj, report.energy_high_pj) == (3.0, 6.0, 9.0)
        assert [(layer.energy_low_pj, layer.energy_high_pj) for layer in report.layers] == [(2.0, 6.0), (1.0, 3.0)]

    def test_what_has_no_range_stands_as_it_is(self, store: EnergyStore) -> None:
        # fire 6 x (0.5, 1, 2), look_up 4 x 3 = 12 without a range
        report = store.report("worked", "mixed")
        assert (report.energy_low_pj, report.total_energy_pj, report.energy_high_pj) == (15.0, 18.0, 24.0)
        assert (report.n_ranged, report.n_operations) == (1, 2)
        assert {row.operation: (row.energy_low_pj, row.energy_high_pj) for row in report.operations} == {
            "fire": (3.0, 12.0),
            "look_up": (None, None),
        }
        assert "Range: 15.0 pJ to 24.0 pJ (published for 1 of 2 operations)" in report._repr_html_()

    def test_no_range_is_said_and_not_printed(self, store: EnergyStore, shell: Shell) -> None:
        report = store.report("worked", "point")
        assert (report.energy_low_pj, report.energy_high_pj, report.n_ranged) == (None, None, 0)
        assert "Range: none is published for point v1" in report._repr_html_()


class TestWhatIsUnknown:
    def test_a_blank_cost_is_not_zero(self, store: EnergyStore) -> None:
        report = store.report("worked", "blank")
        assert (report.total_energy_pj, report.coverage) == (6.0, "1 of 2 operations priced")
        [think] = report.unpriced
        assert (think.energy_pj, think.cost_pj, think.count) == (None, None, 40)
        assert think.unpriced == "the source gives no energy"
        assert report.to_dict()["n_priced"] == 1

    def test_static_power_belongs_to_no_layer(self, store: EnergyStore) -> None:
        # 8 x 2 in the hidden layer, and 0.008 s x 1000 pJ
        report = store.report("worked", "static")
        assert (report.total_energy_pj, report.unlayered_energy_pj) == (24.0, 8.0)
        assert [layer.energy_pj for layer in report.layers] == [16.0, 0.0]
        assert {row.operation: row.count for row in report.operations} == {"synapse": 8, "leak": 0.008}

    def test_missing_fan_out(self, tmp_path: Path) -> None:
        layers = [{key: value for key, value in layer.items() if key != "fan_out"} for layer in NETWORK["layers"]]
        path = with_sidecar(run_file(tmp_path / "run.parquet"), {**NETWORK, "layers": layers})
        with EnergyStore(":memory:") as store:
            report = store.report(store.ingest(path), "loihi", cost_version="keras_spiking_0_3_0")
        # 40 neuron steps of 81 pJ; the synaptic events of the hidden layer nobody can count
        assert (report.total_energy_pj, report.coverage) == (3240.0, "1 of 2 operations priced")
        assert report.unpriced[0].unpriced == "no fan_out is declared for hidden"
        assert report.unpriced[0].energy_pj is None

    def test_with_fan_out_it_prices_in_full(self, store: EnergyStore) -> None:
        report = store.report("worked", "loihi", cost_version="keras_spiking_0_3_0")
        assert report.total_energy_pj == pytest.approx(8 * 27.1 + 3240.0)
        assert (report.unpriced, report.warnings) == ((), ())

    @pytest.mark.thorough
    def test_strict_is_exit_3(self, small_store: Path, shell: Shell) -> None:
        complete = shell("report", "latest", "--chip", "loihi2", "--strict")
        assert complete.exit_code == 0
        partial = shell("report", "latest", "--chip", "loihi", "--strict", "--json")
        assert partial.exit_code == 3
        assert json.loads(partial.stdout)["n_priced"] == 3
        assert "hop_east_west (the run brings no counter hop_east)" in partial.stderr
        assert shell("report", "latest", "--chip", "all", "--strict").exit_code == 3


class TestRanking:
    def test_only_what_may_be_compared_is_ranked(self, store: EnergyStore) -> None:
        ours = {entry.chip: entry for entry in store.chips("worked", cost_version="v1")}
        assert {chip: (entry.scope_group, entry.rank) for chip, entry in ours.items()} == {
            "ranged": ("operation", 1),
            "beside": ("operation", 2),
            "mixed": ("operation", 3),
            "point": ("operation", 4),
            "blank": ("operation", None),
            "static": ("operation + static", None),
        }
        assert ours["blank"].unranked == "1 of 2 operations priced"
        assert ours["static"].unranked == "nothing of its scope to compare with"
        assert (ours["ranged"].energy_low_pj, ours["ranged"].energy_high_pj) == (3.0, 9.0)
        assert ours["static"].dominant_layer == "hidden"

    def test_robustness(self, store: EnergyStore) -> None:
        # A even in [3, 9], B even in [6, 8.4]: P(A < B) = (mean of B - 3) / 6 = (7.2 - 3) / 6 = 0.7
        pairs = {
            (pair.cheaper, pair.dearer): pair.share for pair in store.chips("worked", cost_version="v1").robustness
        }
        assert pairs["ranged", "beside"] == pytest.approx(0.7, abs=0.02)
        assert pairs["beside", "mixed"] == 1.0
        assert pairs["mixed", "point"] == 1.0
        again = store.chips("worked", cost_version="v1").robustness
        assert {(pair.cheaper, pair.dearer): pair.share for pair in again} == pairs

    def test_no_range_no_robustness(self, store: EnergyStore) -> None:
        shares = [pair.share for pair in store.chips("worked", cost_version="tutorial72").robustness]
        assert shares
        assert set(shares) == {None}

    def test_what_brings_no_counter_is_listed_apart(self, store: EnergyStore) -> None:
        assert "cmos7" in {entry.chip for entry in store.chips("worked").unpriced}
        assert "cmos7" not in {entry.chip for entry in store.chips("worked")}

    def test_a_version_that_nobody_has(self, store: EnergyStore) -> None:
        with pytest.raises(NotFoundError, match="no chip has a cost version 'v9'"):
            store.chips("worked", cost_version="v9")

    def test_the_command_line(self, small_store: Path, shell: Shell) -> None:
        result = shell("report", "latest", "--cost", "tutorial72", "--json")
        rows = json.loads(result.stdout)["rows"]
        assert [(row["chip"], row["rank"]) for row in rows] == [
            ("brainscales2", 1), ("akida", 2), ("loihi2", 1), ("spinnaker2", 2), ("fpga_ice40", 3),
        ]  # fmt: skip
        assert "chips are ranked only among those that they compare with" in result.stderr


class TestInForce:
    """Two versions of one chip, two days in force, and a correction of the past.

    On 2026-02-01 version a is put in force, on 2026-06-01 version b; on 2026-08-15 it is corrected that from 2026-06-01
    on it should have been c. With 6 spikes a, b and c cost 6, 12 and 18 pJ.
    """

    FACTS = (
        (1001, "a", date(2026, 2, 1), datetime(2026, 2, 1, 12)),
        (1002, "b", date(2026, 6, 1), datetime(2026, 6, 1, 12)),
        (1003, "c", date(2026, 6, 1), datetime(2026, 8, 15, 12)),
    )

    @pytest.fixture(scope="class")
    @classmethod
    def dated(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
        versions = [
            CostSet("mine", name, "by hand", [Cost("fire", "spike", pj)]) for name, pj in (("a", 1), ("b", 2), ("c", 3))
        ]
        with EnergyStore(":memory:") as store:
            store.ingest(with_sidecar(run_file(tmp_path_factory.mktemp("dated") / "worked.parquet")))
            for version in versions:
                store.costs.add(version)
            # A test cannot wait for August: the facts are written as they would have been.
            store._engine.run("DELETE FROM cost_in_force WHERE chip = 'mine'")
            store._engine.insert("cost_in_force", [[n, "mine", v, day, known, ""] for n, v, day, known in cls.FACTS])
            yield store

    def test_pinned(self, dated: EnergyStore) -> None:
        totals = [dated.report("worked", "mine", cost_version=version).total_energy_pj for version in "abc"]
        assert totals == [6.0, 12.0, 18.0]

    def test_in_force_now(self, dated: EnergyStore) -> None:
        report = dated.report("worked", "mine")
        assert (report.cost_version, report.total_energy_pj) == ("c", 18.0)
        [(energy,)] = dated._engine.rows("SELECT energy_pj FROM energy_by_chip WHERE chip = 'mine'")
        assert energy == 18

    @pytest.mark.parametrize(
        ("day", "version", "energy_pj"),
        [
            ("2026-03-01", "a", 6.0),
            ("2026-05-31", "a", 6.0),
            ("2026-06-01", "b", 12.0),
            ("2026-08-14", "b", 12.0),  # as was known then: the correction came a day later
            ("2026-08-15", "c", 18.0),
            (date(2026, 9, 1), "c", 18.0),
        ],
    )
    def test_as_of(self, dated: EnergyStore, day: Any, version: str, energy_pj: float) -> None:
        report = dated.report("worked", "mine", as_of=day)
        assert (report.cost_version, report.total_energy_pj) == (version, energy_pj)
        assert {entry.chip: entry.total_energy_pj for entry in dated.chips("worked", as_of=day)}["mine"] == energy_pj

    def test_before_anything_was_in_force(self, dated: EnergyStore) -> None:
        with pytest.raises(NotFoundError, match="on 2025-12-31, as known then"):
            dated.report("worked", "mine", as_of="2025-12-31")
        with pytest.raises(NotFoundError, match="2025-12-31"):
            dated.chips("worked", as_of="2025-12-31")

    def test_a_version_and_a_day_are_too_much(self, dated: EnergyStore) -> None:
        with pytest.raises(UsageError, match="both a cost version and a day"):
            dated.report("worked", "mine", cost_version="a", as_of="2026-03-01")

    def test_the_command_line(self, small_store: Path, shell: Shell) -> None:
        then = shell("report", "latest", "--chip", "loihi2", "--as-of", "2026-03-01", "--json")
        assert json.loads(then.stdout)["total_energy_pj"] == 10.4
        assert shell("report", "latest", "--chip", "loihi2", "--as-of", "1999-01-01").exit_code == 3
        wrong = shell("report", "latest", "--chip", "loihi2", "--as-of", "yesterday")
        assert (wrong.exit_code, "yesterday" in wrong.stderr) == (2, True)
        assert shell("report", "--chip", "loihi2", "--as-of", "2026-03-01", "--cost", "tutorial72").exit_code == 2


class TestRecost:
    """Under `by_spike`, busy (6 spikes) costs 6 pJ and quiet (2 spikes) 2 pJ.

    Under `by_step`, busy computes 40 neuron steps and quiet 2 neurons x 50 timesteps = 100: the order is the other way
    round.
    """

    @pytest.fixture(scope="class")
    @classmethod
    def _history(cls, _empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = tmp_path_factory.mktemp("history")
        path = Path(shutil.copy(_empty_store, folder / "energy.duckdb"))
        quiet = {"layer": ["one", "two"], "neuron": [0, 0], "timestep": [0, 1]}
        network = {
            "n_timesteps": 50,
            "n_samples": 1,
            "layers": [{"name": "one", "n_neurons": 1}, {"name": "two", "n_neurons": 1}],
        }
        with EnergyStore(path) as store:
            store.ingest(with_sidecar(run_file(folder / "busy.parquet")), run_id="busy")
            store.ingest(with_sidecar(run_file(folder / "quiet.parquet", quiet), network), run_id="quiet")
            store.costs.add(CostSet("mine", "by_spike", "by hand", [Cost("fire", "spike", 1)]))
            store.costs.add(CostSet("mine", "by_step", "by hand", [Cost("compute", "neuron_step", 1)]))
        return path

    @pytest.fixture(scope="class")
    @classmethod
    def history(cls, _history: Path) -> Iterator[EnergyStore]:
        with EnergyStore(shutil.copy(_history, _history.with_name("shared.duckdb")), read_only=True) as store:
            yield store

    @pytest.fixture
    def stored(self, _history: Path, tmp_path: Path) -> Path:
        """The history where `shell` looks for it."""
        return Path(shutil.copy(_history, tmp_path / "energy.duckdb"))

    def test_totals_and_what_flips(self, history: EnergyStore) -> None:
        found = history.recost("by_step")
        assert [(row.name, row.before_pj, row.after_pj, row.ratio) for row in found.rows] == [
            ("busy", 6.0, 40.0, pytest.approx(40 / 6)),
            ("quiet", 2.0, 100.0, 50.0),
        ]
        assert {(row.before_version, row.after_version) for row in found.rows} == {("by_spike", "by_step")}
        assert (found.n_flips, found.n_comparisons) == (1, 1)
        assert [(flip.cheaper_before, flip.cheaper_after) for flip in found.flips] == [("quiet", "busy")]

    def test_the_order_of_layers(self, history: EnergyStore) -> None:
        busy, quiet = history.recost("by_step").rows
        assert (busy.layers_before, busy.layers_after, busy.layers_change) == (("hidden", "output"),) * 2 + (False,)
        assert not quiet.layers_change

    def test_the_rank_of_the_chip(self, history: EnergyStore) -> None:
        # Of group operation, busy costs 0.2 x 6 = 1.2 pJ on innatera; on all other chips of it more than 40 pJ.
        busy = history.recost("by_step", runs=["busy"]).rows[0]
        assert busy.rank_before is not None
        assert busy.rank_before.startswith("2 of ")
        assert busy.rank_before.endswith("(operation)")

    def test_against_itself_nothing_changes(self, history: EnergyStore) -> None:
        found = history.recost("by_spike", against="by_spike", chip="mine")
        assert {row.ratio for row in found.rows} == {1.0}
        assert found.n_flips == 0

    def test_it_writes_nothing(self, stored: Path, shell: Shell) -> None:
        before = stored.read_bytes()
        result = shell("recost", "--all", "--cost", "by_step", "--json")
        assert result.exit_code == 0
        answer = json.loads(result.stdout)
        assert (answer["schema"], answer["n_flips"]) == ("energy-db/recost/1", 1)
        assert [row["after_pj"] for row in answer["rows"]] == [40.0, 100.0]
        assert "quiet was cheaper than busy, and is now dearer" in result.stderr
        assert stored.read_bytes() == before

    @pytest.mark.parametrize(
        ("arguments", "exit_code", "says"),
        [
            (["--cost", "by_step"], 2, "name runs, or --all"),
            (["latest", "--all", "--cost", "by_step"], 2, "name runs, or --all"),
            (["--all", "--cost", "by_stepp"], 3, "no chip has a cost version 'by_stepp'"),
            (["--all", "--cost", "by_step", "--against", "tutorial72"], 3, "no chip has both"),
            (["--all", "--cost", "by_step", "--chip", "mne"], 3, "unknown chip 'mne'"),
            (["nobody", "--cost", "by_step"], 3, "no run is called 'nobody'"),
            (["--all"], 2, "--cost"),
        ],
    )
    def test_what_cannot_be_meant(
        self, stored: Path, shell: Shell, arguments: list[str], exit_code: int, says: str
    ) -> None:
        result = shell("recost", *arguments)
        assert (result.exit_code, result.stdout) == (exit_code, "")
        assert says in result.stderr


class TestReceipt:
    def test_the_hash_is_what_it_says(self, store: EnergyStore) -> None:
        report = store.report("worked", "static")
        content = {
            "schema": "energy-db/receipt/1",
            "run": report.run.content_hash,
            "chip": "static",
            "cost_version": "v1",
            "costs": STATIC.content_hash,
            "cells": [
                ["0", "synapse", "synaptic_event", "8", "16"],
                ["1", "synapse", "synaptic_event", "0", "0"],
                ["None", "leak", "second", "0.008", "8"],
            ],
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        assert report.provenance["report_hash"] == hashlib.sha256(text.encode()).hexdigest()

    def test_the_same_content_and_version_give_it_again(self, store: EnergyStore, tmp_path: Path) -> None:
        mirrored = {
            "layer": ["output", "output", "hidden", "hidden", "hidden", "hidden"],
            "neuron": [1, 0, 2, 1, 1, 0],
            "timestep": [3, 1, 3, 2, 0, 0],
            "sample": [1, 0, 1, 1, 0, 0],
        }
        with EnergyStore(tmp_path / "elsewhere.duckdb") as other:
            other.ingest(with_sidecar(run_file(tmp_path / "other name.parquet", mirrored)), name="x")
            elsewhere = other.report("x", "loihi2").provenance["report_hash"]
            assert elsewhere != other.report("x", "akida").provenance["report_hash"]
        assert elsewhere == store.report("worked", "loihi2").provenance["report_hash"]

    def test_each_cost_has_its_source(self, store: EnergyStore) -> None:
        known = store.report("worked", "loihi").provenance
        assert {row["status"] for row in known["cost_rows"]} == {"simulated"}
        assert all("Davies et al. 2018" in row["source"] for row in known["cost_rows"])
        assert "energy_by_layer_operation_all_versions" in known["views"]
        json.dumps(known)

    @pytest.mark.thorough
    def test_the_command_line_prints_it(self, small_store: Path, shell: Shell) -> None:
        result = shell("report", "latest", "--chip", "loihi2", "--lineage")
        with EnergyStore(small_store, read_only=True) as store:
            known = store.report("latest", "loihi2").provenance
        for part in (known["report_hash"], known["content_hash"], known["costs"]["content_hash"], "Tutorial 72"):
            assert part in result.stdout
        assert shell("report", "latest", "--lineage").exit_code == 2

    def test_a_file_that_is_not_stored_has_no_hash(self, tmp_path: Path, shell: Shell) -> None:
        with_sidecar(run_file(tmp_path / "run.parquet"))
        result = shell("report", tmp_path / "run.parquet", "--chip", "loihi2", "--json")
        assert json.loads(result.stdout)["provenance"]["report_hash"] is None
