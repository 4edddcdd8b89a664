"""How verbs speak: data to stdout or a file, in the format that was asked for; talk to stderr."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from energy_db import tables
from energy_db.errors import EnergyDbError, StoreLockedError, UsageError

if TYPE_CHECKING:
    import pyarrow

    from energy_db.store import EnergyStore

_SECONDS_BETWEEN_TRIES = 0.1
FORMATS = ("table", "json", "csv", "md", "parquet")
Rows = Sequence[Mapping[str, Any]]
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass
class Settings:
    """What the options before the verb say."""

    db: str | None
    wait: float = 0
    is_scratch: bool = False

    @property
    def path(self) -> str:
        """The store that is meant."""
        return self.db or os.environ.get("ENERGY_DB") or "energy.duckdb"

    def open(self, read_only: bool = True, create: bool = False) -> EnergyStore:
        """Open the store, as soon as nobody else holds it; unless it may be created, it must exist."""
        from energy_db.store import EnergyStore

        if self.path == ":memory:" and not self.is_scratch:
            raise UsageError("a store in memory is gone when the command ends", "Name a file: --db PATH")
        must_exist = not create and not Path(self.path).exists()
        until = time.monotonic() + self.wait
        while True:
            try:
                return EnergyStore(self.path, read_only=read_only or must_exist)
            except StoreLockedError:
                if time.monotonic() > until:
                    raise
                time.sleep(_SECONDS_BETWEEN_TRIES)


@dataclass
class _Talk:
    """How talk looks; errors are said when the settings of the command line are gone already."""

    is_coloured: bool | None = None


_talk = _Talk()


def choose_colours(option: str) -> None:
    """Choose whether talk is coloured: by --color, then NO_COLOR, then FORCE_COLOR, then by who listens."""
    wanted = {"always": True, "never": False}.get(option)
    if wanted is None and os.environ.get("NO_COLOR"):
        wanted = False
    if wanted is None and os.environ.get("FORCE_COLOR"):
        wanted = True
    _talk.is_coloured = wanted


@dataclass(frozen=True)
class Output:
    """Where data goes, and in which format."""

    format: str
    path: str | None

    def text(self, content: str) -> None:
        """Write text."""
        if self.path is None:
            _echo(content)
        else:
            self._write(lambda path: path.write_text(content + "\n", encoding="utf-8"))

    def rows(
        self,
        schema: str,
        rows: Rows,
        *,
        human: Rows | None = None,
        columns: Sequence[str] | None = None,
        about: Mapping[str, Any] | None = None,
        arrow: Callable[[], pyarrow.Table] | None = None,
        wrap: bool = False,
    ) -> None:
        """Write rows.

        Parameters
        ----------
        schema : str
            Name and version of the JSON form.
        rows : sequence of mapping
            The rows as machines read them.
        human : sequence of mapping, optional
            The rows as people read them.
        columns : sequence of str, optional
            The header, in case there are no rows.
        about : mapping, optional
            What the JSON form says beside the rows.
        arrow : callable, optional
            Makes the rows for Parquet, with their exact types.
        wrap : bool
            Whether long texts go on below where a terminal is too narrow for them; elsewhere, they never do.
        """
        shown = rows if human is None else human
        if self.format == "json":
            self.text(tables.json_text({"schema": schema, **(about or {}), "rows": list(rows)}))
        elif self.format == "csv":
            self.text(tables.csv_text(rows, columns))
        elif self.format == "md":
            self.text(tables.markdown_table(shown))
        elif self.format == "parquet":
            self.parquet(arrow() if arrow else tables.arrow_table(rows))
        elif shown or self.path:
            width = shutil.get_terminal_size().columns if wrap and not self.path and sys.stdout.isatty() else None
            self.text(tables.text_table(shown, width))

    def parquet(self, table: pyarrow.Table) -> None:
        """Write an Arrow table as a Parquet file."""
        self._write(lambda path: tables.write_parquet(table, str(path)))

    def _write(self, write: Callable[[Path], Any]) -> None:
        with suppress(BrokenPipeError):
            tables.write_whole(Path(self.path or ""), write)


def store_option(command: Command) -> Command:
    """Let a verb take --db behind its name, too."""

    def remember(context: click.Context, _: click.Parameter, value: str | None) -> None:
        if value is not None:
            context.ensure_object(Settings).db = value

    option = click.option(
        "--db", metavar="PATH", expose_value=False, callback=remember, help="The store (see energy-db --help)."
    )
    return option(command)


def output_options(command: Command) -> Command:
    """Give a verb the options that choose the format; it receives an `Output`."""

    def choose(context: click.Context, _: click.Parameter, path: str | None) -> Output:
        chosen = "json" if context.params.pop("as_json") else context.params.pop("format")
        if chosen is None:
            suffix = Path(path).suffix.lstrip(".").lower() if path else "table"
            chosen = {"txt": "table", "": "table", "markdown": "md", "pq": "parquet"}.get(suffix, suffix)
        context.params.pop("format", None)
        if chosen not in FORMATS:
            raise click.BadParameter(f"cannot tell the format from {path!r}: add --format {'|'.join(FORMATS)}")
        if chosen == "parquet" and path is None:
            raise UsageError("Parquet is not for a terminal", "Name a file: -o FILE.parquet")
        if path is not None:
            refuse_unwritable(Path(path), context.find_object(Settings))
        return Output(chosen, path)

    options = (
        click.option(
            "-f", "--format", type=click.Choice(FORMATS), is_eager=True, help="Default: table, or by the suffix of -o."
        ),
        click.option("--json", "as_json", is_flag=True, is_eager=True, help="The same as --format json."),
        click.option("-o", "output", metavar="FILE", callback=choose, help="Write to a file instead of stdout."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def refuse_unwritable(
    target: Path, settings: Settings | None, option: str = "-o", in_use: Mapping[str, str | None] | None = None
) -> None:
    """Find out before the work is done whether its result could be written to what an option names.

    Parameters
    ----------
    target : Path
        What the option names.
    settings : Settings or None
        What says where the store is.
    option : str
        The option.
    in_use : mapping of str to (str or None), optional
        Other files that are not to be overwritten, each by what it is; None is no file.

    Raises
    ------
    UsageError
        If it is the store, or another file that is in use.
    EnergyDbError
        If nothing can be written there.
    """
    for what, path in {"the store itself": settings.path if settings else None, **(in_use or {})}.items():
        if path is not None and _are_the_same(target, Path(path)):
            raise UsageError(f"{target} is {what}", f"Name another file: {option} FILE")
    if target.name == "-":
        raise UsageError(f"{option} - is not needed", f"Without {option}, everything goes to stdout.")
    if not target.parent.is_dir():
        raise EnergyDbError(f"{target}: cannot be written: the folder {target.parent} does not exist")
    if target.is_dir():
        raise EnergyDbError(f"{target}: cannot be written: it is a folder")


def _are_the_same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.is_file() and one.samefile(other)
    return one.resolve() == other.resolve()


def say(text: str) -> None:
    """Say something that is not data."""
    _echo(_safe(text), to_stderr=True)


def say_error(message: str, hint: str | None = None) -> None:
    """Say what went wrong and what to do."""
    _echo(click.style("Error: ", fg="red", bold=True) + _safe(message), to_stderr=True)
    if hint:
        _echo(click.style("  → ", fg="cyan") + _safe(hint), to_stderr=True)


def warn(text: str) -> None:
    """Say what the reader of the data should know."""
    _echo(click.style("Note: ", fg="yellow") + _safe(text), to_stderr=True)


def _echo(text: str, to_stderr: bool = False) -> None:
    """Print; a reader that has left, as head does, changes nothing of what a verb does and how it ends."""
    # Data has no colours: what looks like one is of a name, which stays what it is but for a terminal, that would obey.
    color = _talk.is_coloured if to_stderr else not sys.stdout.isatty()
    try:
        click.echo(text, err=to_stderr, color=color)
    except BrokenPipeError:
        # What is still to be said, and what the stream kept of this, goes nowhere.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, (sys.stderr if to_stderr else sys.stdout).fileno())
        os.close(nowhere)


def _safe(text: str) -> str:
    """Return text without control characters other than line ends."""
    return "\n".join(tables.printable(line) for line in text.split("\n"))


def is_watched() -> bool:
    """Whether a person looks at stderr."""
    return sys.stderr.isatty()


def can_draw() -> bool:
    """Whether stdout can show the blocks of a sparkline."""
    try:
        "▁│".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
