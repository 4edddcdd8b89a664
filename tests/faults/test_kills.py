"""Verbs that are killed at any moment: the store is as before or as behind them, and they can be done again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import duckdb
import pytest
from world import (
    failed_checks,
    keep_figures,
    make_older_store,
    number_from_outside,
    run_verb,
    runs_with_events,
    spikes_by_run,
    verb,
    write_run,
)

from energy_db import EnergyStore
from energy_db.sql import cost_template, newest_revision

pytestmark = pytest.mark.faults

N_KILLS = number_from_outside("FAULTS_KILLS", 20)
RUNS = {"a": 1, "b": 2, "c": 3}


@pytest.fixture(scope="module")
def spikes(runs: Path) -> dict[str, int]:
    """The spikes of each run file, by NumPy."""
    return json.loads((runs / "spikes").read_text())


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of run files, and a store of the first of them."""
    folder = tmp_path_factory.mktemp("runs with a space")
    spikes = {name: write_run(folder / f"{name}.parquet", seed) for name, seed in RUNS.items()}
    (folder / "spikes").write_text(json.dumps(spikes))
    assert run_verb(folder, "ingest", "a.parquet").returncode == 0
    return folder


def state_of_ingest(folder: Path, spikes: dict[str, int]) -> str:
    found = spikes_by_run(folder / "energy.duckdb")
    names = "".join(sorted(found))
    assert names in ("a", "ab", "abc")
    assert found == {name: spikes[name] for name in names}
    assert runs_with_events(folder / "energy.duckdb") == set(names)
    return {"a": "before", "ab": "between", "abc": "behind"}[names]


def state_of_migrate(folder: Path, spikes: dict[str, int]) -> str:
    with duckdb.connect(str(folder / "energy.duckdb"), read_only=True) as connection:
        [(revision,)] = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert revision in ("0003", newest_revision())
    assert spikes_by_run(folder / "energy.duckdb") == {"a": spikes["a"]}
    return "before" if revision == "0003" else "behind"


def state_of_archive(folder: Path, spikes: dict[str, int]) -> str:
    store = folder / "energy.duckdb"
    assert spikes_by_run(store) == spikes
    kept = runs_with_events(store)
    assert kept in ({"a", "b", "c"}, {"b"})
    return "before" if len(kept) == 3 else "behind"


def state_of_publish(folder: Path, spikes: dict[str, int]) -> str:
    found = spikes_by_run(folder / "bi" / "energy.duckdb")
    assert found in ({"a": spikes["a"]}, spikes)
    catalogue = json.loads((folder / "bi" / "catalog.json").read_text(encoding="utf-8"))
    newest = folder / "bi" / "publications" / f"{catalogue['publication']['number']:06}" / "energy.duckdb"
    assert spikes_by_run(newest) in ({"a": spikes["a"]}, spikes)
    assert spikes_by_run(folder / "energy.duckdb") == spikes
    return "before" if len(found) == 1 else "behind"


def state_of_costs_add(folder: Path, spikes: dict[str, int]) -> str:
    assert spikes_by_run(folder / "energy.duckdb") == {"a": spikes["a"]}
    with EnergyStore(folder / "energy.duckdb") as store:
        versions = [version for version in store.costs.versions() if version["chip"] == "my_fpga"]
        return "behind" if versions else "before"


def prepare_nothing(folder: Path) -> None:
    pass


def prepare_migrate(folder: Path) -> None:
    today = folder / "energy.duckdb"
    make_older_store(folder / "older.duckdb", today)
    (folder / "older.duckdb").replace(today)


def prepare_archive(folder: Path) -> None:
    assert run_verb(folder, "ingest", "b.parquet", "c.parquet").returncode == 0


def prepare_publish(folder: Path) -> None:
    assert run_verb(folder, "publish", "--to", "bi", "--chip", "loihi2").returncode == 0
    prepare_archive(folder)


def prepare_costs_add(folder: Path) -> None:
    (folder / "my_fpga.toml").write_text(cost_template(), encoding="utf-8")


State = Callable[[Path, dict[str, int]], str]
VERBS: dict[str, tuple[Callable[[Path], None], list[str], State]] = {
    "ingest": (prepare_nothing, ["ingest", "b.parquet", "c.parquet"], state_of_ingest),
    "migrate": (prepare_migrate, ["migrate"], state_of_migrate),
    "archive": (prepare_archive, ["archive", "--runs", "a", "--runs", "c"], state_of_archive),
    "publish": (prepare_publish, ["publish", "--to", "bi", "--chip", "loihi2"], state_of_publish),
    "costs add": (prepare_costs_add, ["costs", "add", "my_fpga.toml"], state_of_costs_add),
}


def kill_after(folder: Path, arguments: list[str], seconds: float) -> bool:
    """Start a verb and kill it so much later; return whether it was still there."""
    process = subprocess.Popen(
        verb(*arguments), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    time.sleep(seconds)
    was_there = process.poll() is None
    if was_there:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return was_there


def seconds_of_the_whole(folder: Path, arguments: list[str]) -> float:
    """Run a verb to its end, and return how long that takes."""
    begin = time.perf_counter()
    done = run_verb(folder, *arguments)
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - begin


@pytest.mark.parametrize("name", VERBS)
def test_a_killed_verb_has_done_all_or_nothing_and_can_be_done_again(
    runs: Path, spikes: dict[str, int], tmp_path: Path, name: str
) -> None:
    prepare, arguments, state_of = VERBS[name]
    kept, folder = tmp_path / "kept", tmp_path / "work"
    prepare(Path(shutil.copytree(runs, folder)))
    shutil.copytree(folder, kept, symlinks=True)
    duration = seconds_of_the_whole(folder, arguments)
    assert state_of(folder, spikes) == "behind"
    random, states, kills = Random(name), Counter(), 0
    for _ in range(max(2, N_KILLS // len(VERBS))):
        shutil.rmtree(folder)
        shutil.copytree(kept, folder, symlinks=True)
        # The first third of a verb is Python's own start, in which there is nothing to lose.
        kills += kill_after(folder, arguments, random.uniform(0.3, 1.15) * duration)
        state = state_of(folder, spikes)
        states[state] += 1
        if name != "migrate" or state == "behind":
            assert failed_checks(folder / "energy.duckdb") == []
        again = seconds_of_the_whole(folder, arguments)
        if state == "before":  # the machine has other work, too, so that the first time is not that of all
            duration = again
        assert state_of(folder, spikes) == "behind"
        assert failed_checks(folder / "energy.duckdb") == []
        assert not list(folder.glob("*unfinished*"))
    keep_figures(f"kills-{name.replace(' ', '-')}", {"kills": kills, "states": dict(states)})
    if N_KILLS >= 100:
        assert states["before"]
        assert states["behind"]
        assert kills > N_KILLS // len(VERBS) // 3
