"""Verbs whose disk is full, or whose files may grow no further: they say so, and the store is as it was."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from world import failed_checks, keep_figures, make_older_store, number_from_outside, run_verb, spikes_by_run, write_run

from energy_db.sql import cost_template

pytestmark = pytest.mark.faults

N_LIMITS = max(3, number_from_outside("FAULTS_KILLS", 20) // 20)
VERBS: dict[str, list[str]] = {
    "ingest": ["ingest", "b.parquet"],
    "migrate": ["migrate"],
    "archive": ["archive", "--runs", "a"],
    "publish": ["publish", "--to", "bi", "--chip", "loihi2"],
    "costs add": ["costs", "add", "my_fpga.toml"],
    "export": ["export", "--store", "-o", "out"],
    "tag": ["tag", "a", "accuracy=0.9"],
}


# Records batches, and says of each when it is in the journal; then whether the run could be made of them.
N_BATCHES = 12
RECORDER = f"""
import sys
import numpy as np
from energy_db.errors import EnergyDbError
from energy_db.record import RunWriter

random = np.random.default_rng(0)
try:
    with RunWriter(sys.argv[1], layers=["hidden"], name="live") as writer:
        for number in range({N_BATCHES}):
            writer.add("hidden", random.random((20, 10, 200)) < 0.3)
            writer.flush()
            print(number, flush=True)
    print("closed")
except EnergyDbError as error:
    sys.exit(str(error))
"""

WRITE_LITTLE = ("tag", "costs add", "export")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two run files, a store of the first, an older one of it, and a cost file."""
    folder = tmp_path_factory.mktemp("world")
    for name, seed in (("a", 1), ("b", 2)):
        write_run(folder / f"{name}.parquet", seed)
    assert run_verb(folder, "ingest", "a.parquet").returncode == 0
    make_older_store(folder / "older.duckdb", folder / "energy.duckdb")
    (folder / "my_fpga.toml").write_text(cost_template(), encoding="utf-8")
    return folder


def begin(world: Path, folder: Path, name: str) -> Path:
    """Copy what a verb needs into an empty folder; returns the store."""
    for file in ("a.parquet", "a.json", "b.parquet", "b.json", "my_fpga.toml"):
        shutil.copy(world / file, folder / file)
    source = "older.duckdb" if name == "migrate" else "energy.duckdb"
    return Path(shutil.copy(world / source, folder / "energy.duckdb"))


def assert_all_or_nothing(done: subprocess.CompletedProcess[str], store: Path, before: bytes) -> str:
    """Assert that a verb either did it all, or ended in a sentence with the store as it was; returns which."""
    assert done.returncode in (0, 4), done.stderr
    assert "Traceback" not in done.stderr
    assert "unexpected" not in done.stderr, done.stderr
    if done.returncode == 0:
        return "done"
    assert done.stderr.startswith("Error: "), done.stderr
    if store.read_bytes() == before:
        return "refused, not a byte changed"
    return "refused"


@pytest.mark.parametrize("name", VERBS)
def test_a_limit_on_the_size_of_files(world: Path, tmp_path: Path, name: str) -> None:
    counts: Counter[str] = Counter()
    size = (world / "energy.duckdb").stat().st_size
    for step in range(N_LIMITS):
        folder = tmp_path / f"limit {step}"
        folder.mkdir()
        store = begin(world, folder, name)
        before, spikes = store.read_bytes(), spikes_by_run(store)
        limit = size * (2 * step + 1) // N_LIMITS
        done = run_verb(
            folder,
            *VERBS[name],
            preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )
        outcome = assert_all_or_nothing(done, store, before)
        counts[outcome] += 1
        again_is_whole(folder, store, name, spikes, outcome)
        shutil.rmtree(folder)
    keep_figures(f"size-limits-{name.replace(' ', '-')}", dict(counts))
    assert name in WRITE_LITTLE or counts.total() > counts["done"]


def again_is_whole(folder: Path, store: Path, name: str, spikes: dict[str, int], outcome: str) -> None:
    """Assert that the runs are those of before (and, of an ingest that was done, the new one), and do it again."""
    found = spikes_by_run(store)
    assert {run: found[run] for run in spikes} == spikes
    if outcome != "done":
        assert found == spikes
        assert not list(folder.glob("*unfinished*"))
        again = run_verb(folder, *VERBS[name])
        assert again.returncode == 0, again.stderr
    assert failed_checks(store) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB."""
    place = tmp_path / "small disk"
    place.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)]
    if mount is None or os.geteuid() != 0 or subprocess.run([mount, *options], check=False).returncode:
        pytest.skip("a small disk takes root, and a system that lets it mount one")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("name", VERBS)
def test_a_full_disk(world: Path, small_disk: Path, name: str) -> None:
    counts: Counter[str] = Counter()
    for free in (0, 64 * 1024, 512 * 1024, 1024 * 1024):
        for file in small_disk.iterdir():
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        store = begin(world, small_disk, name)
        before, spikes = store.read_bytes(), spikes_by_run(store)
        ballast = small_disk / "ballast"
        room = shutil.disk_usage(small_disk).free - free
        ballast.write_bytes(b"x" * room)
        done = run_verb(small_disk, *VERBS[name])
        outcome = assert_all_or_nothing(done, store, before)
        counts[outcome] += 1
        ballast.unlink()
        again_is_whole(small_disk, store, name, spikes, outcome)
    keep_figures(f"full-disk-{name.replace(' ', '-')}", dict(counts))


def spikes_of_batches(n_batches: int) -> int:
    random = np.random.default_rng(0)
    return sum(int((random.random((20, 10, 200)) < 0.3).sum()) for _ in range(n_batches))


def record(folder: Path, limit: int | None = None) -> tuple[list[str], subprocess.CompletedProcess[str]]:
    """Run the recorder, whose files may grow to a limit; returns what it said, line by line."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RECORDER, "live.parquet"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=None if limit is None else lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert "Traceback" not in done.stderr
    return done.stdout.split(), done


def assert_recorded_or_kept(folder: Path, said: list[str], done: subprocess.CompletedProcess[str]) -> str:
    """Assert that the run is there whole, or that all that was acknowledged can be had from the journal."""
    run, journal = folder / "live.parquet", folder / "live.recording"
    if done.returncode == 0:
        assert said == [*map(str, range(N_BATCHES)), "closed"]
        assert not journal.exists()
        source = run
    else:
        assert "cannot be written" in done.stderr
        assert not run.exists()
        if not said:
            return "nothing recorded"
        assert f"energy-db ingest {journal}" in done.stderr
        source = journal
    taken = run_verb(folder, "ingest", source.name)
    assert taken.returncode == 0, taken.stderr
    n_batches = N_BATCHES if source is run else len(said)
    assert spikes_by_run(folder / "energy.duckdb") == {"live": spikes_of_batches(n_batches)}
    assert not list(folder.glob(".*unfinished*"))
    return "recorded" if source is run else "kept in the journal"


def test_a_recording_whose_files_may_grow_no_further(tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    for limit in (0, 30, 100, 5_000, 100_000, 200_000, 300_000, 600_000):
        folder = tmp_path / f"limit {limit}"
        folder.mkdir()
        counts[assert_recorded_or_kept(folder, *record(folder, limit))] += 1
    keep_figures("recordings-with-size-limits", dict(counts))
    assert set(counts) == {"nothing recorded", "kept in the journal", "recorded"}


def test_a_recording_on_a_full_disk(small_disk: Path) -> None:
    counts: Counter[str] = Counter()
    for free in (0, 4096, 100_000, 200_000, 300_000, 450_000, 500_000, 2_000_000):
        for file in small_disk.iterdir():
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        ballast = small_disk / "ballast"
        ballast.write_bytes(b"x" * (shutil.disk_usage(small_disk).free - free))
        said, done = record(small_disk)
        ballast.unlink()
        counts[assert_recorded_or_kept(small_disk, said, done)] += 1
    keep_figures("recordings-on-a-full-disk", dict(counts))
    assert set(counts) == {"nothing recorded", "kept in the journal", "recorded"}
