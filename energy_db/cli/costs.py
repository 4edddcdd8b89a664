"""Verbs about what operations cost: costs list, show, diff, cite, and those of energy_db/cli/curation.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from energy_db.cli import curation
from energy_db.cli.output import Output, Settings, output_options, say, store_option, warn
from energy_db.errors import UsageError
from energy_db.tables import markdown_table, text_table
from energy_db.units import exact

if TYPE_CHECKING:
    from energy_db.reports.difference import Difference

_PJ_OF_A_JOULE = Decimal(10**12)
Rows = Sequence[Mapping[str, Any]]


@click.group()
def costs() -> None:
    """What an operation costs on a chip, and who says so.

    \b
    Examples:
      energy-db costs list
      energy-db costs show loihi2
    """


@costs.command("list")
@click.option("--chip", metavar="NAME", help="Only the versions of one chip.")
@store_option
@output_options
@click.pass_obj
def list_versions(settings: Settings, /, output: Output, chip: str | None) -> None:
    """List the chips and their cost versions.

    \b
    Examples:
      energy-db costs list
      energy-db costs list --chip loihi --json

    Compare only figures of the same scope group; what is for reference only cannot price a run (docs/costs.md).
    """
    with settings.open() as store:
        rows = store.costs.versions(chip)
    output.rows("energy-db/cost-versions/1", rows, human=[_listed(row) for row in rows])


def _listed(row: Mapping[str, Any]) -> dict[str, Any]:
    state = ["in force"] * row["is_in_force"] + ["withdrawn"] * row["is_withdrawn"]
    shown = {"chip": row["chip"], "cost_version": row["cost_version"], "in force": ", ".join(state)}
    keys = ("status", "n_operations", "n_reference", "scope_group", "label")
    return {**shown, **{key.replace("_group", " group"): row[key] for key in keys}}


@costs.command()
@click.argument("chip")
@click.option("--cost", "cost_version", metavar="VERSION", help="Cost set. Default: the one in force.")
@store_option
@output_options
@click.pass_obj
def show(settings: Settings, /, output: Output, chip: str, cost_version: str | None) -> None:
    """Show what each operation costs on a chip, and where the numbers are from.

    \b
    Examples:
      energy-db costs show loihi2
      energy-db costs show akida --json

    Figures for reference stand apart: they are never summed.
    """
    with settings.open() as store:
        rows = store.costs.show(chip, cost_version)
        version = rows[0]["cost_version"]
        [about] = [row for row in store.costs.versions(chip) if row["cost_version"] == version]
        meanings = store.costs.drivers()
    if output.format in ("table", "md"):
        output.text(_page(output.format, rows, about))
    else:
        output.rows("energy-db/costs/1", rows, about=about)
    say(f"{chip} {version} ({about['status']}): {about['source']}{_doi(about)}")
    if about["note"]:
        say(about["note"])
    for number, (source, doi) in enumerate(_other_sources(rows, about), 1):
        say(f"[{number}] {source}{_doi({'doi': doi})}")
    for confidence in dict.fromkeys(row["confidence"] for row in rows if row["confidence"]):
        say(f"Confidence: {confidence}")
    for driver in dict.fromkeys(row["driver"] for row in rows):
        say(f"{driver}: {meanings.get(driver, 'no meaning is on record')}")
    if about["is_withdrawn"]:
        warn(f"{chip} {version} was withdrawn; energy-db costs list --chip {chip} shows the others")


def _page(form: str, rows: Rows, about: Mapping[str, Any]) -> str:
    table = text_table if form == "table" else markdown_table
    summed, reference = ([row for row in rows if row["is_reference"] is flag] for flag in (False, True))
    parts = [table(_for_people(summed, rows, about))] if summed else []
    if reference:
        parts += ["For reference, never summed:", table(_for_people(reference, rows, about))]
    return "\n\n".join(parts)


def _for_people(shown: Rows, rows: Rows, about: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return costs with their units; columns that say nothing of any of them are left out."""
    numbers = {key: f"[{number}]" for number, key in enumerate(_other_sources(rows, about), 1)}
    cells = [
        {
            "operation": row["operation"],
            "driver": row["driver"],
            "energy": _amount(row, "energy_pj") or "not published",
            "low": _amount(row, "low_pj"),
            "high": _amount(row, "high_pj"),
            "scope": row["scope"],
            "status": "" if row["status"] == about["status"] else row["status"],
            "source": numbers.get((row["source"], row["doi"]), ""),
            "note": row["note"],
        }
        for row in shown
    ]
    return [{key: row[key] for key in row if any(other[key] for other in cells)} for row in cells]


def _amount(row: Mapping[str, Any], key: str) -> str:
    """Return an energy of one unit; of one second it is a power."""
    value = row[key]
    if value is None:
        return ""
    return f"{exact(value / _PJ_OF_A_JOULE)} W" if row["driver"] == "second" else f"{exact(value)} pJ"


def _other_sources(rows: Rows, about: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    own = (about["source"], about["doi"])
    return [key for key in dict.fromkeys((row["source"], row["doi"]) for row in rows) if key != own]


def _doi(row: Mapping[str, Any]) -> str:
    return f" (doi:{row['doi']})" if row["doi"] else ""


@costs.command()
@click.argument("names", nargs=-1, required=True, metavar="[CHIP] V1 V2")
@store_option
@output_options
@click.pass_obj
def diff(settings: Settings, /, output: Output, names: tuple[str, ...]) -> None:
    """Show what changes from one cost version to another.

    \b
    Examples:
      energy-db costs diff loihi davies2018 keras_spiking_0_3_0
      energy-db costs diff rev1 rev2 --json

    Each operation, and the total of every stored run that both price in full. CHIP may be left out where only one
    chip has both versions.
    """
    if len(names) not in (2, 3):
        raise UsageError(f"{len(names)} names are given", "Name two versions, and the chip before them.")
    *chip, old, new = names
    with settings.open() as store:
        found = store.costs.diff(old, new, chip[0] if chip else None)
    if output.format in ("table", "md"):
        output.text(_difference(output.format, found))
    else:
        about = {"chip": found.chip, "old": old, "new": new, "runs": found.runs, "totals": found.totals}
        output.rows("energy-db/costs-diff/1", found.operations, about=about)
    totals = found.totals
    if not found.runs:
        say("no runs are stored that it could make a difference to")
    elif totals["n_compared"] < totals["n_runs"]:
        left = totals["n_runs"] - totals["n_compared"]
        say(f"{left} of {totals['n_runs']} runs are not priced in full under both versions and not compared")


def _difference(form: str, found: Difference) -> str:
    table = text_table if form == "table" else markdown_table
    operations = [
        {
            "operation": row["operation"],
            "driver": row["driver"],
            found.old: row["old_pj"],
            found.new: row["new_pj"],
            "change": row["change_pj"],
            "remark": row["remark"],
        }
        for row in found.operations
    ]
    runs = [_changed(found, row["run_id"][:12], row["run_name"], row) for row in found.runs]
    if found.totals["n_compared"]:
        runs.append(_changed(found, "all compared", "", found.totals))
    return "\n\n".join(
        [f"{found.chip}, pJ for one unit of the driver:", table(operations)]
        + ([f"Stored runs on {found.chip}, pJ:", table(runs)] if runs else [])
    )


def _changed(found: Difference, run_id: str, name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    share = row["change_share"]
    percent = "" if share is None else f"{100 * share:+.1f}%"
    energies = {found.old: row["old_pj"], found.new: row["new_pj"], "change": row["change_pj"]}
    return {"run_id": run_id, "name": name, **energies, "percent": percent}


@costs.command()
@click.argument("chip")
@click.option("--cost", "cost_version", metavar="VERSION", help="Cost set. Default: the one in force.")
@store_option
@output_options
@click.pass_obj
def cite(settings: Settings, /, output: Output, chip: str, cost_version: str | None) -> None:
    """Print how to cite a cost version: a sentence and BibTeX.

    \b
    Examples:
      energy-db costs cite loihi --cost davies2018
      energy-db costs cite loihi2 -o costs.txt

    BibTeX has only what the source says of itself: complete it by hand.
    """
    with settings.open() as store:
        found = store.costs.cite(chip, cost_version)
    if output.format in ("table", "md"):
        bibtex = found.bibtex if output.format == "table" else f"```bibtex\n{found.bibtex}\n```"
        output.text(f"{found.sentence}\n\n{bibtex}")
    else:
        about = {
            "chip": found.chip,
            "cost_version": found.cost_version,
            "sentence": found.sentence,
            "bibtex": found.bibtex,
        }
        output.rows("energy-db/citation/1", found.sources, about=about)


for _verb in (curation.add, curation.template, curation.lint, curation.in_force, curation.withdraw):
    costs.add_command(_verb)
