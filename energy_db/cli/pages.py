"""The options that a verb shares which has something to look at: --html and --plot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from energy_db.cli.output import Command, Settings, refuse_unwritable, say
from energy_db.errors import UsageError

PLOT_SUFFIXES = (".svg", ".png")


@dataclass(frozen=True)
class Page:
    """What to draw beside the data, if anything, and into which files.

    Attributes
    ----------
    html, plot : str or None
        The page, and the picture of its main figure; None where it is not wanted.
    """

    html: str | None
    plot: str | None

    @property
    def is_wanted(self) -> bool:
        """Whether anything is to be drawn."""
        return self.html is not None or self.plot is not None

    def show(self, to_html: Callable[[], str], plot: Callable[[str], None]) -> None:
        """Draw what is wanted and say where it is.

        Parameters
        ----------
        to_html : callable
            Returns the page, as `Report.to_html` does.
        plot : callable
            Draws the main figure into a file of that path, as `Report.plot` does.
        """
        from energy_db.tables import write_whole

        if self.html is not None:
            content = to_html()
            write_whole(Path(self.html), lambda path: path.write_text(content, encoding="utf-8"))
            say(f"the page is {self.html}: one file, to be opened in any browser")
        if self.plot is not None:
            plot(self.plot)
            say(f"the figure is {self.plot}")


def page_options(command: Command) -> Command:
    """Give a verb --html FILE and --plot FILE; it receives a `Page` as its argument `page`.

    The verb prints its data as always, then calls ``page.show(thing.to_html, thing.plot)``. That the files can be
    written, and that the extra which draws them is installed, is found out before the verb begins.
    """

    def choose(context: click.Context, _: click.Parameter, plot: str | None) -> Page:
        page = Page(context.params.pop("html"), plot)
        if plot is not None and Path(plot).suffix.lower() not in PLOT_SUFFIXES:
            raise click.BadParameter(f"cannot tell the format from {plot!r}: name a file that ends in .svg or .png")
        for option, path in (("--html", page.html), ("--plot", page.plot)):
            if path is not None:
                refuse_unwritable(Path(path), context.find_object(Settings), option)
        if page.html is not None and page.html == page.plot:
            raise UsageError(f"--html and --plot both name {page.html}", "Name two files.")
        if page.is_wanted:
            from energy_db.pages.drawing import require_extra

            require_extra()
        return page

    options = (
        click.option("--html", metavar="FILE", is_eager=True, help="Also write a page to look at: one file, offline."),
        click.option(
            "--plot",
            "page",
            metavar="FILE",
            callback=choose,
            help="Also draw the main figure, or that of --by: FILE.svg or FILE.png.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command
