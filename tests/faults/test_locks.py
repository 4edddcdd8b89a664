"""Two who want one store at once, what the killed leave behind, files that may not be written, other clocks."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from world import failed_checks, held, keep_figures, kill, make_older_store, run_verb, spikes_by_run, verb, write_run

from energy_db import EnergyStore, sql
from energy_db.errors import StoreError

pytestmark = pytest.mark.faults

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
counts: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def _figures() -> Iterator[None]:
    yield
    keep_figures("locks", dict(counts))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with run files, and a store of the first."""
    folder = tmp_path_factory.mktemp("world")
    for seed, name in enumerate("abcde", 1):
        write_run(folder / f"{name}.parquet", seed, rate=0.02)
    assert run_verb(folder, "ingest", "a.parquet").returncode == 0
    return folder


@pytest.fixture
def folder(world: Path, tmp_path: Path) -> Path:
    """A copy of that folder."""
    return Path(shutil.copytree(world, tmp_path / "work"))


@pytest.fixture
def store(folder: Path) -> Path:
    return folder / "energy.duckdb"


def assert_refused(done: subprocess.CompletedProcess[str], *says: str) -> None:
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert done.stderr.startswith("Error: ")
    for piece in says:
        assert piece in done.stderr
    assert "Traceback" not in done.stderr
    assert "unexpected" not in done.stderr
    counts["refused"] += 1


def tags(store: Path) -> set[str]:
    """Return the tags of the run, read without energy-db."""
    with duckdb.connect(str(store), read_only=True) as connection:
        return {tag for (tag,) in connection.execute("SELECT tag FROM run_tags").fetchall()}


class TestTwoAtOnce:
    @pytest.mark.parametrize("arguments", [["tag", "a", "x=1"], ["ingest", "b.parquet"], ["archive", "--runs", "a"]])
    @pytest.mark.parametrize("mode", ["writer", "reader"])
    def test_a_writer_is_told_who_holds_the_store(
        self, folder: Path, store: Path, mode: str, arguments: list[str]
    ) -> None:
        before = store.read_bytes()
        with held(folder, mode) as holder:
            done = run_verb(folder, *arguments)
        assert_refused(done, "energy.duckdb is held by", str(holder.pid), "--wait")
        assert store.read_bytes() == before

    def test_readers_share_it(self, folder: Path) -> None:
        with held(folder, "reader"):
            done = run_verb(folder, "runs")
        assert done.returncode == 0, done.stderr
        counts["shared"] += 1

    def test_one_who_waits_gets_it_when_the_other_is_done(self, folder: Path, store: Path) -> None:
        with held(folder) as holder:
            waiting = subprocess.Popen(verb("--wait", 60, "tag", "a", "x=1"), cwd=folder, stderr=subprocess.PIPE)
            time.sleep(1.5)
            assert waiting.poll() is None
            assert holder.stdin is not None
            holder.stdin.write("end\n")
            holder.stdin.close()
            holder.wait()
            _, talk = waiting.communicate(timeout=60)
        assert waiting.returncode == 0, talk
        assert tags(store) == {"x"}
        counts["waited"] += 1

    def test_one_who_waits_gives_up_in_time(self, folder: Path) -> None:
        with held(folder):
            begin = time.monotonic()
            done = run_verb(folder, "--wait", 2, "tag", "a", "x=1")
            assert 2 <= time.monotonic() - begin < 20
        assert_refused(done, "energy.duckdb is held by")

    def test_all_who_wait_their_turn_store_their_run(self, folder: Path, store: Path) -> None:
        writers = [
            subprocess.Popen(verb("--wait", 100, "ingest", f"{name}.parquet"), cwd=folder, stderr=subprocess.PIPE)
            for name in "bcde"
        ]
        for writer in writers:
            _, talk = writer.communicate(timeout=120)
            assert writer.returncode == 0, talk
            counts["waited"] += 1
        assert set(spikes_by_run(store)) == set("abcde")
        assert failed_checks(store) == []


class TestWhatTheKilledLeave:
    def test_no_lock(self, folder: Path, store: Path) -> None:
        with held(folder) as holder:
            kill(holder)
            done = run_verb(folder, "tag", "a", "x=1")
        assert done.returncode == 0, done.stderr
        assert tags(store) == {"x"}
        counts["locks of the killed"] += 1

    @pytest.mark.parametrize("arguments", [["runs"], ["verify"], ["tag", "a", "x=1"], ["archive", "--runs", "a"]])
    def test_a_log_that_is_replayed(self, folder: Path, store: Path, arguments: list[str]) -> None:
        with held(folder, n_tags=3) as holder:
            kill(holder)
        assert Path(f"{store}.wal").stat().st_size > 0
        done = run_verb(folder, *arguments)
        assert done.returncode == 0, done.stderr
        assert tags(store) - {"x"} == {"mark0", "mark1", "mark2"}
        assert failed_checks(store) == []
        counts["logs replayed"] += 1

    def test_a_log_that_ends_anywhere(self, folder: Path, store: Path) -> None:
        """What is cut off is the last commits, never the middle, and never more than them."""
        with held(folder, n_tags=3) as holder:
            kill(holder)
        log, sound, found = Path(f"{store}.wal"), store.read_bytes(), set()
        whole = log.read_bytes()
        for n_bytes in range(1, len(whole), max(1, len(whole) // 12)):
            store.write_bytes(sound)
            log.write_bytes(whole[:n_bytes])
            done = run_verb(folder, "tag", "a", "x=1")
            if done.returncode:
                assert_refused(done, "energy.duckdb")
                continue
            kept = tags(store) - {"x"}
            assert kept == {f"mark{number}" for number in range(len(kept))}
            found.add(len(kept))
            counts["torn logs replayed"] += 1
        assert {0, 2} <= found

    @pytest.mark.parametrize("asked", [["runs"], ["tag", "a", "y=1"], ["verify"]])
    @pytest.mark.parametrize("of", ["another store", "earlier"])
    def test_a_log_that_is_not_the_stores(self, folder: Path, store: Path, of: str, asked: list[str]) -> None:
        with held(folder, n_tags=1) as holder:
            kill(holder)
        log = Path(f"{store}.wal")
        kept = log.read_bytes()
        if of == "another store":
            store.unlink()
            log.unlink()
            assert run_verb(folder, "ingest", "a.parquet").returncode == 0
        else:
            assert run_verb(folder, "tag", "a", "x=1").returncode == 0
        log.write_bytes(kept)
        before = store.read_bytes()
        assert_refused(run_verb(folder, *asked), "energy.duckdb", "WAL")
        assert (store.read_bytes(), log.read_bytes()) == (before, kept)
        log.unlink()
        assert run_verb(folder, *asked).returncode == 0

    def test_a_log_whose_store_is_gone_becomes_no_store_of_its_own(self, folder: Path, store: Path) -> None:
        with held(folder, n_tags=1) as holder:
            kill(holder)
        store.unlink()
        done = run_verb(folder, "ingest", "b.parquet")
        assert done.returncode == 0, done.stderr
        assert set(spikes_by_run(store)) == {"b"}
        assert tags(store) == set()


def heed_permissions() -> None:
    """Take from root what lets it write where nobody may; for others nothing has to be done."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "prctl")


@pytest.fixture
def heedful() -> Callable[[], None]:
    """What makes a process heed the permissions of files."""
    if sys.platform != "linux":
        pytest.skip("how to take root's capabilities is known of Linux only")
    return heed_permissions


class TestReadOnlyFiles:
    WRITING = (["tag", "a", "x=1"], ["ingest", "b.parquet"], ["archive", "--runs", "a"], ["publish", "--to", "bi"])

    @pytest.fixture
    def shut(self, folder: Path) -> Iterator[Path]:
        """The folder, which nobody may write to."""
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)

    @pytest.mark.parametrize("asked", [["runs"], ["report", "a", "--chip", "loihi2"], ["verify"]])
    def test_a_reader_needs_no_more_than_to_read(
        self, shut: Path, store: Path, heedful: Callable[[], None], asked: list[str]
    ) -> None:
        store.chmod(0o444)
        done = run_verb(shut, *asked, preexec_fn=heedful)
        assert done.returncode == 0, done.stderr
        counts["read without the right to write"] += 1

    def test_the_doctor_says_what_cannot_be_written_to(
        self, shut: Path, store: Path, heedful: Callable[[], None]
    ) -> None:
        store.chmod(0o444)
        done = run_verb(shut, "doctor", preexec_fn=heedful)
        assert (done.returncode, done.stderr) == (4, "")
        assert f"{shut} cannot be written to" in done.stdout
        assert "energy.duckdb cannot be written to" in done.stdout
        assert "usable, 1 runs" in done.stdout

    @pytest.mark.parametrize("arguments", WRITING, ids=lambda arguments: arguments[0])
    @pytest.mark.parametrize("what", ["file", "folder", "both"])
    def test_a_writer_is_told(
        self, folder: Path, store: Path, heedful: Callable[[], None], what: str, arguments: list[str]
    ) -> None:
        before = store.read_bytes()
        if what != "folder":
            store.chmod(0o444)
        if what != "file":
            folder.chmod(0o555)
        done = run_verb(folder, *arguments, preexec_fn=heedful)
        folder.chmod(0o755)
        store.chmod(0o644)
        assert_refused(done, str(folder / "bi") if "bi" in arguments and what == "folder" else "energy.duckdb")
        assert "ermission denied" in done.stderr
        assert store.read_bytes() == before
        again = run_verb(folder, *arguments)
        assert again.returncode == 0, again.stderr


class TestClocks:
    @pytest.fixture
    def from_the_future(self, folder: Path, store: Path) -> Path:
        """A store whose run was stored when the clock was a year ahead."""
        with duckdb.connect(str(store)) as connection:
            connection.execute("UPDATE runs SET ingested_at = ingested_at + INTERVAL 1 YEAR")
        return folder

    def test_what_is_newest_is_what_was_stored_last_by_its_time(self, from_the_future: Path, store: Path) -> None:
        """The documents say newest by time: the run of the wrong clock stays so, for all verbs alike."""
        done = run_verb(from_the_future, "ingest", "b.parquet", "--name", "a", "--on-duplicate", "new")
        assert done.returncode == 0, done.stderr
        with EnergyStore(store, read_only=True) as opened:
            runs = [run.run_id for run in opened.runs()]
            assert opened.run("latest").run_id == opened.run("a").run_id
            assert sorted(runs) == sorted({opened.run("latest").run_id, opened.run("latest~1").run_id})
            assert opened.run("latest").run_id != opened.run("latest~1").run_id
            newest = opened.sql("SELECT run_id FROM mart.runs WHERE is_latest").to_pylist()
        assert [row["run_id"] for row in newest] == [runs[0]]
        for asked in (
            ["runs"],
            ["trend", "--name", "a", "--chip", "loihi2"],
            ["compare", "latest~1", "latest", "--allow"],
        ):
            done = run_verb(from_the_future, *asked)
            assert done.returncode in (0, 3), done.stderr
            assert "unexpected" not in done.stderr
        assert failed_checks(store) == []

    def test_the_doctor_asks_for_the_clock(self, from_the_future: Path) -> None:
        done = run_verb(from_the_future, "doctor")
        assert (done.returncode, "is the clock right?" in done.stdout) == (4, True)

    def test_it_is_no_older_than_any_age(self, from_the_future: Path) -> None:
        done = run_verb(from_the_future, "archive", "--older-than", "1d")
        assert (done.returncode, "no events to drop" in done.stderr) == (0, True)


class TestOtherVersions:
    @pytest.mark.parametrize("asked", [["runs"], ["verify"], ["ingest", "b.parquet"], ["archive", "--runs", "a"]])
    @pytest.mark.parametrize("age", ["older", "newer"])
    def test_the_command_to_run_is_named(self, folder: Path, store: Path, age: str, asked: list[str]) -> None:
        if age == "older":
            make_older_store(folder / "older.duckdb", store)
            (folder / "older.duckdb").replace(store)
        else:
            with duckdb.connect(str(store)) as connection:
                connection.execute("UPDATE alembic_version SET version_num = '9999'")
        before = store.read_bytes()
        command = "energy-db --db energy.duckdb migrate" if age == "older" else "pip install --upgrade energy-db"
        assert_refused(run_verb(folder, *asked), sql.newest_revision(), command)
        assert store.read_bytes() == before


class TestReplaced:
    @pytest.mark.parametrize("how", ["replaced", "removed"])
    def test_what_would_be_written_to_nowhere_is_refused(self, folder: Path, store: Path, how: str) -> None:
        with EnergyStore(store) as opened:
            opened.tag("a", {"before": 1})
            if how == "removed":
                store.unlink()
            else:
                other = folder / "other.duckdb"
                with EnergyStore(other) as fresh:
                    fresh.ingest(folder / "b.parquet")
                other.replace(store)
            with pytest.raises(StoreError, match="was replaced or removed"):
                opened.ingest(folder / "c.parquet")
            with pytest.raises(StoreError, match="was replaced or removed"):
                opened.tag("a", {"behind": 1})
        if how == "replaced":
            assert set(spikes_by_run(store)) == {"b"}
            assert failed_checks(store) == []
        else:
            assert not store.exists()
        counts["replaced"] += 1
