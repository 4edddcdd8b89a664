"""The front door: opening and closing, finding runs, what is known of them, tags and costs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from factories import EVENTS, NETWORK, run_file, with_sidecar

from energy_db import EnergyDbError, EnergyStore, Run
from energy_db.errors import NotFoundError, StoreError, UsageError

# Of factories.EVENTS on loihi2: 4 hidden spikes of 2.1 pJ and 2 of a readout, of 1.0 pJ.
KEPT_PJ = 10.4

# The network of factories.NETWORK, but each hidden neuron has synapses of its own.
PRUNED = {**NETWORK, "layers": [{**NETWORK["layers"][0], "fan_out": [3, 1, 2]}, NETWORK["layers"][1]]}


@pytest.fixture
def store(small_store: Path) -> Iterator[EnergyStore]:
    """A store with the run `kept`."""
    with EnergyStore(small_store) as opened:
        yield opened


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
    """A store with the runs old, twin and twin again, the newest last; they have 1, 2 and 3 spikes."""
    folder = tmp_path_factory.mktemp("history")
    with EnergyStore(":memory:") as opened:
        for number, (name, run_id) in enumerate([("old", "aaaaaa1"), ("twin", "aaaaaa2"), ("twin", "bbbbbb3")], 1):
            events = {"layer": ["x"] * number, "neuron": list(range(number)), "timestep": [0] * number}
            path = run_file(folder / f"{number}.parquet", events)
            tags = {"number": number, "branch": "main" if number < 3 else "fix"}
            opened.ingest(path, name=name, run_id=run_id, tags=tags, on_duplicate="new")
        yield opened


class TestOpening:
    def test_a_store_is_kept_in_its_file(self, tmp_path: Path) -> None:
        path = tmp_path / "new.duckdb"
        with EnergyStore(path) as store:
            run = store.ingest(with_sidecar(run_file(tmp_path / "kept.parquet")))
            assert store.path == str(path)
            assert repr(store) == f"EnergyStore({str(path)!r}, read_only=False)"
        with EnergyStore(str(path), read_only=True) as store:
            assert store.report(run, "loihi2").total_energy_pj == KEPT_PJ

    def test_the_default_is_a_file_in_the_working_folder(self, tmp_path: Path, monkeypatch: Any) -> None:
        monkeypatch.chdir(tmp_path)
        EnergyStore().close()
        assert (tmp_path / "energy.duckdb").exists()

    def test_a_store_in_memory_leaves_no_file(self, tmp_path: Path, monkeypatch: Any) -> None:
        monkeypatch.chdir(tmp_path)
        with EnergyStore(":memory:") as first, EnergyStore(":memory:") as second:
            first.ingest(run_file(tmp_path / "run.parquet"))
            assert (len(first.runs()), len(second.runs())) == (1, 0)
        assert [path.name for path in tmp_path.iterdir()] == ["run.parquet"]

    def test_a_store_is_closed_after_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError), EnergyStore(tmp_path / "a.duckdb") as store:
            store.run("latest")
        with pytest.raises(EnergyDbError):
            store.runs()
        EnergyStore(tmp_path / "a.duckdb").close()

    def test_closing_twice_is_closing(self) -> None:
        store = EnergyStore(":memory:")
        store.close()
        store.close()

    def test_a_read_only_store_must_exist(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="there is no store at"):
            EnergyStore(tmp_path / "none.duckdb", read_only=True)
        assert list(tmp_path.iterdir()) == []

    def test_another_database_is_no_store(self, tmp_path: Path) -> None:
        path = tmp_path / "other.duckdb"
        engine = sqlalchemy.create_engine(f"duckdb:///{path}")
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE mine (x INTEGER)")
        engine.dispose()
        with pytest.raises(StoreError, match="not an energy-db store"):
            EnergyStore(path)

    @pytest.mark.parametrize("path", ["", "folder", "missing/energy.duckdb", "text.txt"])
    def test_what_cannot_be_opened(self, tmp_path: Path, path: str) -> None:
        (tmp_path / "folder").mkdir()
        (tmp_path / "text.txt").write_text("no database " * 1000)
        with pytest.raises(StoreError):
            EnergyStore(tmp_path / path)


ASKED_OF_A_STORE: dict[str, Callable[[EnergyStore], Any]] = {
    "runs": lambda store: store.runs(),
    "run": lambda store: store.run("latest"),
    "report": lambda store: store.report("latest", "loihi2"),
    "chips": lambda store: store.chips("latest"),
    "costs": lambda store: store.costs.show("loihi2"),
    "recost": lambda store: store.recost("tutorial72"),
    "tag": lambda store: store.tag("latest", {"a": 1}),
    "sql": lambda store: store.sql("SELECT 1"),
    "verify": lambda store: store.verify(),
    "engine": lambda store: store.engine,
    "ingest": lambda store: store.ingest("run.parquet"),
    "progress": lambda store: store.progress(),
}


@pytest.fixture(scope="module")
def closed_store(tmp_path_factory: pytest.TempPathFactory) -> EnergyStore:
    store = EnergyStore(tmp_path_factory.mktemp("closed") / "energy.duckdb")
    store.close()
    return store


@pytest.mark.parametrize("ask", ASKED_OF_A_STORE.values(), ids=ASKED_OF_A_STORE)
def test_a_closed_store_says_so(
    closed_store: EnergyStore, tmp_path: Path, monkeypatch: Any, ask: Callable[[EnergyStore], Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    run_file(Path("run.parquet"))
    with pytest.raises(StoreError, match="closed"):
        ask(closed_store)


class TestReadOnly:
    @pytest.mark.parametrize("write", [lambda s: s.ingest("run.parquet"), lambda s: s.tag("kept", {"a": "b"})])
    def test_writing_is_refused(self, small_store: Path, write: Callable[[EnergyStore], Any]) -> None:
        before = small_store.read_bytes()
        with EnergyStore(small_store, read_only=True) as store, pytest.raises(StoreError, match="read-only"):
            write(store)
        assert small_store.read_bytes() == before

    def test_several_readers_share_a_store(self, small_store: Path) -> None:
        with EnergyStore(small_store, read_only=True) as one, EnergyStore(small_store, read_only=True) as other:
            assert one.run("kept") == other.run("kept")

    def test_a_store_in_memory_can_be_read_only_too(self, tmp_path: Path) -> None:
        with EnergyStore(":memory:", read_only=True) as store, pytest.raises(StoreError, match="read-only"):
            store.ingest(run_file(tmp_path / "run.parquet"))


class TestFindingRuns:
    @pytest.mark.parametrize(
        ("selector", "n_spikes"),
        [
            ("latest", 3),
            ("latest~0", 3),
            ("latest~1", 2),
            ("latest~2", 1),
            ("old", 1),
            ("twin", 3),
            ("aaaaaa2", 2),
            ("bbbbbb", 3),
            ("@number", 3),
            ("@number=1", 1),
            ("@branch=main", 2),
        ],
    )
    def test_selectors(self, history: EnergyStore, selector: str, n_spikes: int) -> None:
        assert history.run(selector).n_spikes == n_spikes
        assert history.report(selector, "akida").total_energy_pj == n_spikes * 3.5

    @pytest.mark.parametrize(
        ("selector", "message"),
        [
            ("latest~3", "3 runs only"),
            ("latest~-1", "is not a run"),
            ("aaaaaa", "begins the ids of 2 runs"),
            ("bbbbb", "no run is called"),
            ("twni", "Did you mean 'twin'"),
            ("@nothing", "branch, number"),
            ("@branch=none", "no run carries"),
            ("", "no run is called"),
            ("x' OR 1=1 --", "no run is called"),
        ],
    )
    def test_what_means_no_run(self, history: EnergyStore, selector: str, message: str) -> None:
        with pytest.raises(NotFoundError, match=message):
            history.run(selector)

    def test_a_run_names_itself(self, history: EnergyStore) -> None:
        run = history.run("old")
        assert history.run(run) == run

    def test_an_empty_store_says_what_to_do(self) -> None:
        with EnergyStore(":memory:") as store, pytest.raises(NotFoundError, match="energy-db ingest"):
            store.run("latest")

    def test_runs_are_listed_newest_first(self, history: EnergyStore) -> None:
        assert [run.n_spikes for run in history.runs()] == [3, 2, 1]
        assert [run.n_spikes for run in history.runs(name="twin")] == [3, 2]
        assert [run.n_spikes for run in history.runs(limit=1)] == [3]
        assert history.runs(name="none") == history.runs(limit=0) == []

    def test_runs_listed_together_are_what_each_is_alone(self, tmp_path: Path) -> None:
        rich = with_sidecar(run_file(tmp_path / "rich.parquet"), PRUNED)
        poor = run_file(tmp_path / "poor.parquet")
        hops = [{"driver": "hop", "layer": "hidden", "count": 5}, {"driver": "hop", "layer": "output", "count": 2}]
        with EnergyStore(":memory:") as store:
            store.ingest(rich, counters=[*hops, {"driver": "mac", "count": 9}], tags={"b": 1, "a": "x"})
            store.ingest(poor, counters=hops[:1], roles={"hidden": "hidden"})
            store.ingest(rich, name="other", network={**PRUNED, "layers": PRUNED["layers"][::-1]}, tags={"a": "y"})
            together = store.runs()
            assert together == [store.run(run.run_id) for run in together]
        assert [run.name for run in together] == ["other", "poor", "rich"]
        assert [run.tags for run in together] == [{"a": "y"}, {}, {"a": "x", "b": "1"}]
        assert [run.counters for run in together] == [{}, {"hop": 5}, {"hop": 7, "mac": 9}]
        assert [[(la.name, la.fan_out) for la in run.layers] for run in together] == [
            [("output", 0), ("hidden", (3, 1, 2))],
            [("hidden", None), ("output", None)],
            [("hidden", (3, 1, 2)), ("output", 0)],
        ]
        of_hidden, of_output = ["hidden.n_neurons"], ["output.role", "output.n_neurons", "output.hop"]
        inferred = ("n_timesteps", "n_samples", *of_hidden, *of_output)
        assert [run.inferred for run in together] == [(), inferred, ()]

    def test_a_negative_limit_is_refused(self, history: EnergyStore) -> None:
        with pytest.raises(UsageError):
            history.runs(limit=-1)


class TestRun:
    def test_a_run_knows_what_was_declared(self, store: EnergyStore) -> None:
        run = store.run("kept")
        assert (run.name, run.kind, run.status, run.has_events) == ("kept", "inference", "stored", True)
        assert (run.n_timesteps, run.n_samples, run.n_spikes, run.n_events) == (4, 2, 6, 6)
        assert run.timestep_us == Decimal(1000)
        assert [(la.name, la.role, la.n_inputs, la.n_neurons, la.fan_out) for la in run.layers] == [
            ("hidden", "hidden", 4, 3, 2),
            ("output", "readout", 3, 2, 0),
        ]
        assert (run.inferred, run.tags, run.recorded_at) == ((), {}, None)
        assert run.run_id == run.content_hash[:12]

    def test_a_run_keeps_where_it_is_from(self, tmp_path: Path) -> None:
        at = dt.datetime(2026, 1, 2, 5, 0, tzinfo=dt.timezone(dt.timedelta(hours=2)))
        with EnergyStore(":memory:") as store:
            path = run_file(tmp_path / "run.parquet")
            run = store.ingest(path, kind="training", seed=7, git_commit="abc", recorded_at=at, run_id="my-run")
            assert store.run("my-run") == run
        assert (run.kind, run.seed, run.git_commit) == ("training", "7", "abc")
        assert run.recorded_at == dt.datetime(2026, 1, 2, 3, 0)
        assert run.source_path == str(path)

    def test_what_was_ingested_is_returned(self, tmp_path: Path) -> None:
        path = with_sidecar(run_file(tmp_path / "run.parquet", EVENTS), NETWORK)
        with EnergyStore(":memory:") as store:
            assert store.ingest(path, dry_run=True).status == "would be stored"
            assert store.runs() == []
            first, again = store.ingest(path), store.ingest(path)
            assert (first.status, again.status, again.run_id) == ("stored", "unchanged", first.run_id)
            assert isinstance(first, Run)

    def test_events_may_be_left_out(self, tmp_path: Path) -> None:
        path = with_sidecar(run_file(tmp_path / "run.parquet", EVENTS), NETWORK)
        with EnergyStore(":memory:") as store:
            run = store.ingest(path, events="none")
            assert not run.has_events
            assert store.sql("SELECT count(*) AS n FROM spike_events").to_pylist() == [{"n": 0}]
            assert store.report(run, "loihi2").total_energy_pj == KEPT_PJ
            assert [check for check in store.verify() if check.n_failures] == []

    @pytest.mark.parametrize("option", [{"events": "some"}, {"on_duplicate": "skip"}, {"run_id": "latest"}])
    def test_options_that_cannot_be_meant(self, tmp_path: Path, option: dict[str, Any]) -> None:
        with EnergyStore(":memory:") as store, pytest.raises(UsageError):
            store.ingest(run_file(tmp_path / "run.parquet"), **option)


class TestTags:
    def test_numbers_stay_numbers(self, store: EnergyStore) -> None:
        run = store.tag("kept", {"accuracy": 0.97, "branch": "main", "epochs": 10})
        assert run.tags == {"accuracy": "0.97", "branch": "main", "epochs": "10"}
        rows = store.sql("SELECT tag, tag_number FROM run_tags ORDER BY tag").to_pylist()
        assert [(row["tag"], row["tag_number"]) for row in rows] == [
            ("accuracy", 0.97),
            ("branch", None),
            ("epochs", 10),
        ]

    def test_a_tag_is_changed_and_removed(self, store: EnergyStore) -> None:
        store.tag("kept", {"a": "1", "b": "2"})
        assert store.tag("kept", {"a": "3", "b": None, "never": None}).tags == {"a": "3"}
        assert store.run("kept").tags == {"a": "3"}

    @pytest.mark.parametrize("tags", [{"a": [1]}, {"": "x"}, {"a": object()}])
    def test_what_is_no_tag(self, store: EnergyStore, tags: dict[str, Any]) -> None:
        with pytest.raises(UsageError):
            store.tag("kept", tags)
        assert store.run("kept").tags == {}


@pytest.mark.parametrize(("chip", "version"), [("loihi3", None), ("loihi2", "newest")])
def test_costs_that_the_catalogue_does_not_have(store: EnergyStore, chip: str, version: str | None) -> None:
    for ask in (store.costs.show, lambda *args, **options: store.report("kept", *args, **options)):
        with pytest.raises(NotFoundError):
            ask(chip, cost_version=version)


def test_progress_and_interrupt_of_an_idle_store(store: EnergyStore) -> None:
    store.interrupt()
    assert store.progress() == 0.0
    assert len(store.runs()) == 1
