"""A store with the three digits runs, and its publication, in the folder that a test works in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from published import EXAMPLES, RUNS

from energy_db import EnergyStore


@pytest.fixture(scope="session")
def _published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    with EnergyStore(folder / "energy.duckdb") as store:
        for name in RUNS:
            store.ingest(EXAMPLES / f"{name}.parquet")
        store.publish(folder / "bi")
    return folder


@pytest.fixture
def folder(_published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: energy.duckdb is the store, bi/energy.duckdb its publication."""
    shutil.copytree(_published, tmp_path, dirs_exist_ok=True, symlinks=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def publication(folder: Path) -> Path:
    return folder / "bi" / "energy.duckdb"
