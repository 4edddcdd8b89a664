"""Verbs that write to the cost catalogue, or say what may be written: costs add, template, lint, in-force, withdraw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from energy_db.cli.output import Output, Settings, output_options, say, store_option, warn
from energy_db.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from energy_db.catalogue.files import Problem

_CHECK_FAILED = 1
_FACT_COLUMNS = ("chip", "cost_version", "in_force_from", "recorded_at", "is_in_force", "reason")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--in-force-from", metavar="DATE", help="First day on which the added version is in force.")
@click.option("--dry-run", is_flag=True, help="Do everything but keep it.")
@store_option
@output_options
@click.pass_obj
def add(
    settings: Settings, /, output: Output, files: tuple[str, ...], in_force_from: str | None, dry_run: bool
) -> None:
    """Add cost files to the catalogue: all of them, or nothing.

    \b
    Examples:
      energy-db costs add my_fpga.toml
      energy-db costs add my_fpga.toml --in-force-from 2026-01-01 --dry-run

    costs template prints a file to start from. A version never changes: what is there already with the same content
    is "unchanged", other content under an old name is refused.
    """
    if dry_run and not Path(settings.path).exists():
        settings.db, settings.is_scratch = ":memory:", True
    with settings.open(read_only=False, create=True) as store:
        rows = store.costs.add(files, in_force=in_force_from, dry_run=dry_run)
        facts = store.costs.in_force()
    human = [{key: value for key, value in row.items() if key != "content_hash"} for row in rows]
    output.rows("energy-db/costs-added/1", rows, human=human)
    for row in rows:
        if row["in_force_from"] is not None:
            _note_if_superseded(row, facts)


@click.command()
@click.option("--chip", default="my_fpga", show_default=True, metavar="NAME", help="What to call the chip.")
@click.option("-o", "path", metavar="FILE", help="Write to a new file instead of stdout.")
def template(chip: str, path: str | None) -> None:
    """Print a cost file to start from.

    \b
    Examples:
      energy-db costs template > my_fpga.toml
      energy-db costs template --chip lif_array -o lif_array.toml

    An FPGA design with a neuron model of its own, every key explained; it can be added as it is.
    """
    from energy_db.catalogue.lint import is_chip_name
    from energy_db.sql import cost_template

    if not is_chip_name(chip):
        raise UsageError(f"no chip can be called {chip!r}", "Use small letters, digits and _ only; not all.")
    if path is not None and Path(path).exists():
        raise UsageError(f"{path} exists already", "Name a new file: -o FILE")
    Output("table", path).text(cost_template().replace("my_fpga", chip).rstrip("\n"))


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@store_option
@output_options
@click.pass_obj
def lint(settings: Settings, /, output: Output, files: tuple[str, ...]) -> int:
    """Check cost files against the rules of the catalogue; nothing is added.

    \b
    Examples:
      energy-db costs lint my_fpga.toml
      energy-db costs lint

    Without FILE, the files of this release. If the store exists, its versions and drivers count, too, and it must be
    one that can be read. Exit code 1 if a rule is broken.
    """
    from energy_db.catalogue.files import count_versions
    from energy_db.sql import cost_files

    paths = files or None
    problems = _problems(settings, paths)
    if output.format != "table" or output.path:
        columns = ("file", "version", "operation", "problem", "advice")
        output.rows("energy-db/costs-lint/1", [asdict(problem) for problem in problems], columns=columns)
    for problem in problems:
        say(str(problem))
    if problems:
        return _CHECK_FAILED
    n_files, n_versions = len(files or cost_files()), count_versions(files or cost_files())
    say(f"{_count(n_files, 'file')}, {_count(n_versions, 'version')}, no problems")
    return 0


def _problems(settings: Settings, paths: tuple[str, ...] | None) -> list[Problem]:
    if Path(settings.path).exists():
        with settings.open() as store:
            return store.costs.lint(paths)
    from energy_db.catalogue.files import shipped_drivers
    from energy_db.catalogue.lint import lint_files

    return lint_files(paths, {name: meaning for name, (meaning, _) in shipped_drivers().items()}, {})


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@click.command("in-force")
@click.argument("chip", required=False)
@click.argument("cost_version", required=False, metavar="[VERSION]")
@click.option("--from", "from_date", metavar="DATE", help="First day on which it is in force. Default: today (UTC).")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
@click.option("--as-of", metavar="DATE", help="Show what was known, and what held, on this day.")
@click.option("--dry-run", is_flag=True, help="Do everything but keep it.")
@store_option
@output_options
@click.pass_obj
def in_force(
    settings: Settings,
    /,
    output: Output,
    chip: str | None,
    cost_version: str | None,
    from_date: str | None,
    reason: str,
    as_of: str | None,
    dry_run: bool,
) -> None:
    """Show which cost version is in force since when, or say it.

    \b
    Examples:
      energy-db costs in-force loihi
      energy-db costs in-force my_fpga rev2 --from 2026-03-01 --reason "measured on the board"

    Without VERSION the dated history is shown. With it a fact is added; nothing that was said before is changed, so
    report --as-of still finds what was in force on a day, as was known then.
    """
    if chip is None or cost_version is None:
        if from_date or reason or dry_run:
            raise UsageError("--from, --reason and --dry-run need a version", "Name it: in-force CHIP VERSION")
        with settings.open() as store:
            rows = store.costs.in_force(chip, as_of=as_of)
            if chip and not rows:
                store.costs.version_for(chip, as_of=as_of)  # says why there is none
        if not rows:
            raise NotFoundError(
                f"nothing was known on {as_of} of what is in force", "energy-db costs in-force shows what is known now."
            )
        if as_of and date.fromisoformat(as_of) > _today():
            warn(f"{as_of} is to come: this is what is known today, and what is said until then may change it")
        shown = [{key: row[key] for key in _FACT_COLUMNS} for row in rows]
        human = [
            {"in force" if key == "is_in_force" else key: _yes(value) for key, value in row.items()} for row in shown
        ]
        output.rows("energy-db/costs-in-force/1", rows, human=human, columns=("fact_number", *_FACT_COLUMNS))
        return
    if as_of:
        raise UsageError("--as-of is for looking back, nothing can be said as of another day", "Use --from DATE.")
    with settings.open(read_only=False) as store:
        fact = store.costs.put_in_force(chip, cost_version, from_date, reason=reason, dry_run=dry_run)
        facts = store.costs.in_force(chip)
    output.rows("energy-db/costs-in-force/1", [fact])
    _note_if_superseded(fact, facts)


def _today() -> date:
    return datetime.now(UTC).date()


def _note_if_superseded(said: Mapping[str, Any], facts: Sequence[Mapping[str, Any]]) -> None:
    """Say so where what was said of the past does not hold today, because something begun later does."""
    chip, version = said["chip"], said["cost_version"]
    for fact in facts:
        later = fact["in_force_from"] > said["in_force_from"] and fact["cost_version"] != version
        if fact["chip"] == chip and fact["is_in_force"] and later:
            warn(
                f"{chip} {version} does not hold today: {fact['cost_version']} is in force since "
                f"{fact['in_force_from']}; to put {version} in its place: "
                f"energy-db costs in-force {chip} {version} --from {fact['in_force_from']}"
            )


def _yes(value: Any) -> Any:
    return {True: "yes", False: ""}[value] if isinstance(value, bool) else value


@click.command()
@click.argument("chip")
@click.argument("cost_version", metavar="VERSION")
@click.option("--reason", required=True, metavar="TEXT", help="Why, and what to use instead.")
@click.option("--dry-run", is_flag=True, help="Do everything but keep it.")
@store_option
@output_options
@click.pass_obj
def withdraw(settings: Settings, /, output: Output, chip: str, cost_version: str, reason: str, dry_run: bool) -> None:
    """Say that a cost version should no longer be used.

    \b
    Examples:
      energy-db costs withdraw my_fpga rev1 --reason "clock gating was off; use rev2"
      energy-db costs withdraw my_fpga rev1 --reason "misread the report" --dry-run

    It still prices, so that old reports can be made again, but with a warning.
    """
    with settings.open(read_only=False) as store:
        row: Mapping[str, Any] = store.costs.withdraw(chip, cost_version, reason, dry_run=dry_run)
        left = [fact for fact in store.costs.in_force(chip) if fact["is_in_force"]]
    output.rows("energy-db/costs-withdrawn/1", [row])
    if any(fact["cost_version"] == cost_version for fact in left):
        warn(f"it is still in force for {chip}; put another in force: energy-db costs in-force {chip} VERSION")
