"""The page and the picture of a trend: which series they draw, and what their marks stand for."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pages_read import Page, wide_pictures

from energy_db.history.question import Question
from energy_db.history.trend import Blessing, Series, Step, Trend, TrendPoint
from energy_db.pages import layout, theme, trend_page

FIRST_DAY = datetime(2026, 11, 20, tzinfo=UTC)


def made(what: type[Any], /, **known: Any) -> Any:
    """A thing of which only what matters is known."""
    return what(**{entry.name: known.get(entry.name) for entry in fields(what)})


def series(name: str, values: list[float], step_at: int | None = None) -> Series:
    """A history of a layer: a run a day, with a step before one of them."""
    levels = [values[0] if step_at is None or at < step_at else values[-1] for at in range(len(values))]
    points = [
        made(
            TrendPoint,
            run_id=f"run-{at}",
            run_name=f"night{at}",
            ran_at=FIRST_DAY + timedelta(days=at),
            ingested_at=FIRST_DAY + timedelta(days=at),
            value=value,
            level=level,
            stands_apart=value != level,
        )
        for at, (value, level) in enumerate(zip(values, levels, strict=True))
    ]
    steps = () if step_at is None else (step_in(points, step_at),)
    return made(Series, name=name, kind="layer", layer=name, points=tuple(points), steps=steps)


def step_in(points: list[TrendPoint], at: int) -> Step:
    first, before, after = points[at], points[0].level, points[-1].level
    step: Step = made(
        Step, run_id=first.run_id, run_name=first.run_name, ran_at=first.ran_at, ingested_at=first.ingested_at,
        previous_run_id=points[at - 1].run_id, index=at, before=before, after=after, change=after - before,
        share=(after - before) / before, evidence="exact", n_runs=len(points) - at, layers=(),
    )  # fmt: skip
    return step


def trend(*entries: Series, **known: Any) -> Trend:
    shown = {"metric": "spikes", "unit": "", "as_recorded": False, "by": "layer", "n_runs": len(entries[0].points)}
    shown |= {"fdr": 0.01, "blessings": (), "left_out": (), "warnings": (), "costs": (), "series": entries}
    question = Question(metric="spikes", by="layer")
    found: Trend = made(Trend, **{**shown, "question": question, **known})
    return found


@pytest.fixture(scope="module")
def marked() -> Trend:
    """A step up, a step down, an accepted level and a run that stands apart: all that a trend can show."""
    up, down = series("up", [1.0, 1.0, 2.0], 2), series("down", [4.0, 9.0, 4.0, 2.0], 3)
    blessing = Blessing("run-2", "up", "a wider layer", FIRST_DAY, None)
    return trend(up, down, blessings=(blessing,))


@pytest.fixture(scope="module")
def marked_page(marked: Trend) -> str:
    return marked.to_html()


def drawn_names(path: Path) -> list[str]:
    return [name for name in words(path) if re.fullmatch(r"l\d+", name)]


def words(path: Path) -> list[str]:
    return [text for element in ElementTree.parse(path).getroot().iter() if (text := element.text)]


class TestOfManySeries:
    @pytest.mark.thorough
    def test_a_picture_draws_those_with_steps_and_then_the_highest(self, tmp_path: Path) -> None:
        # l0 is the highest of those without a step, and l10 the lowest of all.
        layers = [series(f"l{at}", [100.0 - at] * 2) for at in range(12)]
        layers[10] = series("l10", [1.0, 2.0], 1)
        trend(*layers).plot(tmp_path / "trend.svg")
        assert drawn_names(tmp_path / "trend.svg") == ["l0", "l1", "l2", "l3", "l4", "l5", "l6", "l10"]
        assert "8 of 12 series" in " ".join(words(tmp_path / "trend.svg"))

    @pytest.mark.thorough
    def test_a_page_draws_more_of_them_and_names_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert trend_page.MOST_SERIES == 24
        monkeypatch.setattr(trend_page, "MOST_SERIES", 3)
        layers = [series(f"l{at}", [100.0 - at] * 2) for at in range(5)]
        layers[4] = series("l4", [1.0, 2.0], 1)
        page = Page(trend(*layers).to_html())
        assert len(page.all("figure")) == 3
        assert "The history: 3 of 5 series" in page.text
        pictures = wide_pictures(page.source)
        assert [name for svg in pictures for name in re.findall(r">(l\d)<", svg)] == ["l0", "l1", "l4"]
        assert {f"l{at}" for at in range(5)} <= {row[0] for row in page.rows}


class TestKeys:
    @pytest.mark.thorough
    def test_no_two_marks_look_the_same(self, marked_page: str) -> None:
        entries = re.findall(r'<path d="([^"]+)" fill="var\(--(\w+)\)"/></svg>([^<]+)</li>', marked_page)
        assert {meaning for _, _, meaning in entries} == {key.meaning for key in trend_page._KEYS}
        for is_dark in (False, True):
            ink = theme.colours(is_dark)
            assert len({ink[colour] for _, colour, _ in entries}) == len(entries) == 6
        shape_of = {meaning: shape for shape, _, meaning in entries}
        assert shape_of["a run that stands apart"] == theme.SHAPES["cross"]
        assert shape_of["an accepted level"] == theme.SHAPES["diamond"]
        assert len(set(shape_of.values())) == 5  # steps up and down differ in colour

    @pytest.mark.thorough
    def test_a_picture_draws_them_too(self, marked: Trend, tmp_path: Path) -> None:
        marked.plot(tmp_path / "trend.svg")
        source = (tmp_path / "trend.svg").read_text(encoding="utf-8")
        legend = source[source.index("role-legend") :]
        symbols = re.findall(r'<path transform="[^"]*" d="([^"]*)" fill="(#\w+)"', legend)
        assert [colour for _, colour in symbols] == [theme.colours(False)[key.colour] for key in trend_page._KEYS]
        assert len({shape for shape, _ in symbols}) == 5


@pytest.mark.thorough
def test_is_the_same_again(marked: Trend, marked_page: str) -> None:
    assert marked.to_html() == marked_page


def test_every_column_has_a_name(marked_page: str) -> None:
    page = Page(marked_page)
    assert ["run", "name", "ran", "value", "level", "mark"] in page.rows
    assert not [row for row in page.rows if "" in row[:1]]


def test_a_caption_is_read_out_once(marked_page: str) -> None:
    page = Page(marked_page)
    names = [caption["id"] for caption in page.all("figcaption")]
    pictures = [box for box in page.all("div") if box.get("role") == "img"]
    assert [box["aria-labelledby"] for box in pictures] == [name for name in names for _ in ("wide", "narrow")]
    assert len(set(names)) == len(names) == 2
    assert not [box for box in pictures if "aria-label" in box]


@pytest.mark.thorough
def test_a_long_title_is_wrapped_not_cut(marked: Trend, tmp_path: Path) -> None:
    replace(marked, name="a-network-" * 9).plot(tmp_path / "trend.svg")
    said = words(tmp_path / "trend.svg")
    assert not [text for text in said if "…" in text]
    assert "2026-11-20 to 2026-11-23" in " ".join(said)
    assert layout.title_lines("a" * 1000, 720)[-1].endswith("…")
