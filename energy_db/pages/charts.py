"""The kinds of figure that pages are made of: rows of bars, dots on a scale of powers, strips over time.

A figure is laid out in pixels, so that it fits a telephone as well as a desk. Names are data of a figure and never part
of its code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

from energy_db import units
from energy_db.pages import layout as lay
from energy_db.pages.drawing import Canvas, Drawing

if TYPE_CHECKING:
    import altair

_AXIS = 24
_LARGEST_NAMED = 15  # 1000 J
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_STRIP_HEAD, _STRIP_GAP = 22, 10


@dataclass(frozen=True)
class Row:
    """A line of a figure of bars.

    Attributes
    ----------
    name, label : str
        What stands before and behind the bar.
    segments : tuple of (float, float, str)
        Where each piece of the bar begins and ends, in pJ, and its colour by name.
    tip : float
        Where the bar ends, in pJ, and its label stands.
    is_leftward : bool
        Whether the label stands to the left of the tip.
    """

    name: str
    label: str
    segments: tuple[tuple[float, float, str], ...]
    tip: float
    is_leftward: bool = False


@dataclass(frozen=True)
class Dot:
    """A line of a figure of dots: name, label, value, the ends of its range where there is one, colour by name."""

    name: str
    label: str
    value: float
    low: float | None = None
    high: float | None = None
    colour: str = "bar"


@dataclass(frozen=True)
class Strip:
    """A strip over time.

    Attributes
    ----------
    name, label : str
        What stands above it, to the left and to the right.
    values : sequence of float
        Its values in pJ, from left to right.
    most : float
        The value that fills its height.
    colour : str
        Its colour by name.
    height : int
        Its height in pixels.
    """

    name: str
    label: str
    values: Sequence[float]
    most: float
    colour: str
    height: int


def stacked(name: str, parts: Iterable[tuple[float, str]], label: str) -> Row:
    """Return a row whose pieces, each (pJ, colour), follow one another from zero."""
    segments, end = [], 0.0
    for value, colour in parts:
        segments.append((end, end + value, colour))
        end += value
    return Row(name, label, tuple(segments), end)


def beside(others: Row, rows: Sequence[Row]) -> Row:
    """Return the row of what is summed up; it loses its bar where that would dwarf the others, and keeps its label."""
    if abs(others.tip) <= max(abs(row.tip) for row in rows):
        return others
    return Row(others.name, f"{others.label}, not drawn", (), 0.0)


def bars(title: str, rows: Sequence[Row], keys: lay.Keys = (), is_waterfall: bool = False) -> Drawing:
    """Return a figure of bars from zero, one below the other.

    Parameters
    ----------
    title : str
        What a picture that stands alone says above the figure.
    rows : sequence of Row
        The bars, from above.
    keys : sequence of Key
        What each colour stands for.
    is_waterfall : bool
        Whether a thin line leads from the tip of each bar to the next one.
    """
    ends = [end for row in rows for segment in row.segments for end in segment[:2]]
    domain = min(0.0, *ends, 0.0), max(0.0, *ends, 0.0)
    domain = domain if domain[1] > domain[0] else (0.0, 1.0)

    def draw(canvas: Canvas) -> altair.TopLevelMixin:
        place = lay.RowLayout(canvas, [row.label for row in rows], _sides(rows))
        ends = place.left, place.right
        layers = [_zero_line(canvas, place, len(rows), domain)]
        if is_waterfall and not canvas.is_narrow:  # there the labels are in the way
            layers.append(_joints(canvas, place, rows, domain))
        pieces = [
            {"x": start, "x2": end, "y": place.top(at), "y2": place.top(at) + lay.BAR, "colour": canvas.ink[colour]}
            for at, row in enumerate(rows)
            for start, end, colour in row.segments
        ]
        marks = lay.chart(pieces).mark_rect(stroke=canvas.ink["paper"], strokeWidth=0.75)
        y = lay.pixels("y", place.height)
        layers.append(marks.encode(x=lay.across("x", domain, ends), x2="x2:Q", y=y, y2="y2:Q", color=lay.as_coloured()))
        layers += _labels(canvas, place, rows, domain)
        layers.append(lay.names(canvas, place, [row.name for row in rows]))
        return lay.finished(canvas, layers, place.height, title, keys)

    return draw


def _labels(
    canvas: Canvas, place: lay.RowLayout, rows: Sequence[Row], domain: tuple[float, float]
) -> Iterator[lay.Layer]:
    """Yield the labels at the tips of the bars; on a narrow canvas they stand above the bars, to the right."""
    y, colour = lay.pixels("y", place.height), canvas.ink["text"]
    if canvas.is_narrow:
        above = [{"words": row.label, "y": place.name_at(at)} for at, row in enumerate(rows)]
        yield lay.words(above, y, canvas.width, colour, "right")
        return
    x = lay.across("x", domain, (place.left, place.right))
    tips = [{"words": row.label, "x": row.tip, "y": place.middle(at)} for at, row in enumerate(rows)]
    leftward, rightward = (
        [tips[at] for at, row in enumerate(rows) if row.is_leftward == side] for side in (True, False)
    )
    yield lay.words(leftward, y, x, colour, "right", dx=-6)
    yield lay.words(rightward, y, x, colour, "left", dx=6)


def _sides(rows: Sequence[Row]) -> str:
    """Return on which sides of the bars labels stand."""
    if not any(row.is_leftward for row in rows):
        return "right"
    return "left" if all(row.is_leftward for row in rows) else "both"


def _zero_line(canvas: Canvas, place: lay.RowLayout, n_rows: int, domain: tuple[float, float]) -> lay.Layer:
    """Return the line that bars begin at; on a narrow canvas it leaves out the names, which stand above the bars."""
    ends = [(place.top(at) - 1, place.top(at) + lay.BAR + 1) for at in range(n_rows)]
    whole = [(0, place.height)] if not canvas.is_narrow else ends
    line = lay.chart([{"x": 0.0, "y": top, "y2": foot} for top, foot in whole]).mark_rule(color=canvas.ink["line"])
    x = lay.across("x", domain, (place.left, place.right))
    return line.encode(x=x, y=lay.pixels("y", place.height), y2="y2:Q")


def _joints(canvas: Canvas, place: lay.RowLayout, rows: Sequence[Row], domain: tuple[float, float]) -> lay.Layer:
    """Return the thin lines that lead from the tip of each bar to the next one."""
    joints = [
        {"x": _far_end(before), "y": place.top(at) + lay.BAR, "y2": place.top(at + 1)}
        for at, (before, _) in enumerate(pairwise(rows))
    ]
    x = lay.across("x", domain, (place.left, place.right))
    return (
        lay.chart(joints).mark_rule(color=canvas.ink["muted"]).encode(x=x, y=lay.pixels("y", place.height), y2="y2:Q")
    )


def _far_end(row: Row) -> float:
    return row.segments[-1][1] if row.segments else row.tip


def dots(title: str, rows: Sequence[Dot]) -> Drawing:
    """Return a figure of dots on a scale of powers of ten, with the published range of each where there is one."""
    ends = [end for row in rows for end in (row.low, row.value, row.high) if end]
    first, last = floor(log10(min(ends))), ceil(log10(max(ends) * 1.0001))
    domain = 10.0**first, 10.0**last

    def draw(canvas: Canvas) -> altair.TopLevelMixin:
        place = lay.RowLayout(canvas, [row.label for row in rows], foot=_AXIS)
        places = [
            {
                "x": row.value,
                "low": row.low,
                "high": row.high,
                "y": place.middle(at),
                "colour": canvas.ink[row.colour],
            }
            for at, row in enumerate(rows)
        ]
        room = place.left + 28, place.right - 28
        labels = [
            {"words": row.label, "y": place.name_at(at) if canvas.is_narrow else place.middle(at)}
            for at, row in enumerate(rows)
        ]
        step = ceil((last - first) / max(1, (room[1] - room[0]) // 76))
        grid = [
            {"x": 10.0**power, "words": _power(power), "y": place.height - 8} for power in range(first, last + 1, step)
        ]
        x, y = lay.across("x", domain, room, "log"), lay.pixels("y", place.height)
        ranged = [spot for spot in places if spot["low"] and spot["high"]]
        rules = lay.chart([{**line, "y": 0, "y2": place.height - _AXIS + 4} for line in grid])
        layers = [
            rules.mark_rule(color=canvas.ink["line"]).encode(x=x, y=y, y2="y2:Q"),
            lay.words(grid, y, x, canvas.ink["muted"], "center", size=lay.SMALL),
            lay.chart(ranged)
            .mark_rule(strokeWidth=6, opacity=0.4)
            .encode(x=lay.across("low", domain, room, "log"), x2="high:Q", y=y, color=lay.as_coloured()),
            lay.chart(places).mark_point(filled=True, size=90, opacity=1).encode(x=x, y=y, color=lay.as_coloured()),
            lay.words(labels, y, canvas.width, canvas.ink["text"], "right"),
            lay.names(canvas, place, [row.name for row in rows]),
        ]
        return lay.finished(canvas, layers, place.height, title)

    return draw


def _power(power: int) -> str:
    """Return the name of a tick: a power of ten in pJ, in the unit that suits it."""
    if power > _LARGEST_NAMED:
        return f"10{str(power - 12).translate(_RAISED)} J"
    return units.energy(10.0**power).replace(".0 ", " ")


def strips(title: str, content: Sequence[Strip], every: int, n_timesteps: int) -> Drawing:
    """Return a figure of strips over the timesteps of a sample, each on its own zero line.

    Parameters
    ----------
    title : str
        What a picture that stands alone says above the figure.
    content : sequence of Strip
        The strips, from above.
    every : int
        Timesteps that one value holds.
    n_timesteps : int
        Timesteps of a sample.
    """
    zeros, end = [], 0
    for strip in content:
        zeros.append(end + _STRIP_HEAD + strip.height)
        end = zeros[-1] + _STRIP_GAP
    height = end + _AXIS

    def draw(canvas: Canvas) -> altair.TopLevelMixin:
        ink = canvas.ink
        x = lay.across("x", (0, n_timesteps), (1, canvas.width - 1))
        y = lay.pixels("y", height)
        areas = [
            {"x": at, "y": zero - value / (strip.most or 1.0) * strip.height, "y2": zero, "of": index, "colour": colour}
            for index, (strip, zero) in enumerate(zip(content, zeros, strict=True))
            for at, value in _corners(strip.values, every, n_timesteps)
            for colour in (ink[strip.colour],)
        ]
        heads = [zero - strip.height - 11 for strip, zero in zip(content, zeros, strict=True)]
        titles = [{"words": strip.name, "y": at} for strip, at in zip(content, heads, strict=True)]
        peaks = [{"words": strip.label, "y": at} for strip, at in zip(content, heads, strict=True)]
        filled = lay.chart(areas).mark_area(interpolate="step-after")
        lines = lay.chart([{"x": 0, "x2": n_timesteps, "y": zero} for zero in zeros]).mark_rule(color=ink["muted"])
        layers = [
            filled.encode(x=x, y=y, y2="y2:Q", detail="of:N", color=lay.as_coloured()),
            lines.encode(x=x, x2="x2:Q", y=y),
            lay.words(titles, y, 0, ink["text"], limit=lay.room_beside(canvas, [strip.label for strip in content])),
            lay.words(peaks, y, canvas.width, ink["muted"], "right", size=lay.SMALL),
            *_step_axis(canvas, n_timesteps, end, height),
        ]
        return lay.finished(canvas, layers, height, title)

    return draw


def _corners(values: Sequence[float], every: int, n_timesteps: int) -> list[tuple[int, float]]:
    """Return where each value begins, and once more where the last one ends."""
    corners = [(at * every, value) for at, value in enumerate(values)]
    return [*corners, (n_timesteps, corners[-1][1])] if corners else []


def _step_axis(canvas: Canvas, n_timesteps: int, top: float, height: float) -> list[Any]:
    """Return the timesteps below the strips, at round numbers."""
    wanted = n_timesteps / (4 if canvas.is_narrow else 9)
    size = 10.0 ** floor(log10(max(1.0, wanted)))
    step = round(next((size * factor for factor in (1, 2, 5) if size * factor >= wanted), size * 10))
    ticks: list[dict[str, Any]] = [
        {"x": at, "y": height - 9, "words": str(at)} for at in range(step, n_timesteps, step)
    ]
    x, y = lay.across("x", (0, n_timesteps), (1, canvas.width - 1)), lay.pixels("y", height)
    first = [{"words": "timestep 0", "y": height - 9}]
    last = [{"x": at["x"], "y": top, "y2": top + 5} for at in ticks]
    return [
        lay.chart(last).mark_rule(color=canvas.ink["muted"]).encode(x=x, y=y, y2="y2:Q"),
        lay.words(
            [at for at in ticks if at["x"] > n_timesteps * 0.12], y, x, canvas.ink["muted"], "center", size=lay.SMALL
        ),
        lay.words(first, y, 0, canvas.ink["muted"], size=lay.SMALL),
    ]
