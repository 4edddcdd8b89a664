"""Verbs about recorded runs: ingest, show, tag."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from energy_db.cli.formats import Pending, format_options, pending_runs, take_facts
from energy_db.cli.ingested import attempt, conclude, published_once
from energy_db.cli.merging import merge_all, other_stores
from energy_db.cli.output import Output, Settings, output_options, say_error, store_option
from energy_db.cli.progress import OnStage, progress_over
from energy_db.cli.spooling import ingest_spool, spool_options, take_order
from energy_db.errors import EnergyDbError, UsageError
from energy_db.tables import Row

if TYPE_CHECKING:
    from energy_db.runs import Run
    from energy_db.store import EnergyStore

_OPERATIONAL = 4


class Assignment(click.ParamType[tuple[str, str]]):
    """A pair NAME=VALUE."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split it at its first equals sign."""
        if isinstance(value, tuple):
            return value
        name, sign, content = str(value).partition("=")
        if not sign or not name:
            self.fail(f"{value!r} is not of the form NAME=VALUE", param, ctx)
        return name, content


def run_file_options(command: Any) -> Any:
    """Give a verb the options that say what a run file cannot."""
    options = (
        click.option(
            "--network", metavar="FILE", help="Network and timing, instead of RUN.json: JSON, or a NIR graph."
        ),
        click.option(
            "--counters", metavar="FILE", help="What it counted beside spikes: driver, count, [layer, neuron]."
        ),
        click.option("--map", "columns", multiple=True, type=Assignment(), metavar="OURS=THEIRS", help="Column names."),
        click.option(
            "--role", "roles", multiple=True, type=Assignment(), metavar="LAYER=ROLE", help="input, hidden, readout."
        ),
        click.option("--timesteps", "n_timesteps", type=int, help="Timesteps of a sample."),
        click.option("--samples", "n_samples", type=int, help="Samples of the run."),
        click.option("--timestep-us", type=float, help="Length of a timestep in microseconds."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("sources", nargs=-1, metavar="FILE|FOLDER|GLOB|STORE|-...")
@click.option("--name", help="What to call the run. Default: the sidecar's, else the file's name.")
@click.option("--run-id", help="Its identity. Default: made from its content.")
@click.option("--tag", "tags", multiple=True, type=Assignment(), metavar="NAME=VALUE", help="Anything else to know.")
@run_file_options
@format_options
@spool_options
@click.option(
    "--events", type=click.Choice(["all", "none"]), default="all", show_default=True, help="Keep single spikes?"
)
@click.option(
    "--on-duplicate", type=click.Choice(["error", "new"]), default="error", show_default=True,
    help="Other content under a name or id that is taken.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Do everything but keep it.")
@store_option
@output_options
@click.pass_obj
def ingest(
    settings: Settings,
    /,
    sources: tuple[str, ...],
    output: Output,
    source_format: str | None,
    **options: Any,
) -> int:
    """Store recorded spikes.

    \b
    Examples:
      energy-db ingest run.parquet
      energy-db ingest runs/*.parquet --tag branch=main
      energy-db ingest --from nest spikes-*.dat --ids cells=1-80 --dt 0.1ms --duration 1s
      energy-db ingest other.duckdb
      energy-db ingest --spool spool --follow

    From Parquet files, folders, globs, or - for paths on stdin. Columns layer, neuron, timestep, optionally
    sample and n_spikes. With --from, files that other tools wrote. Of another store, all runs. With --spool, what
    many writers put into a folder; it is moved to done/ or refused/ there. Content that is stored already is left as
    it is ("unchanged"). A bad file changes nothing and does not stop the others.
    """
    from energy_db.intake.sources import find_run_files

    options |= {key: dict(options[key]) for key in ("columns", "roles", "tags")}
    order, facts = take_order(sources, source_format, options), take_facts(options)
    if order:
        pending_runs([], None, facts, options)
        return ingest_spool(settings, output, order, options)
    wanted = _expand_stdin(sources)
    if not wanted:
        raise UsageError("no files are named on stdin")
    files, missing = find_run_files(wanted)
    stores = [] if source_format else other_stores(files, settings.path, options)
    pending = pending_runs([path for path in files if path not in stores], source_format, facts, options)
    if len(pending) > 1 and (options["name"] or options["run_id"] or options["counters"]):
        raise UsageError(f"--name, --run-id and --counters are for one run, but there are {len(pending)}")
    for error in missing:
        say_error(error.message, error.hint)
    # Files that are one run are stored together, or not at all.
    if not files or (missing and source_format == "nest"):
        return _OPERATIONAL
    if options["dry_run"] and not Path(settings.path).exists():
        settings.db, settings.is_scratch = ":memory:", True
    with settings.open(read_only=False, create=True) as store, published_once(store):
        results = merge_all(store, stores, options["dry_run"]) + _ingest_all(store, pending, options)
    return conclude(output, missing, results)


@click.command()
@click.argument("run", default="latest")
@store_option
@output_options
@click.pass_obj
def show(settings: Settings, /, output: Output, run: str) -> None:
    """Show what is known of a run.

    \b
    Examples:
      energy-db show
      energy-db show digits-baseline --json

    Its network, its tags, and where it came from.
    """
    from energy_db.history.listing_text import run_facts

    with settings.open() as store:
        found = store.run(run)
    facts = {
        **run_facts(found),
        "counters": found.counters,
        "activity_hash": found.activity_hash,
        "content_hash": found.content_hash,
    }
    facts |= {"timestep_us": found.timestep_us, "recorded_at": found.recorded_at, "seed": found.seed}
    facts |= {"git_commit": found.git_commit, "source": found.source_path, "source_sha256": found.source_sha256}
    facts |= {"inferred": ", ".join(name for name in found.inferred if "." not in name) or None}
    layers = [_shown_layer(layer, found.inferred) for layer in found.layers]
    if output.format == "table":
        from energy_db.tables import text_table

        about = [
            {"fact": key, "value": value}
            for key, value in facts.items()
            if value is not None and key not in ("tags", "counters")
        ]
        about += [{"fact": f"counter {key}", "value": value} for key, value in found.counters.items()]
        about += [{"fact": f"tag {key}", "value": value} for key, value in found.tags.items()]
        output.text(f"{text_table(about)}\n\n{text_table(layers)}")
    else:
        output.rows("energy-db/run/1", layers, about=facts)


@click.command()
@click.argument("run")
@click.argument("assignments", nargs=-1, type=Assignment(), metavar="[NAME=VALUE]...")
@click.option("--remove", multiple=True, metavar="NAME", help="Take a tag off.")
@click.option("--dry-run", is_flag=True, help="Only say what the tags would be.")
@store_option
@output_options
@click.pass_obj
def tag(
    settings: Settings,
    /,
    output: Output,
    run: str,
    assignments: tuple[tuple[str, str], ...],
    remove: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Set or remove tags of a run, or list them.

    \b
    Examples:
      energy-db tag latest accuracy=0.98 branch=main
      energy-db tag latest --remove branch
    """
    changes = {**dict.fromkeys(remove), **dict(assignments)}
    with settings.open(read_only=dry_run or not changes) as store:
        found = store.run(run) if dry_run or not changes else store.tag(run, changes)
    shown = found.tags | changes if dry_run else found.tags
    rows = [{"tag": name, "value": value} for name, value in shown.items() if value is not None]
    output.rows("energy-db/tags/1", rows, columns=("tag", "value"), about={"run_id": found.run_id})


def _expand_stdin(sources: tuple[str, ...]) -> list[str]:
    listed = [line.rstrip("\r\n") for line in sys.stdin] if "-" in sources else []
    return [path for source in sources for path in (listed if source == "-" else [source]) if path]


def _ingest_all(
    store: EnergyStore, pending: list[Pending], options: Mapping[str, Any]
) -> list[tuple[Path, Run | EnergyDbError]]:
    results: list[tuple[Path, Run | EnergyDbError]] = []
    with progress_over(store, [each.path for each in pending]) as on_file:
        for each in pending:
            result = attempt(each.path, partial(_store_one, store, each, on_file(each.path), options))
            if isinstance(result, EnergyDbError):
                say_error(result.message, result.hint)
            results.append((each.path, result))
    return results


def _store_one(store: EnergyStore, run: Pending, on_stage: OnStage, options: Mapping[str, Any]) -> Run:
    return store.ingest(run.read(), on_stage=on_stage, **options)


def _shown_layer(layer: Any, inferred: tuple[str, ...]) -> Row:
    each = layer.fan_out
    return {
        "layer": layer.name,
        "role": layer.role,
        "inputs": layer.n_inputs,
        "neurons": layer.n_neurons,
        "fan_out": f"{min(each)} to {max(each)}" if isinstance(each, tuple) and each else each,
        "inferred": ", ".join(name.rpartition(".")[2] for name in inferred if name.rpartition(".")[0] == layer.name),
    }
