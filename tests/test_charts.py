"""Figures without a page: they stand where their numbers say, and their colours are told apart."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from pages_read import bars, dots, level_lines

from energy_db.pages import charts, drawing, history_chart, theme
from energy_db.pages.drawing import Canvas


class TestCharts:
    @pytest.mark.thorough
    def test_bars_to_the_left_of_zero(self) -> None:
        rows = [
            charts.Row("less", "-3", ((-3.0, 0.0, "down"),), -3.0, is_leftward=True),
            charts.Row("more", "+1", ((0.0, 1.0, "up"),), 1.0),
        ]
        picture = drawing.inline(charts.bars("", rows), drawing.WIDE)
        less, more = (length for _, length in sorted(bars(picture).items()))
        assert less / more == pytest.approx(3.0, rel=1e-3)

    def test_a_sum_of_others_does_not_dwarf_them(self) -> None:
        rows = [charts.stacked("a", [(3.0, "bar")], "3 pJ")]
        small, large = (charts.stacked("others", [(pj, "bar")], f"{pj} pJ") for pj in (2.0, 9.0))
        assert charts.beside(small, rows) == small
        assert charts.beside(large, rows) == charts.Row("others", "9.0 pJ, not drawn", (), 0.0)

    def test_of_nothing_is_empty(self) -> None:
        picture = drawing.inline(charts.bars("", [charts.stacked("none", [], "0.0 pJ")]), drawing.NARROW)
        assert bars(picture) == {}

    def test_a_narrow_canvas_is_as_wide_as_a_telephone(self) -> None:
        picture = drawing.inline(charts.bars("", [charts.stacked("a" * 300, [(1.0, "bar")], "1.0 pJ")]), drawing.NARROW)
        assert f'viewBox="0 0 {drawing.NARROW} ' in picture
        assert "…" in picture

    def test_dots_stand_on_powers_of_ten(self) -> None:
        dots = [charts.Dot("a", "10 pJ", 10.0, 5.0, 20.0), charts.Dot("b", "1 nJ", 1000.0)]
        chart = charts.dots("", dots)(Canvas(720, theme.INK_OF_PAGE, has_keys=False)).to_dict()
        [scale] = {
            str(layer["encoding"]["x"]["scale"]) for layer in chart["layer"] if "scale" in layer["encoding"]["x"]
        }
        assert "'log'" in scale
        assert "[1.0, 1000.0]" in scale or "[1.0, 10000.0]" in scale

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ([0.0, 1.0], [0.0, 0.5, 1.0]),
            ([98.0, 103.0], [98.0, 100.0, 102.0, 104.0]),
            ([0.0, 0.0], [-1.0, 0.0, 1.0]),
            ([-2.0, 7.0], [-5.0, 0.0, 5.0, 10.0]),
            ([1e12 + 220, 1e12 + 224], [220.0, 1e12 + 220, 2e12 + 220]),  # as good as equal
            ([0.0, 5e-324], [-1.0, 0.0, 1.0]),
            ([-1e308, 1e308], [-1e308, 0.0, 1e308]),
            ([1e308, 1e308], [0.0, 1e308, sys.float_info.max]),
        ],
    )
    def test_round_values(self, values: list[float], expected: list[float]) -> None:
        assert history_chart.round_values(values) == expected

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize(
        "values", [[1.6e12 + 220, 1.6e12 + 222, 1.6e12 + 224], [0.0, 5e-324], [-1e308, 1e308], [1e308, 1e308]]
    )
    def test_a_history_has_a_place_for_every_number(self, values: list[float]) -> None:
        picture = drawing.inline(history_chart.histories("", [history(values)]), drawing.WIDE)
        places = [y for _, y in dots(picture)]
        assert len(places) == len(values)
        assert 40 <= min(places) <= max(places) <= 40 + 130

    def test_a_level_is_drawn_where_it_holds(self) -> None:
        # Ticks at 0 and 10 are 130 pixels apart and begin at 40; the level changes where no step is told.
        panel = replace(history([5.0, 5.0, 10.0, 10.0]), levels=[5.0, 5.0, 10.0, 10.0], ticks=[(0.0, ""), (10.0, "")])
        places = level_lines(drawing.inline(history_chart.histories("", [panel]), drawing.WIDE))
        assert [y for _, _, y in places] == [105.0, 40.0]
        assert places[0][1] == pytest.approx(places[1][0])


def history(values: list[float]) -> history_chart.Panel:
    ticks = [(value, "") for value in history_chart.round_values(values)]
    none: frozenset[int] = frozenset()
    return history_chart.Panel("", "", values, values, none, none, [], ticks, "", "")


def luminance(colour: str) -> float:
    """The luminance of a colour as the guidelines for accessible pages define it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("is_dark", [False, True])
def test_colours_stand_out(is_dark: bool) -> None:
    colours = theme.colours(is_dark)
    for name, colour in colours.items():
        if name in ("paper", "sheet", "line"):
            continue
        least = 4.5 if name in ("text", "muted", "link") else 3.0
        assert contrast(colour, colours["paper"]) >= least, name
        if least > 4:
            assert contrast(colour, colours["sheet"]) >= least, name
