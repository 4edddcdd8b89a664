"""Figures as pictures: by vl-convert, without a browser, a network or JavaScript in the result."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from energy_db.errors import EnergyDbError, MissingExtraError, UsageError
from energy_db.pages.theme import INK_OF_PAGE, INK_OF_PICTURE, Ink
from energy_db.tables import write_whole

if TYPE_CHECKING:
    import altair

Drawn = TypeVar("Drawn", str, bytes)
Choice = TypeVar("Choice")

# The pictures in a page are drawn for both, and the page shows the one that fits.
WIDE, NARROW = 720, 328
PNG_SCALE = 2.0
_OUTER_SIZE = re.compile(r'^<svg ([^>]*?)width="[\d.]+" height="[\d.]+"')


@dataclass(frozen=True)
class Canvas:
    """What a figure is drawn on.

    Attributes
    ----------
    width : int
        Its width in pixels.
    ink : Ink
        Its colours.
    has_keys : bool
        Whether the figure must bring its own title and key of colours, because no page stands around it.
    """

    width: int
    ink: Ink
    has_keys: bool

    @property
    def is_narrow(self) -> bool:
        """Whether names must stand above their bars, because there is no room beside them."""
        return self.width < 500  # noqa: PLR2004


Drawing = Callable[[Canvas], "altair.TopLevelMixin"]
"""A figure: what it draws on a canvas."""


def require_extra() -> None:
    """Refuse to begin without the packages that draw.

    Raises
    ------
    MissingExtraError
        If they are not installed; it names the extra.
    """
    missing = [name for module, name in (("altair", "Altair"), ("vl_convert", "vl-convert")) if not find_spec(module)]
    if missing:
        raise MissingExtraError(
            f"pages and figures are drawn by {' and '.join(missing)}, not installed here",
            "Install it: pip install 'energy-db[plot]'",
        )


def one_of(figures: Mapping[str, Choice], by: str) -> Choice:
    """Return what draws one grain.

    Raises
    ------
    UsageError
        If there is no such grain.
    """
    if by not in figures:
        raise UsageError(f"by is {by!r}, must be one of {', '.join(map(repr, figures))}")
    return figures[by]


def inline(drawing: Drawing, width: int) -> str:
    """Return a figure as SVG to stand in a page, in the colours that the page's style sheet defines."""
    svg = _svg(drawing(Canvas(width, INK_OF_PAGE, has_keys=False)))
    return _OUTER_SIZE.sub(r'<svg \1aria-hidden="true"', svg, count=1)


def save(drawing: Drawing, path: str | PathLike[str]) -> None:
    """Draw a figure into a file.

    Parameters
    ----------
    drawing : Drawing
        The figure.
    path : path-like
        A file that ends in .svg or .png.

    Raises
    ------
    UsageError
        If it ends in something else.
    MissingExtraError
        If the packages that draw are not installed.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in (".svg", ".png"):
        raise UsageError(f"{path} ends in neither .svg nor .png", "Name a file that does.")
    require_extra()
    chart = drawing(Canvas(WIDE, INK_OF_PICTURE, has_keys=True))
    content = _svg(chart).encode() if suffix == ".svg" else _png(chart)
    write_whole(target, lambda unfinished: unfinished.write_bytes(content))


def _svg(chart: altair.TopLevelMixin) -> str:
    import vl_convert

    return _drawn(vl_convert.vegalite_to_svg, chart)


def _png(chart: altair.TopLevelMixin) -> bytes:
    import vl_convert

    return _drawn(lambda spec: vl_convert.vegalite_to_png(spec, scale=PNG_SCALE), chart)


def _drawn(draw: Callable[..., Drawn], chart: altair.TopLevelMixin) -> Drawn:
    try:
        return draw(chart.to_dict(validate=False))  # the figures are our own; a wrong one fails when drawn
    except ValueError as error:
        raise EnergyDbError(f"the figure could not be drawn: {error}", "Please report it, with this line.") from error
