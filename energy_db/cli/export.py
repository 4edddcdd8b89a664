"""The verb for other programs: export."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from energy_db.cli.output import Settings, refuse_unwritable, say, store_option
from energy_db.cli.query import warn_of_missing_events
from energy_db.cli.reports import Top
from energy_db.errors import UsageError

_SPEEDSCOPE = "speedscope"
_FORMATS = ("parquet", "csv", "arrow")
_SUFFIXES = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".arrow": "arrow", ".feather": "arrow"}
_OF_FLAME_GRAPHS = {"cost_version": "--cost", "top": "--top"}
_OF_VIEWS = {"runs": "--run", "by_run": "--by-run"}


@click.command()
@click.argument("run", required=False, metavar="[RUN]")
@click.option("--view", metavar="VIEW", help="Write the rows of a view: see energy-db sql --views.")
@click.option("--store", "whole", is_flag=True, help="Write the whole store, table by table, to a folder.")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice([*_FORMATS, _SPEEDSCOPE]),
    help="Default: by the suffix of -o; of a folder, parquet.",
)
@click.option("--run", "runs", multiple=True, metavar="RUN", help="With --view: only this run (repeatable).")
@click.option("--by-run", is_flag=True, help="With --view: a folder for each run, run_id=..., as Spark reads it.")
@click.option("--chip", metavar="NAME", help="With --view: only on this chip. Of a flame graph: the chip.")
@click.option(
    "--events",
    type=click.Choice(["all", "none"]),
    default="all",
    show_default=True,
    help="With --store: the single spike events, or only what is summed up of them.",
)
@click.option("--cost", "cost_version", metavar="VERSION", help="Of a flame graph: cost set. Default: in force.")
@click.option("--top", type=Top(), metavar="N|all", help="Of a flame graph: neurons to tell apart. Default: 100.")
@click.option("-o", "path", metavar="FILE|DIR", help="Where to; CSV of a view and flame graphs may go to stdout.")
@store_option
@click.pass_obj
def export(settings: Settings, /, run: str | None, view: str | None, whole: bool, **options: Any) -> None:  # fmt: skip
    """Write a run, a view or the whole store for other programs.

    \b
    Examples:
      energy-db export digits-baseline -o again.parquet
      energy-db export --view mart.layer_energy --chip loihi2 -o layers.csv
      energy-db export --view activity_by_spike --by-run -o spikes/
      energy-db export --store -o backup/
      energy-db export latest --chip loihi2 --format speedscope -o run.speedscope.json

    A run as Parquet is a run file again: `ingest` takes it. Of a store, energy-db init --from DIR makes the same store
    again. speedscope is a flame graph of network, layer, operation and neuron: open the file in
    https://www.speedscope.app, which keeps it in the browser. Its widths are pJ, under the unit 'none'.
    """
    if sum([run is not None, view is not None, whole]) > 1:
        raise UsageError("a run, --view and --store: one at a time", "Leave the others out.")
    if whole:
        _refuse("--store", options, {**_OF_FLAME_GRAPHS, **_OF_VIEWS, "chip": "--chip"})
        _export_store(settings, **options)
    elif view is not None:
        _refuse("--view", options, _OF_FLAME_GRAPHS)
        _export_view(settings, view, **options)
    elif options["form"] == _SPEEDSCOPE:
        _refuse("a flame graph", options, _OF_VIEWS)
        _export_flame_graph(settings, run or "latest", **options)
    else:
        is_flame = "For a flame graph, add --format speedscope; for views, --view VIEW."
        _refuse("a run file", options, {**_OF_FLAME_GRAPHS, **_OF_VIEWS, "chip": "--chip"}, is_flame)
        _export_run(settings, run or "latest", **options)


def _refuse(what: str, options: dict[str, Any], unsuitable: dict[str, str], hint: str = "Leave it out.") -> None:
    named = [option for key, option in unsuitable.items() if options[key]]
    if named:
        raise UsageError(f"{named[0]} does not go with {what}", hint)


def _export_run(settings: Settings, run: str, form: str | None, path: str | None, **_: Any) -> None:
    target = _target(settings, path)
    with settings.open() as store:
        found = store.export_run(run, target, format=_format_of(form, target))
    say(f"{found.name} ({found.run_id}) is {target}")


def _export_view(
    settings: Settings, view: str, form: str | None, path: str | None, runs: tuple[str, ...], chip: str | None,
    by_run: bool, **_: Any,
) -> None:  # fmt: skip
    if path is None and form == "csv" and not by_run:
        with settings.open() as store:
            for piece in store._csv_pieces(view, runs, chip):
                click.echo(piece, nl=False)
        return
    target = _target(settings, path, is_folder=by_run)
    chosen = form or "parquet" if by_run else _format_of(form, target)
    with settings.open() as store:
        store.export_view(view, target, format=chosen, runs=runs, chip=chip, by_run=by_run)
        warn_of_missing_events(store, view)
    say(f"{view} is {target}")


def _export_store(settings: Settings, form: str | None, path: str | None, events: str, **_: Any) -> None:
    target = _target(settings, path, is_folder=True)
    with settings.open() as store:
        manifest = store.export_store(target, format=form or "parquet", events=events == "all")
    n_rows = sum(table["rows"] for table in manifest["tables"])
    say(f"{settings.path} is {target}: {len(manifest['tables'])} tables, {n_rows} rows")
    say(f"a store is made of it by: energy-db --db NEW.duckdb init --from {shlex.quote(str(target))}")


def _export_flame_graph(
    settings: Settings, run: str, path: str | None, chip: str | None, cost_version: str | None, top: int | None,
    **_: Any,
) -> None:  # fmt: skip
    if chip is None:
        raise UsageError("a flame graph needs a chip", "Name it: --chip loihi2")
    context = click.get_current_context()
    is_top_given = context.get_parameter_source("top") is not click.core.ParameterSource.DEFAULT
    if path is not None:
        refuse_unwritable(Path(path), settings)
    with settings.open() as store:
        content = store.report(run, chip, cost_version=cost_version).to_speedscope(top if is_top_given else 100)
    if path is None:
        click.echo(content)
        return
    from energy_db.tables import write_whole

    write_whole(Path(path), lambda unfinished: unfinished.write_text(content + "\n", encoding="utf-8"))
    say(f"the flame graph is {path}: open it in https://www.speedscope.app")


def _target(settings: Settings, path: str | None, is_folder: bool = False) -> Path:
    if path is None:
        raise UsageError("nobody says where to", f"Name a {'folder: -o DIR/' if is_folder else 'file: -o FILE'}")
    if not is_folder:
        refuse_unwritable(Path(path), settings)
    return Path(path)


def _format_of(form: str | None, path: Path) -> str:
    chosen = form or _SUFFIXES.get(path.suffix.lower())
    if chosen is None:
        raise UsageError(f"cannot tell the format from {str(path)!r}", f"Add --format {'|'.join(_FORMATS)}")
    return chosen
