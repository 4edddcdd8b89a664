"""Verbs about what operations cost: costs list, costs show."""

from __future__ import annotations

import click

from energy_db.cli.output import Output, Settings, output_options, say, store_option


@click.group()
def costs() -> None:
    """What an operation costs on a chip, and who says so.

    \b
    Examples:
      energy-db costs list
      energy-db costs show loihi2
    """


@costs.command("list")
@store_option
@output_options
@click.pass_obj
def list_versions(settings: Settings, /, output: Output) -> None:
    """List the chips and their cost versions.

    \b
    Examples:
      energy-db costs list
      energy-db costs list --json
    """
    with settings.open() as store:
        rows = store.costs.versions()
    shown = ("chip", "cost_version", "is_in_force", "status", "n_operations", "label")
    output.rows("energy-db/cost-versions/1", rows, human=[{key: row[key] for key in shown} for row in rows])


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
    """
    with settings.open() as store:
        rows = store.costs.show(chip, cost_version)
        version = rows[0]["cost_version"]
        [about] = [row for row in store.costs.versions() if (row["chip"], row["cost_version"]) == (chip, version)]
    columns = ("operation", "driver", "energy_pj", "low_pj", "high_pj", "scope", "note")
    shown = [key for key in columns if any(row[key] for row in rows)]
    output.rows("energy-db/costs/1", rows, human=[{key: row[key] for key in shown} for row in rows], about=about)
    say(f"{chip} {version} ({about['status']}): {about['source']}")
    say(about["note"])
