"""`verify` finds what is wrong with a store; the checks themselves are tested row by row in test_views.py."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from factories import mostly_thorough

from energy_db import EnergyStore, sql
from energy_db.errors import StoreError

CHECKS = {view.name for view in sql.views() if view.room == "checks"} | {
    "drivers_are_as_counted", "costs_are_unchanged", "shipped_costs_are_as_published", "views_are_as_shipped",
}  # fmt: skip
SHIPPED_COSTS = {"costs_are_unchanged", "shipped_costs_are_as_published"}
RUN = "run_key = 1 AND layer_index = 0"
DAMAGE = {
    "a spike event is lost": (
        f"DELETE FROM spike_events WHERE {RUN} AND neuron = 2",
        {"neurons_equal_events", "steps_equal_events", "spike_energy_sums_close"},
    ),
    "a neuron is miscounted": (
        f"UPDATE neuron_activity SET n_spikes = n_spikes + 1 WHERE {RUN} AND neuron = 0",
        {"neurons_equal_events", "neurons_sum_to_layers", "energy_sums_close", "synaptic_events_follow_spikes"},
    ),
    "a timestep is lost": (
        f"DELETE FROM step_activity WHERE {RUN} AND timestep = 2",
        {"steps_equal_events", "steps_sum_to_layers", "energy_sums_close"},
    ),
    "a layer is miscounted": (
        f"UPDATE layers SET n_spikes = n_spikes - 1 WHERE {RUN}",
        {"layers_sum_to_run", "neurons_sum_to_layers", "steps_sum_to_layers", "drivers_are_as_counted"},
    ),
    "a run is miscounted": ("UPDATE runs SET n_spikes = 5", {"layers_sum_to_run"}),
    "active neurons are miscounted": (
        f"UPDATE layers SET n_active_neurons = 2 WHERE {RUN}",
        {"neurons_sum_to_layers"},
    ),
    "a view is lost": ("DROP VIEW mart.runs", {"views_are_as_shipped"}),
    "a view says something else": (
        "CREATE OR REPLACE VIEW drivers_of_runs AS SELECT 1; CREATE OR REPLACE VIEW events_apart AS SELECT 1 AS run_id",
        {"views_are_as_shipped"},
    ),
    "a cost is changed": ("UPDATE costs SET energy_pj = 0.6 WHERE operation = 'aer_routing'", SHIPPED_COSTS),
    "a cost's range is changed": ("UPDATE costs SET low_pj = 0.1 WHERE chip = 'akida'", SHIPPED_COSTS),
    "a cost is lost": ("DELETE FROM costs WHERE operation = 'aer_routing'", SHIPPED_COSTS),
    "all costs of a version are lost": (
        "DELETE FROM costs WHERE chip = 'akida'",
        SHIPPED_COSTS | {"costs_have_sources", "chips_have_cost_in_force"},
    ),
    "a source is lost": (
        "UPDATE cost_versions SET source = ' ' WHERE chip = 'akida'",
        SHIPPED_COSTS | {"costs_have_sources"},
    ),
    "nothing is in force": ("DELETE FROM cost_in_force WHERE chip = 'akida'", {"chips_have_cost_in_force"}),
    "synaptic events are miscounted": (
        f"UPDATE layers SET n_synaptic_events = 9 WHERE {RUN}",
        {"synaptic_events_follow_spikes", "drivers_are_as_counted"},
    ),
    "a fan-out is changed": (
        f"UPDATE layers SET fan_out = 3 WHERE {RUN}",
        {"synaptic_events_follow_spikes", "drivers_are_as_counted"},
    ),
    "a duration is changed": ("UPDATE runs SET timestep_us = 2000", {"drivers_are_as_counted"}),
    "seconds are miscounted": (
        "UPDATE driver_counts SET driver_count = 1 WHERE driver = 'second'",
        {"drivers_are_as_counted"},
    ),
    "steps of neurons are miscounted": (
        f"UPDATE driver_counts SET driver_count = driver_count + 1 WHERE driver = 'neuron_step' AND {RUN}",
        {"drivers_are_as_counted", "energy_sums_close"},
    ),
    "spikes are charged twice": (
        f"INSERT INTO driver_counts FROM driver_counts WHERE driver = 'neuron_spike' AND {RUN}",
        {"drivers_are_as_counted"},
    ),
    "a driver is lost": ("DELETE FROM driver_counts WHERE driver = 'neuron_step'", {"drivers_are_as_counted"}),
    "a driver is said to be unknown": (
        "UPDATE driver_counts SET missing = 'nobody said' WHERE driver = 'synaptic_event'",
        {"drivers_are_as_counted"},
    ),
    "a counter is negative": (
        "INSERT INTO counters VALUES (1, NULL, NULL, 'mac', -1)",
        {"counters_fit_their_runs", "drivers_are_as_counted"},
    ),
    "an orphan is left": (
        "INSERT INTO counters VALUES (1, 7, 0, 'mac', 1)",
        {"activity_has_layers", "drivers_are_as_counted"},
    ),
    "an event of no layer is added": (
        "INSERT INTO spike_events SELECT * REPLACE (7 AS layer_index) FROM spike_events LIMIT 1",
        {"events_have_layers", "neurons_equal_events", "steps_equal_events"},
    ),
    "a tag of no run is left": ("INSERT INTO run_tags VALUES (9, 'lost', 'x', NULL)", {"activity_has_layers"}),
    "a training step of no run is left": (
        "INSERT INTO training_steps VALUES (9, 0, 0, NULL, 1, 5)",
        {"activity_has_layers"},
    ),
    "a run is removed but for its activity": (
        "DELETE FROM layers; DELETE FROM run_tags; DELETE FROM driver_counts; DELETE FROM runs",
        {"activity_has_layers", "events_have_layers", "neurons_equal_events", "steps_equal_events"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def _only_store(_small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
    with EnergyStore(shutil.copy(_small_store, tmp_path_factory.mktemp("checks") / "energy.duckdb")) as opened:
        yield opened


@pytest.fixture
def store(_only_store: EnergyStore) -> Iterator[EnergyStore]:
    """The store with the run `kept`; what a test damages, it has only until the test is over."""
    _only_store._engine.run("BEGIN")
    yield _only_store
    _only_store._engine.run("ROLLBACK")


def failing(store: EnergyStore) -> set[str]:
    return {result.check for result in store.verify() if result.n_failures}


def test_a_sound_store_passes_every_check(small_store: Path) -> None:
    with EnergyStore(small_store, read_only=True) as store:
        results = store.verify()
    assert {result.check for result in results} == CHECKS
    assert all(result.n_failures == 0 and result.first_failure is None for result in results)
    assert all(result.sentence.endswith(".") for result in results)


@pytest.mark.one_in(7)
@pytest.mark.parametrize(("damage", "found_by"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_found(store: EnergyStore, damage: str, found_by: set[str]) -> None:
    store._engine.run(damage)
    assert failing(store) == found_by


def test_a_check_that_is_lost_is_found(small_store: Path) -> None:
    # To ask it ends a transaction, so that it is lost in a store of its own.
    with EnergyStore(small_store) as store:
        store._engine.run("DROP VIEW steps_equal_events")
        assert failing(store) == {"views_are_as_shipped", "steps_equal_events"}


def test_a_layer_that_no_cost_applies_to_is_found(store: EnergyStore) -> None:
    # A role that is none joins no cost: the layer's energy would be missing from every grain alike.
    store._engine.run(f"UPDATE layers SET role = 'output' WHERE {RUN}")
    assert failing(store) != set()


def test_a_driver_that_is_not_as_counted_is_shown_beside_what_is(store: EnergyStore) -> None:
    # Of the run: 4 steps of 2 samples at 1,000 microseconds.
    store._engine.run("UPDATE driver_counts SET driver_count = 1 WHERE driver = 'second'")
    [result] = [result for result in store.verify() if result.check == "drivers_are_as_counted"]
    stored = {"found": "stored", "run_key": 1, "layer_index": None, "driver": "second", "driver_count": 1,
              "units_per_spike": None, "units_per_neuron": None, "grain": "run", "missing": None}  # fmt: skip
    assert (result.n_failures, result.first_failure) == (2, stored)
    store._engine.run("UPDATE driver_counts SET driver_count = 0.008 WHERE driver = 'second'")
    assert failing(store) == set()


def test_a_failure_is_shown(store: EnergyStore) -> None:
    store._engine.run("UPDATE runs SET n_spikes = 5")
    [result] = [result for result in store.verify() if result.check == "layers_sum_to_run"]
    run_id = store.run("kept").run_id
    assert (result.n_failures, result.first_failure) == (1, {"run_id": run_id, "run_spikes": 5, "layer_spikes": 6})


SEEN_QUICKLY = {
    "a run is miscounted", "a cost is lost", "a view is lost", "a layer is miscounted", "a tag of no run is left",
    "a training step of no run is left",
}  # fmt: skip
ONLY_SEEN_AT_LENGTH = {"a spike event is lost", "an event of no layer is added"}
LEFT_OUT_QUICKLY = {
    "events_have_layers", "energy_sums_close", "neurons_equal_events", "spike_energy_sums_close", "steps_equal_events",
}  # fmt: skip


@pytest.mark.parametrize("damage", mostly_thorough(sorted(SEEN_QUICKLY)) + mostly_thorough(sorted(ONLY_SEEN_AT_LENGTH)))
def test_a_quick_look_sees_all_but_single_events(store: EnergyStore, damage: str) -> None:
    statement, found_by = DAMAGE[damage]
    store._engine.run(statement)
    found = {result.check for result in store.verify(quick=True) if result.n_failures}
    assert found == (found_by if damage in SEEN_QUICKLY else set())


def test_a_quick_look_sees_a_run_that_is_gone_but_for_its_activity(store: EnergyStore) -> None:
    store._engine.run(DAMAGE["a run is removed but for its activity"][0])
    [found] = [result for result in store.verify(quick=True) if result.n_failures]
    # Of its two layers, each has sums by neuron and by timestep.
    assert (found.check, found.n_failures) == ("activity_has_layers", 4)


@pytest.mark.one_in(5)
@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("table", ["spike_events", "neuron_activity", "costs", "runs", "layers"])
def test_a_table_that_is_gone_is_named(small_store: Path, table: str, quick: bool) -> None:
    with duckdb.connect(small_store) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO elsewhere")
    with EnergyStore(small_store, read_only=True) as store:
        with pytest.raises(StoreError, match=rf"is damaged: its table {table} is missing\n") as caught:
            store.verify(quick=quick)
        assert "backup" in str(caught.value.hint)


def test_all_tables_that_are_gone_are_named(small_store: Path) -> None:
    with duckdb.connect(small_store) as connection:
        connection.execute("DROP TABLE run_tags; DROP TABLE fan_out")
    with (
        EnergyStore(small_store, read_only=True) as store,
        pytest.raises(StoreError, match="its tables fan_out, run_tags are missing"),
    ):
        store.verify()


def damage_a_block(store: Path, table: str, column: str) -> None:
    # The file is 128 KiB blocks behind three headers of 4 KiB.
    with duckdb.connect(store, read_only=True) as connection:
        [(block,)] = connection.execute(
            f"SELECT min(block_id) FROM pragma_storage_info('{table}') WHERE column_name = '{column}' "
            "AND block_id >= 0 AND persistent"
        ).fetchall()
    with store.open("r+b") as file:
        file.seek(3 * 4096 + block * 131072 + 5000)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 0xFF]))


def test_a_page_that_is_damaged_is_named_with_its_table(digits_store: Path) -> None:
    damage_a_block(digits_store, "spike_events", "sample_index")
    with EnergyStore(digits_store, read_only=True) as store:
        with pytest.raises(StoreError, match="is damaged: spike_events cannot be read") as caught:
            store.verify()
        assert "backup" in str(caught.value.hint)


def test_a_quick_look_reads_no_events(digits_store: Path) -> None:
    damage_a_block(digits_store, "spike_events", "sample_index")
    with EnergyStore(digits_store, read_only=True) as store:
        checks = {result.check: result.n_failures for result in store.verify(quick=True)}
    assert set(checks.values()) == {0}
    assert CHECKS - checks.keys() == LEFT_OUT_QUICKLY


def test_a_damaged_page_of_a_table_of_the_users_own_is_found(small_store: Path) -> None:
    with duckdb.connect(small_store) as connection:
        connection.execute('CREATE SCHEMA "my own"; CREATE TABLE "my own"."a b" AS FROM range(200000) AS t (n)')
        # What can be told from its minimum and maximum alone would be in no block.
        connection.execute('UPDATE "my own"."a b" SET n = hash(n) >> 1')
    with EnergyStore(small_store, read_only=True) as store:
        assert failing(store) == set()
    damage_a_block(small_store, '"my own"."a b"', "n")
    with (
        EnergyStore(small_store, read_only=True) as store,
        pytest.raises(StoreError, match=r"is damaged: my own\.a b cannot be read"),
    ):
        store.verify()


def test_too_little_memory_is_not_taken_for_damage(digits_store: Path) -> None:
    with (
        EnergyStore(digits_store, read_only=True, memory_limit="1MB", threads=1) as store,
        pytest.raises(StoreError, match=r"^the memory limit is too small") as caught,
    ):
        store.verify()
    assert "--memory-limit" in str(caught.value.hint)
