"""How `ingest` empties a spool: once, or again and again while writers fill it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from energy_db import tables
from energy_db.cli.following import End
from energy_db.cli.ingested import (
    COLUMNS,
    attempt,
    conclude,
    ingested_row,
    published_once,
    say_counts,
    status_of,
    warn_of,
)
from energy_db.cli.output import Output, Settings, say, say_error, warn
from energy_db.errors import EnergyDbError, StoreError, StoreLockedError, UsageError

if TYPE_CHECKING:
    from energy_db.record.spool import Spool
    from energy_db.runs import Run

_SECONDS_BETWEEN_ROUNDS = 2.0
_OF_ONE_RUN = {"name": "--name", "run_id": "--run-id", "counters": "--counters"}
_Take = Callable[["Path", "Run | EnergyDbError"], None]


def spool_options(command: Any) -> Any:
    """Give a verb the options that name a spool."""
    options = (
        click.option("--spool", metavar="DIR", help="Store the run files that wait in a spool (docs/adapters.md)."),
        click.option("--follow", is_flag=True, help="With --spool: go on as more come, until Ctrl-C or SIGTERM."),
        click.option(
            "--every", type=click.FloatRange(0, min_open=True), metavar="SECONDS",
            help="With --follow: how often to look. Default: 2.",
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True)
class SpoolOrder:
    """What is to be done with which spool.

    Attributes
    ----------
    folder : str
        The spool.
    follow : bool
        Whether to go on as more run files come.
    every : float
        Seconds between two looks at it.
    """

    folder: str
    follow: bool
    every: float


def take_order(sources: Sequence[str], source_format: str | None, options: dict[str, Any]) -> SpoolOrder | None:
    """Take the options of a spool out of those of a verb; None if no spool is meant.

    Raises
    ------
    UsageError
        If they do not go together with each other or the other options.
    """
    folder, follow, every = (options.pop(name) for name in ("spool", "follow", "every"))
    context = click.get_current_context()
    if folder is None:
        if follow or every is not None:
            raise UsageError(f"{'--follow' if follow else '--every'} goes with --spool DIR")
        if not sources:
            raise click.MissingParameter(ctx=context, param=context.command.params[0])
        return None
    if sources:
        raise UsageError(f"--spool is all that is ingested, but {sources[0]} is named, too", "Leave one of them out.")
    if every is not None and not follow:
        raise UsageError("--every goes with --follow")
    if follow and options["dry_run"]:
        raise UsageError("--follow and --dry-run: what is not stored would wait forever", "Leave one of them out.")
    given = [option for key, option in _OF_ONE_RUN.items() if options[key] is not None]
    given += ["--from"] if source_format else []
    if given:
        raise UsageError(
            f"{given[0]} does not go with --spool", "Its run files say it; other content under a name is a new run."
        )
    return SpoolOrder(folder, follow, _SECONDS_BETWEEN_ROUNDS if every is None else every)


def ingest_spool(settings: Settings, output: Output, order: SpoolOrder, options: Mapping[str, Any]) -> int:
    """Store what waits in a spool, and move it to where it belongs then; returns the exit code.

    Raises
    ------
    EnergyDbError
        If the spool cannot be read, or the store cannot be opened or written.
    """
    from energy_db.record.spool import Spool

    # Writers of a spool do not know of each other: they may well use the same name.
    task = _Task(settings, Spool(order.folder), {**options, "on_duplicate": "new"})
    if order.follow:
        return _follow(task, output, order)
    results: list[tuple[Path, Run | EnergyDbError]] = []
    if task.has_work():
        task.empty(lambda path, result: results.append((path, result)))
    else:
        say(f"nothing waits in {order.folder}")
    return conclude(output, (), results) if results else _nothing(output)


@dataclass
class _Task:
    """A spool, and the store that its runs go to.

    Attributes
    ----------
    settings : Settings
        Says which store.
    spool : Spool
        The spool.
    options : mapping
        How run files are read, as `EnergyStore.ingest` takes it.
    named : set of Path
        The abandoned journals that were spoken of.
    """

    settings: Settings
    spool: Spool
    options: Mapping[str, Any]
    named: set[Path] = field(default_factory=set)

    def has_work(self) -> bool:
        """Whether run files wait; speaks of journals whose writers are gone."""
        for folder in self.spool.abandoned():
            if folder not in self.named:
                self.named.add(folder)
                warn(f"{folder}: its writer is gone; keep what it holds with: energy-db ingest {folder}")
        return bool(self.spool.waiting())

    def empty(self, take: _Take, is_over: Callable[[], bool] = lambda: False) -> None:
        """Store what waits, file by file, and hand over what became of each; stops early if it is over."""
        if self.options["dry_run"] and not Path(self.settings.path).exists():
            self.settings.db, self.settings.is_scratch = ":memory:", True
        with self.settings.open(read_only=False, create=True) as store, published_once(store):
            # Only now nobody else empties it into this store: what was seen before may be gone.
            for path in self.spool.waiting():
                if is_over():
                    return
                result = attempt(path, partial(store.ingest, path, **self.options), (UsageError, StoreError))
                if isinstance(result, EnergyDbError) and not path.exists():
                    continue
                self._move(path, result)
                take(path, result)

    def _move(self, path: Path, result: Run | EnergyDbError) -> None:
        """Move a file to where it belongs, after its run is in the store: so that none is ever lost."""
        if isinstance(result, EnergyDbError):
            say_error(result.message, result.hint)
        if self.options["dry_run"]:
            return
        if isinstance(result, EnergyDbError):
            self.spool.refuse(path, str(result))
        else:
            self.spool.done(path)


def _follow(task: _Task, output: Output, order: SpoolOrder) -> int:
    if output.path is not None or output.format not in ("table", "csv"):
        raise UsageError(
            "--follow writes a line for each run as it comes: a table or CSV, to stdout",
            "Leave -o and --format out, or give --format csv; energy-db runs --json lists what is stored.",
        )
    end, counts, is_held = End(), Counter[str](), False
    if output.format == "csv":
        output.text(tables.csv_text([], COLUMNS))

    def take(path: Path, result: Run | EnergyDbError) -> None:
        counts[status_of(result)] += 1
        if not isinstance(result, EnergyDbError):
            output.text(_line(output.format, ingested_row(path, result)))
            warn_of(result)

    with end.listening():
        while not end.is_near():
            try:
                if task.has_work():
                    task.empty(take, end.is_near)
            except StoreLockedError as error:
                if not is_held:
                    say(f"waiting for the store: {error.message}")
                is_held = True
            end.wait(order.every)
    say_counts(counts or {"stored": 0})
    return end.exit_code


def _line(form: str, row: tables.Row) -> str:
    if form == "csv":
        return tables.csv_text([row]).partition("\n")[2]
    return "{status}  {run_id}  {name}  {spikes} spikes  {file}".format(**row)


def _nothing(output: Output) -> int:
    output.rows("energy-db/ingest/1", [], columns=COLUMNS)
    return 0
