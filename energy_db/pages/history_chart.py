"""The figure of a history: runs in their order, the levels between steps, steps and accepted levels marked."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

from energy_db.pages import layout as lay
from energy_db.pages.drawing import Canvas, Drawing

if TYPE_CHECKING:
    import altair

MOST_DOTS = 240
_HEAD, _PLOT, _FOOT = 40, 130, 26
_GUTTER, _EDGE = 74, 12
_MARK_ROOM = 64  # pixels of the label of a step
_SAME = 1e-9  # values that differ by a smaller share are drawn as equal ones
_SMALL, _LARGE, _FAR, _LARGEST = 1e-290, 1e290, 1e20, sys.float_info.max


@dataclass(frozen=True)
class Mark:
    """A step of the level: the position of its first run, what stands at it, and its colour by name."""

    at: int
    label: str
    colour: str


@dataclass(frozen=True)
class Panel:
    """A series to be drawn.

    Attributes
    ----------
    name : str
        What stands above it.
    newest : str
        What stands above its end.
    values, levels : sequence of float
        The runs in their order, and the level of each.
    apart, accepted : frozenset of int
        Positions of the runs that stand apart from their level, and of those whose level was accepted.
    steps : sequence of Mark
        Where the level changes.
    ticks : sequence of (float, str)
        Values to the left, each with its label.
    first, last : str
        What stands below the first and the last run.
    """

    name: str
    newest: str
    values: Sequence[float]
    levels: Sequence[float]
    apart: frozenset[int]
    accepted: frozenset[int]
    steps: Sequence[Mark]
    ticks: Sequence[tuple[float, str]]
    first: str
    last: str


def round_values(values: Sequence[float]) -> list[float]:
    """Return two to five round numbers that span values.

    >>> round_values([812.0, 1040.0])
    [800.0, 900.0, 1000.0, 1100.0]
    >>> round_values([5.0, 5.0])
    [4.0, 5.0, 6.0]
    """
    low, high = min(values), max(values)
    largest = max(abs(low), abs(high))
    if largest > _LARGE:  # beyond it the steps between ticks are more than a float holds
        ticks = round_values([value / _FAR for value in values])
        return [max(-_LARGEST, min(_LARGEST, float(f"{tick:.12g}") * _FAR)) for tick in ticks]
    if largest < _SMALL:
        return [-1.0, 0.0, 1.0]
    if high - low <= _SAME * largest:
        size = 10.0 ** floor(log10(largest))
        return [low - size, low, low + size]
    size = 10.0 ** floor(log10((high - low) / 3))
    step = next(size * factor for factor in (1, 2, 5, 10) if (high - low) / (size * factor) <= 3)  # noqa: PLR2004
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [float(f"{step * at:.12g}") for at in range(first, last + 1)]


def histories(title: str, panels: Sequence[Panel], keys: lay.Keys = ()) -> Drawing:
    """Return a figure of histories, one below the other, each on its own scale.

    Parameters
    ----------
    title : str
        What a picture that stands alone says above the figure.
    panels : sequence of Panel
        The series, from above.
    keys : sequence of Key
        What each colour stands for.
    """
    height = len(panels) * (_HEAD + _PLOT + _FOOT)

    def draw(canvas: Canvas) -> altair.TopLevelMixin:
        drawn = [_Drawn(canvas, panel, at * (_HEAD + _PLOT + _FOOT), height) for at, panel in enumerate(panels)]
        return lay.finished(canvas, [layer for panel in drawn for layer in panel.layers()], height, title, keys)

    return draw


class _Drawn:
    """A panel on a canvas: places are pixels already, so that all panels share one frame."""

    def __init__(self, canvas: Canvas, panel: Panel, top: int, height: int) -> None:
        self._canvas, self._panel, self._top, self._height = canvas, panel, top, height
        self._n_runs = len(panel.values)
        self._low, self._high = panel.ticks[0][0], panel.ticks[-1][0]

    def layers(self) -> Iterator[lay.Layer]:
        """Yield what the panel consists of, from the back to the front."""
        ink = self._canvas.ink
        yield from self._grid()
        yield from self._steps()
        yield self._rules(self._level_places(), ink["total"], 2.0)
        if self._n_runs > MOST_DOTS:
            yield self._rules(list(self._column_places()), ink["bar"], 2.5)
        else:
            regular = [at for at in range(self._n_runs) if at not in self._panel.apart | self._panel.accepted]
            yield self._dots(regular, "circle", 26, ink["bar"])
        yield self._dots(sorted(self._panel.apart - self._panel.accepted), "cross", 60, ink["series_1"])
        yield self._dots(sorted(self._panel.accepted), "diamond", 130, ink["series_2"])
        yield from self._names()

    def _across(self, at: float) -> float:
        room = self._canvas.width - _GUTTER - _EDGE
        return _GUTTER + (at + 0.5) / self._n_runs * room

    def _up(self, value: float) -> float:
        high = self._high / 2  # halves, so that no difference is more than a float holds
        return self._top + _HEAD + _PLOT * ((high - value / 2) / (high - self._low / 2))

    def _grid(self) -> Iterator[lay.Layer]:
        ticks = [(self._up(value), label) for value, label in self._panel.ticks]
        ends = {"x": _GUTTER, "x2": self._canvas.width}
        yield self._rules([{**ends, "y": y, "y2": y} for y, _ in ticks], self._canvas.ink["line"], 1.0)
        places = [{"x": _GUTTER - 6, "y": y, "words": label} for y, label in ticks]
        yield self._words(places, "muted", "right")

    def _level_places(self) -> list[dict[str, float]]:
        levels = self._panel.levels
        changes = [at for at in range(1, self._n_runs) if levels[at] != levels[at - 1]]
        pieces = pairwise([0, *changes, self._n_runs])
        return [
            {"x": self._across(start - 0.5), "x2": self._across(end - 0.5), "y": y, "y2": y}
            for start, end in pieces
            for y in (self._up(levels[start]),)
        ]

    def _column_places(self) -> Iterator[dict[str, float]]:
        """Yield, for more runs than dots have room, the lowest and highest of each few."""
        each = ceil(self._n_runs / MOST_DOTS)
        for start in range(0, self._n_runs, each):
            few = self._panel.values[start : start + each]
            x = self._across(start + (len(few) - 1) / 2)
            yield {"x": x, "x2": x, "y": self._up(max(few)) - 1, "y2": self._up(min(few)) + 1}

    def _steps(self) -> Iterator[lay.Layer]:
        ink, foot = self._canvas.ink, self._top + _HEAD + _PLOT
        places: list[dict[str, Any]] = [
            {"x": x, "x2": x, "y": self._top + _HEAD - 4, "y2": foot, "words": step.label, "colour": ink[step.colour]}
            for step in self._panel.steps
            for x in (self._across(step.at - 0.5),)
        ]
        yield self._rules(places, None, 1.5, [4, 3])
        labelled: list[dict[str, Any]] = []
        for place in reversed(places):  # where there is no room for all labels, the newest stay
            if not labelled or labelled[-1]["x"] - place["x"] >= _MARK_ROOM:
                labelled.append({**place, "y": self._top + _HEAD - 11})
        yield self._words(labelled, "text", "center")

    def _names(self) -> Iterator[lay.Layer]:
        panel, head, foot = self._panel, self._top + 9, self._top + _HEAD + _PLOT + 14
        ink, y, width = self._canvas.ink, lay.pixels("y", self._height), self._canvas.width
        room = lay.room_beside(self._canvas, [panel.newest])
        yield lay.words([{"words": panel.name, "y": head}], y, 0, ink["text"], limit=room)
        yield self._words([{"x": width, "y": head, "words": panel.newest}], "muted", "right")
        yield self._words([{"x": _GUTTER, "y": foot, "words": panel.first}], "muted", "left")
        if self._n_runs > 1:
            yield self._words([{"x": width, "y": foot, "words": panel.last}], "muted", "right")

    def _dots(self, positions: Sequence[int], shape: str, size: int, colour: str) -> lay.Layer:
        places = [{"x": self._across(at), "y": self._up(self._panel.values[at])} for at in positions]
        marks = lay.chart(places).mark_point(shape=shape, size=size, color=colour, filled=True, opacity=1)
        return marks.encode(x=self._x(), y=lay.pixels("y", self._height))

    def _rules(
        self, places: Sequence[dict[str, Any]], colour: str | None, width: float, dashes: Sequence[int] = (1, 0)
    ) -> lay.Layer:
        """Return straight lines, in one colour or in those that their places bring."""
        marks = lay.chart(places).mark_rule(strokeWidth=width, strokeDash=list(dashes))
        ends = {"x": self._x(), "x2": "x2:Q", "y": lay.pixels("y", self._height), "y2": "y2:Q"}
        if colour is None:
            return marks.encode(**ends, color=lay.as_coloured())
        return marks.encode(**ends, color=lay.one_colour(colour))

    def _words(self, places: Sequence[dict[str, Any]], colour: str, align: lay.Align) -> lay.Layer:
        y = lay.pixels("y", self._height)
        return lay.words(places, y, self._x(), self._canvas.ink[colour], align, size=lay.SMALL)

    def _x(self) -> altair.X:
        return lay.across("x", (0, self._canvas.width), (0, self._canvas.width))
