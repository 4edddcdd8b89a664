"""Many runs at once: their energies, groups and front; every figure by hand.

On loihi2 a spike of a lone hidden layer costs 2.1 pJ (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from factories import run_file, with_sidecar

from energy_db import EnergyStore
from energy_db.errors import NotFoundError, UsageError
from energy_db.history.rows import History, HistoryRow
from energy_db.history.spread import Spread

# name, spikes, samples, seed, accuracy, branch; the oldest first.
RUNS: list[tuple[str, int, int, str | None, str | None, str | None]] = [
    ("net", 10, 1, "1", "0.90", "main"),
    ("net", 8, 1, "2", "0.92", "main"),
    ("lone", 20, 2, "10", "0.95", "dev"),
    ("net", 12, 1, "3", "0.92", "main"),
    ("net", 30, 2, None, "unknown", None),
]


def add(store: EnergyStore, folder: Path, run: tuple[Any, ...]) -> None:
    name, n_spikes, n_samples, seed, accuracy, branch = run
    columns = {"layer": ["hidden"] * n_spikes, "neuron": [0] * n_spikes, "timestep": range(n_spikes)}
    path = with_sidecar(
        run_file(folder / f"{n_spikes}.parquet", columns),
        {"run": name, "n_timesteps": 40, "n_samples": n_samples, "seed": seed},
    )
    tags = {key: value for key, value in (("accuracy", accuracy), ("branch", branch)) if value}
    store.ingest(path, run_id=f"run-{n_spikes}", tags=tags, on_duplicate="new")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
    folder = tmp_path_factory.mktemp("history")
    with EnergyStore(folder / "energy.duckdb") as opened:
        for run in RUNS:
            add(opened, folder, run)
        # On-duplicate names get a number; here they are one history on purpose.
        opened._engine.run("UPDATE runs SET run_name = 'net' WHERE run_name LIKE 'net%'")
        opened._engine.run("UPDATE runs SET ingested_at = TIMESTAMP '2026-11-01' + run_key * INTERVAL 1 DAY")
        yield opened


def ids(history: History) -> list[str]:
    return [row.run.run_id.removeprefix("run-") for row in history.rows]


def row_of(history: History, spikes: int) -> HistoryRow:
    return next(row for row in history.rows if row.run.n_spikes == spikes)


class TestRows:
    def test_energies_and_changes(self, store: EnergyStore) -> None:
        history = store.history("loihi2")
        assert (history.chip, history.cost_version) == ("loihi2", "tutorial72")
        assert ids(history) == ["30", "12", "20", "8", "10"]
        second = row_of(history, 8)
        assert (second.energy_pj, second.energy_per_inference_pj) == (16.8, 16.8)
        assert (second.n_priced, second.n_operations, second.is_fully_priced) == (5, 5, True)
        assert (second.previous_run_id, second.change_pj, second.change_share) == ("run-10", -4.2, -0.2)
        assert second.has_same_extent is True
        last = row_of(history, 30)
        assert (last.energy_pj, last.energy_per_inference_pj) == (63.0, 31.5)
        assert (last.previous_run_id, last.change_pj, last.has_same_extent) == ("run-12", 37.8, False)
        lone = row_of(history, 20)
        assert (lone.previous_run_id, lone.change_pj, lone.has_same_extent) == (None, None, None)

    def test_without_a_chip_there_are_no_energies(self, store: EnergyStore) -> None:
        history = store.history()
        assert (history.chip, history.cost_version) == (None, None)
        assert {row.energy_pj for row in history.rows} == {None}
        assert ids(history) == ["30", "12", "20", "8", "10"]

    def test_another_cost_version(self, store: EnergyStore) -> None:
        priced = store.history("loihi2", cost_version="sc_neurocore_3_16_0", name="lone")
        assert priced.cost_version == "sc_neurocore_3_16_0"
        assert (
            priced.rows[0].energy_pj == store.report("lone", "loihi2", cost_version=priced.cost_version).total_energy_pj
        )

    def test_a_part_is_no_whole(self, store: EnergyStore) -> None:
        row = row_of(store.history("loihi"), 8)
        assert row.n_priced is not None
        assert row.n_operations is not None
        assert 0 < row.n_priced < row.n_operations
        assert not row.is_fully_priced
        assert row.energy_pj is not None
        assert row.change_pj is None

    def test_filters(self, store: EnergyStore) -> None:
        assert ids(store.history(where=["branch=main", "accuracy>0.9"])) == ["12", "8"]
        assert ids(store.history("loihi2", where=["energy<20"])) == ["8"]
        assert ids(store.history(since="2026-11-04")) == ["30", "12", "20"]
        assert ids(store.history(name="net", limit=2)) == ["30", "12"]

    def test_the_previous_run_need_not_be_listed(self, store: EnergyStore) -> None:
        [row] = store.history("loihi2", where=["seed=3"]).rows
        assert (row.previous_run_id, row.change_pj) == ("run-8", 8.4)


class TestSort:
    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("energy", ["8", "10", "12", "20", "30"]),
            ("-energy", ["30", "20", "12", "10", "8"]),
            ("energy-desc", ["30", "20", "12", "10", "8"]),
            ("per_inference", ["8", "20", "10", "12", "30"]),
            ("change", ["8", "12", "30", "20", "10"]),
            ("-share", ["30", "12", "8", "20", "10"]),
            ("seed", ["10", "8", "12", "20", "30"]),
            ("-seed", ["20", "12", "8", "10", "30"]),
            ("accuracy", ["10", "12", "8", "20", "30"]),
            ("branch", ["20", "12", "8", "10", "30"]),
            ("name", ["20", "30", "12", "8", "10"]),
            ("ingested_at", ["10", "8", "20", "12", "30"]),
        ],
    )
    def test_by_what(self, store: EnergyStore, sort: str, expected: list[str]) -> None:
        assert ids(store.history("loihi2", sort=sort)) == expected

    def test_the_limit_comes_after_the_sort(self, store: EnergyStore) -> None:
        assert ids(store.history("loihi2", sort="energy", limit=2)) == ["8", "10"]

    def test_what_cannot_be_sorted_by(self, store: EnergyStore) -> None:
        with pytest.raises(UsageError, match="to sort by energy takes a chip"):
            store.history(sort="-energy")
        with pytest.raises(NotFoundError, match="'enrgy'"):
            store.history("loihi2", sort="enrgy")
        with pytest.raises(UsageError, match="limit is -1"):
            store.history("loihi2", sort="energy", limit=-1)


class TestGroups:
    def test_mean_and_scatter_by_hand(self, store: EnergyStore) -> None:
        history = store.history("loihi2", group_by="branch")
        dev, main, rest = history.groups
        assert [dev.value, main.value, rest.value] == ["dev", "main", None]
        assert main.runs == ("run-12", "run-8", "run-10")
        # 21.0, 16.8 and 25.2 pJ: deviations 0, -4.2 and 4.2; (17.64 + 17.64) / 2 is the square of 4.2.
        assert main.energy is not None
        assert (main.energy.n, main.energy.mean) == (3, pytest.approx(21.0))
        assert main.energy.sd == pytest.approx(4.2)
        assert (main.energy.least, main.energy.most) == (16.8, 25.2)
        assert main.spikes == Spread(3, 10.0, 2.0, 8, 12)
        assert main.accuracy is not None
        assert main.accuracy.mean == pytest.approx(2.74 / 3)
        assert main.has_same_extent
        assert dev.energy == Spread(1, 42.0, None, 42.0, 42.0)
        assert dev.energy_per_inference == Spread(1, 21.0, None, 21.0, 21.0)
        assert rest.accuracy is None

    def test_runs_of_other_extent_are_told(self, store: EnergyStore) -> None:
        lone, net = store.history("loihi2", group_by="name").groups
        assert (lone.has_same_extent, net.has_same_extent) == (True, False)

    def test_parts_have_no_mean(self, store: EnergyStore) -> None:
        groups = store.history("loihi", group_by="branch").groups
        assert [group.energy for group in groups] == [None, None, None]

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            (None, ["1", "2", "3", "10", None]),
            ("-seed", ["10", "3", "2", "1", None]),
            ("energy", ["2", "1", "3", "10", None]),
            ("accuracy", ["1", "3", "2", "10", None]),
        ],
    )
    def test_order(self, store: EnergyStore, sort: str | None, expected: list[str | None]) -> None:
        # Runs 2 and 3 are equally accurate: the newer one stays before the older.
        groups = store.history("loihi2", group_by="seed", sort=sort).groups
        assert [group.value for group in groups] == expected

    def test_what_cannot_be_grouped(self, store: EnergyStore) -> None:
        with pytest.raises(NotFoundError, match="'brunch'") as found:
            store.history(group_by="brunch")
        assert "Did you mean 'branch'?" in str(found.value)
        with pytest.raises(UsageError, match="groups cannot be sorted by 'ingested_at'"):
            store.history(group_by="branch", sort="ingested_at")
        with pytest.raises(UsageError, match="leave one out"):
            store.history("loihi2", group_by="branch", pareto="accuracy")


class TestFront:
    def test_more_is_better(self, store: EnergyStore) -> None:
        history = store.history("loihi2", pareto="accuracy")
        # By the sample: 21.0 pJ for 0.90, 16.8 for 0.92, 21.0 for 0.95, 25.2 for 0.92; the last has no accuracy.
        found = {row.run.n_spikes: (row.is_on_front, row.dominated_by) for row in history.rows}
        assert found == {
            10: (False, "run-8"),
            8: (True, None),
            20: (True, None),
            12: (False, "run-8"),
            30: (None, None),
        }

    def test_energies_are_weighed_by_the_sample(self, store: EnergyStore) -> None:
        # The run of 20 spikes burns 42.0 pJ in two samples: more than the 25.2 pJ of the other, but less by the sample.
        history = store.history("loihi2", pareto="accuracy", where=["seed>=3"])
        found = {row.run.n_spikes: row.dominated_by for row in history.rows}
        assert found == {20: None, 12: "run-20"}

    def test_less_is_better(self, store: EnergyStore) -> None:
        history = store.history("loihi2", pareto="accuracy", minimize=True)
        on_front = {row.run.n_spikes for row in history.rows if row.is_on_front}
        assert on_front == {8, 10}

    def test_parts_stand_on_no_front(self, store: EnergyStore) -> None:
        assert {row.is_on_front for row in store.history("loihi", pareto="accuracy").rows} == {None}

    def test_what_cannot_be_weighed(self, store: EnergyStore) -> None:
        with pytest.raises(UsageError, match="takes a chip"):
            store.history(pareto="accuracy")
        with pytest.raises(NotFoundError, match="'acuracy'"):
            store.history("loihi2", pareto="acuracy")
        with pytest.raises(UsageError, match="minimize"):
            store.history("loihi2", minimize=True)


def test_a_cost_version_needs_a_chip(store: EnergyStore) -> None:
    with pytest.raises(UsageError, match="without a chip"):
        store.history(cost_version="tutorial72")


def test_a_store_without_runs(tmp_store: Path) -> None:
    with EnergyStore(tmp_store) as opened:
        assert opened.history("loihi2").rows == ()
        assert opened.history("loihi2", group_by="name").groups == ()
