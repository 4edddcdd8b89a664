"""Verbs that say what may be merged: bless."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import click

from energy_db.cli.output import Output, Settings, output_options, say, store_option
from energy_db.errors import UsageError

if TYPE_CHECKING:
    from energy_db.gate.blessings import Blessing

_BLESS_HELP = 'For example: energy-db bless latest --chip loihi2 --reason "a wider layer, 2 % more accurate"'


@click.command()
@click.argument("run", required=False)
@click.option("--chip", metavar="NAME", help="The chip. With --list: only this one.")
@click.option("--reason", metavar="TEXT", help="Why the level is accepted, or taken back.")
@click.option("--layer", metavar="NAME", help="Accept the level of this layer only. Default: of the whole run.")
@click.option("--cost", "cost_version", metavar="VERSION", help="Cost set. Default: the one in force.")
@click.option("--by", "said_by", metavar="NAME", help="Who says so.")
@click.option("--list", "is_list", is_flag=True, help="Show all levels that were accepted, the newest first.")
@click.option("--revoke", type=int, metavar="NUMBER", help="Take a blessing back.")
@click.option("--dry-run", is_flag=True, help="Do everything but keep it.")
@store_option
@output_options
@click.pass_obj
def bless(settings: Settings, /, output: Output, run: str | None, is_list: bool, **options: Any) -> None:
    """Accept what a run costs, with the reason; later runs are checked against it.

    \b
    Examples:
      energy-db bless latest --chip loihi2 --reason "a wider layer, 2 % more accurate"
      energy-db bless --revoke 3 --reason "the accuracy did not last"

    Nothing that was said is ever changed: a newer blessing takes the place of an older one of the same history, chip
    and layer, and one that is revoked stays on record. energy-db check --against blessed holds a run against it.
    """
    _refuse_contradictions(run, is_list, options)
    if is_list:
        with settings.open() as store:
            found = store.blessings(chip=options["chip"])
        _show(output, found)
        if not found:
            say(f"no level is blessed yet. {_BLESS_HELP}")
        return
    said = {"reason": options["reason"], "dry_run": options["dry_run"]}
    with settings.open(read_only=False) as store:
        if options["revoke"] is not None:
            given = store.revoke(options["revoke"], revoked_by=options["said_by"], **said)
        else:
            scope = {"layer": options["layer"], "cost_version": options["cost_version"]}
            given = store.bless(run or "", options["chip"], blessed_by=options["said_by"], **scope, **said)
    _show(output, [given])


def _refuse_contradictions(run: str | None, is_list: bool, options: dict[str, Any]) -> None:
    """Find out which of its three things the verb is to do, and whether it is told all that it needs."""
    is_revoked = options["revoke"] is not None
    scope = {"--layer": options["layer"], "--cost": options["cost_version"]}
    if is_list:
        others = {"RUN": run, "--revoke": is_revoked, "--reason": options["reason"], "--by": options["said_by"]}
        _refuse("--list", {**others, "--dry-run": options["dry_run"], **scope})
    elif is_revoked:
        _refuse("--revoke", {"RUN": run, "--chip": options["chip"], **scope})
        _demand({"--reason": options["reason"]})
    elif run is None:
        raise UsageError("name a run, or say --list or --revoke NUMBER", _BLESS_HELP)
    else:
        _demand({"--chip": options["chip"], "--reason": options["reason"]})


def _refuse(option: str, others: dict[str, Any]) -> None:
    if given := [name for name, value in others.items() if value]:
        raise UsageError(f"{', '.join(given)}: not together with {option}")


def _demand(needed: dict[str, Any]) -> None:
    if missing := [name for name, value in needed.items() if value is None]:
        raise UsageError(f"{' and '.join(missing)} must be given", _BLESS_HELP)


def _show(output: Output, blessings: list[Blessing]) -> None:
    from energy_db.gate.blessings import Blessing
    from energy_db.gate.faces import blessing_rows

    columns = [field.name for field in fields(Blessing)]
    rows = [asdict(blessing) for blessing in blessings]
    output.rows("energy-db/blessings/1", rows, human=blessing_rows(blessings), columns=columns)
