"""What most tests need: a store, the recorded example runs, the command line."""

from __future__ import annotations

import itertools
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from factories import Shell, forget_runs, run_file, with_sidecar

from energy_db import EnergyStore, lifecycle
from energy_db.cli import cli
from energy_db.engines.duckdb import _STORE_CONFIG, MEMORY, Engine
from energy_db.engines.limits import Limits

# Two modules are called so, which only the doctests mind.
collect_ignore = ["conftest.py", "bi/conftest.py"]


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is thorough
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the cases of a test that is marked `one_in(n)` thorough, but for the first of each n."""
    n_cases: Counter[str] = Counter()
    for item in items:
        mark = item.get_closest_marker("one_in")
        if mark and not item.get_closest_marker("thorough"):
            test = item.nodeid.partition("[")[0]
            if n_cases[test] % mark.args[0]:
                item.add_marker(pytest.mark.thorough)
            n_cases[test] += 1


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("ENERGY_DB", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="session")
def digits() -> Path:
    """The folder of the three recorded runs."""
    return Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="session")
def _empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "empty.duckdb"
    EnergyStore(path).close()
    return path


@pytest.fixture(scope="session", autouse=True)
def _new_stores_are_copies(_empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let tests that begin with a new store copy an empty one: to make it anew a thousand times takes minutes.

    What makes a store is tested on those that commands make in processes of their own, and in test_migrations.
    """
    open_store = lifecycle.open_store
    nameless = (tmp_path_factory.mktemp("memory") / f"{number}.duckdb" for number in itertools.count())

    def copy_and_open(path: str, read_only: bool = False, *limits: Limits) -> Engine:
        if path == MEMORY:
            return _without_a_file(next(nameless), *limits)
        is_new = not read_only and not os.path.lexists(path)
        if is_new and Path(path).parent.is_dir() and not Path(f"{path}.wal").exists():
            with suppress(OSError):
                shutil.copy(_empty_store, path)
        return open_store(path, read_only, *limits)

    def _without_a_file(path: Path, *limits: Limits) -> Engine:
        """Open a copy whose file has no name any more, and which thus lives as long as one in memory."""
        shutil.copy(_empty_store, path)
        engine = open_store(str(path), False, *limits)
        engine.run("PRAGMA disable_checkpoint_on_shutdown")  # nobody opens it again
        path.unlink()
        engine.path = MEMORY
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifecycle, "open_store", copy_and_open)
        patch.setitem(_STORE_CONFIG, "threads", "1")  # two workers have two processors
        yield


@pytest.fixture(scope="session")
def _small_store(_empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    path = Path(shutil.copy(_empty_store, folder / "small.duckdb"))
    with EnergyStore(path) as store:
        store.ingest(with_sidecar(run_file(folder / "kept.parquet")))
    return path


@pytest.fixture(scope="session")
def _digits_store(_empty_store: Path, digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(shutil.copy(_empty_store, tmp_path_factory.mktemp("digits") / "digits.duckdb"))
    with EnergyStore(path) as store:
        store.ingest(digits / "digits-baseline.parquet")
    return path


@pytest.fixture
def tmp_store(_empty_store: Path, tmp_path: Path) -> Path:
    """A store without runs, in the folder that `shell` works in."""
    return Path(shutil.copy(_empty_store, tmp_path / "energy.duckdb"))


@pytest.fixture
def small_store(_small_store: Path, tmp_path: Path) -> Path:
    """A store with the run `kept`, the events of `factories.EVENTS`."""
    return Path(shutil.copy(_small_store, tmp_path / "energy.duckdb"))


@pytest.fixture
def digits_store(_digits_store: Path, tmp_path: Path) -> Path:
    """A store with the run `digits-baseline`."""
    return Path(shutil.copy(_digits_store, tmp_path / "energy.duckdb"))


@pytest.fixture(scope="module")
def _one_store() -> Iterator[EnergyStore]:
    with EnergyStore(MEMORY) as opened:
        yield opened


@pytest.fixture
def bare_store(_one_store: EnergyStore) -> EnergyStore:
    """An open store without runs, the same one for all tests of a module: for tests that ask nothing of its file."""
    forget_runs(_one_store)
    return _one_store


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The command line, in a folder of its own, where ./energy.duckdb is the store of the fixtures above."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, stdin: str | None = None, color: bool = False) -> Result:
        return CliRunner().invoke(
            cli, [str(argument) for argument in arguments], input=stdin, catch_exceptions=False, color=color
        )

    return run
