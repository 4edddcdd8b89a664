"""Archived runs: their events go, their sums stay, the file becomes smaller; all of it or nothing."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from factories import Shell, run_file, with_sidecar

from energy_db import EnergyStore
from energy_db.errors import StoreError, StoreLockedError, UsageError

SPARSE_EVENTS = 200_500


@pytest.fixture(scope="module")
def _two_runs(_digits_store: Path, digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(shutil.copy(_digits_store, tmp_path_factory.mktemp("two") / "energy.duckdb"))
    with EnergyStore(path) as store:
        store.ingest(digits / "digits-sparse.parquet")
    return path


@pytest.fixture
def two_runs(_two_runs: Path, tmp_path: Path) -> Path:
    """A store of `digits-baseline` and `digits-sparse`."""
    return Path(shutil.copy(_two_runs, tmp_path / "energy.duckdb"))


def answers_of(path: Path, queries: Iterable[str]) -> list[list[tuple[object, ...]]]:
    with duckdb.connect(path, read_only=True) as connection:
        return [connection.execute(query).fetchall() for query in queries]


def rows_of(path: Path, query: str) -> list[tuple[object, ...]]:
    [rows] = answers_of(path, [query])
    return rows


class TestArchive:
    def test_drops_the_events_of_the_run_and_of_no_other(self, two_runs: Path, digits: Path) -> None:
        assert pq.read_metadata(digits / "digits-sparse.parquet").num_rows == SPARSE_EVENTS
        with EnergyStore(two_runs) as store:
            kept = store.run("digits-baseline").n_events
            done = store.archive(["digits-sparse"])
            assert [run.name for run in done.runs] == ["digits-sparse"]
            assert done.n_events == SPARSE_EVENTS
            assert not store.run("digits-sparse").has_events
            assert store.run("digits-baseline").has_events
        assert rows_of(two_runs, "SELECT count(*) FROM spike_events") == [(kept,)]

    @pytest.mark.thorough
    def test_every_other_table_and_view_stays_as_it_was(self, two_runs: Path) -> None:
        tables = rows_of(two_runs, "SELECT table_name FROM duckdb_tables() WHERE table_name <> 'spike_events'")
        ask = "SELECT bit_xor(hash(t)), count(*) FROM (SELECT * EXCLUDE ({}) FROM {}) AS t"
        queries = [ask.format("has_events" if name == "runs" else "''", name) for (name,) in tables]
        queries = [query.replace(" EXCLUDE ('')", "") for query in queries]
        catalogue = [
            "SELECT view_name, sql, comment FROM duckdb_views() WHERE NOT internal ORDER BY ALL",
            "SELECT table_name, sql, comment FROM duckdb_tables() ORDER BY ALL",
            "SELECT table_name, column_name, comment, data_type FROM duckdb_columns() WHERE NOT internal ORDER BY ALL",
            "SELECT table_name, constraint_text FROM duckdb_constraints() ORDER BY ALL",
        ]
        before = answers_of(two_runs, [*queries, *catalogue])
        with EnergyStore(two_runs) as store:
            store.archive(["digits-sparse"])
        assert answers_of(two_runs, [*queries, *catalogue]) == before

    def test_reports_and_comparisons_stay_what_they_are(self, two_runs: Path) -> None:
        with EnergyStore(two_runs) as store:
            before = store.report("digits-sparse", "loihi2").to_dict()
            change = store.compare("digits-baseline", "digits-sparse", "loihi2").to_dict()
            assert change.pop("fingerprint")["parting"]["neuron"] == 0
            store.archive(["digits-sparse", "digits-baseline"])
            assert store.report("digits-sparse", "loihi2").to_dict() == before
            again = store.compare("digits-baseline", "digits-sparse", "loihi2").to_dict()
            # Where two runs part is known to the timestep only: which neuron it was, single events would tell.
            fingerprint = again.pop("fingerprint")
            assert (fingerprint["parting"]["neuron"], fingerprint["by_events"]) == (None, False)
            assert again == change
            assert [found.check for found in store.verify() if found.n_failures] == []

    def test_the_file_becomes_smaller_by_what_the_events_took(self, two_runs: Path) -> None:
        size = two_runs.stat().st_size
        with EnergyStore(two_runs) as store:
            done = store.archive(older_than=datetime.now(UTC))
            assert (done.bytes_before, done.bytes_after) == (size, two_runs.stat().st_size)
        # 729,007 events of more than a byte each.
        assert two_runs.stat().st_size < size - 729_007
        assert [path.name for path in two_runs.parent.iterdir()] == [two_runs.name]

    def test_the_store_goes_on_to_take_runs(self, two_runs: Path, tmp_path: Path) -> None:
        with EnergyStore(two_runs) as store:
            store.archive(["digits-sparse"])
            store.ingest(with_sidecar(run_file(tmp_path / "next.parquet")))
        with EnergyStore(two_runs, read_only=True) as store:
            assert {run.name for run in store.runs()} == {"digits-baseline", "digits-sparse", "next"}

    @pytest.mark.thorough
    def test_an_archived_run_is_known_when_its_file_comes_again(self, two_runs: Path, digits: Path) -> None:
        with EnergyStore(two_runs) as store:
            store.archive(["digits-sparse"])
            assert store.ingest(digits / "digits-sparse.parquet").status == "unchanged"

    @pytest.mark.thorough
    def test_a_run_without_events_is_left_alone(self, two_runs: Path) -> None:
        with EnergyStore(two_runs) as store:
            store.archive(["digits-sparse"])
            inode = two_runs.stat().st_ino
            again = store.archive(["digits-sparse"])
            assert (again.runs, again.n_events, two_runs.stat().st_ino) == ((), 0, inode)
            assert [run.name for run in again.without_events] == ["digits-sparse"]

    @pytest.mark.thorough
    def test_a_store_in_memory_drops_them_too(self, digits: Path) -> None:
        with EnergyStore(":memory:") as store:
            run = store.ingest(digits / "digits-sparse.parquet")
            assert store.archive([run]).bytes_before is None
            assert store.sql("SELECT count(*) AS n FROM spike_events").to_pylist() == [{"n": 0}]
            assert not store.run(run.run_id).has_events

    @pytest.mark.thorough
    def test_a_link_to_the_store_stays_a_link(self, two_runs: Path) -> None:
        link = two_runs.parent / "link.duckdb"
        link.symlink_to(two_runs)
        with EnergyStore(link) as store:
            store.archive(["digits-sparse"])
        assert link.is_symlink()
        assert not EnergyStore(two_runs, read_only=True).run("digits-sparse").has_events

    @pytest.mark.thorough
    def test_the_mode_of_the_file_stays(self, two_runs: Path) -> None:
        two_runs.chmod(0o640)
        with EnergyStore(two_runs) as store:
            store.archive(["digits-sparse"])
        assert two_runs.stat().st_mode & 0o777 == 0o640


class TestOlderThan:
    @pytest.fixture
    def of_three_ages(self, two_runs: Path) -> Path:
        with duckdb.connect(two_runs) as connection:
            for name, days in (("digits-baseline", 40), ("digits-sparse", 20)):
                moment = datetime.now() - timedelta(days=days)
                connection.execute("UPDATE runs SET ingested_at = ? WHERE run_name = ?", [moment, name])
        return two_runs

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("age", ["30d", "30 days", "4w", "1 month", (datetime.now() - timedelta(days=30)).date()])
    def test_means_the_runs_that_came_in_before(self, of_three_ages: Path, age: str) -> None:
        with EnergyStore(of_three_ages) as store:
            assert [run.name for run in store.archive(older_than=age, dry_run=True).runs] == ["digits-baseline"]

    @pytest.mark.parametrize("age", ["soon", "30", "d30", "", "-3d", "30d ago ago"])
    def test_refuses_what_is_no_age(self, two_runs: Path, age: str) -> None:
        with EnergyStore(two_runs) as store, pytest.raises(UsageError, match="neither an age nor a moment"):
            store.archive(older_than=age)

    def test_runs_and_an_age_exclude_each_other(self, two_runs: Path) -> None:
        with EnergyStore(two_runs) as store:
            for arguments in ({}, {"runs": ["latest"], "older_than": "1d"}):
                with pytest.raises(UsageError, match="either runs or an age"):
                    store.archive(**arguments)


class TestRefused:
    def test_a_second_connection_of_the_process(self, two_runs: Path) -> None:
        with EnergyStore(two_runs) as store, EnergyStore(two_runs) as other:
            with pytest.raises(StoreLockedError, match="2 open connections in this process"):
                store.archive(["digits-sparse"])
            assert other.run("digits-sparse").has_events

    @pytest.mark.thorough
    def test_a_file_that_cannot_be_written_whole_leaves_the_store_as_it_was(self, two_runs: Path) -> None:
        content = two_runs.read_bytes()
        # Both have events, so that the new file would be nearly as large as the old one.
        command = [sys.executable, "-m", "energy_db", "--db", str(two_runs), "archive", "--runs", "digits-sparse"]
        limit = len(content) // 4
        done = subprocess.run(
            command,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, "the store is as it was" in done.stderr) == (4, True)
        assert "Traceback" not in done.stderr
        assert two_runs.read_bytes() == content
        assert [path.name for path in two_runs.parent.iterdir()] == [two_runs.name]

    def test_read_only(self, two_runs: Path) -> None:
        with EnergyStore(two_runs, read_only=True) as store:
            with pytest.raises(StoreError, match="read-only"):
                store.archive(["digits-sparse"])
            assert store.archive(["digits-sparse"], dry_run=True).n_events == SPARSE_EVENTS


class TestReplaced:
    def test_nothing_is_stored_in_a_file_that_another_took_the_place_of(
        self, small_store: Path, tmp_path: Path, digits: Path
    ) -> None:
        copy = Path(shutil.copy(small_store, tmp_path / "copy.duckdb"))
        with EnergyStore(small_store) as store:
            copy.replace(small_store)
            with pytest.raises(StoreError, match="was replaced or removed since it was opened"):
                store.ingest(digits / "digits-sparse.parquet")
        assert [run.name for run in EnergyStore(small_store, read_only=True).runs()] == ["kept"]


class TestCommand:
    def test_says_what_is_dropped_and_how_small_the_file_is(self, two_runs: Path, shell: Shell) -> None:
        result = shell("archive", "--runs", "digits-sparse", "--format", "json")
        said = json.loads(result.stdout)
        assert (result.exit_code, said["n_events"], said["dry_run"]) == (0, SPARSE_EVENTS, False)
        assert [row["name"] for row in said["rows"]] == ["digits-sparse"]
        assert said["bytes_after"] == two_runs.stat().st_size < said["bytes_before"]
        assert "200500 events of 1 run dropped" in result.stderr

    def test_dry_run_drops_nothing(self, two_runs: Path, shell: Shell) -> None:
        result = shell("archive", "--older-than", "0d", "--dry-run")
        assert "729007 events of 2 runs would be dropped" in result.stderr
        assert rows_of(two_runs, "SELECT count(*) FROM spike_events") == [(729_007,)]

    @pytest.mark.thorough
    def test_a_run_that_has_none_is_named(self, two_runs: Path, shell: Shell) -> None:
        shell("archive", "--runs", "digits-sparse")
        result = shell("archive", "--runs", "digits-sparse")
        assert "has no events to drop" in result.stderr
        assert "the store is as it was" in result.stderr

    def test_a_moment_to_come_is_a_typo(self, two_runs: Path, shell: Shell) -> None:
        result = shell("archive", "--older-than", "2999-01-01")
        assert (result.exit_code, "'2999-01-01' has not come yet" in result.stderr) == (2, True)
        assert rows_of(two_runs, "SELECT count(*) FROM spike_events") == [(729_007,)]

    def test_now_is_no_moment_to_come_west_of_greenwich(self, two_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TZ", "America/New_York")
        time.tzset()
        try:
            with EnergyStore(two_runs) as store:
                assert len(store.archive(older_than="0d", dry_run=True).runs) == 2
        finally:
            monkeypatch.undo()
            time.tzset()

    def test_one_run_needs_no_list(self, two_runs: Path) -> None:
        with EnergyStore(two_runs) as store:
            assert [run.name for run in store.archive("digits-sparse", dry_run=True).runs] == ["digits-sparse"]
            run = store.run("digits-baseline")
            assert [found.run_id for found in store.archive(run, dry_run=True).runs] == [run.run_id]

    def test_what_reads_spikes_says_whose_are_gone(self, two_runs: Path, shell: Shell, tmp_path: Path) -> None:
        query = "SELECT count(*) AS n FROM energy_by_spike WHERE chip = 'loihi2' AND run_name = 'digits-sparse'"
        before = shell("sql", query)
        shell("archive", "--runs", "digits-sparse")
        after = shell("sql", query, "-f", "csv")
        said = "Note: 1 of 2 runs keep no single spikes, and have no rows in {}\n"
        assert (after.stdout, after.stderr, before.stderr) == ("n\n0\n", said.format("energy_by_spike"), "")
        assert shell("sql", "SELECT count(*) FROM energy_by_neuron").stderr == ""
        exported = shell("export", "--view", "activity_by_spike", "-o", tmp_path / "spikes.parquet")
        assert said.format("activity_by_spike") in exported.stderr

    def test_nothing_is_archived_unasked(self, two_runs: Path, shell: Shell) -> None:
        result = shell("archive")
        assert (result.exit_code, "either runs or an age" in result.stderr) == (2, True)

    def test_a_typo_in_a_run_drops_nothing(self, two_runs: Path, shell: Shell) -> None:
        result = shell("archive", "--runs", "digits-sparse", "--runs", "digits-sparsee")
        assert (result.exit_code, "did you mean" in result.stderr.lower()) == (3, True)
        assert rows_of(two_runs, "SELECT count(*) FROM spike_events") == [(729_007,)]


class TestLimits:
    @pytest.mark.parametrize("read_only", [True, False])
    def test_are_those_of_the_engine(self, small_store: Path, read_only: bool) -> None:
        with EnergyStore(small_store, read_only=read_only, memory_limit="512MiB", threads=1) as store:
            query = "SELECT current_setting('memory_limit') AS memory, current_setting('threads') AS threads"
            assert store.sql(query).to_pylist() == [{"memory": "512.0 MiB", "threads": 1}]

    @pytest.mark.parametrize("limits", [{"memory_limit": "much"}, {"threads": 0}, {"threads": "all"}])
    def test_that_cannot_be_meant_are_refused(self, small_store: Path, limits: dict[str, object]) -> None:
        with pytest.raises(UsageError, match=next(iter(limits))):
            EnergyStore(small_store, **limits)
        EnergyStore(small_store).close()

    @pytest.mark.thorough
    def test_hold_behind_an_archive(self, two_runs: Path) -> None:
        with EnergyStore(two_runs, threads=1) as store:
            store.archive(["digits-sparse"])
            assert store.sql("SELECT current_setting('threads') AS n").to_pylist() == [{"n": 1}]

    def test_too_little_memory_is_said_and_nothing_stored(self, tmp_store: Path, digits: Path, shell: Shell) -> None:
        result = shell("--memory-limit", "1MB", "ingest", digits / "digits-baseline.parquet")
        assert (result.exit_code, "the memory limit is too small" in result.stderr) == (4, True)
        assert "Traceback" not in result.stderr
        assert rows_of(tmp_store, "SELECT count(*) FROM runs") == [(0,)]

    def test_of_the_command_line(self, two_runs: Path, shell: Shell) -> None:
        query = "SELECT current_setting('threads') AS threads"
        assert shell("--threads", "3", "sql", query, "--format", "csv").stdout == "threads\n3\n"
        result = shell("--memory-limit", "lots", "runs")
        assert (result.exit_code, "memory_limit is 'lots'" in result.stderr) == (2, True)
