"""The same content is one run, however it is written; other content never hides behind a name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from factories import EVENTS, NETWORK, Shell, assert_refused, rearranged, run_file, unchanged, with_sidecar

from energy_db import EnergyDbError, EnergyStore

MANY = {name: values * 50 for name, values in EVENTS.items()} | {"timestep": [i // 6 for i in range(300)]}
SWAPPED = {**EVENTS, "timestep": [0, 2, 0, 3, 1, 3], "sample": [0, 0, 1, 1, 0, 1]}
"""EVENTS, but neuron 1 of the hidden layer spikes at timestep 2 of sample 0 and at 0 of sample 1, not the other way."""


@pytest.fixture(scope="module")
def kept(_small_store: Path) -> tuple[str, str]:
    """The id and the name of the run in the store."""
    return run_of(_small_store)


@pytest.fixture
def store(small_store: Path) -> Iterator[EnergyStore]:
    with EnergyStore(small_store) as opened:
        yield opened


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "written",
    [
        pytest.param({}, id="moved"),
        pytest.param({"columns": rearranged(EVENTS, [3, 0, 5, 1, 4, 2])}, id="shuffled rows"),
        pytest.param({"compression": "zstd"}, id="other compression"),
        pytest.param({"row_group_size": 1}, id="other row groups"),
        pytest.param({"types": dict.fromkeys(("neuron", "timestep", "sample"), pa.uint8())}, id="narrow integers"),
        pytest.param({"types": {"neuron": pa.int32(), "sample": pa.uint64()}}, id="mixed integers"),
        pytest.param({"types": {"layer": pa.dictionary(pa.int8(), pa.string())}}, id="dictionary layers"),
        pytest.param({"columns": {**EVENTS, "layer": [0, 0, 0, 0, 1, 1]}}, id="numbered layers"),
        pytest.param({"columns": {**EVENTS, "n_spikes": [1] * 6}}, id="one spike a row, said so"),
        pytest.param({"columns": {**EVENTS, "voltage": [0.5] * 6}}, id="an extra column"),
        pytest.param({"columns": dict(reversed(EVENTS.items()))}, id="other column order"),
    ],
)
def test_the_same_content_is_unchanged(
    shell: Shell, small_store: Path, kept: tuple[str, str], written: dict[str, Any]
) -> None:
    with_sidecar(run_file(Path("again.parquet"), **written))
    with unchanged(small_store):
        result = shell("ingest", "again.parquet")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[2].split() == ["unchanged", *kept, "6", "2", "again.parquet"]
    assert "1 unchanged" in result.stderr


def run_of(store: Path) -> tuple[str, str]:
    """Return id and name of the only run of a store."""
    with EnergyStore(store, read_only=True) as opened:
        [run] = opened.runs()
    return run.run_id, run.name


def test_other_column_names_are_unchanged(store: EnergyStore, tmp_path: Path) -> None:
    columns = {"pop": EVENTS["layer"], "senders": EVENTS["neuron"], "times": EVENTS["timestep"], "k": EVENTS["sample"]}
    path = with_sidecar(run_file(tmp_path / "nest.parquet", columns))
    mapping = {"layer": "pop", "neuron": "senders", "timestep": "times", "sample": "k"}
    assert store.ingest(path, columns=mapping).status == "unchanged"
    assert [run.name for run in store.runs()] == ["kept"]


def test_the_same_file_read_under_another_mapping_is_another_run(store: EnergyStore, tmp_path: Path) -> None:
    columns = {**EVENTS, "timestep": [0, 0, 1, 2, 1, 0]}
    path = with_sidecar(run_file(tmp_path / "two.parquet", {**columns, "times": [1, 1, 2, 0, 2, 1]}))
    first = store.ingest(path, name="first")
    second = store.ingest(path, name="second", columns={"timestep": "times"})
    assert (first.status, second.status) == ("stored", "stored")
    assert first.run_id != second.run_id


def test_larger_content_in_any_order_is_unchanged(store: EnergyStore, tmp_path: Path) -> None:
    first = store.ingest(run_file(tmp_path / "many.parquet", MANY))
    order = sorted(range(300), key=lambda row: row * 7919 % 300)
    again = store.ingest(run_file(tmp_path / "shuffled.parquet", rearranged(MANY, order), compression="gzip"))
    assert (first.status, again.status) == ("stored", "unchanged")
    assert first.run_id == again.run_id


def test_other_pairs_of_times_and_samples_are_two_runs(store: EnergyStore, tmp_path: Path) -> None:
    [kept] = store.runs()
    run = store.ingest(with_sidecar(run_file(tmp_path / "swapped.parquet", SWAPPED)))
    assert run.status == "stored"
    assert run.run_id != kept.run_id
    assert run.activity_hash == kept.activity_hash
    assert len(store.runs()) == 2
    again = run_file(tmp_path / "again.parquet", rearranged(SWAPPED, [5, 4, 3, 2, 1, 0]))
    assert store.ingest(with_sidecar(again)).run_id == run.run_id


def test_a_network_that_leaves_things_open_is_unchanged(store: EnergyStore, tmp_path: Path) -> None:
    assert store.ingest(run_file(tmp_path / "bare.parquet")).status == "unchanged"


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("changed", "says"),
    [
        pytest.param({"n_timesteps": 5}, "n_timesteps: stored 4, now 5", id="timesteps"),
        pytest.param({"n_samples": 3}, "n_samples: stored 2, now 3", id="samples"),
        pytest.param({"timestep_us": 500}, r"timestep_us: stored 1000(\.0+)?, now 500", id="length of a timestep"),
        pytest.param({"roles": {"output": "hidden"}}, "role of output: stored readout, now hidden", id="role"),
    ],
)
def test_another_network_under_the_same_name_is_refused(
    store: EnergyStore, tmp_path: Path, changed: dict[str, Any], says: str
) -> None:
    with pytest.raises(EnergyDbError, match=says):
        store.ingest(with_sidecar(run_file(tmp_path / "other.parquet")), name="kept", **changed)
    assert len(store.runs()) == 1


class TestOtherContent:
    """Other content under a name or id that is taken."""

    @pytest.fixture
    def other(self, small_store: Path) -> Path:
        columns = {name: [*values, values[0]] for name, values in EVENTS.items()} | {"neuron": [0, 1, 1, 2, 0, 1, 2]}
        return with_sidecar(run_file(small_store.parent / "other.parquet", columns))

    def test_the_same_name_is_refused(self, shell: Shell, small_store: Path, other: Path) -> None:
        says = ["another run has the name 'kept'", "spikes: stored 6, now 7", "--on-duplicate new", "1 refused"]
        assert_refused(shell, small_store, 4, ["ingest", other, "--name", "kept"], says)

    def test_the_same_id_is_refused(self, shell: Shell, small_store: Path, other: Path) -> None:
        run_id, _ = run_of(small_store)
        says = [f"another run has the id '{run_id}'", "spikes: stored 6, now 7", "--run-id"]
        assert_refused(shell, small_store, 4, ["ingest", other, "--run-id", run_id], says)

    def test_only_other_times_under_the_same_name_are_refused(self, shell: Shell, small_store: Path) -> None:
        with_sidecar(run_file(Path("swapped.parquet"), SWAPPED))
        says = ["another run has the name 'kept'", "the same number of spikes, by other neurons or at other times"]
        assert_refused(shell, small_store, 4, ["ingest", "swapped.parquet", "--name", "kept"], says)

    def test_it_is_a_new_run_on_demand(self, store: EnergyStore, other: Path) -> None:
        [kept] = store.runs()
        run = store.ingest(other, name="kept", on_duplicate="new")
        assert (run.status, run.name, run.n_spikes) == ("stored", "kept", 7)
        assert [(each.run_id, each.name) for each in store.runs()] == [(run.run_id, "kept"), (kept.run_id, "kept")]
        assert store.run("kept").run_id == run.run_id

    def test_a_taken_id_is_numbered_on_demand(self, store: EnergyStore, other: Path, tmp_path: Path) -> None:
        first = store.ingest(other, run_id="mine")
        swapped = with_sidecar(run_file(tmp_path / "swapped.parquet", SWAPPED))
        second = store.ingest(swapped, run_id="mine", on_duplicate="new")
        assert (first.run_id, second.run_id) == ("mine", "mine-2")

    def test_a_chosen_id_is_the_identity(self, store: EnergyStore, other: Path) -> None:
        run = store.ingest(other, run_id="exp-7.b_2")
        assert run.run_id == "exp-7.b_2"
        assert store.run("exp-7.").run_id == "exp-7.b_2"
        assert run.name == "other"


def test_the_default_id_begins_the_content_hash(store: EnergyStore) -> None:
    [kept] = store.runs()
    assert kept.run_id == kept.content_hash[:12]


def test_the_id_does_not_depend_on_store_and_name(store: EnergyStore, tmp_path: Path) -> None:
    [kept] = store.runs()
    with EnergyStore(":memory:") as elsewhere:
        run = elsewhere.ingest(run_file(tmp_path / "elsewhere.parquet"), network=NETWORK, name="another")
    assert (run.run_id, run.content_hash, run.activity_hash) == (kept.run_id, kept.content_hash, kept.activity_hash)


def test_a_run_without_events_is_recognised_by_its_counts(tmp_store: Path, tmp_path: Path) -> None:
    path = with_sidecar(run_file(tmp_path / "run.parquet"))
    with EnergyStore(tmp_store) as store:
        assert store.ingest(path, events="none").status == "stored"
        shuffled = run_file(tmp_path / "again.parquet", rearranged(EVENTS, [2, 1, 0, 5, 4, 3]))
        assert store.ingest(with_sidecar(shuffled)).status == "unchanged"


def test_unchanged_says_what_was_asked_in_vain(shell: Shell, small_store: Path) -> None:
    with_sidecar(run_file(Path("kept.parquet")))
    run_id, _ = run_of(small_store)
    result = shell("ingest", "kept.parquet", "--name", "better", "--tag", "accuracy=0.98")
    assert result.exit_code == 0
    assert f"it is stored already, and keeps the name 'kept' and the id '{run_id}'" in result.stderr
    assert f"energy-db tag {run_id} accuracy=0.98" in result.stderr
    assert run_of(small_store) == (run_id, "kept")


def test_a_file_that_is_rewritten_at_once_is_read_anew(store: EnergyStore, tmp_path: Path) -> None:
    path = tmp_path / "rewritten.parquet"
    for number in range(1, 6):
        run_file(path, {"layer": ["a"] * number, "neuron": [number] * number, "timestep": list(range(number))})
        run = store.ingest(path, name=f"take {number}")
        assert (run.n_spikes, run.layers[0].n_neurons) == (number, number + 1)


def test_without_events_the_counts_decide_and_a_note_says_so(store: EnergyStore, tmp_path: Path) -> None:
    layer = ["a"] * 4
    first = {"layer": layer, "neuron": [0, 1, 0, 1], "timestep": [0, 1, 1, 0]}
    store.ingest(run_file(tmp_path / "first.parquet", first), events="none")
    # The same counts per neuron and per timestep, by other pairs of them.
    second = {"layer": layer, "neuron": [0, 0, 1, 1], "timestep": [0, 0, 1, 1]}
    run = store.ingest(run_file(tmp_path / "second.parquet", second), events="none")
    assert run.status == "unchanged"
    assert any("events were not kept" in note for note in run.notes)
