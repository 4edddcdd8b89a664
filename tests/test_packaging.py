"""The wheel carries what the checkout has, and does the main job from anywhere."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

TOP = Path(__file__).parents[1]
CARRIED = {
    "schema": ("*.sql", "*.toml", "costs/*.toml"),
    "queries": ("*/*.sql",),
    "migrations": ("*.py", "versions/*.py"),
    "examples": ("*.parquet", "*.json"),
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(next(iter(WheelBuilder(str(TOP)).build(directory=str(tmp_path_factory.mktemp("wheel"))))))


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has the wheel and, borrowed from this one, its dependencies."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    paths = sysconfig.get_paths(vars={"base": str(folder / "venv"), "platbase": str(folder / "venv")})
    site_packages = Path(paths["purelib"])
    zipfile.ZipFile(wheel).extractall(site_packages)
    # A path in a .pth file comes behind the folder that the file is in: what the wheel brought goes first.
    (site_packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def run(elsewhere: Path, *arguments: str) -> str:
    """Run the environment's Python in a folder that has nothing to do with the checkout."""
    (elsewhere / "work").mkdir(exist_ok=True)
    python = elsewhere / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ENERGY_DB"))}
    done = subprocess.run(
        [python, *arguments], cwd=elsewhere / "work", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def files(folder: Path, patterns: tuple[str, ...]) -> Iterator[str]:
    for pattern in patterns:
        yield from (path.relative_to(folder).as_posix() for path in folder.glob(pattern))


class TestContents:
    @pytest.mark.parametrize("folder", CARRIED)
    def test_the_wheel_carries_the_folder(self, wheel: Path, folder: str) -> None:
        prefix = f"energy_db/sql/{folder}/"
        carried = {
            name.removeprefix(prefix): zipfile.ZipFile(wheel).read(name)
            for name in zipfile.ZipFile(wheel).namelist()
            if name.startswith(prefix)
        }
        here = {name: (TOP / folder / name).read_bytes() for name in files(TOP / folder, CARRIED[folder])}
        assert carried.keys() == here.keys()
        assert carried == here
        assert carried

    def test_the_wheel_carries_the_package_and_nothing_else(self, wheel: Path) -> None:
        names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.startswith("energy_db/sql/")}
        metadata = {name for name in names if ".dist-info/" in name}
        package = {path.relative_to(TOP).as_posix() for path in (TOP / "energy_db").rglob("*.py")}
        assert names - metadata == package | {"energy_db/py.typed"}
        assert any(name.endswith("licenses/LICENSE") for name in metadata)
        assert any(name.endswith("entry_points.txt") for name in metadata)

    def test_the_checkout_holds_no_second_copy_of_the_sql(self) -> None:
        assert not (TOP / "energy_db" / "sql").exists()


class TestInstalled:
    def test_it_is_the_wheel_that_runs(self, elsewhere: Path) -> None:
        answer = run(
            elsewhere,
            "-c",
            "import energy_db; from energy_db import sql; print(energy_db.__file__); print(sql.root())",
        )
        package, root = (Path(part) for part in answer.splitlines())
        assert package.is_relative_to(elsewhere)
        assert root == package.parent / "sql"

    @pytest.mark.thorough
    def test_it_ingests_and_reports(self, elsewhere: Path) -> None:
        recording = str(TOP / "examples" / "digits-sparse.parquet")
        assert "stored" in run(elsewhere, "-m", "energy_db", "ingest", recording)
        assert (elsewhere / "work" / "energy.duckdb").exists()
        # 175,365 x 1.0 + (6,297 + 11,167) x 2.1 + 7,671 x 1.0 pJ
        report = run(elsewhere, "-m", "energy_db", "report", "latest", "--chip", "loihi2", "--json")
        assert '"total_energy_pj": 219710.4' in report
        assert "ok" in run(elsewhere, "-m", "energy_db", "verify")

    @pytest.mark.thorough
    def test_it_brings_the_demo(self, elsewhere: Path) -> None:
        shown = run(elsewhere, "-m", "energy_db", "demo")
        chips = ("akida", "brainscales2", "fpga_ice40", "loihi2", "spinnaker2")
        assert all(
            word in shown for word in (*chips, "digits-baseline", "digits-sparse", "digits-reseeded", "899.3 nJ")
        )

    def test_it_has_an_entry_point(self, wheel: Path) -> None:
        [entry_points] = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("entry_points.txt")]
        text = zipfile.ZipFile(wheel).read(entry_points).decode()
        assert "energy-db = energy_db.cli:main" in text

    @pytest.mark.thorough
    def test_it_migrates(self, elsewhere: Path) -> None:
        run(elsewhere, "-m", "energy_db", "--db", "fresh.duckdb", "init")
        assert run(elsewhere, "-m", "energy_db", "--db", "fresh.duckdb", "migrate") == ""
