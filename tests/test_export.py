"""Runs and views as files: what comes out of a store, and that it comes back as the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pytest
from factories import EVENTS, NETWORK, Shell, dump, run_file, with_sidecar
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import csv, ipc, parquet

from energy_db import EnergyStore
from energy_db.errors import EnergyDbError, NotFoundError, UsageError

ODD = "a=b/c 'd' \"e\" ü,%2F"
"""A name that folders, CSV, SQL and JSON each want to read otherwise."""


@pytest.fixture
def store() -> Iterator[EnergyStore]:
    with EnergyStore(":memory:") as opened:
        yield opened


def told(folder: Path) -> Path:
    """Write a run file that declares all that can be declared."""
    network = {
        **NETWORK,
        "layers": [
            {"name": "hidden", "role": "hidden", "n_inputs": 4, "n_neurons": 3, "fan_out": [2, 1, 0]},
            {"name": "output", "role": "readout", "n_inputs": 3, "n_neurons": 2, "fan_out": 0},
        ],
        "run": ODD,
        "kind": "validation",
        "seed": "7",
        "git_commit": "abc123",
        "recorded_at": "2026-11-01T10:00:00",
        "tags": {"accuracy": 0.981, "branch": ODD},
        "counters": [
            {"driver": "hop", "count": 12, "layer": "hidden"},
            {"driver": "hop", "count": 3, "layer": "output"},
            {"driver": "message", "count": 5},
        ],
    }
    return with_sidecar(run_file(folder / "told.parquet", EVENTS), network)


def everything(store: EnergyStore) -> list[object]:
    """Return what a store knows of its runs, but for when and whence they came."""
    views = ("activity_by_spike", "activity_by_layer", "activity_by_neuron", "activity_by_driver", "tags_by_run")
    found: list[object] = [sorted(map(repr, store.sql(f"FROM {view}").to_pylist())) for view in views]
    for run in store.runs():
        found.append((run.run_id, run.name, run.kind, run.seed, run.git_commit, run.recorded_at, run.timestep_us))
        found.append((run.layers, run.inferred, run.counters, run.tags, run.activity_hash, run.content_hash))
    return found


class TestRun:
    @pytest.mark.thorough
    def test_it_is_the_same_run_again(self, store: EnergyStore, tmp_path: Path) -> None:
        run = store.ingest(told(tmp_path))
        store.export_run(run, tmp_path / "again.parquet")
        assert store.ingest(tmp_path / "again.parquet").status == "unchanged"
        with EnergyStore(":memory:") as other:
            other.ingest(tmp_path / "again.parquet")
            assert everything(other) == everything(store)
            assert other.report("latest", "loihi2").total_energy_pj == store.report("latest", "loihi2").total_energy_pj

    @pytest.mark.thorough
    def test_what_was_inferred_is_inferred_again(self, store: EnergyStore, tmp_path: Path) -> None:
        run = store.ingest(run_file(tmp_path / "bare.parquet", EVENTS))
        assert "n_timesteps" in run.inferred
        store.export_run(run, tmp_path / "again.parquet")
        with EnergyStore(":memory:") as other:
            assert other.ingest(tmp_path / "again.parquet").inferred == run.inferred
            assert everything(other) == everything(store)

    @pytest.mark.thorough
    def test_a_recorded_run_keeps_its_energy(self, store: EnergyStore, digits: Path, tmp_path: Path) -> None:
        """899,253.2 pJ were worked out from the recording's arrays with NumPy."""
        store.ingest(digits / "digits-baseline.parquet")
        store.export_run("digits-baseline", tmp_path / "again.parquet")
        with EnergyStore(":memory:") as other:
            other.ingest(tmp_path / "again.parquet")
            (total,) = other.sql("SELECT sum(energy_pj) AS total FROM energy_by_neuron WHERE chip = 'loihi2'")[
                "total"
            ].to_pylist()
            assert total == Decimal("899253.2")
            arrays = np.load(digits / "digits-baseline.npz")
            for row in other.sql("FROM activity_by_layer").to_pylist():
                spikes = np.unpackbits(arrays[row["layer"]], axis=-1, count=row["n_neurons"])
                assert row["n_spikes"] == int(spikes.sum())

    @pytest.mark.parametrize("form", ["csv", "arrow"])
    def test_for_other_programs(self, store: EnergyStore, tmp_path: Path, form: str) -> None:
        store.export_run(store.ingest(told(tmp_path)), tmp_path / f"run.{form}", format=form)
        if form == "csv":
            table = csv.read_csv(tmp_path / "run.csv")
        else:
            table = ipc.open_file(tmp_path / "run.arrow").read_all()
        rows = sorted(tuple(row.values()) for row in table.to_pylist())
        assert rows == sorted((*event, 1) for event in zip(*EVENTS.values(), strict=True))

    def test_a_run_without_events(self, store: EnergyStore, tmp_path: Path) -> None:
        run = store.ingest(told(tmp_path), events="none")
        with pytest.raises(UsageError, match=r"events of .* are not kept"):
            store.export_run(run, tmp_path / "again.parquet")
        assert not (tmp_path / "again.parquet").exists()

    @pytest.mark.thorough
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        names=st.lists(st.text(min_size=1, max_size=8).filter(str.strip), min_size=1, max_size=3, unique=True),
        seed=st.integers(0, 2**16),
    )
    def test_whatever_its_layers_are_called(self, tmp_path: Path, names: list[str], seed: int) -> None:
        random = np.random.default_rng(seed)
        size = int(random.integers(1, 30))
        events = {
            "layer": [names[i] for i in random.integers(0, len(names), size)],
            "neuron": random.integers(0, 5, size).tolist(),
            "timestep": random.integers(0, 4, size).tolist(),
        }
        path = run_file(tmp_path / "run.parquet", events)
        with EnergyStore(":memory:") as one, EnergyStore(":memory:") as other:
            try:
                run = one.ingest(path)
            except EnergyDbError:
                return
            one.export_run(run, tmp_path / "again.parquet")
            other.ingest(tmp_path / "again.parquet")
            assert everything(other) == everything(one)


class TestView:
    @pytest.fixture
    def runs(self, store: EnergyStore, digits: Path) -> EnergyStore:
        for name in ("baseline", "sparse"):
            store.ingest(digits / f"digits-{name}.parquet", run_id=f"{name}.1" if name == "sparse" else None)
        return store

    @pytest.mark.thorough
    @pytest.mark.parametrize("form", ["parquet", "csv", "arrow"])
    def test_to_a_file(self, runs: EnergyStore, tmp_path: Path, form: str) -> None:
        runs.export_view("MART.layer_energy", tmp_path / "layers", format=form, runs=["digits-sparse"], chip="loihi2")
        expected = runs.sql("FROM mart.layer_energy WHERE chip = 'loihi2' AND run_name = 'digits-sparse'")
        if form == "csv":
            exact = csv.ConvertOptions(column_types={"energy_pj": pa.decimal128(38, 6)})
            table = csv.read_csv(tmp_path / "layers", convert_options=exact).select(["layer", "energy_pj"])
            assert dict(zip(*table.to_pydict().values(), strict=True)) == dict(
                zip(expected["layer"].to_pylist(), expected["energy_pj"].to_pylist(), strict=True)
            )
            return
        found = (
            parquet.read_table(tmp_path / "layers")
            if form == "parquet"
            else ipc.open_file(tmp_path / "layers").read_all()
        )
        assert found.schema.types == expected.schema.types
        assert sorted(map(repr, found.to_pylist())) == sorted(map(repr, expected.to_pylist()))

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("form", ["parquet", "csv", "arrow"])
    def test_to_a_folder_for_each_run(self, runs: EnergyStore, tmp_path: Path, form: str) -> None:
        runs.export_view("activity_by_neuron", tmp_path / "neurons", format=form, by_run=True)
        folders = sorted(path.name for path in (tmp_path / "neurons").iterdir())
        ids = sorted(run.run_id for run in runs.runs())
        assert folders == [f"run_id={run_id}" for run_id in ids]
        hive = pa.dataset.partitioning(pa.schema([("run_id", pa.string())]), flavor="hive")
        source = pa.dataset.dataset(tmp_path / "neurons", format=form, partitioning=hive)
        table = source.to_table(columns=["run_id", "layer", "neuron", "n_spikes"])
        expected = runs.sql("SELECT run_id, layer, neuron, n_spikes FROM activity_by_neuron")
        assert sorted(map(repr, table.to_pylist())) == sorted(map(repr, expected.to_pylist()))
        if form == "parquet":
            with duckdb.connect() as connection:
                files = f"read_parquet('{tmp_path}/neurons/*/*', hive_partitioning = true)"
                query = f"SELECT run_id, sum(n_spikes) FROM {files} GROUP BY ALL"
                assert dict(connection.execute(query).fetchall()) == {run.run_id: run.n_spikes for run in runs.runs()}

    def test_types_that_others_do_not_read_become_those_that_they_do(self, store: EnergyStore, tmp_path: Path) -> None:
        store._engine.run(
            "CREATE VIEW mine AS SELECT CAST(2 AS HUGEINT) ** 0 + 9007199254740993::HUGEINT AS big, "
            "9007199254740993::HUGEINT AS huge, "
            "uuid() AS id, TIME '10:00:00' AS t, INTERVAL 1 DAY AS i, TIMESTAMP_NS '2026-01-01' AS ns"
        )
        store.export_view("mine", tmp_path / "mine.parquet")
        table = parquet.read_table(tmp_path / "mine.parquet")
        assert table["huge"].to_pylist() == [Decimal(9007199254740993)]
        assert [str(table.schema.field(name).type) for name in ("huge", "id", "t", "i", "ns")] == [
            "decimal128(38, 0)", "string", "string", "string", "timestamp[us]",
        ]  # fmt: skip

    def test_what_is_refused(self, runs: EnergyStore, tmp_path: Path) -> None:
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "mine").write_text("")
        with pytest.raises(NotFoundError, match="Did you mean 'energy_by_layer'"):
            runs.export_view("energy_by_layr", tmp_path / "x.parquet")
        with pytest.raises(NotFoundError, match="Did you mean 'loihi2'"):
            runs.export_view("energy_by_layer", tmp_path / "x.parquet", chip="loihi22")
        with pytest.raises(UsageError, match="has no column chip"):
            runs.export_view("activity_by_layer", tmp_path / "x.parquet", chip="loihi2")
        with pytest.raises(UsageError, match="has no column run_id"):
            runs.export_view("cost_catalogue", tmp_path / "x", by_run=True)
        with pytest.raises(UsageError, match="not empty"):
            runs.export_view("activity_by_layer", tmp_path / "full", by_run=True)
        with pytest.raises(UsageError, match="format is 'xlsx'"):
            runs.export_view("activity_by_layer", tmp_path / "x.xlsx", format="xlsx")
        assert {path.name for path in tmp_path.iterdir()} == {"full"}


class TestCommand:
    def test_a_run_by_the_suffix(self, shell: Shell, small_store: Path, tmp_path: Path) -> None:
        assert shell("export", "kept", "-o", "again.parquet").exit_code == 0
        before = dump(small_store)
        assert "1 unchanged" in shell("ingest", "again.parquet").stderr
        assert dump(small_store) == before

    def test_a_view_to_stdout_is_the_file(self, shell: Shell, small_store: Path, tmp_path: Path) -> None:
        asked = ("export", "--view", "mart.layer_energy", "--chip", "loihi2", "--format", "csv")
        printed = shell(*asked).stdout
        assert shell(*asked, "-o", "layers.csv").exit_code == 0
        assert sorted(printed.splitlines()) == sorted((tmp_path / "layers.csv").read_text().splitlines())
        table = csv.read_csv(tmp_path / "layers.csv")
        assert dict(zip(table["layer"].to_pylist(), table["energy_pj"].to_pylist(), strict=True)) == {
            "hidden": 8.4, "output": 2.0,
        }  # fmt: skip

    def test_of_no_rows_there_is_a_header(self, shell: Shell, small_store: Path) -> None:
        result = shell("export", "--view", "mart.training_step_energy", "--format", "csv")
        assert result.stdout.startswith('"run_id","run_name"')
        assert len(result.stdout.splitlines()) == 1

    def test_a_view_to_a_file(self, shell: Shell, small_store: Path, tmp_path: Path) -> None:
        assert shell("export", "--view", "activity_by_neuron", "--run", "latest", "-o", "n.arrow").exit_code == 0
        assert ipc.open_file(tmp_path / "n.arrow").read_all().num_rows == 5
        assert shell("export", "--view", "activity_by_neuron", "--by-run", "-o", "by run/").exit_code == 0
        assert len(list((tmp_path / "by run").glob("run_id=*/*.parquet"))) == 1

    @pytest.mark.parametrize(
        ("arguments", "exit_code", "says"),
        [
            (["kept"], 2, "nobody says where to"),
            (["kept", "-o", "run.xyz"], 2, "cannot tell the format"),
            (["kept", "-o", "energy.duckdb", "--format", "csv"], 2, "is the store itself"),
            (["kept", "-o", "no/run.csv"], 4, "the folder no does not exist"),
            (["kpt", "-o", "run.csv"], 3, "Did you mean 'kept'"),
            (["kept", "--view", "energy_by_layer", "-o", "x.csv"], 2, "one at a time"),
            (["kept", "--chip", "loihi2", "-o", "x.csv"], 2, "--format speedscope"),
            (["--view", "energy_by_layer", "--top", "3", "-o", "x.csv"], 2, "--top does not go with --view"),
            (["--view", "energy_by_layr", "-o", "x.csv"], 3, "Did you mean 'energy_by_layer'"),
            (["--view", "energy_by_layer"], 2, "nobody says where to"),
            (["--store"], 2, "-o DIR/"),
            (["--store", "--chip", "loihi2", "-o", "x"], 2, "--chip does not go with --store"),
        ],
    )
    def test_what_is_refused(
        self, shell: Shell, small_store: Path, tmp_path: Path, arguments: list[str], exit_code: int, says: str
    ) -> None:
        result = shell("export", *arguments)
        assert (result.exit_code, says in result.stderr) == (exit_code, True), result.stderr
        assert {path.name for path in tmp_path.iterdir()} == {"energy.duckdb"}

    @pytest.mark.thorough
    def test_the_whole_store_and_back(self, shell: Shell, small_store: Path, tmp_path: Path) -> None:
        result = shell("export", "--store", "-o", "out/")
        assert result.exit_code == 0, result.stderr
        assert "init --from" in result.stderr
        assert shell("--db", "again.duckdb", "init", "--from", "out").exit_code == 0
        asked = ("report", "kept", "--chip", "loihi2", "--json")
        assert json.loads(shell("--db", "again.duckdb", *asked).stdout) == json.loads(shell(*asked).stdout)
        assert shell("--db", "again.duckdb", "init", "--from", "out").exit_code == 4
        assert shell("--db", "new.duckdb", "init", "--from", "nowhere").exit_code == 4
        assert not (tmp_path / "new.duckdb").exists()
