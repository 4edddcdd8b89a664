"""What may lie under the path of a store, who has it after an archive, and the limits of statements."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

import duckdb
import pytest
from factories import Shell, mostly_thorough, run_file

from energy_db import EnergyStore
from energy_db.engines.duckdb import Engine
from energy_db.engines.limits import NO_LIMITS, Limits, bound_process
from energy_db.engines.wording import write_error
from energy_db.errors import StoreError, StoreLockedError, UsageError

HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def foreign_file(name: str) -> Path:
    """Make a file of another kind in the current folder, where the engine would look at it as a table or a database."""
    path = Path(name)
    if name == "run.parquet":
        run_file(path)
    elif path.suffix == ".sqlite":
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE spikes (neuron INTEGER)")
        database.close()
    else:
        path.write_text({"rows.csv": "layer,neuron\nhidden,1\n", "run.json": '{"run": "a"}'}.get(name, ""))
    return path


KINDS = ["run.parquet", "rows.csv", "run.json", "other.sqlite", "empty.csv", "empty"]


class TestAFileThatIsNoStore:
    @pytest.mark.one_in(4)
    @pytest.mark.parametrize("name", KINDS)
    def test_is_never_written_to(self, shell: Shell, name: str) -> None:
        run_file(Path("spikes.parquet"))
        path = foreign_file(name)
        before = path.read_bytes()
        for verb in (["ingest", "spikes.parquet"], ["init"], ["runs"], ["archive", "--older-than", "1d"]):
            result = shell("--db", name, *verb)
            assert result.exit_code == 4, verb
            assert f"{name} cannot be opened as a store: it is another kind of file" in result.stderr
            assert result.stdout == ""
        assert path.read_bytes() == before

    def test_is_refused_in_python(self, tmp_path: Path) -> None:
        path = tmp_path / "spikes.parquet"
        run_file(path)
        with pytest.raises(StoreError, match="it is another kind of file"):
            EnergyStore(path)

    def test_to_see_that_leaves_a_lock_alone(self, small_store: Path) -> None:
        with EnergyStore(small_store), EnergyStore(small_store):
            pass
        with duckdb.connect(small_store), pytest.raises(StoreLockedError):
            EnergyStore(small_store)
        with EnergyStore(small_store):
            EnergyStore(small_store).close()
            asked = [sys.executable, "-c", HOLD, small_store]
            other = subprocess.run(asked, check=False, stderr=subprocess.PIPE, text=True)
            assert "Could not set lock" in other.stderr

    def test_a_new_store_may_have_any_name(self, tmp_path: Path) -> None:
        run_file(tmp_path / "spikes.parquet")
        with EnergyStore(tmp_path / "store.csv") as store:
            store.ingest(tmp_path / "spikes.parquet")
        with EnergyStore(tmp_path / "store.csv", read_only=True) as store:
            assert [run.name for run in store.runs()] == ["spikes"]


class TestHints:
    def test_a_run_file_is_no_stored_run(self, small_store: Path, shell: Shell) -> None:
        result = shell("--db", small_store, "compare", "kept", "after.parquet")
        assert (result.exit_code, "Ingest the file first: after.parquet." in result.stderr) == (3, True)

    def test_a_full_disk_is_not_asked_for_where_writing_is_not_allowed(self) -> None:
        assert "disk" not in str(write_error("energy.duckdb", OSError("Permission denied")).hint)
        assert "disk" in str(write_error("energy.duckdb", OSError("No space left on device")).hint)


class TestAnArchive:
    def test_is_done_though_another_takes_the_new_file(self, small_store: Path) -> None:
        with EnergyStore(small_store) as store:
            run = store.runs()[0].run_id
            store.archive([run])
            holder = subprocess.Popen(
                [sys.executable, "-c", HOLD, small_store], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(StoreLockedError, match="is held by"):
                store.runs()
            holder.communicate()
            assert not store.run(run).has_events

    @pytest.mark.parametrize("name", mostly_thorough(["energy anew", "archived", "snapshot"]))
    def test_of_a_store_of_any_name(self, small_store: Path, tmp_path: Path, name: str) -> None:
        path = small_store.rename(tmp_path / f"{name}.duckdb")
        with EnergyStore(path) as store:
            store.publish(tmp_path / "published")
            assert store.archive(store.runs()[0]).n_events > 0

    def test_of_a_link_to_another_file_system(self, small_store: Path, tmp_path: Path) -> None:
        elsewhere = Path(tempfile.mkdtemp(dir="/dev/shm")) / "energy.duckdb"
        if elsewhere.parent.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("/dev/shm is the same file system")
        link = tmp_path / "link.duckdb"
        try:
            shutil.copy(small_store, elsewhere)
            link.symlink_to(elsewhere)
            with EnergyStore(link) as store:
                store.archive(store.runs()[0])
                assert not store.runs()[0].has_events
            assert link.is_symlink()
            assert [file.name for file in elsewhere.parent.iterdir()] == ["energy.duckdb"]
        finally:
            shutil.rmtree(elsewhere.parent)

    def test_keeps_the_rights_of_the_file_while_it_is_written_and_afterwards(self, small_store: Path) -> None:
        small_store.chmod(0o600)
        seen = set()

        def look(frame: FrameType, event: str, argument: object) -> None:
            unfinished = Path(f"{small_store}.archive-unfinished")
            if frame.f_code.co_name == "_copy_table" and unfinished.exists():
                seen.add(unfinished.stat().st_mode & 0o777)

        with EnergyStore(small_store) as store:
            run = store.runs()[0]
            sys.setprofile(look)
            try:
                store.archive(run)
            finally:
                sys.setprofile(None)
        assert seen == {0o600}
        assert small_store.stat().st_mode & 0o777 == 0o600


class TestAStoreThatIsOpen:
    def test_stays_what_it_is_where_the_process_changes_its_folder(
        self, small_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(small_store.parent)
        with EnergyStore(small_store.name) as store:
            monkeypatch.chdir(tmp_path / "elsewhere")
            run = store.runs()[0]
            store.tag(run, {"seen": 1})
            store.archive(run)
            assert store.run(run.run_id).tags["seen"] == "1"

    def test_keeps_its_lock_when_another_is_asked_to_ingest_it(self, small_store: Path, tmp_path: Path) -> None:
        with EnergyStore(small_store), EnergyStore(tmp_path / "other.duckdb") as other:
            with pytest.raises(StoreLockedError, match="already open in this process"):
                other.ingest(small_store)
            asked = [sys.executable, "-c", HOLD, small_store]
            assert "Could not set lock" in subprocess.run(asked, check=False, stderr=subprocess.PIPE, text=True).stderr


class TestLimits:
    def test_of_the_command_line_hold_for_stores_in_memory(self) -> None:
        bound_process(Limits("300MB", 3))
        try:
            engine = Engine(":memory:")
            asked = "SELECT current_setting('memory_limit'), current_setting('threads')"
            assert engine.rows(asked) == [("286.1 MiB", 3)]
            engine.close()
        finally:
            bound_process(NO_LIMITS)

    def test_of_one_command_do_not_outlive_it(self, shell: Shell, small_store: Path) -> None:
        assert shell("--db", small_store, "--threads", "3", "runs").exit_code == 0
        assert dict(Limits().settings()) == {}

    @pytest.mark.parametrize("limit", ["lots", "-1GB", "2048", "", "GB", "80%", 2_000_000_000])
    def test_a_size_has_a_unit(self, tmp_path: Path, limit: Any) -> None:
        with pytest.raises(UsageError, match="memory_limit is") as refused:
            EnergyStore(tmp_path / "energy.duckdb", memory_limit=limit)
        assert refused.value.hint == "Write a size with its unit, such as 2GB or 500MB."
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("limit", ["2GB", "1.5 GiB", "800mb", "1000000000B"])
    def test_sizes(self, limit: str) -> None:
        EnergyStore(":memory:", memory_limit=limit).close()

    @pytest.mark.parametrize("threads", [0, -1, 1025, 100_000, True, "2", 1.5])
    def test_threads_are_a_number_that_a_machine_can_have(self, tmp_path: Path, threads: Any) -> None:
        with pytest.raises(UsageError, match="threads is") as refused:
            EnergyStore(tmp_path / "energy.duckdb", threads=threads)
        assert refused.value.hint == "Write a whole number from 1 to 1024."
        assert list(tmp_path.iterdir()) == []
