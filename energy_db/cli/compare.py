"""The verb that says what changed between two runs, and why: compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from energy_db.cli.groups import are_groups, compare_groups
from energy_db.cli.modes import CHIPS, insist_on_comparable, refuse_what_does_not_suit
from energy_db.cli.output import Output, Settings, output_options, say, store_option, warn
from energy_db.cli.pages import Page, page_options
from energy_db.cli.record import Assignment
from energy_db.cli.reports import Top
from energy_db.errors import UsageError

if TYPE_CHECKING:
    from energy_db.comparisons.chips import ChipChanges
    from energy_db.comparisons.comparison import Comparison
    from energy_db.comparisons.limits import Outcome

_CHECK_FAILED = 1


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--chip", metavar="NAME", help="The chip to price on. Default: every chip, in one line each.")
@click.option(
    "--by",
    type=click.Choice(["layer", "neuron", "operation", "effect"]),
    help="Only one grain; layers with their effects.",
)
@click.option("--top", type=Top(), default="10", show_default=True, metavar="N|all", help="How many neurons.")
@click.option("--cost-a", metavar="VERSION", help="Cost set that prices A. Default: the one in force.")
@click.option("--cost-b", metavar="VERSION", help="Cost set that prices B. Default: the one in force.")
@click.option(
    "--method", type=click.Choice(["shapley", "lmdi", "pvm"]), default="shapley", show_default=True,
    help="How the change is split: exactly by neuron, or by layer in two other traditions.",
)  # fmt: skip
@click.option("--relative", is_flag=True, help="Show changes as shares of A's energy.")
@click.option("--only-changed", is_flag=True, help="Show only what changed.")
@click.option(
    "--layers-alias", "layers_alias", multiple=True, type=Assignment(), metavar="OLD=NEW",
    help="A layer of A that B calls otherwise.",
)  # fmt: skip
@click.option(
    "--fail-on", "limits", multiple=True, metavar="LIMIT",
    help="Exit 1 if the change is more: 'energy>5%', 'layer:hidden1>2nJ', 'energy_per_correct>0%', 'work>1%'.",
)  # fmt: skip
@click.option("--allow", is_flag=True, help="Compare all the same what is not comparable.")
@store_option
@output_options
@page_options
@click.pass_obj
def compare(
    settings: Settings,
    /,
    output: Output,
    page: Page,
    before: str,
    after: str,
    chip: str | None,
    by: str | None,
    **options: Any,
) -> int:
    """Say what changed from run A to run B, and why.

    \b
    Examples:
      energy-db compare digits-baseline digits-sparse --chip loihi2
      energy-db compare @main latest --chip loihi2 --fail-on 'energy>5%'

    A and B are ids or their beginnings, names, latest, latest~1 or @tag; or groups of runs, group:TAG=VALUE. The
    change is split into effects that add up to it exactly. Runs that are not comparable exit with 3, unless --allow.
    """
    from energy_db.comparisons import limits

    if are_groups(before, after):
        cost_versions = options["cost_a"], options["cost_b"]
        compare_groups(settings, output, before, after, chip, cost_versions, options["allow"])
        return 0
    if chip is None:
        refuse_what_does_not_suit(CHIPS)
        with settings.open() as store:
            changes = store.compare_chips(before, after)
        _show_chips(output, changes)
        insist_on_comparable("runs", changes.differs, options["allow"])
        return 0
    wanted = [limits.read(text) for text in options["limits"]]
    aliases = _aliases(options["layers_alias"])
    with settings.open() as store:
        found = store.compare(
            before,
            after,
            chip,
            cost_version_a=options["cost_a"],
            cost_version_b=options["cost_b"],
            method=options["method"],
            layers_alias=aliases,
        )
        outcomes = [limits.judge(limit, found) for limit in wanted]
        _show(output, found, by, outcomes, options["top"], options["relative"], options["only_changed"])
        page.show(found.to_html, partial(found.plot, by=by))
    insist_on_comparable("runs", found.differs, options["allow"])
    return _conclude(outcomes)


def _aliases(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the names in B of layers of A; one layer cannot have two."""
    aliases: dict[str, str] = {}
    for old, new in pairs:
        if aliases.setdefault(old, new) != new:
            raise UsageError(f"--layers-alias: {old} is given two names, {aliases[old]} and {new}", "Leave one out.")
    return aliases


def _show_chips(output: Output, changes: ChipChanges) -> None:
    from energy_db.comparisons import chips, faces
    from energy_db.comparisons.rows import about_run

    about = {
        "a": about_run(changes.a),
        "b": about_run(changes.b),
        "comparable": changes.comparable,
        "differs": [asdict(entry) for entry in changes.differs],
    }
    rows = [asdict(entry) for entry in changes.chips]
    if output.format in ("csv", "parquet"):
        rows = [faces.flat_row(entry) for entry in changes.chips]
    for line in faces.verdict_lines(changes.comparable, changes.differs):
        say(line)
    output.rows(chips.SCHEMA, rows, human=faces.chip_rows(changes), about=about)
    say("why, by layer and neuron: name one with --chip")


def _show(
    output: Output,
    found: Comparison,
    by: str | None,
    outcomes: Sequence[Outcome],
    top: int | None,
    relative: bool,
    only_changed: bool,
) -> None:
    from energy_db.comparisons import faces
    from energy_db.tables import json_text

    limits = {"limits": [asdict(outcome) for outcome in outcomes]} if outcomes else {}
    if by or output.format in ("csv", "parquet"):
        _show_rows(output, found, by or "layer", limits, top, relative, only_changed)
    elif output.format == "json":
        output.text(json_text({**found.to_dict(top), **limits}))
    elif output.format == "md":
        output.text(faces.markdown(found, top, relative, only_changed, outcomes))
    else:
        output.text(faces.page(found, top, relative, only_changed, outcomes))
    for warning in found.warnings:
        warn(warning)


def _show_rows(
    output: Output,
    found: Comparison,
    by: str,
    limits: dict[str, Any],
    top: int | None,
    relative: bool,
    only_changed: bool,
) -> None:
    from energy_db.comparisons import faces
    from energy_db.comparisons.rows import about_run

    entries: Sequence[Any]
    if by == "layer":
        entries, human = found.layers, faces.layer_rows(found, relative, only_changed)
    elif by == "operation":
        entries, human = found.operations, faces.operation_rows(found, relative, only_changed)
    elif by == "neuron":
        entries, human = found.neurons(top), faces.neuron_rows(found, top, relative)
    else:
        entries, human = faces.effect_entries(found), faces.effect_rows(found, relative, only_changed)
    columns = list(faces.flat_row(entries[0])) if entries else None
    if only_changed:
        entries = [entry for entry in entries if entry.change_pj != 0]
    rows = [faces.flat_row(entry) for entry in entries]
    about = {
        "a": about_run(found.a),
        "b": about_run(found.b),
        "chip": found.chip,
        "cost_version_a": found.cost_version_a,
        "cost_version_b": found.cost_version_b,
        "by": by,
        "comparable": found.comparable,
        **limits,
    }
    is_all = not only_changed and (top is None or by != "neuron")
    exact = partial(found.to_arrow, by) if by != "effect" and is_all and found.method == "shapley" else None
    output.rows("energy-db/compare-rows/1", rows, human=human, columns=columns, about=about, arrow=exact)


def _conclude(outcomes: Sequence[Outcome]) -> int:
    for outcome in outcomes:
        say(f"{'FAIL' if outcome.is_broken else 'pass'} {outcome.limit}: {outcome.change}")
    return _CHECK_FAILED if any(outcome.is_broken for outcome in outcomes) else 0
