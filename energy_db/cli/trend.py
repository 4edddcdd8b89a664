"""The verb that follows a metric over the runs: trend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from energy_db.cli.output import Output, Settings, can_draw, output_options, store_option, warn
from energy_db.cli.pages import Page, page_options

if TYPE_CHECKING:
    from energy_db.history.trend import Trend

AS_RECORDED = "as-recorded"


@click.command()
@click.argument("metric", default="energy", metavar="[METRIC]")
@click.option("--chip", metavar="NAME", help="The chip to price on.")
@click.option("--name", metavar="NAME", help="Only runs of this name.")
@click.option("--by", type=click.Choice(["layer"]), help="A history for each layer, beside the whole.")
@click.option("--where", multiple=True, metavar="CONDITION", help="Only runs like branch=main or accuracy>=0.9.")
@click.option("--since", metavar="MOMENT", help="Only what ran since a day, or '2 weeks ago'.")
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Only the N that ran last.")
@click.option(
    "--cost", "cost_version", metavar=f"VERSION|{AS_RECORDED}", help="Cost set for all runs. Default: the one in force."
)
@click.option("--fdr", type=float, metavar="SHARE", help="How often to be wrong at most, from 0.001. Default: 0.01.")
@click.option(
    "--min-change", "least_change", type=float, metavar="SHARE", help="Smallest step to show. Default: 0.01, if noisy."
)
@page_options
@store_option
@output_options
@click.pass_obj
def trend(
    settings: Settings, /, output: Output, page: Page, metric: str, cost_version: str | None, **options: Any
) -> None:
    """Follow a metric over the runs, and say where its level changed, and why.

    \b
    Examples:
      energy-db trend --chip loihi2 --name nightly
      energy-db trend spikes --by layer --where branch=main --last 40

    Runs stand in the order in which they ran: by the moment that was declared, or else by when they came in.

    METRIC is energy, energy_per_inference, energy_per_spike, spikes, firing_rate, or tag:NAME for a number in a tag.
    All runs are priced with one cost version, so that a new price makes no step; with --cost as-recorded each with
    the one that was in force when it came in. docs/trend.md says how steps are told from chance.
    """
    as_recorded = cost_version == AS_RECORDED
    given = {key: value for key, value in options.items() if value is not None}
    with settings.open() as store:
        found = store.trend(
            metric, cost_version=None if as_recorded else cost_version, as_recorded=as_recorded, **given
        )
    _show(output, found)
    _warn_of(found)
    page.show(found.to_html, found.plot)


def _show(output: Output, found: Trend) -> None:
    from energy_db.history import trend_text
    from energy_db.tables import json_text

    if output.format == "json":
        output.text(json_text(found.to_dict()))
    elif output.format == "md":
        output.text(trend_text.markdown(found))
    elif output.format == "table":
        output.text(trend_text.page(found, is_plain=output.path is None and not can_draw()))
    else:
        output.rows("energy-db/trend/1", found.to_rows())


def _warn_of(found: Trend) -> None:
    for warning in found.warnings:
        warn(warning)
    reasons: dict[str, list[str]] = {}
    for run in found.left_out:
        reasons.setdefault(run.reason, []).append(run.run_id)
    for reason, runs in reasons.items():
        shown = ", ".join(runs[:3]) + (f" and {len(runs) - 3} more" if len(runs) > 3 else "")  # noqa: PLR2004
        warn(f"left out: {shown}: {reason}")
