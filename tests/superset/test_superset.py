"""The dashboard of examples/superset in a real Superset: `make superset` installs and runs it; elsewhere it is skipped.

Its charts are asked again and again, with the queries that the page itself sent, while another process ingests and
publishes. Screenshots are left in .cache/superset, to be looked at.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from superset_expected import Expected, Rows, energy_by_hand
from superset_server import BIN, DASHBOARD, PASSWORD, PLACEHOLDER, ROOT, Superset, running
from superset_store import BUSIEST, CHIPS, fill

from energy_db import EnergyStore

if os.environ.get("SUPERSET") != "required":
    pytest.skip("make superset installs Superset and runs this", allow_module_level=True)

SLUG = "where-the-energy-goes"
ROUNDS = 10
PATIENCE_S = 300
TITLES = [
    "Energy",
    "Change",
    "Energy per inference",
    "Spikes",
    "Energy by layer",
    "Energy by operation",
    "Where it goes on each chip",
    "Newest run of each name",
    "Energy of each run over time",
    "Each run against the previous one",
    "Costliest neurons",
    "Chips, and where their costs are from",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder: energy.duckdb is the store, bi its publication."""
    folder = tmp_path_factory.mktemp("lab")
    with EnergyStore(folder / "energy.duckdb") as store:
        fill(store, folder)
        store.publish(folder / "bi", chips=CHIPS)
    return folder


def packed_as_the_readme_says(folder: Path, publication: Path) -> bytes:
    """Edit and pack a copy of the dashboard by the steps of its README."""
    shutil.copytree(DASHBOARD, folder / "examples" / "superset")
    database = folder / "examples" / "superset" / "databases" / "energy.yaml"
    text = database.read_text(encoding="utf-8")
    assert PLACEHOLDER in text
    database.write_text(text.replace(PLACEHOLDER, f"duckdb:///{publication}"), encoding="utf-8")
    [command] = re.findall(r"^ *python3 -m (zipfile .*)$", (DASHBOARD / "README.md").read_text("utf-8"), re.MULTILINE)
    subprocess.run([sys.executable, "-m", *command.split()], cwd=folder, check=True, timeout=60)
    return (folder / "energy-dashboard.zip").read_bytes()


@pytest.fixture(scope="module")
def superset(lab: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    packed = packed_as_the_readme_says(tmp_path_factory.mktemp("packed"), lab / "bi" / "energy.duckdb")
    with running(tmp_path_factory.mktemp("superset")) as found:
        found.import_dashboard(packed)
        yield found


@pytest.fixture(scope="module")
def seen(superset: Superset) -> dict[str, Any]:
    """What a browser saw of the dashboard."""
    shots = ROOT / ".cache" / "superset"
    shots.mkdir(parents=True, exist_ok=True)
    look = [BIN / "python", Path(__file__).with_name("superset_look.py"), superset.url, PASSWORD, SLUG, shots]
    subprocess.run(look, check=True, timeout=PATIENCE_S)
    return dict(json.loads((shots / "seen.json").read_text(encoding="utf-8")))


def by_title(superset: Superset, sent: Rows) -> dict[str, Any]:
    charts = superset.get("/api/v1/chart/?q=(page_size:100)")["result"]
    titles = {chart["id"]: chart["slice_name"] for chart in charts}
    return {titles[query["chart"]]: query["body"] for query in sent}


@pytest.fixture(scope="module")
def queries(superset: Superset, seen: dict[str, Any]) -> dict[str, Any]:
    """The query of each chart, by its title, as the page sent it."""
    return by_title(superset, seen["queries"])


@dataclass
class Meanwhile:
    """What the charts answered while another process ingested and published."""

    failures: list[str] = field(default_factory=list)
    answers: dict[str, list[Rows]] = field(default_factory=lambda: defaultdict(list))
    published: list[int] = field(default_factory=list)

    def ask(self, superset: Superset, queries: dict[str, Any]) -> None:
        for title, body in queries.items():
            status, answer = superset.ask("POST", "/api/v1/chart/data", body)
            if status == 200:
                self.answers[title].append(answer["result"][0]["data"])
            else:
                self.failures.append(f"{title}: {status} {answer}")


@pytest.fixture(scope="module")
def meanwhile(lab: Path, superset: Superset, queries: dict[str, Any]) -> Meanwhile:
    found = Meanwhile()
    loop = [
        sys.executable,
        Path(__file__).with_name("superset_store.py"),
        lab / "energy.duckdb",
        lab / "bi",
        str(ROUNDS),
    ]
    deadline = time.monotonic() + PATIENCE_S
    with subprocess.Popen(loop, stdout=subprocess.PIPE, text=True) as writer:
        try:
            while writer.poll() is None and time.monotonic() < deadline:
                found.ask(superset, queries)
        finally:
            writer.kill()
        assert writer.stdout is not None
        found.published = [int(line) for line in writer.stdout]
    found.ask(superset, queries)
    return found


@pytest.fixture(scope="module")
def expected(lab: Path, meanwhile: Meanwhile) -> Iterator[Expected]:
    with EnergyStore(lab / "energy.duckdb", read_only=True) as store:
        yield Expected(store)


def test_the_import_brings_the_dashboard_and_a_read_only_database(superset: Superset) -> None:
    dashboard = superset.get(f"/api/v1/dashboard/{SLUG}")["result"]
    assert dashboard["dashboard_title"] == "Where the energy goes"
    assert sorted(dashboard["charts"]) == sorted([*TITLES, "Published"])
    [database] = superset.get("/api/v1/database/")["result"]
    extra = json.loads(superset.get(f"/api/v1/database/{database['id']}/connection")["result"]["extra"])
    assert extra["engine_params"] == {"connect_args": {"read_only": True}}


def test_the_page_draws_every_chart_without_a_complaint(seen: dict[str, Any], queries: dict[str, Any]) -> None:
    assert seen["complaints"] == []
    assert seen["n_charts"] == len(TITLES) + 1
    assert {query["status"] for query in [*seen["queries"], *seen["compared"]]} == {200}
    assert sorted(queries) == sorted([*TITLES, "Published"])


def test_every_query_is_answered_while_another_process_publishes(meanwhile: Meanwhile) -> None:
    assert meanwhile.failures == []
    assert meanwhile.published == list(range(2, 2 + ROUNDS))
    times = [rows[0]["published_at"] for rows in meanwhile.answers["Published"]]
    assert times == sorted(times)
    assert len(set(times)) > 2, "the charts never saw a publication in between"


def test_each_answer_was_of_one_publication_or_the_next(meanwhile: Meanwhile) -> None:
    energies = [float(energy_by_hand(number)) for number in range(len(BUSIEST) - 1, len(BUSIEST) + ROUNDS)]
    shown = [rows[0]["newest_energy"] for rows in meanwhile.answers["Energy"]]
    places = [energies.index(energy) for energy in shown]
    assert places == sorted(places)
    assert places[-1] == ROUNDS


@pytest.mark.parametrize("title", TITLES)
def test_in_the_end_each_chart_shows_what_the_store_says(meanwhile: Meanwhile, expected: Expected, title: str) -> None:
    shown, wanted = meanwhile.answers[title][-1], expected.rows_of(title)
    first = next(iter(wanted[0]))
    if title not in ("Each run against the previous one", "Costliest neurons"):
        shown, wanted = (sorted(rows, key=lambda row: str(row[first])) for rows in (shown, wanted))
    assert shown == [
        {name: pytest.approx(value, rel=1e-12) if isinstance(value, float) else value for name, value in row.items()}
        for row in wanted
    ]


def layers_shown(superset: Superset, body: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Ask the chart of layers; return the energies of each run name."""
    status, answer = superset.ask("POST", "/api/v1/chart/data", body)
    assert status == 200, answer
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for row in answer["result"][0]["data"]:
        for name in row.keys() - {"part"}:
            found[name][row["part"]] = row[name]
    return found


class TestFilters:
    """The rest of the filters is in the queries of the page: each chart above is of one chip and one run name."""

    def test_run_names_stand_side_by_side(self, superset: Superset, seen: dict[str, Any], expected: Expected) -> None:
        body = by_title(superset, seen["compared"])["Energy by layer"]
        assert layers_shown(superset, body) == {
            report.run.name: {layer.layer: layer.energy_pj for layer in report.layers} for report in expected.others
        }

    def test_another_chip(self, superset: Superset, queries: dict[str, Any], expected: Expected) -> None:
        [report] = [report for report in expected.on_chips if report.chip == "seneca"]
        body = with_filter(queries["Energy by layer"], "chip", ["seneca"])
        assert layers_shown(superset, body)[report.run.name] == {
            "whole chip": report.unlayered_energy_pj,
            **{layer.layer: layer.energy_pj for layer in report.layers},
        }

    def test_two_chips_do_not_add_up(self, superset: Superset, queries: dict[str, Any], expected: Expected) -> None:
        body = with_filter(queries["Energy by layer"], "chip", ["seneca", "odin"])
        shown = layers_shown(superset, body)[expected.newest.run.name]
        assert set(shown.values()) == {None}

    def test_every_run_of_the_name(self, superset: Superset, queries: dict[str, Any], expected: Expected) -> None:
        body = with_filter(queries["Energy by layer"], "is_latest", [True, False])
        for layer, energy in layers_shown(superset, body)[expected.newest.run.name].items():
            parts = [found.energy_pj for report in expected.reports for found in report.layers if found.layer == layer]
            assert energy == pytest.approx(sum(parts), rel=1e-12)


def with_filter(body: dict[str, Any], column: str, values: list[Any]) -> dict[str, Any]:
    """Return a query with another choice in one of its filters."""
    changed = json.loads(json.dumps(body))
    [found] = [each for each in changed["queries"][0]["filters"] if each["col"] == column]
    found["val"] = values
    return dict(changed)
