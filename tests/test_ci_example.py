"""The GitHub Actions example of docs/ci.md, run step by step: main, pull requests that pass, fail and are accepted.

What a runner does beside running scripts is small, and played here: actions copy files, conditions are looked up in a
table, a failed step skips those after it. An action, condition or expression that is not known here is an error, so
that nothing of the example is passed over.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_docs import blocks

from energy_db import EnergyStore
from energy_db.gate.budget import read_budget

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "ci"
PAGE = ROOT / "docs" / "ci.md"
WORKFLOW = FOLDER / "energy.yml"
BUDGET = FOLDER / "energy-budget.toml"
EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
LABEL = "accept-energy"


@dataclass
class Event:
    """What makes the workflow run: a push to main, or a pull request with its labels."""

    title: str
    run_file: Path
    is_push: bool = False
    labels: tuple[str, ...] = ()


@dataclass
class Job:
    """What came of one run of the workflow."""

    folder: Path
    exit_code: int = 0
    ran: list[str] = field(default_factory=list)
    output: str = ""
    summary: str = ""


class Runner:
    """Runs the workflow as GitHub does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache: list[tuple[str, Path]] = []
        self.n_jobs = 0
        tools = folder / "bin"
        tools.mkdir()
        # The example installs the package; what is tested is the one of this checkout.
        pip = tools / "pip"
        pip.write_text('#!/bin/sh\n[ "$*" = "install energy-db" ]\n')
        pip.chmod(0o755)
        self.path = f"{tools}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def run(self, event: Event) -> Job:
        self.n_jobs += 1
        job = Job(self.folder / f"job-{self.n_jobs}")
        job.folder.mkdir()
        workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
        [description] = workflow["jobs"].values()
        variables = {
            "GITHUB_SHA": f"{self.n_jobs:040x}",
            "GITHUB_ACTOR": "ada",
            "GITHUB_ENV": str(job.folder / "variables"),
            "GITHUB_STEP_SUMMARY": str(job.folder / "summary.md"),
            **{name: self.evaluate(str(text), event) for name, text in description["env"].items()},
        }
        for step in description["steps"]:
            if self.is_wanted(step, event, job):
                job.ran.append(step.get("name", step.get("uses")))
                self.take(step, event, job, variables)
        summary = job.folder / "summary.md"
        job.summary = summary.read_text(encoding="utf-8") if summary.exists() else ""
        return job

    def is_wanted(self, step: Mapping[str, Any], event: Event, job: Job) -> bool:
        conditions: dict[str | None, bool] = {
            None: True,
            f"contains(github.event.pull_request.labels.*.name, '{LABEL}')": LABEL in event.labels,
            "github.event_name == 'pull_request'": not event.is_push,
            "github.ref == 'refs/heads/main'": event.is_push,
            "always() && hashFiles('energy.md') != ''": (job.folder / "energy.md").exists(),
        }
        condition = step.get("if")
        is_always = condition is not None and condition.startswith("always()")
        return conditions[condition] and (job.exit_code == 0 or is_always)

    def evaluate(self, text: str, event: Event) -> str:
        values = {
            "github.event.pull_request.title || github.event.head_commit.message": event.title,
            "github.run_id": str(1000 + self.n_jobs),
            "github.run_attempt": "1",
        }
        return EXPRESSION.sub(lambda found: values[found[1]], text)

    def take(self, step: Mapping[str, Any], event: Event, job: Job, variables: dict[str, str]) -> None:
        if "run" in step:
            self.execute(step["run"], job, variables)
            return
        settings = {name: self.evaluate(str(value), event) for name, value in step.get("with", {}).items()}
        actions: dict[str, Callable[[], None]] = {
            "actions/checkout@v4": lambda: self.check_out(event, job),
            "actions/setup-python@v5": lambda: None,
            "actions/cache/restore@v4": lambda: self.restore(settings, job),
            "actions/cache/save@v4": lambda: self.save(settings, job),
        }
        actions[step["uses"]]()

    def execute(self, script: str, job: Job, variables: dict[str, str]) -> None:
        assert not EXPRESSION.search(script), "other people's words must not become a part of a script"
        inherited = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=job.folder,
            env={**inherited, "PATH": self.path, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        job.output += done.stdout
        job.exit_code = job.exit_code or done.returncode
        told = job.folder / "variables"
        if told.exists():
            variables.update(line.split("=", 1) for line in told.read_text(encoding="utf-8").splitlines())

    def check_out(self, event: Event, job: Job) -> None:
        """Lay out a project: its budget, and a script that records a run; here it copies one that was recorded."""
        shutil.copy(BUDGET, job.folder)
        copies = [(event.run_file.with_suffix(suffix), f"run{suffix}") for suffix in (".parquet", ".json")]
        lines = [f"shutil.copy({str(source)!r}, {name!r})" for source, name in copies]
        (job.folder / "record_run.py").write_text("\n".join(["import shutil", *lines]), encoding="utf-8")

    def restore(self, settings: Mapping[str, str], job: Job) -> None:
        fitting = [kept for key, kept in self.cache if key.startswith(settings["restore-keys"])]
        if fitting:
            shutil.copy(fitting[-1], job.folder / settings["path"])

    def save(self, settings: Mapping[str, str], job: Job) -> None:
        assert settings["key"] not in dict(self.cache), "a cache cannot be written twice"
        kept = self.folder / settings["key"]
        shutil.copy(job.folder / settings["path"], kept)
        self.cache.append((settings["key"], kept))

    @property
    def store(self) -> Path:
        """The store that main has saved last."""
        return self.cache[-1][1]


@pytest.mark.thorough
def test_a_project_lives_by_it(tmp_path: Path) -> None:
    """One test, because each part needs the store of the one before: main is digits-reseeded, then digits-baseline."""
    runner = Runner(tmp_path)
    less, more, least = (ROOT / "examples" / f"digits-{name}.parquet" for name in ("reseeded", "baseline", "sparse"))

    first = runner.run(Event("Check the energy", less))
    assert_checked(first, 3, "### NOT CHECKED: digits (run ")
    assert_pushed(runner.run(Event("Check the energy", less, is_push=True)))
    assert_checked(runner.run(Event("Penalise spikes", least)), 0, "### pass: digits (run ")
    assert_checked(runner.run(Event("Mend the docs", less)), 0, "the baseline is the run itself")

    dearer = runner.run(Event("Train with the new seed", more))
    assert_checked(dearer, 1, "### FAIL: digits (run ")
    # 899,253.2 - 1.05 x 826,847.5 = 31,063.325 pJ; hidden2 fires 140,600 / 117,156 - 1 = 20.0 % more.
    assert "899.3 nJ, +8.8 %, is 31.06 nJ (+3.6 %) over its limit of 868.2 nJ (+5.0 %)" in dearer.summary
    assert "hidden2 fires 20 % more" in dearer.summary
    assert "Each of these alone saves the 31.06 nJ that are too much" in dearer.summary

    accepted = runner.run(Event("Train with the new seed", more, labels=("bug", LABEL)))
    assert_checked(accepted, 0, "Train with the new seed")
    assert_pushed(runner.run(Event("Train with the\x07 new seed\r\n\nIt is 1.2 % more accurate.", more, is_push=True)))
    assert_checked(runner.run(Event("Mend the docs again", more)), 0, "the baseline is the run itself")
    assert_pushed(runner.run(Event("Go back", less, is_push=True)))

    assert_history(runner.store)
    shown = [job.summary.rstrip("\n") for job in (dearer, accepted, first)]
    assert [text.rstrip("\n") for text in blocks(PAGE, "text")] == shown


@pytest.mark.thorough
def test_what_could_not_be_checked_is_not_accepted(tmp_path: Path) -> None:
    """A run of more timesteps may not be held against main: nothing is blessed, the baseline stays."""
    runner = Runner(tmp_path)
    run_file = ROOT / "examples" / "digits-reseeded.parquet"
    assert_pushed(runner.run(Event("\x07\n", run_file, is_push=True)))
    longer = Path(shutil.copy(run_file, tmp_path / "longer.parquet"))
    declared = json.loads(run_file.with_suffix(".json").read_text(encoding="utf-8"))
    declared["n_timesteps"] += 1
    longer.with_suffix(".json").write_text(json.dumps(declared), encoding="utf-8")
    stopped = runner.run(Event("Run for longer", longer, is_push=True))
    assert (stopped.exit_code, stopped.ran[-1]) == (3, "Move the baseline"), stopped.output
    assert "are not comparable (timesteps: " in stopped.output
    for path in (runner.store, stopped.folder / "energy.duckdb"):
        with EnergyStore(path, read_only=True) as store:
            assert [one.reason for one in store.blessings()] == ["without a title"]
            assert store.run("@main").n_timesteps == declared["n_timesteps"] - 1


def assert_checked(job: Job, exit_code: int, says: str) -> None:
    """Assert what came of a pull request, and that it saved nothing."""
    assert job.exit_code == exit_code, job.output
    assert says in job.summary
    assert "Traceback" not in job.output
    assert "Save the store" not in job.ran


def assert_pushed(job: Job) -> None:
    """Assert that a push to main is green, whatever it costs, and saves the store."""
    assert job.exit_code == 0, job.output
    assert job.ran[-2:] == ["Move the baseline", "Save the store"]
    assert "Check the run" not in job.ran


def assert_history(path: Path) -> None:
    """Assert what main leaves behind: two runs, two accepted levels, and the baseline where it went back to."""
    with EnergyStore(path, read_only=True) as store:
        # Pull requests saved nothing; going back to what was there is no new run.
        assert [run.n_spikes for run in store.runs(name="digits")] == [528_507, 491_925]
        # The baseline went back, too, although that run is not the newest.
        assert store.run("@main").n_spikes == 491_925
        assert [run.tags.get("main") is not None for run in store.runs()] == [False, True]
        told = [(one.reason, one.blessed_by, round(one.energy_pj / 1000, 1)) for one in store.blessings()]
    assert told == [("Train with the new seed", "ada", 899.3), ("Check the energy", "ada", 826.8)]


def test_the_page_shows_the_files() -> None:
    assert blocks(PAGE, "yaml") == [WORKFLOW.read_text(encoding="utf-8")]
    assert blocks(PAGE, "toml")[0] == BUDGET.read_text(encoding="utf-8")


def test_every_budget_of_the_page_can_be_read(tmp_path: Path) -> None:
    for text in blocks(PAGE, "toml"):
        is_project = "tool" in tomllib.loads(text)
        path = tmp_path / ("pyproject.toml" if is_project else "energy-budget.toml")
        path.write_text(text, encoding="utf-8")
        assert read_budget(path).limits
