"""Recordings: dense arrays of any layout and lists of events become the same rows, and arrive whole or not at all."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from energy_db import EnergyStore
from energy_db.cli.app import cli
from energy_db.errors import ContractError, DuplicateRunError, EnergyDbError, RunFileError, StoreError, UsageError
from energy_db.intake.network import Layer
from energy_db.record import Recording, RunWriter, Spikes, recover
from energy_db.record.recording import of_arrays, of_parts
from energy_db.record.spikes import from_dense, from_events


def rows_of(spikes: Spikes) -> set[tuple[int, ...]]:
    counts = np.ones(len(spikes), int) if spikes.n_spikes is None else spikes.n_spikes
    columns = (spikes.timestep, spikes.sample, spikes.neuron, counts)
    return {tuple(int(entry) for entry in row) for row in zip(*columns, strict=True)}


def rows_in(path: Path) -> set[tuple[object, ...]]:
    table = parquet.read_table(path)
    columns = ("layer", "timestep", "sample", "neuron", "n_spikes")
    return set(zip(*(table[column].to_pylist() for column in columns), strict=True))


# Two timesteps, one sample, three neurons; the second neuron fires twice in the second timestep.
COUNTS = np.array([[[1, 0, 0]], [[0, 2, 1]]])
ROWS = {(0, 0, 0, 1), (1, 0, 1, 2), (1, 0, 2, 1)}


class TestDense:
    def test_each_entry_is_a_row(self) -> None:
        spikes, extent = from_dense("hidden", COUNTS)
        assert rows_of(spikes) == ROWS
        assert (extent.n_timesteps, extent.n_samples, extent.n_neurons) == (2, 1, 3)

    @pytest.mark.parametrize("order", list(permutations("TBN")))
    def test_axes_may_stand_in_any_order(self, order: tuple[str, ...]) -> None:
        turned = COUNTS.transpose(["TBN".index(name) for name in order])
        assert rows_of(from_dense("hidden", turned, "".join(order))[0]) == ROWS

    @given(st.permutations("TBCHW"), st.integers(0, 2**32 - 1))
    def test_neurons_of_channels_rows_and_columns_are_numbered_in_c_order(self, order: list[str], seed: int) -> None:
        dense = np.random.default_rng(seed).random((2, 3, 2, 4, 5)) < 0.2
        expected = {(t, b, c * 20 + h * 5 + w, 1) for t, b, c, h, w in zip(*np.nonzero(dense), strict=True)}
        turned = dense.transpose(["TBCHW".index(name) for name in order])
        assert rows_of(from_dense("conv", turned, "".join(order))[0]) == expected

    def test_beside_channels_n_is_the_batch(self) -> None:
        time_last = COUNTS.transpose(1, 2, 0)
        assert rows_of(from_dense("hidden", time_last, "NCT")[0]) == ROWS

    @pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64"])
    def test_any_type_of_number(self, dtype: str) -> None:
        assert rows_of(from_dense("hidden", COUNTS.astype(dtype))[0]) == ROWS

    def test_booleans_are_one_spike_each(self) -> None:
        spikes, _ = from_dense("hidden", COUNTS > 0)
        assert spikes.n_spikes is None
        assert spikes.total == 3

    def test_graded_spikes_are_one_spike_each(self) -> None:
        spikes, _ = from_dense("hidden", COUNTS * -0.25, values="graded")
        assert spikes.total == 3

    @pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
    def test_a_payload_is_finite(self, wrong: float) -> None:
        dense = COUNTS * 0.25
        dense[0, 0, 1] = wrong
        with pytest.raises(UsageError, match=f"the array of layer 'hidden' holds {wrong}, which is no payload"):
            from_dense("hidden", dense, values="graded")

    @pytest.mark.parametrize(("wrong", "shown"), [(0.5, "0.5"), (-1.0, "-1.0"), (np.nan, "nan"), (np.inf, "inf")])
    def test_what_is_no_count_is_refused(self, wrong: float, shown: str) -> None:
        dense = COUNTS.astype(float)
        dense[0, 0, 1] = wrong
        with pytest.raises(UsageError, match=rf"the array of layer 'hidden' holds {shown}, must hold whole numbers"):
            from_dense("hidden", dense)

    @pytest.mark.parametrize("axes", ["TB", "TBNC", "TTN", "TBX", "TB", "T"])
    def test_axes_that_do_not_fit_are_refused(self, axes: str) -> None:
        with pytest.raises(UsageError, match="axes"):
            from_dense("hidden", COUNTS, axes)

    def test_text_is_refused(self) -> None:
        with pytest.raises(UsageError, match="must hold numbers"):
            from_dense("hidden", [[["a"]]])

    def test_a_tensor_is_taken_off_its_graph(self) -> None:
        class Tensor:
            def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
                raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy()")

            def detach(self) -> np.ndarray:
                return COUNTS

        assert rows_of(from_dense("hidden", Tensor())[0]) == ROWS

    def test_an_array_of_dlpack_alone(self) -> None:
        class Capsule:
            def __dlpack__(self, **options: object) -> object:
                return COUNTS.__dlpack__()

            def __dlpack_device__(self) -> object:
                return COUNTS.__dlpack_device__()

        assert rows_of(from_dense("hidden", Capsule())[0]) == ROWS


class TestEvents:
    def test_lists_become_rows(self) -> None:
        spikes = from_events("hidden", [0, 1, 2], [0, 1, 1], n_spikes=[1, 2, 1])
        assert rows_of(spikes) == ROWS

    def test_one_sample_holds_for_all(self) -> None:
        assert rows_of(from_events("hidden", [4], [3], 2)) == {(3, 2, 4, 1)}

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            ({"neuron": [0, -1], "timestep": [0, 0]}, r"neuron of layer 'h'\[1\] is -1, must be a whole number from 0"),
            ({"neuron": [0], "timestep": [0.5]}, "timestep of layer 'h' holds float64, must hold whole numbers"),
            ({"neuron": [0, 1], "timestep": [0]}, "2 entries of neuron, but 1 of timestep"),
            ({"neuron": [0], "timestep": [0], "n_spikes": [0]}, "n_spikes of layer 'h' must be 1 or more"),
            ({"neuron": [[0]], "timestep": [0]}, "has 2 axes, must have one"),
        ],
    )
    def test_what_cannot_be_is_refused(self, columns: dict[str, list[int]], message: str) -> None:
        with pytest.raises(UsageError, match=message):
            from_events("h", **columns)


@pytest.fixture
def store() -> EnergyStore:
    return EnergyStore(":memory:")


class TestRecording:
    def test_it_is_stored_and_priced(self, store: EnergyStore) -> None:
        recording = of_arrays({"hidden": COUNTS, "out": COUNTS[:, :, :2]}, "TBN", timestep_us=1000)
        run = store.ingest(recording, name="mine", roles={"hidden": "hidden", "out": "readout"})
        assert (run.name, run.n_timesteps, run.n_samples, run.n_spikes) == ("mine", 2, 1, 7)
        assert [layer.n_neurons for layer in run.layers] == [3, 2]
        assert (run.source_path, run.source_sha256, float(run.timestep_us or 0)) == (None, None, 1000.0)
        # 4 hidden spikes of 2.1 pJ, 3 of a readout of 1.0 pJ
        assert store.report(run, "loihi2").total_energy_pj == pytest.approx(11.4)

    def test_the_same_recording_is_one_run(self, store: EnergyStore) -> None:
        recording = of_arrays({"hidden": COUNTS}, "TBN")
        first, second = (store.ingest(recording, name="mine") for _ in range(2))
        assert (first.status, second.status, second.run_id) == ("stored", "unchanged", first.run_id)

    def test_a_network_completes_what_the_recording_knows(self, store: EnergyStore) -> None:
        network = {"layers": [{"name": "hidden", "role": "hidden", "fan_out": 10}]}
        run = store.ingest(of_arrays({"hidden": COUNTS[:, :, :2]}, "TBN"), name="mine", network=network)
        assert [(layer.n_neurons, layer.fan_out) for layer in run.layers] == [(2, 10)]

    def test_a_network_of_other_sizes_is_refused(self, store: EnergyStore) -> None:
        network = {"layers": [{"name": "hidden", "fan_out": [1, 2]}]}
        network["layers"][0]["n_neurons"] = 2
        recording = of_arrays({"hidden": COUNTS}, "TBN")
        with pytest.raises(EnergyDbError, match="neuron"):
            store.ingest(recording, name="mine", network=network)
        assert store.runs() == []

    def test_without_a_name_it_is_refused(self, store: EnergyStore) -> None:
        with pytest.raises(UsageError, match="needs a name"):
            store.ingest(of_arrays({"hidden": COUNTS}, "TBN"))

    @pytest.mark.parametrize(
        ("origin", "called"), [(None, "the recording 'mine'"), ("spikes.h5", "the recording spikes.h5")]
    )
    def test_errors_name_the_recording_and_not_the_file_that_is_gone(
        self, store: EnergyStore, origin: str | None, called: str
    ) -> None:
        def recording(neuron: int, timestep: int = 0) -> Recording:
            layers = (Layer("hidden", n_neurons=2),)
            return Recording(layers, lambda: iter([from_events("hidden", [neuron], [timestep])]), 3, origin=origin)

        with pytest.raises(ContractError) as broken:
            store.ingest(recording(5, 9), name="mine")
        assert [violation.column for violation in broken.value.violations] == ["neuron", "timestep"]
        lines = str(broken.value).splitlines()
        assert lines[0].startswith(f"{called}: column 'neuron' must be below the declared n_neurons")
        assert lines[1].startswith(f"{called}: column 'timestep' must be below the declared n_timesteps")
        assert broken.value.args == (broken.value.message,)
        with pytest.raises(RunFileError, match=f"^{called}: a role is given for 'out'"):
            store.ingest(recording(0), name="mine", roles={"out": "readout"})
        store.ingest(recording(0), name="mine")
        with pytest.raises(DuplicateRunError, match=f"^{called}: another run has the name 'mine'"):
            store.ingest(recording(1), name="mine")

    @pytest.mark.parametrize(("other", "what"), [(COUNTS[:1], "timesteps"), (np.tile(COUNTS, (1, 2, 1)), "samples")])
    def test_layers_must_agree(self, other: np.ndarray, what: str) -> None:
        with pytest.raises(UsageError, match=f"as many {what}, but hidden has"):
            of_arrays({"hidden": COUNTS, "out": other}, "TBN")

    def test_no_layers(self) -> None:
        with pytest.raises(UsageError, match="no layers"):
            of_arrays({}, "TBN")
        with pytest.raises(UsageError, match="no layers"):
            of_parts([], [], 3)

    def test_a_neuron_beyond_its_layer_is_refused_before_it_is_stored(self) -> None:
        layers = [Layer("hidden", n_neurons=2), Layer("out", n_neurons=4)]
        parts = [from_events("out", [3], [0]), from_events("hidden", [1, 2], [0, 0])]
        with pytest.raises(UsageError, match="event 1 of layer 'hidden' is of neuron 2, but the layer has 2"):
            of_parts(layers, parts, 1)

    def test_a_run_file_is_not_overwritten(self, tmp_path: Path) -> None:
        recording = of_arrays({"hidden": COUNTS}, "TBN")
        path = recording.write(tmp_path / "run.parquet")
        assert rows_in(path) == {("hidden", *row) for row in ROWS}
        with pytest.raises(UsageError, match="exists already"):
            recording.write(path)
        assert [file.name for file in tmp_path.iterdir()] == ["run.parquet"]

    def test_a_write_that_fails_leaves_nothing(self, tmp_path: Path) -> None:
        def spikes() -> object:
            yield from_events("hidden", [0], [0])
            raise RuntimeError("the source broke")

        whole = of_arrays({"hidden": COUNTS}, "TBN")
        with pytest.raises(RuntimeError, match="the source broke"):
            Recording(whole.layers, spikes, 2).write(tmp_path / "run.parquet")  # type: ignore[arg-type]
        assert list(tmp_path.iterdir()) == []


class TestRunWriter:
    def test_batches_follow_each_other_as_samples(self, tmp_path: Path) -> None:
        with RunWriter(tmp_path / "run.parquet", layers=["hidden", "out"]) as writer:
            for _ in range(2):
                writer.add("hidden", COUNTS)
                writer.add("out", COUNTS.transpose(1, 0, 2), "BTN")
        expected = {(layer, t, b, n, count) for layer in ("hidden", "out") for b in (0, 1) for t, _, n, count in ROWS}
        assert rows_in(tmp_path / "run.parquet") == expected
        assert [file.name for file in tmp_path.iterdir()] == ["run.parquet"]

    def test_dense_events_and_tables_are_one_recording(self, tmp_path: Path) -> None:
        ways = {}
        for way in ("dense", "events", "table", "steps"):
            path = tmp_path / f"{way}.parquet"
            with RunWriter(path, layers=[{"name": "hidden", "n_neurons": 3}], n_timesteps=2, n_samples=1) as writer:
                if way == "dense":
                    writer.add("hidden", COUNTS)
                elif way == "events":
                    writer.add_events("hidden", [0, 1, 2], [0, 1, 1], n_spikes=[1, 2, 1])
                elif way == "table":
                    columns = {"layer": ["hidden"] * 3, "neuron": [0, 1, 2], "timestep": [0, 1, 1]}
                    writer.add_table(pa.table(columns | {"sample": [0] * 3, "n_spikes": [1, 2, 1]}))
                else:
                    for t in range(2):
                        writer.add("hidden", COUNTS[t], "BN", timestep=t, sample=0)
            ways[way] = (rows_in(path), parquet.read_schema(path).metadata[b"energy_db"])
        assert len({metadata for _, metadata in ways.values()}) == 1
        assert all(rows == {("hidden", *row) for row in ROWS} for rows, _ in ways.values())

    def test_what_is_added_is_copied(self, tmp_path: Path) -> None:
        reused = np.zeros((2, 1, 3), dtype=bool)
        with RunWriter(tmp_path / "run.parquet", layers=["hidden"]) as writer:
            for neuron in range(3):
                reused[:] = False
                reused[1, 0, neuron] = True
                writer.add("hidden", reused)
            reused[:] = True
        assert rows_in(tmp_path / "run.parquet") == {("hidden", 1, b, b, 1) for b in range(3)}

    @pytest.mark.thorough
    def test_a_store_gets_the_run_at_the_end(self, tmp_path: Path) -> None:
        with EnergyStore(tmp_path / "energy.duckdb") as store:
            writer = RunWriter(store, layers=["hidden"], name="live", tags={"dataset": "digits"}, kind="training")
            writer.add("hidden", COUNTS)
            writer.flush()
            assert store.runs() == []
            run = writer.close()
            assert (run.name, run.kind, run.tags, run.n_spikes) == ("live", "training", {"dataset": "digits"}, 4)
            assert [run.run_id for run in store.runs()] == [run.run_id]
            assert store.verify() == [result for result in store.verify() if result.n_failures == 0]
        assert not list(tmp_path.glob("*.recording"))

    def test_a_silent_recording_is_a_run(self, store: EnergyStore) -> None:
        with RunWriter(store, layers=["hidden"], name="silent") as writer:
            writer.add("hidden", np.zeros((4, 5, 6), dtype=bool))
        run = store.run("silent")
        assert (run.n_timesteps, run.n_samples, run.n_spikes, run.layers[0].n_neurons) == (4, 5, 0, 6)

    def test_an_error_in_the_loop_stores_nothing_and_loses_nothing(self, tmp_path: Path) -> None:
        with EnergyStore(tmp_path / "energy.duckdb") as store:
            with pytest.raises(ZeroDivisionError), RunWriter(store, layers=["hidden"], name="live") as writer:
                writer.add("hidden", COUNTS)
                raise ZeroDivisionError
            assert store.runs() == []
            run = store.ingest(recover(writer.journal_folder))
        assert (run.name, run.n_spikes, run.tags) == ("live", 4, {"recording": "cut short"})
        assert any("cut short: 3 events of 1 samples" in note for note in run.notes)

    def test_entries_that_are_no_counts_are_found_out_at_the_end(self, tmp_path: Path) -> None:
        writer = RunWriter(tmp_path / "run.parquet", layers=["hidden"])
        writer.add("hidden", COUNTS * 0.5)
        with pytest.raises(UsageError, match=r"holds 0\.5"):
            writer.close()
        assert not (tmp_path / "run.parquet").exists()

    @pytest.mark.parametrize(
        ("layer", "array", "axes", "message"),
        [
            ("hiden", COUNTS, "TBN", "there is no layer 'hiden'"),
            ("hidden", COUNTS[:, :, :2], "TBN", "layer 'hidden' has 3 neurons, but 2 came"),
            ("hidden", COUNTS[:1], "TBN", "a sample has 2 timesteps, but 1 of layer 'hidden' came"),
            ("hidden", COUNTS[0], "BN", "without T, say which timestep and sample"),
            ("hidden", np.tile(COUNTS, (1, 3, 1)), "TBN", "the run has 2 samples, but 3 of layer 'hidden' came"),
        ],
    )
    def test_what_does_not_fit_is_refused_at_once(
        self, tmp_path: Path, layer: str, array: np.ndarray, axes: str, message: str
    ) -> None:
        layers = [{"name": "hidden", "n_neurons": 3}]
        writer = RunWriter(tmp_path / "run.parquet", layers=layers, n_timesteps=2, n_samples=2)
        with pytest.raises(UsageError, match=message):
            writer.add(layer, array, axes)
        writer.add("hidden", COUNTS)
        writer.close()
        assert rows_in(tmp_path / "run.parquet") == {("hidden", *row) for row in ROWS}

    def test_a_closed_writer_takes_nothing(self, tmp_path: Path) -> None:
        writer = RunWriter(tmp_path / "run.parquet", layers=["hidden"])
        writer.abort()
        for call in (writer.flush, writer.close, lambda: writer.add("hidden", COUNTS)):
            with pytest.raises(UsageError, match="the recording is closed"):
                call()

    def test_a_target_that_exists_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "run.parquet").touch()
        with pytest.raises(UsageError, match="exists already"):
            RunWriter(tmp_path / "run.parquet", layers=["hidden"])

    def test_a_store_needs_a_name(self, store: EnergyStore) -> None:
        with pytest.raises(UsageError, match="needs a name"):
            RunWriter(store, layers=["hidden"])

    def test_memory_stays_within_the_bound(self, tmp_path: Path) -> None:
        batch = np.zeros((16, 64, 1024), dtype=bool)
        with RunWriter(tmp_path / "run.parquet", layers=["hidden"], buffer_mib=1) as writer:
            for _ in range(8):
                writer.add("hidden", batch)
                assert writer._worker._buffer._held <= batch.nbytes


class TestJournal:
    def test_a_recording_that_goes_on_is_left_alone(self, tmp_path: Path) -> None:
        writer = RunWriter(tmp_path / "run.parquet", layers=["hidden"])
        writer.add("hidden", COUNTS)
        writer.flush()
        with pytest.raises(RunFileError, match="is still being recorded"):
            recover(writer.journal_folder)
        with pytest.raises(StoreError, match="an earlier recording is there"):
            RunWriter(tmp_path / "run.parquet", layers=["hidden"])
        writer.abort()

    @pytest.mark.thorough
    def test_whatever_prefix_is_whole_can_be_read(self, tmp_path: Path) -> None:
        writer = RunWriter(tmp_path / "run.parquet", layers=["hidden"])
        for _ in range(3):
            writer.add("hidden", COUNTS)
            writer.flush()
        writer.abort()
        events = writer.journal_folder / "events.arrows"
        whole, found = events.read_bytes(), []
        for n_bytes in range(len(whole) + 1):
            events.write_bytes(whole[:n_bytes])
            try:
                declared = recover(writer.journal_folder).declaration()
            except RunFileError as error:
                assert "before anything was written" in error.message
                found.append(0)
            else:
                assert declared["n_timesteps"] == 2
                found.append(declared["n_samples"])
        assert found == sorted(found)
        assert set(found) == {0, 1, 2, 3}

    def test_a_run_that_could_not_be_published_is_kept_to_its_end(self, tmp_path: Path) -> None:
        with EnergyStore(tmp_path / "energy.duckdb") as store:
            writer = RunWriter(store, layers=["hidden"], name="evening")
            writer.add("hidden", COUNTS)
        with pytest.raises(EnergyDbError, match="closed"):
            writer.close()
        with EnergyStore(tmp_path / "energy.duckdb") as store:
            run = store.ingest(writer.journal_folder)
        assert (run.n_spikes, run.tags) == (4, {})
        assert any("recorded to its end" in note for note in run.notes)

    def test_recordings_of_one_name_are_a_history(self) -> None:
        with EnergyStore(":memory:") as store:
            for counts in (COUNTS, COUNTS[:1]):
                with RunWriter(store, layers=["hidden"], name="nightly") as writer:
                    writer.add("hidden", counts)
            assert [run.n_spikes for run in store.runs(name="nightly")] == [1, 4]

    def test_the_command_line_takes_what_a_crash_left(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        writer = RunWriter("my run.parquet", layers=["hidden"])
        writer.add("hidden", COUNTS)
        writer.abort()
        done = CliRunner().invoke(cli, ["ingest", "my run.recording", "--json"], standalone_mode=False)
        assert done.exception is None
        [row] = json.loads(done.stdout)["rows"]
        assert (row["status"], row["name"], row["spikes"]) == ("stored", "my run", 4)
        assert "cut short: 3 events of 1 samples" in done.stderr

    def test_a_folder_that_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(RunFileError, match="is not the folder of a recording"):
            recover(tmp_path)
