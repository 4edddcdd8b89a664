"""The pages in a real browser: `make browser` installs headless Chromium and runs this; elsewhere it is skipped.

With SHOTS=folder in the environment, a screenshot of every page is kept there, to be looked at.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from factories import run_file
from pages_read import HOSTILE, wide_run

from energy_db import EnergyStore
from energy_db.pages import theme

# make browser says that the browser has to be here: then its absence is a failure.
if os.environ.get("BROWSER") == "required":
    playwright: ModuleType = importlib.import_module("playwright.sync_api")
else:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: make browser installs and runs it"
    )

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK, TELEPHONE = 1000, 360
KINDS = ("report", "wide", "static", "ranking", "comparison", "comparison-wide", "trend", "trend-by-layer", "hostile")
SMALLEST_PICTURE = 10


def nights(store: EnergyStore, folder: Path) -> None:
    """Store 30 runs whose first layer fires a third more from the 20th on; the 5th one is an outlier."""
    for night in range(30):
        n_spikes = [60 + night % 3 + 20 * (night >= 19) + 90 * (night == 4), 40 + night % 2]
        events = {
            "layer": ["conv1"] * n_spikes[0] + ["conv2"] * n_spikes[1],
            "neuron": [spike % 16 for n in n_spikes for spike in range(n)],
            "timestep": [(spike // 16 + night) % 30 for n in n_spikes for spike in range(n)],
        }
        layers = [
            {"name": name, "role": role, "n_inputs": 16, "n_neurons": 16, "fan_out": 16}
            for name, role in (("conv1", "hidden"), ("conv2", "readout"))
        ]
        network = {"n_timesteps": 30, "n_samples": 1, "layers": layers}
        run = run_file(folder / "night.parquet", events)
        store.ingest(run, network=network, name=f"night{night:02d}", run_id=f"night-{night:02d}")
    store.bless("night-20", "loihi2", reason="a wider first layer: 0.4 % more accurate")


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory, digits: Path) -> dict[str, Path]:
    """Every kind of page, by its kind, as a file."""
    folder = tmp_path_factory.mktemp("pages")
    made: dict[str, str] = {}
    with EnergyStore(":memory:") as store:
        for name in ("baseline", "sparse"):
            store.ingest(digits / f"digits-{name}.parquet")
        chips = store.chips("digits-baseline")
        made["report"] = store.report("digits-baseline", "loihi2").to_html(chips)
        made["static"] = store.report("digits-baseline", "seneca").to_html()
        made["ranking"] = chips.to_html()
        made["comparison"] = store.compare("digits-baseline", "digits-sparse", "loihi2").to_html()
    with EnergyStore(":memory:") as store:
        for seed in (5, 6):
            path, network, _ = wide_run(folder, 200, 10_000, seed)
            store.ingest(path, network=network, name=f"wide{seed}", run_id=f"wide-{seed}")
        made["wide"] = store.report("wide-5", "loihi2").to_html(store.chips("wide-5"))
        made["comparison-wide"] = store.compare("wide-5", "wide-6", "loihi2").to_html()
    with EnergyStore(":memory:") as store:
        nights(store, folder)
        made["trend"] = store.trend(chip="loihi2").to_html()
        made["trend-by-layer"] = store.trend(chip="loihi2", by="layer").to_html()
    with EnergyStore(":memory:") as store:
        names = [*HOSTILE, "a very long name of a layer, longer than any telephone is wide, and longer still " * 2]
        layers = [{"name": n, "role": "hidden", "n_inputs": 3, "n_neurons": 3, "fan_out": 2} for n in names]
        events = {"layer": names, "neuron": [0] * len(names), "timestep": [0] * len(names)}
        path, network = run_file(folder / "hostile.parquet", events), {"n_timesteps": 1, "n_samples": 1}
        store.ingest(path, network={**network, "layers": layers}, name=HOSTILE[0], run_id="hostile")
        made["hostile"] = store.report("hostile", "loihi2").to_html(store.chips("hostile"))
    files = {}
    for kind, source in made.items():
        files[kind] = folder / f"{kind}.html"
        files[kind].write_text(source, encoding="utf-8")
    return files


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@dataclass
class Visit:
    """A page that is open, and what it did while it opened."""

    page: Any
    said: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


Open = Callable[..., Visit]


@pytest.fixture
def visit(browser: Any, pages: dict[str, Path]) -> Iterator[Open]:
    contexts = []

    def open_page(kind: str, width: int = DESK, scheme: str = "light") -> Visit:
        scale = 2 if width == TELEPHONE else 1
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, device_scale_factor=scale
        )
        contexts.append(context)
        found = Visit(context.new_page())
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        found.page.on("dialog", lambda dialog: found.said.append(f"dialog: {dialog.message}"))
        address = pages[kind].as_uri()
        found.page.on("request", lambda request: found.requests.append(request.url))
        context.route("**/*", lambda route: route.continue_() if route.request.url == address else route.abort())
        found.page.goto(address)
        found.page.wait_for_load_state("load")
        return found

    yield open_page
    for context in contexts:
        context.close()


def keep_shot(found: Visit, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        found.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
class TestOnADesk:
    def test_opens_in_silence(self, visit: Open, pages: dict[str, Path], kind: str, scheme: str) -> None:
        found = visit(kind, scheme=scheme)
        keep_shot(found, f"{kind}-{scheme}")
        assert found.said == []
        assert found.requests == [pages[kind].as_uri()]

    def test_has_the_colours_of_its_theme(self, visit: Open, kind: str, scheme: str) -> None:
        page = visit(kind, scheme=scheme).page
        colours = theme.colours(is_dark=scheme == "dark")
        style = "getComputedStyle(document.body)"
        assert page.evaluate(f"{style}.backgroundColor") == as_rgb(colours["paper"])
        assert page.evaluate(f"{style}.color") == as_rgb(colours["text"])
        fills = page.evaluate("[...document.querySelectorAll('figure svg text')].map(e => getComputedStyle(e).fill)")
        assert set(fills) <= {as_rgb(colours["text"]), as_rgb(colours["muted"])}


def as_rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


PICTURES = """
[...document.querySelectorAll('figure [role=img] svg')].filter(svg => svg.getClientRects().length).map(svg => {
  const frame = svg.getBoundingClientRect();
  const box = e => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
  return {
    frame: box(svg),
    scale: frame.width / svg.viewBox.baseVal.width,
    shapes: [...svg.querySelectorAll('.mark-rect path, .mark-symbol path, .mark-area path, .mark-rule line')]
      .filter(e => e.getBoundingClientRect().width + e.getBoundingClientRect().height > 0).length,
    words: [...svg.querySelectorAll('text')].filter(e => e.textContent).map(e => [e.textContent, ...box(e)]),
  };
})
"""


@pytest.mark.parametrize("width", [DESK, TELEPHONE])
@pytest.mark.parametrize("kind", KINDS)
class TestPictures:
    def test_one_of_each_figure_is_drawn(self, visit: Open, kind: str, width: int) -> None:
        page = visit(kind, width).page
        pictures = page.evaluate(PICTURES)
        assert len(pictures) == page.locator("figure").count() > 0
        for picture in pictures:
            left, top, right, bottom = picture["frame"]
            assert right - left > SMALLEST_PICTURE
            assert bottom - top > SMALLEST_PICTURE
            assert picture["shapes"] > 0
            assert picture["words"]

    def test_words_are_large_enough_and_inside_and_apart(self, visit: Open, kind: str, width: int) -> None:
        for picture in visit(kind, width).page.evaluate(PICTURES):
            left, top, right, bottom = picture["frame"]
            assert picture["scale"] > 0.95
            outside = [
                word
                for word, x, y, x2, y2 in picture["words"]
                if x < left - 1 or y < top - 2 or x2 > right + 1 or y2 > bottom + 2
            ]
            assert outside == []
            assert list(overlaps(picture["words"])) == []


def overlaps(words: list[tuple[str, float, float, float, float]]) -> Iterator[tuple[str, str]]:
    """Yield words that run into one another; lines may touch."""
    for index, (one, x, y, x2, y2) in enumerate(words):
        for other, u, v, u2, v2 in words[index + 1 :]:
            if min(x2, u2) - max(x, u) > 1 and min(y2, v2) - max(y, v) > 4:
                yield one, other


@pytest.mark.parametrize("kind", KINDS)
class TestOnATelephone:
    def test_nothing_runs_over_the_edge(self, visit: Open, kind: str) -> None:
        found = visit(kind, TELEPHONE)
        keep_shot(found, f"{kind}-telephone")
        assert found.page.evaluate("document.documentElement.scrollWidth") == TELEPHONE

    def test_nor_do_open_tables(self, visit: Open, kind: str) -> None:
        found = visit(kind, TELEPHONE)
        found.page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
        keep_shot(found, f"{kind}-telephone-tables")
        assert found.page.evaluate("document.documentElement.scrollWidth") == TELEPHONE
        assert all(found.page.evaluate("[...document.querySelectorAll('table')].map(e => e.offsetHeight > 0)"))


@pytest.mark.parametrize("kind", KINDS)
def test_prints_with_all_tables_open(visit: Open, kind: str, tmp_path: Path) -> None:
    found = visit(kind, scheme="dark")
    content = found.page.pdf(format="A4")
    assert content.startswith(b"%PDF")
    assert len(content) > 20_000
    found.page.emulate_media(media="print")
    if folder := os.environ.get("SHOTS"):
        (Path(folder) / f"{kind}.pdf").write_bytes(content)
    heights = found.page.evaluate("[...document.querySelectorAll('table')].map(e => e.getBoundingClientRect().height)")
    assert heights
    assert min(heights) > 0
    assert found.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_a_keyboard_reaches_tables(visit: Open) -> None:
    page = visit("report").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "table"
