"""What the figures have in common: places in pixels, words, scales, and the frame around them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from energy_db.pages.drawing import Canvas
from energy_db.pages.theme import SHAPES, Key

if TYPE_CHECKING:
    import altair

FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
FONT_SIZE = 13
SMALL = 12
BAR = 16
_ROW, _ROW_NARROW = 27, 44
_NAMES = 190
_TITLE, _TITLE_SIGN = 16, 10.0  # pixels of a sign, on the generous side
_SIGN = 7.4  # pixels of a sign, on the generous side
_GAP = 7

Places = Sequence[Mapping[str, Any]]
Keys = Sequence[Key]
Align = Literal["left", "center", "right"]
Layer = Any  # an Altair chart; its own types are wider than what a layer of a figure is


class RowLayout:
    """Where the rows of a figure stand: names to the left; where there is no room, names and labels above their bars.

    Parameters
    ----------
    canvas : Canvas
        What they are drawn on.
    labels : sequence of str
        What stands behind the bars.
    sides : str
        On which sides of the bars labels stand: 'left', 'right' or 'both'.
    foot : int
        Pixels below the rows.
    """

    def __init__(self, canvas: Canvas, labels: Sequence[str], sides: str = "right", foot: int = 0) -> None:
        room = max((len(label) for label in labels), default=0) * _SIGN + _GAP
        self.is_narrow, self.width, self._labels = canvas.is_narrow, canvas.width, room
        self.left = 1 if canvas.is_narrow else _NAMES + (1 if sides == "right" else room)
        self.right = canvas.width - (1 if canvas.is_narrow or sides == "left" else room)
        self._row = _ROW_NARROW if canvas.is_narrow else _ROW
        self.height = len(labels) * self._row + foot

    def top(self, index: int) -> int:
        """Return where a row's bar begins."""
        return index * self._row + (self._row - BAR - (4 if self.is_narrow else 5))

    def middle(self, index: int) -> float:
        """Return the middle of a row's bar."""
        return self.top(index) + BAR / 2

    def name_at(self, index: int) -> float:
        """Return the middle of a row's name."""
        return self.top(index) - 10 if self.is_narrow else self.middle(index)

    @property
    def name_limit(self) -> float:
        """How many pixels a name may take; a longer one is cut, and whole in the table."""
        return self.width - self._labels if self.is_narrow else _NAMES - 12


def room_beside(canvas: Canvas, labels: Sequence[str]) -> float:
    """Return how many pixels of a line labels at its right leave for a name at its left."""
    return canvas.width - max((len(label) for label in labels), default=0) * _SIGN - _GAP


def chart(places: Places) -> altair.Chart:
    """Return an empty chart over its own data."""
    import altair

    return altair.Chart(altair.InlineData(values=[dict(place) for place in places]))


def pixels(field: str, height: float) -> altair.Y:
    """Return a vertical channel whose values are pixels from above."""
    import altair

    return altair.Y(f"{field}:Q", scale=altair.Scale(domain=[0, height], range=[0, height]), axis=None)


def across(
    field: str, domain: Sequence[float], places: Sequence[float], kind: Literal["linear", "log"] = "linear"
) -> altair.X:
    """Return a horizontal channel from a range of values to a range of pixels."""
    import altair

    scale = altair.Scale(type=kind, domain=list(domain), range=list(places), nice=False, zero=False)
    return altair.X(f"{field}:Q", scale=scale, axis=None)


def as_coloured() -> altair.Color:
    """Return a colour channel that takes the colours that the data brings."""
    import altair

    return altair.Color("colour:N", scale=None, legend=None)


def one_colour(colour: str) -> Any:
    """Return a colour channel of one colour."""
    import altair

    return altair.value(colour)


def words(
    places: Places,
    y: altair.Y,
    x: altair.X | float,
    colour: str,
    align: Align = "left",
    limit: float | None = None,
    size: int = FONT_SIZE,
    dx: float = 0,
) -> Layer:
    """Return words at their places: the field `words` of the data."""
    import altair

    mark = chart(places).mark_text(
        align=align,
        baseline="middle",
        fontSize=size,
        color=colour,
        dx=dx,
        limit=altair.Undefined if limit is None else limit,
    )
    return mark.encode(x=altair.value(x) if isinstance(x, int | float) else x, y=y, text="words:N")


def names(canvas: Canvas, layout: RowLayout, content: Iterable[str]) -> Layer:
    """Return the names of rows."""
    places = [{"words": name, "y": layout.name_at(index)} for index, name in enumerate(content)]
    return words(places, pixels("y", layout.height), 0, canvas.ink["text"], limit=layout.name_limit)


def finished(
    canvas: Canvas, layers: Sequence[Layer], height: float, title: str, keys: Keys = ()
) -> altair.TopLevelMixin:
    """Return a figure of layers; one that stands alone gets its title, its key of colours and its paper."""
    import altair

    drawn: list[Any] = list(layers)
    if canvas.has_keys and len(keys) > 1:
        drawn.append(_key(canvas, keys))
    figure = (
        altair.layer(*drawn)
        .resolve_scale(color="independent", shape="independent")
        .properties(width=canvas.width, height=height)
    )
    if canvas.has_keys:
        heading = altair.TitleParams(
            title_lines(title, canvas.width),
            anchor="start", fontSize=_TITLE, fontWeight=600, offset=14, color=canvas.ink["text"], limit=canvas.width,
        )  # fmt: skip
        figure = figure.properties(title=heading, background=canvas.ink["paper"], padding=16)
    else:
        figure = figure.properties(background="transparent", padding=0, autosize=altair.AutoSizeParams(type="none"))
    legend = altair.LegendConfig(labelFontSize=SMALL, labelColor=canvas.ink["text"], labelLimit=260, symbolSize=120)
    view = altair.ViewConfig(stroke=None)
    framed: altair.TopLevelMixin = figure.configure(font=FONT, aria=False, view=view, legend=legend)
    return framed


def title_lines(title: str, width: float) -> list[str]:
    """Return a title in as many lines as it needs, at most three.

    >>> title_lines("energy on loihi2: 30 runs, 2026-11-24 to 2026-11-24", 400)
    ['energy on loihi2: 30 runs, 2026-11-24 to', '2026-11-24']
    """
    n_signs = int(width / _TITLE_SIGN)
    return textwrap.wrap(title, n_signs, max_lines=3, placeholder=" …", break_on_hyphens=False) or [""]


def _key(canvas: Canvas, keys: Keys) -> Any:
    """Return what is not seen of a layer, so that its legend is."""
    import altair

    meanings = [key.meaning for key in keys]
    legend = altair.Legend(orient="bottom", title=None, columns=4, symbolOpacity=1, offset=14)
    colours = altair.Scale(domain=meanings, range=[canvas.ink[key.colour] for key in keys])
    shapes = altair.Scale(domain=meanings, range=[SHAPES[key.shape] for key in keys])
    unseen = chart([{"key": name} for name in meanings]).mark_point(opacity=0, filled=True)
    return unseen.encode(
        x=altair.value(0),
        y=altair.value(0),
        color=altair.Color("key:N", scale=colours, legend=legend),
        shape=altair.Shape("key:N", scale=shapes, legend=legend),
    )
