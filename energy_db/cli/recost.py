"""The verb that prices the history under another cost version: recost."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from energy_db.cli.output import Output, Settings, output_options, say, store_option
from energy_db.errors import UsageError

if TYPE_CHECKING:
    from energy_db.reports.recost import Recost

_MOST_FLIPS = 5


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--all", "every", is_flag=True, help="All runs of the store.")
@click.option("--cost", "cost_version", required=True, metavar="VERSION", help="The cost set to price with.")
@click.option("--against", metavar="VERSION", help="The one to hold it against. Default: the one in force.")
@click.option("--chip", metavar="NAME", help="Only this chip. Default: every chip that has the version.")
@store_option
@output_options
@click.pass_obj
def recost(
    settings: Settings,
    /,
    output: Output,
    runs: tuple[str, ...],
    every: bool,
    cost_version: str,
    against: str | None,
    chip: str | None,
) -> None:
    """Price the history under another cost version; nothing is written.

    \b
    Examples:
      energy-db recost --all --cost sc_neurocore_3_16_0
      energy-db recost latest --chip loihi --cost keras_spiking_0_3_0 --against davies2018

    Shows what changes: totals, the order of the layers, the rank of the chip among those in force, and which
    comparisons between runs come out the other way.
    """
    from energy_db.reports import faces

    if bool(runs) == every:
        raise UsageError("name runs, or --all for every one", "For example: energy-db recost --all --cost VERSION")
    with settings.open() as store:
        found = store.recost(cost_version, runs=None if every else runs, chip=chip, against=against)
    rows = [{**asdict(row), "layers_change": row.layers_change} for row in found.rows]
    about = {
        "cost_version": found.cost_version,
        "against": found.against,
        "n_flips": found.n_flips,
        "n_comparisons": found.n_comparisons,
        "flips": [asdict(flip) for flip in found.flips],
    }
    if output.format in ("csv", "parquet"):
        lists = ("layers_before", "layers_after")
        rows = [{**row, **{name: " > ".join(row[name]) for name in lists}} for row in rows]
    output.rows("energy-db/recost/1", rows, human=faces.recost_rows(found), about=about)
    _conclude(found)


def _conclude(found: Recost) -> None:
    if not found.rows:
        say("no runs yet: energy-db ingest run.parquet")
        return
    full, ranked = ([row for row in found.rows if getattr(row, name)] for name in ("is_full", "is_ranked"))
    n_reordered = sum(row.layers_change for row in full)
    n_moved = sum(row.rank_before != row.rank_after for row in ranked)
    say(f"the order of layers changes in {n_reordered} of {len(full)}")
    say(f"the rank of the chip changes in {n_moved} of {len(ranked)}")
    if len(full) < len(found.rows):
        say(f"{len(found.rows) - len(full)} are priced in part only: no factor, and nothing to compare")
    if len(ranked) < len(full):
        say(f"in {len(full) - len(ranked)} the two versions include different things: their ranks do not compare")
    say(f"{found.n_flips} of {found.n_comparisons} comparisons between runs come out the other way")
    for flip in found.flips[:_MOST_FLIPS]:
        say(f"  on {flip.chip}: {flip.cheaper_before} was cheaper than {flip.cheaper_after}, and is now dearer")
    if len(found.flips) > _MOST_FLIPS:
        say(f"  and {len(found.flips) - _MOST_FLIPS} more between neighbours: --json lists them")
