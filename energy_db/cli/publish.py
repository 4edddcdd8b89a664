"""The verb for those who only read: publish."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from energy_db.cli.following import End
from energy_db.cli.output import Output, Settings, output_options, say, say_error, store_option, warn
from energy_db.errors import PublicationError, StoreLockedError, UsageError

if TYPE_CHECKING:
    from energy_db.publishing.publication import Publication
    from energy_db.store import EnergyStore

_SECONDS_BETWEEN_LOOKS = 2.0


@click.command()
@click.option("--to", metavar="DIR", help="The folder. Default: the one that --after-ingest named.")
@click.option("--keep", type=click.IntRange(1), metavar="N", help="Publications that stay in it. Default: 3.")
@click.option("--events", is_flag=True, help="Publish the single spike events, too.")
@click.option("--chip", "chips", multiple=True, metavar="NAME", help="Price facts on these chips only. Default: all.")
@click.option("--no-parquet", is_flag=True, help="Leave out the Parquet files.")
@click.option(
    "--after-ingest/--no-after-ingest", default=None, help="From now on, publish whenever runs came in; or no longer."
)
@click.option("--follow", is_flag=True, help="Publish whenever the store changed, until Ctrl-C or SIGTERM.")
@click.option(
    "--every",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="With --follow: how often to look. Default: 2.",
)
@store_option
@output_options
@click.pass_obj
def publish(
    settings: Settings, /, output: Output, to: str | None, after_ingest: bool | None, follow: bool,
    every: float | None, **how: Any,
) -> int:  # fmt: skip
    """Publish a read-only copy of the store, for BI tools and notebooks.

    \b
    Examples:
      energy-db publish --to bi
      energy-db publish --to bi --chip loihi2 --after-ingest
      energy-db publish --to bi --follow

    Tools open bi/energy.duckdb, or the Parquet files of bi/marts, and never wait for a writer or keep one waiting:
    docs/bi.md. --after-ingest lets every ingest publish by itself; --follow is for stores that others write to.
    """
    if every is not None and not follow:
        raise UsageError("--every goes with --follow")
    if follow and after_ingest is not None:
        raise UsageError("--follow and --after-ingest are two ways to the same end", "Leave one of them out.")
    how = {"keep": how["keep"] or 3, "events": how["events"], "chips": how["chips"], "parquet": not how["no_parquet"]}
    if follow:
        return _follow(settings, output, to, how, every or _SECONDS_BETWEEN_LOOKS)
    with settings.open(read_only=False) as store:
        if after_ingest is False:
            return _end(store, settings)
        published = _publish(store, to, how)
        if after_ingest:
            store.publish_after_ingest(published.folder, **how)
            say(f"from now on, {settings.path} is published there after each ingest")
    _write(output, [published])
    return 0


def _publish(store: EnergyStore, to: str | None, how: dict[str, Any]) -> Publication:
    """Publish to a folder, or as the store is set to; what the command line says of the way counts."""
    if to is not None:
        return store.publish(to, **how)
    setting = store.published_to
    if setting is None:
        raise UsageError("nobody says where to publish to", "Name a folder: energy-db publish --to DIR")
    context = click.get_current_context()
    asked = context.get_parameter_source
    kept = {"keep": setting.keep, "events": setting.events, "chips": setting.chips, "parquet": setting.parquet}
    names = {"keep": "keep", "events": "events", "chips": "chips", "parquet": "no_parquet"}
    said = {
        name: how[name] for name, option in names.items() if asked(option) is click.core.ParameterSource.COMMANDLINE
    }
    return store.publish(setting.to, **{**kept, **said})


def _end(store: EnergyStore, settings: Settings) -> int:
    was = store.published_to
    store.publish_after_ingest(None)
    if was is None:
        say(f"{settings.path} was not published after each ingest")
    else:
        say(f"{settings.path} is no longer published to {was.to} after each ingest; what is there stays")
    return 0


def _follow(settings: Settings, output: Output, to: str | None, how: dict[str, Any], every: float) -> int:
    """Publish again and again; the store is open only while it is published."""
    if output.path is not None or output.format not in ("table", "csv"):
        raise UsageError("--follow says a line for each publication as it comes", "Leave -o and --format out.")
    end, seen, is_held = End(), None, False
    with end.listening():
        while not end.is_near():
            found = _state_of(settings.path)
            if found != seen:
                try:
                    with settings.open(read_only=False) as store:
                        published = _publish(store, to, how)
                    seen, is_held = found, False
                    output.text(_line(published))
                except StoreLockedError as error:
                    if not is_held:
                        say(f"waiting for the store: {error.message}")
                    is_held = True
                except PublicationError as error:
                    say_error(error.message, error.hint)
            end.wait(every)
    return end.exit_code


def _state_of(path: str) -> tuple[tuple[int, int] | None, ...]:
    """Return what changes when somebody wrote to a store; looked at from outside, which takes no lock."""
    files = [Path(path), Path(f"{path}.wal")]
    return tuple((file.stat().st_mtime_ns, file.stat().st_size) if file.exists() else None for file in files)


def _write(output: Output, publications: list[Publication]) -> None:
    columns = ("number", "published_at", "runs", "spikes", "events", "chips", "database")
    rows = [
        {
            "number": each.number,
            "published_at": each.to_dict()["published_at"],
            "runs": each.n_runs,
            "spikes": each.n_spikes,
            "events": each.has_events,
            "chips": ", ".join(each.chips) or "all",
            "database": each.database,
        }
        for each in publications
    ]
    output.rows("energy-db/publication/1", rows, columns=columns)
    for each in publications:
        for note in each.notes:
            warn(note)


def _line(each: Publication) -> str:
    return f"published  {each.number}  {each.n_runs} runs  {each.n_spikes} spikes  {each.database}"
