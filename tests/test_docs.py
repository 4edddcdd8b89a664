"""The documentation tells the truth: what it shows is run, what it links to exists, what exists is in it."""

from __future__ import annotations

import doctest
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import click
import pyarrow
import pytest
from factories import mostly_thorough
from pyarrow import parquet

from energy_db import EnergyStore, __version__, sql
from energy_db.cli.app import cli
from energy_db.intake.declaration import read_mapping

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
RUNS = ("digits-baseline", "digits-reseeded", "digits-sparse")

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(path: Path, language: str) -> list[str]:
    return [body for found, body in BLOCK.findall(path.read_text(encoding="utf-8")) if found == language]


def script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def anchors(path: Path) -> set[str]:
    """The names under which GitHub links to the headings of a page."""
    headings = HEADING.findall(BLOCK.sub("", path.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    return script(ROOT / "docs" / "generate.py")


@pytest.fixture
def examples_here(generate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    generate.copy_examples(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["README.md", "docs/views.md", "docs/cli.md", "docs/method.md"])
def test_what_is_generated_is_current(generate: ModuleType, name: str) -> None:
    written = (ROOT / name).read_text(encoding="utf-8")
    assert written == generate.PAGES[name](), "run: make docs"


def test_every_generated_page_is_looked_at(generate: ModuleType) -> None:
    pages = {"README.md", "docs/views.md", "docs/cli.md", "docs/method.md"}
    assert set(generate.PAGES) == pages | {"tests/public_columns.csv"}  # which test_public_surface looks at


def test_a_stale_output_in_the_readme_is_noticed(
    generate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "README.md"
    page.write_text("```console\n$ energy-db --version\nenergy-db, version 0.0.0\n```\n", encoding="utf-8")
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "PAGES", {"README.md": generate.readme_page})
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check"])
    assert generate.main() == 1
    assert capsys.readouterr().out == "README.md is stale: run make docs\n"
    assert "0.0.0" in page.read_text(encoding="utf-8")

    monkeypatch.setattr(sys, "argv", ["generate.py"])
    assert generate.main() == 0
    assert (
        page.read_text(encoding="utf-8")
        == f"```console\n$ energy-db --version\nenergy-db, version {__version__}\n```\n"
    )


@pytest.mark.parametrize(
    ("command", "complaint"),
    [("energy-db runs", "exits 4: Error: there is no store"), ("ls -l", "only energy-db is run here, not 'ls'")],
)
def test_what_cannot_be_run_cannot_be_shown(
    generate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, complaint: str
) -> None:
    (tmp_path / "README.md").write_text(f"```console\n$ {command}\n```\n", encoding="utf-8")
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    with pytest.raises((RuntimeError, ValueError), match=complaint):
        generate.readme_page()


@pytest.mark.parametrize(
    "path", mostly_thorough([page for page in PAGES if blocks(page, "pycon")], n_daily=2), ids=name_of
)
def test_python_examples_print_what_they_show(examples_here: Path, path: Path) -> None:
    source = "\n".join(blocks(path, "pycon"))
    test = doctest.DocTestParser().get_doctest(source, {}, name_of(path), str(path), 0)
    complaints: list[str] = []
    result = doctest.DocTestRunner().run(test, out=complaints.append)
    assert result.attempted > 0
    assert result.failed == 0, "".join(complaints)


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_no_block_is_of_a_kind_that_nobody_runs(path: Path) -> None:
    run_somewhere = {
        "README.md": {"console", "sql"},
        "docs/python.md": {"json"},
        "docs/ci.md": {"yaml", "toml"},
        "docs/bi.md": {"python"},  # by tests/bi, where the tools are installed
    }.get(name_of(path), set())
    languages = {language for language, _ in BLOCK.findall(path.read_text(encoding="utf-8"))}
    assert languages <= {"pycon", "text", "sh"} | run_somewhere


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_relative_link_resolves(path: Path) -> None:
    prose = BLOCK.sub("", path.read_text(encoding="utf-8"))
    links = [link for link in LINK.findall(prose) if not link.startswith(("http:", "https:"))]
    for link in links:
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.is_relative_to(ROOT), f"{link} leaves the project"
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{link}: no such heading"


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    pages = sorted(path.name for path in (ROOT / "docs/decisions").glob("0*.md"))
    assert [name[:4] for name in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    assert all(f"({name})" in listed for name in pages)


def test_every_verb_is_documented() -> None:
    """By its help in docs/cli.md, and by its name in the changelog."""
    groups = {name: command for name, command in cli.commands.items() if isinstance(command, click.Group)}
    verbs = [name for name in cli.commands if name not in groups]
    verbs += [f"{group} {verb}" for group, command in groups.items() for verb in command.commands]
    assert set(verbs) >= {"init", "ingest", "runs", "show", "report", "costs list", "costs show", "tag", "sql"}
    assert set(verbs) >= {"verify", "migrate", "doctor", "demo", "completion"}
    reference = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for verb in verbs:
        assert f"\n## energy-db {verb}\n" in reference
        assert f"`{verb}`" in changelog


def test_every_public_view_and_table_is_documented() -> None:
    reference = (ROOT / "docs/views.md").read_text(encoding="utf-8")
    things = [*sql.tables(), *sql.publication_tables(), *(view for view in sql.views() if view.room != "checks")]
    public = [thing.name for thing in things if not thing.is_private]
    assert {"runs", "energy_by_layer", "comparison", "mart.run_energy", "mart.publication"} <= set(public)
    checks = [path.stem for path in ROOT.glob("queries/checks/*.sql")]
    assert [name for name in checks if f"| `{name}` |" not in reference] == []


def test_no_private_view_is_documented() -> None:
    assert re.search(r"^### _", (ROOT / "docs/views.md").read_text(encoding="utf-8"), re.MULTILINE) is None


def test_the_documented_sidecar_has_every_key_and_is_valid() -> None:
    page = ROOT / "docs/python.md"
    [text] = blocks(page, "json")
    sidecar = json.loads(text)
    read_mapping(sidecar, "docs/python.md")
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    explained = {key for row in rows for key in re.findall(r"`(?:layers\[\]\.)?(\w+)`", row.split("|")[1])}
    layer_keys = {key for layer in sidecar["layers"] for key in layer}
    assert set(sidecar) == {
        "run", "n_timesteps", "n_samples", "timestep_us", "layers", "counters", "tags", "kind", "seed", "git_commit",
        "recorded_at",
    }  # fmt: skip
    assert layer_keys == {"name", "role", "n_inputs", "n_neurons", "fan_out"}
    assert set(sidecar) | layer_keys <= explained


def test_the_documented_sidecar_prices_its_run(tmp_path: Path) -> None:
    [text] = blocks(ROOT / "docs/python.md", "json")
    columns = {
        "layer": ["input", "hidden", "output"],
        "neuron": [0, 2, 9],
        "timestep": [24, 0, 1],
        "sample": [359, 0, 1],
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "run.parquet")
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    with EnergyStore(":memory:") as store:
        run = store.ingest(tmp_path / "run.parquet")
        assert run.inferred == ()
        assert run.layers[1].fan_out == (10, 9, 10)
        # One spike in each of the three roles: 1.0 + 2.1 + 1.0 pJ on loihi2 (docs/method.md).
        assert store.report(run, "loihi2").total_energy_pj == 4.1


def test_docstring_examples_are_run_by_pytest() -> None:
    """They are, if pytest looks for doctests in the package."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    assert "energy_db" in settings["testpaths"]
    assert "--doctest-modules" in settings["addopts"].split()


@pytest.mark.thorough
@pytest.mark.parametrize("name", RUNS)
def test_the_example_script_writes_the_shipped_run(name: str, digits: Path, tmp_path: Path) -> None:
    written = tmp_path / "written.parquet"
    command = [sys.executable, str(digits / "write_run_file.py"), str(digits / f"{name}.npz"), str(written)]
    subprocess.run(command, check=True, capture_output=True)
    with EnergyStore(":memory:") as store:
        shipped = store.ingest(digits / f"{name}.parquet")
        again = store.ingest(written)
        assert (again.status, again.run_id) == ("unchanged", shipped.run_id)
        assert [run.name for run in store.runs()] == [name]
    assert json.loads(written.with_suffix(".json").read_text()) == json.loads((digits / f"{name}.json").read_text())
