"""Files that are damaged anywhere: found and named, or shown to matter to nothing that is stored."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import duckdb
import pytest
from world import keep_figures, number_from_outside, run_verb, write_run

pytestmark = pytest.mark.faults

N_DAMAGES = number_from_outside("FAULTS_KILLS", 20)
READ = "SELECT (SELECT bit_xor(hash(t)) FROM {0} AS t), (SELECT count(*) FROM {0})"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write_run(folder / "a.parquet", 1)
    assert run_verb(folder, "ingest", "a.parquet").returncode == 0
    return folder / "energy.duckdb"


def content(store: Path) -> dict[str, object]:
    with duckdb.connect(str(store), read_only=True) as connection:
        tables = connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
        return {name: connection.execute(READ.format(name)).fetchall() for (name,) in tables}


def flip_a_bit(data: bytearray, random: Random) -> None:
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def zero_a_page(data: bytearray, random: Random) -> None:
    begin = random.randrange(len(data) // 4096) * 4096
    data[begin : begin + 4096] = bytes(4096)


def cut_short(data: bytearray, random: Random) -> None:
    del data[random.randrange(len(data)) :]


def swap_two_blocks(data: bytearray, random: Random) -> None:
    size, head = 131072, 3 * 4096
    one, other = (head + size * random.randrange((len(data) - head) // size) for _ in range(2))
    data[one : one + size], data[other : other + size] = data[other : other + size], data[one : one + size]


DAMAGES: list[Callable[[bytearray, Random], None]] = [flip_a_bit, zero_a_page, cut_short, swap_two_blocks]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damage_is_named_or_matters_to_nothing(
    store: Path, tmp_path: Path, damage: Callable[[bytearray, Random], None]
) -> None:
    whole, sound = content(store), store.read_bytes()
    random, counts = Random(damage.__name__), Counter()
    broken = tmp_path / "energy.duckdb"
    for attempt in range(max(3, N_DAMAGES // len(DAMAGES))):
        data = bytearray(sound)
        damage(data, random)
        broken.write_bytes(data)
        done = run_verb(tmp_path, "verify")
        assert done.returncode in (0, 1, 4), f"{damage.__name__} {attempt}: {done.returncode} {done.stderr}"
        assert "Traceback" not in done.stderr
        assert "unexpected" not in done.stderr, done.stderr
        counts[{0: "matters to nothing", 1: "a check fails", 4: "refused"}[done.returncode]] += 1
        if done.returncode == 0:
            assert content(broken) == whole, f"{damage.__name__} {attempt} went unnoticed"
    keep_figures(f"damage-{damage.__name__}", dict(counts))
    assert counts.total() > counts["matters to nothing"]


@pytest.mark.parametrize(
    "data", [b"", b"hello\n" * 1000, b"<!doctype html><p>Sign in", b"PAR1" + bytes(100), bytes(20_000)], ids=range(5)
)
@pytest.mark.parametrize(
    "asked", [["verify"], ["runs"], ["report", "latest", "--chip", "loihi2"], ["migrate"]], ids=str
)
def test_what_is_no_store_is_refused(tmp_path: Path, data: bytes, asked: list[str]) -> None:
    (tmp_path / "energy.duckdb").write_bytes(data)
    done = run_verb(tmp_path, *asked)
    assert (done.returncode, "energy.duckdb" in done.stderr) == (4, True)
    assert "Traceback" not in done.stderr
    assert (tmp_path / "energy.duckdb").read_bytes() == data


# What is done to a sound store behind energy-db's back, and which check says so.
TAMPERED = {
    "a view dropped": ("DROP VIEW energy_by_layer", "views_are_as_shipped"),
    "a view of the mart dropped": ("DROP VIEW mart.run_energy", "views_are_as_shipped"),
    "a check dropped": ("DROP VIEW layers_sum_to_run", "views_are_as_shipped"),
    "a view changed": ("CREATE OR REPLACE VIEW energy_by_chip AS SELECT 0 AS energy_pj", "views_are_as_shipped"),
    "a check that finds nothing": (
        "CREATE OR REPLACE VIEW layers_sum_to_run AS SELECT 1 AS one WHERE false",
        "views_are_as_shipped",
    ),
    "a run deleted": ("DELETE FROM runs", "activity_has_layers"),
    "a layer deleted": ("DELETE FROM layers WHERE layer = 'hidden'", "layers_sum_to_run"),
    "a layer's spikes changed": (
        "UPDATE layers SET n_spikes = n_spikes + 1 WHERE layer = 'hidden'",
        "layers_sum_to_run",
    ),
    "a role changed": ("UPDATE layers SET role = 'hiden' WHERE layer = 'hidden'", "layers_have_known_roles"),
    "a run's spikes changed": ("UPDATE runs SET n_spikes = n_spikes - 1", "layers_sum_to_run"),
    "a neuron deleted": ("DELETE FROM neuron_activity WHERE layer_index = 1 AND neuron = 7", "neurons_sum_to_layers"),
    "a neuron renamed": (
        "UPDATE neuron_activity SET neuron = 10000 WHERE layer_index = 1 AND neuron = 7",
        "neurons_equal_events",
    ),
    "a timestep deleted": ("DELETE FROM step_activity WHERE layer_index = 0 AND timestep = 9", "steps_sum_to_layers"),
    "an event deleted": (
        "DELETE FROM spike_events WHERE layer_index = 1 AND neuron = 7 AND timestep = "
        "(SELECT min(timestep) FROM spike_events WHERE layer_index = 1 AND neuron = 7)",
        "neurons_equal_events",
    ),
    "all events deleted": ("DELETE FROM spike_events", "neurons_equal_events"),
    "an event moved": (
        "UPDATE spike_events SET timestep = timestep + 1 WHERE layer_index = 1 AND neuron = 7 AND timestep < 25",
        "steps_equal_events",
    ),
    "synaptic events changed": (
        "UPDATE layers SET fan_out = 11 WHERE layer = 'hidden'",
        "synaptic_events_follow_spikes",
    ),
    "a driver count changed": ("UPDATE driver_counts SET driver_count = driver_count + 1", "drivers_are_as_counted"),
    "a cost changed": (
        "UPDATE costs SET energy_pj = energy_pj * 2 WHERE chip = 'loihi2'",
        "costs_are_unchanged",
    ),
    "a cost deleted": ("DELETE FROM costs WHERE chip = 'loihi2'", "costs_are_unchanged"),
    "a source deleted": ("UPDATE cost_versions SET source = '' WHERE chip = 'loihi2'", "costs_are_unchanged"),
    "a cost version deleted": ("DELETE FROM cost_versions WHERE chip = 'loihi2'", "shipped_costs_are_as_published"),
    "a chip without costs in force": ("DELETE FROM cost_in_force WHERE chip = 'loihi2'", "chips_have_cost_in_force"),
}
TABLES = (
    "runs",
    "layers",
    "neuron_activity",
    "step_activity",
    "spike_events",
    "costs",
    "cost_versions",
    "chips",
    "run_tags",
)


@pytest.fixture
def copied(store: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(store, tmp_path / "energy.duckdb"))


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_changed_by_hand_is_found_by_its_check(copied: Path, name: str) -> None:
    statement, check = TAMPERED[name]
    before = content(copied)
    with duckdb.connect(str(copied)) as connection:
        connection.execute(statement)
    assert "VIEW" in statement or content(copied) != before
    done = run_verb(copied.parent, "verify", "--json")
    assert done.returncode == 1, done.stderr
    failed = {row["check"] for row in json.loads(done.stdout)["rows"] if row["result"] == "failed"}
    assert check in failed
    assert f"{check}: " in done.stderr


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_is_gone_is_named(copied: Path, table: str) -> None:
    with duckdb.connect(str(copied)) as connection:
        connection.execute(f"DROP TABLE {table}")
    done = run_verb(copied.parent, "verify")
    assert (done.returncode, done.stdout) == (4, "")
    assert "energy.duckdb is damaged" in done.stderr
    assert table in done.stderr


@pytest.mark.parametrize("asked", [["verify"], ["runs"], ["ingest", "a.parquet"], ["migrate"]], ids=str)
def test_a_database_of_somebody_else_is_refused(store: Path, tmp_path: Path, asked: list[str]) -> None:
    for file in ("a.parquet", "a.json"):
        shutil.copy(store.parent / file, tmp_path / file)
    with duckdb.connect(str(tmp_path / "energy.duckdb")) as connection:
        connection.execute("CREATE TABLE runs AS SELECT 1 AS mine")
    before = (tmp_path / "energy.duckdb").read_bytes()
    done = run_verb(tmp_path, *asked)
    assert (done.returncode, done.stdout) == (4, "")
    assert "not an energy-db store" in done.stderr
    assert (tmp_path / "energy.duckdb").read_bytes() == before
