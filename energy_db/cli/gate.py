"""Verbs that say what may be merged: check, bless."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from energy_db.cli.output import Output, Settings, output_options, refuse_unwritable, say, say_error, store_option, warn
from energy_db.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from energy_db.gate.blessings import Blessing
    from energy_db.gate.budget import Limit
    from energy_db.gate.check import CheckReport

_EXIT_CODES = {"pass": 0, "fail": 1, "unchecked": 3}
_BLESS_HELP = 'For example: energy-db bless latest --chip loihi2 --reason "a wider layer, 2 % more accurate"'


class Energy(click.ParamType[Decimal]):
    """An energy with its unit, in pJ."""

    name = "energy"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Read it."""
        from energy_db.gate.amounts import ENERGY_EXAMPLE, read_energy

        found = read_energy(value)
        if found is None:
            self.fail(f"{value!r} is not an energy with its unit: write {ENERGY_EXAMPLE!r}", param, ctx)
        return found


class Percentage(click.ParamType[Decimal]):
    """A percentage, as a share of 1."""

    name = "percentage"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Read it."""
        from energy_db.gate.amounts import INCREASE_EXAMPLE, read_share

        found = read_share(value)
        if found is None:
            self.fail(f"{value!r} is not a percentage: write {INCREASE_EXAMPLE!r}", param, ctx)
        return found


@click.command()
@click.argument("run", default="latest", metavar="[RUN]")
@click.option("--chip", metavar="NAME", help="The chip of limits that name none. Default: the budget's.")
@click.option(
    "--against", metavar="BASELINE", help="A run, @tag, group:TAG=VALUE or blessed. Default: the budget's baseline."
)
@click.option(
    "--budget", metavar="FILE", help="Default: ./energy-budget.toml, else [tool.energy-db] of ./pyproject.toml."
)
@click.option("--max-energy", type=Energy(), metavar="ENERGY", help="The most that the run may cost, such as '12 nJ'.")
@click.option("--max-energy-per-inference", type=Energy(), metavar="ENERGY", help="The most of its mean sample.")
@click.option("--max-increase", type=Percentage(), metavar="PERCENT", help="The most above the baseline: '5 %'.")
@click.option("--cost", "cost_version", metavar="VERSION", help="Cost set. Default: the one in force.")
@click.option("--allow", is_flag=True, help="Hold runs against each other that are not comparable.")
@click.option("--allow-missing", is_flag=True, help="Pass over baselines and tags not there yet, as in a first run.")
@click.option("--report", "report_file", metavar="FILE.md", help="Also write it for a pull request, in Markdown.")
@store_option
@output_options
@click.pass_obj
def check(
    settings: Settings,
    /,
    output: Output,
    run: str,
    chip: str | None,
    against: str | None,
    budget: str | None,
    report_file: str | None,
    **options: Any,
) -> int:
    """Check a run against its limits: the gate for CI.

    \b
    Examples:
      energy-db check latest --chip loihi2 --max-energy '12 nJ'
      energy-db check --against @main --max-increase '5 %' --chip loihi2 --report energy.md

    Says by how much a limit is broken, why, and the cheapest ways back. Limits given here are checked beside those
    of the budget. Exit code 1 only if a limit is broken; 3 if one could not be checked: no baseline, runs that are
    not comparable, operations without a price.
    """
    report = None if report_file is None else Output("md", report_file)
    _refuse_files_in_use(output, report, budget, settings)
    with _reported(report), settings.open() as store:
        from energy_db.gate.budget import find_budget

        found = store.check(
            run,
            chip,
            limits=_limits(options),
            budget=find_budget(Path()) if budget is None else budget,
            against=against,
            cost_version=options["cost_version"],
            allow=options["allow"],
            allow_missing=options["allow_missing"],
        )
    if report is not None:
        report.text(found.to_markdown())
    _show_check(output, found)
    return _conclude(found)


def _refuse_files_in_use(output: Output, report: Output | None, budget: str | None, settings: Settings) -> None:
    from energy_db.gate.budget import BUDGET_FILE, PROJECT_FILE

    budgets = {"the budget": BUDGET_FILE, "where a budget may be": PROJECT_FILE}
    in_use: dict[str, str | None] = dict(budgets) if budget is None else {"the budget": budget}
    if output.path is not None:
        refuse_unwritable(Path(output.path), settings, "-o", in_use)
    if report is not None:
        in_use["what -o writes"] = output.path
        refuse_unwritable(Path(report.path or ""), settings, "--report", in_use)


@contextmanager
def _reported(report: Output | None) -> Iterator[None]:
    """Say in the report if something that is asked for is not there; leave no old one if nothing can be said."""
    try:
        yield
    except BaseException as error:
        if report is not None and isinstance(error, NotFoundError):
            from energy_db.gate import faces

            report.text(faces.not_found(error))
        elif report is not None and Path(report.path or "").is_file():
            Path(report.path or "").unlink()
        raise


def _limits(options: Mapping[str, Any]) -> list[Limit]:
    """Return the limits that options give, each named after its option."""
    from energy_db.gate.budget import Limit

    energy, per_inference = options["max_energy"], options["max_energy_per_inference"]
    increase = options["max_increase"]
    wanted = [
        (energy, Limit("--max-energy", max_energy_pj=energy)),
        (per_inference, Limit("--max-energy-per-inference", max_energy_pj=per_inference, per="inference")),
        (increase, Limit("--max-increase", max_increase=increase)),
    ]
    return [limit for amount, limit in wanted if amount is not None]


def _show_check(output: Output, found: CheckReport) -> None:
    from energy_db.gate import faces
    from energy_db.tables import json_text

    if output.format == "json":
        output.text(json_text(found.to_dict()))
    elif output.format == "table":
        output.text(faces.page(found))
    elif output.format == "md":
        output.text(found.to_markdown())
    else:
        from energy_db.gate.rows import LimitResult

        columns = [field.name for field in fields(LimitResult)]
        output.rows("energy-db/check-limits/1", [asdict(result) for result in found.limits], columns=columns)


def _conclude(found: CheckReport) -> int:
    for note in (*found.notes, *found.warnings):
        warn(note)
    for obstacle in found.obstacles:
        say_error(obstacle)
    return _EXIT_CODES[found.verdict]


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
