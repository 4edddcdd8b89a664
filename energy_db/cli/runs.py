"""The verb that lists many runs: with their energies, in groups, on a front."""

from __future__ import annotations

from typing import Any

import click

from energy_db.cli.output import Output, Settings, output_options, say, store_option, warn

_COLUMNS: tuple[str, ...] = (
    *("run_id", "name", "kind", "spikes", "timesteps", "samples", "layers", "events", "ingested_at"),
)
_GROUP_COLUMNS = ("group", "n")
_SCHEMA = "energy-db/runs/1"


@click.command()
@click.option("--chip", metavar="NAME", help="Price the runs on this chip.")
@click.option("--cost", "cost_version", metavar="VERSION", help="The cost set. Default: the one in force.")
@click.option("--name", help="Only runs of this name.")
@click.option(
    "--where", multiple=True, metavar="CONDITION",
    help="Only runs like this: branch=main, 'accuracy>=0.95', 'energy<1uJ', name~digits. Repeat it for more.",
)  # fmt: skip
@click.option("--since", metavar="WHEN", help="Only runs that came in since: 2026-11-23, '2 weeks ago'.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@click.option(
    "--sort", metavar="COLUMN",
    help="energy, per_inference, change, share, a field or a tag; downwards: -energy or energy-desc.",
)  # fmt: skip
@click.option(
    "--group-by", metavar="TAG", help="Mean and scatter of the runs that share a tag or field, as over seeds."
)
@click.option("--pareto", metavar="TAG", help="Mark the runs that no other beats in energy and this tag: accuracy.")
@click.option("--minimize", is_flag=True, help="Less of the tag of --pareto is better.")
@store_option
@output_options
@click.pass_obj
def runs(settings: Settings, /, output: Output, chip: str | None, **asked: Any) -> None:
    """List the stored runs, the newest first; with a chip, what each costs and how that changed.

    \b
    Examples:
      energy-db runs --chip loihi2 --where branch=main --since '2 weeks ago'
      energy-db runs --chip loihi2 --pareto accuracy --sort energy

    The change is against the run of the same name before it. --group-by gives mean, standard deviation and ends of
    the runs that share a tag; fields are name, kind, seed, git_commit, timesteps, samples.
    """
    from energy_db.history import listing_text

    with settings.open() as store:
        found = store.history(chip, **asked)
    if not found.rows:
        _say_why_there_are_none(asked)
    about: dict[str, Any] = {"chip": chip, "cost_version": found.cost_version} if chip else {}
    rows, human, header = listing_text.run_rows(found), listing_text.human_run_rows(found), _COLUMNS
    if found.pareto is not None:
        about |= {"pareto": found.pareto, "minimize": asked["minimize"]}
    if found.group_by is not None:
        groups, human, header = listing_text.group_rows(found), listing_text.human_group_rows(found), _GROUP_COLUMNS
        about |= {"group_by": found.group_by, "groups": groups}
        rows = rows if output.format == "json" else groups
    if output.format in ("csv", "parquet"):
        rows = [{key: value for key, value in row.items() if key not in ("tags", "run_ids")} for row in rows]
    output.rows(_SCHEMA, rows, human=human, columns=None if rows else header, about=about)
    for note in listing_text.notes(found):
        warn(note)


def _say_why_there_are_none(asked: dict[str, Any]) -> None:
    if asked["where"] or asked["since"]:
        say("no runs meet the conditions")
    else:
        name = asked["name"]
        say("no runs" + (f" of the name {name!r}" if name else " yet: energy-db ingest run.parquet"))
