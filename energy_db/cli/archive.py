"""The verb that drops single events and keeps their sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from energy_db.cli.output import Output, Settings, output_options, say, store_option, warn
from energy_db.errors import UsageError

if TYPE_CHECKING:
    from energy_db.archiving import Archived

_COLUMNS = ("run_id", "name", "ingested_at", "events")


@click.command()
@click.option(
    "--runs",
    "selectors",
    multiple=True,
    metavar="RUN",
    help="A run whose events go, of a name the newest; can be repeated.",
)
@click.option("--older-than", metavar="AGE", help="All runs stored longer ago than 30d, or before 2026-01-31.")
@click.option("--dry-run", is_flag=True, help="Only say what would be dropped.")
@store_option
@output_options
@click.pass_obj
def archive(
    settings: Settings, /, output: Output, selectors: tuple[str, ...], older_than: str | None, dry_run: bool
) -> None:
    """Drop the single events of runs, keep all sums, and make the file smaller.

    \b
    Examples:
      energy-db archive --older-than 90d --dry-run
      energy-db archive --older-than 90d
      energy-db archive --runs latest~5 --runs digits-sparse

    Energies in reports, comparisons and trends stay what they are; what needs single spikes (energy_by_spike, export,
    the spike at which two runs part) is gone for these runs, for good: only their run files in a new store bring it
    back. It takes as much free disk as the store will have. Interrupted, the store is as it was.
    """
    if bool(selectors) == (older_than is not None):
        raise UsageError("name either runs or an age", "energy-db archive --older-than 90d, or --runs RUN")
    with settings.open(read_only=dry_run) as store:
        done = store.archive(selectors, older_than=older_than, dry_run=dry_run)
    rows = [
        {
            "run_id": run.run_id,
            "name": run.name,
            "ingested_at": run.ingested_at.isoformat(sep=" ", timespec="seconds"),
            "events": run.n_events,
        }
        for run in done.runs
    ]
    about = {"n_events": done.n_events, "bytes_before": done.bytes_before, "bytes_after": done.bytes_after}
    output.rows("energy-db/archive/1", rows, columns=_COLUMNS, about={**about, "dry_run": dry_run})
    if older_than is None:
        for run in done.without_events:
            warn(f"{run.name} ({run.run_id}) has no events to drop")
    say(_sentence(done, dry_run))


def _sentence(done: Archived, dry_run: bool) -> str:
    if not done.runs:
        return "no events to drop; the store is as it was"
    dropped = f"{done.n_events} events of {len(done.runs)} run{'s' * (len(done.runs) != 1)}"
    if dry_run:
        return f"{dropped} would be dropped"
    before, after = ((size or 0) / 2**20 for size in (done.bytes_before, done.bytes_after))
    return f"{dropped} dropped: {before:.1f} -> {after:.1f} MiB"
