"""Verbs that say where the energy goes: report, demo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from energy_db import units
from energy_db.cli.output import Output, Settings, output_options, say, store_option, warn
from energy_db.cli.pages import page_options
from energy_db.cli.record import run_file_options
from energy_db.errors import UnpricedError, UsageError

if TYPE_CHECKING:
    import pyarrow

    from energy_db.priced import PricedRuns
    from energy_db.reports.ranking import Ranking
    from energy_db.reports.report import Report
    from energy_db.runs import Run

_FILE_OPTIONS = ("network", "counters", "columns", "roles", "n_timesteps", "n_samples", "timestep_us")


class Top(click.ParamType[int | None]):
    """A number of rows, or 'all'."""

    name = "number|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """Read it; None stands for all."""
        if value == "all" or value is None:
            return None
        try:
            number = int(value)
        except ValueError:
            number = -1
        return number if number >= 0 else self.fail(f"{value!r} is neither a number of 0 or more nor 'all'", param, ctx)


@click.command()
@click.argument("run", default="latest", metavar="[RUN|FILE.parquet]")
@click.option("--chip", default="all", show_default=True, metavar="NAME|all", help="The chip to price on.")
@click.option("--by", type=click.Choice(["layer", "neuron", "operation", "step"]), help="Only the rows of one grain.")
@click.option("--top", type=Top(), default="20", show_default=True, metavar="N|all", help="How many neurons.")
@click.option("--cost", "cost_version", metavar="VERSION", help="Cost set. Default: the one in force.")
@click.option("--as-of", metavar="DATE", help="Price with what was in force on this day, as was known then.")
@click.option("--lineage", is_flag=True, help="Add the receipt: content, each cost with its source, views, a hash.")
@click.option("--strict", is_flag=True, help="Exit 3 if an operation could not be priced.")
@run_file_options
@page_options
@store_option
@output_options
@click.pass_obj
def report(
    settings: Settings, /, output: Output, run: str, chip: str, by: str | None, top: int | None, **options: Any
) -> None:
    """Say where a run's energy goes, why, and what to do.

    \b
    Examples:
      energy-db report latest --chip loihi2
      energy-db report run.parquet --chip loihi --cost keras_spiking_0_3_0

    RUN is an id or its first six signs, a name, latest, latest~1 or @tag. A Parquet file is priced directly, without
    a store. With --by only the rows of one grain are shown: layer, operation, neuron, or step (over time).
    """
    choice = {"cost_version": options.pop("cost_version"), "as_of": options.pop("as_of")}
    strict, lineage, page = options.pop("strict"), options.pop("lineage"), options.pop("page")
    if chip == "all" and (by or lineage):
        raise UsageError("--by and --lineage need one chip", "Name it: --chip loihi2")
    from energy_db.reports.pricing import assumed_counters

    only_chip = None if chip == "all" or page.html else chip
    with _opened(settings, output, run, only_chip, by == "step" or page.html is not None, options) as (store, found):
        if chip == "all":
            ranking = store.chips(found, **choice)
            _show_chips(output, ranking)
            page.show(ranking.to_html, ranking.plot)
            unpriced = [f"{entry.chip} ({', '.join(entry.unpriced)})" for entry in ranking if entry.unpriced]
        else:
            priced = store.report(found, chip, **choice)
            _show_one(output, priced, by, top, lineage)
            page.show(lambda: priced.to_html(store.chips(found, as_of=choice["as_of"])), partial(priced.plot, by=by))
            unpriced = [f"{entry.operation} ({entry.unpriced})" for entry in priced.unpriced]
        unpriced += [f"{name} (no count is given, taken as 0)" for name in assumed_counters(found)]
    if strict and unpriced:
        raise UnpricedError(f"not all could be priced: {'; '.join(unpriced)}")


@click.command()
@store_option
@click.pass_context
def demo(context: click.Context) -> None:
    """Report three recorded runs on the five chips of the tutorial.

    \b
    Examples:
      energy-db demo
      energy-db demo --db demo.duckdb

    The runs are of a trained network (examples/README.md). Without --db the store is a temporary one.
    """
    import tempfile

    from energy_db.reports import faces
    from energy_db.sql import examples
    from energy_db.store import EnergyStore
    from energy_db.tables import text_table

    with tempfile.TemporaryDirectory() as folder:
        path = context.obj.db or str(Path(folder) / "demo.duckdb")
        with EnergyStore(path) as store:
            found = [store.ingest(file) for file in examples()]
            for run in found:
                click.echo(f"\n{run.name}: {run.n_spikes} spikes, {len(run.layers)} layers ({run.status})\n")
                click.echo(text_table(faces.chip_rows(store.chips(run, cost_version="tutorial72").chips)))
            click.echo(f"\n{faces.page(store.report(found[0], 'loihi2'), top=5)}")
    kept = (
        f"energy-db --db {path} report latest" if context.obj.db else "energy-db demo --db demo.duckdb keeps the store"
    )
    say(f"\nNext: {kept}")


@contextmanager
def _opened(
    settings: Settings, output: Output, run: str, chip: str | None, by_step: bool, options: dict[str, Any]
) -> Iterator[tuple[PricedRuns, Run]]:
    """Open the store and find the run; or roll a run file up in memory."""
    if output.path and Path(run).is_file() and Path(output.path).exists() and Path(run).samefile(output.path):
        raise UsageError(f"{output.path} is the run file itself", "Name another file: -o FILE")
    given = {key: options[key] for key in _FILE_OPTIONS if options[key] not in (None, ())}
    if run.endswith(".parquet") or ("/" in run and Path(run).is_file()):
        from energy_db.unstored import FileReports

        given |= {key: dict(given[key]) for key in ("columns", "roles") if key in given}
        reports = FileReports(run, by_step=by_step, chip=chip, **given)
        with reports:
            yield reports, reports.only_run
    elif given:
        raise UsageError(f"{', '.join(given)}: options about a run file are not for the stored run {run!r}")
    else:
        with settings.open() as store:
            yield store, store.run(run)


def _show_chips(output: Output, ranking: Ranking) -> None:
    from energy_db.reports import faces
    from energy_db.reports.pricing import inferences

    run = ranking.run
    about = {
        "run_id": run.run_id or None,
        "name": run.name,
        "total_spikes": run.n_spikes,
        "robustness": [asdict(entry) for entry in ranking.robustness],
        "unpriced": [asdict(entry) for entry in ranking.unpriced],
    }
    rows = [asdict(entry) for entry in ranking]
    if output.format in ("csv", "parquet"):
        rows = [{**row, "unpriced": "; ".join(row["unpriced"])} for row in rows]
    output.rows("energy-db/chips/1", rows, human=faces.chip_rows(ranking.chips), about=about)
    for note in (*faces.ranking_notes(ranking), *inferences(run)):
        warn(note)


def _show_one(output: Output, priced: Report, by: str | None, top: int | None, lineage: bool) -> None:
    from energy_db.reports import faces

    if by:
        _show_rows(output, priced, by, top)
    else:
        _show_report(output, priced, top)
    if lineage and output.format == "table":
        click.echo(f"\n{faces.lineage(priced)}")
    for warning in priced.warnings:
        warn(warning)


def _show_report(output: Output, priced: Report, top: int | None) -> None:
    from energy_db.reports import faces
    from energy_db.tables import json_text

    if output.format == "json":
        output.text(json_text(priced.to_dict(top)))
    elif output.format == "table":
        output.text(faces.page(priced, top))
    elif output.format == "md":
        output.text(faces.markdown(priced, top))
    else:
        _show_rows(output, priced, "layer", top)


def _show_rows(output: Output, priced: Report, by: str, top: int | None) -> None:
    from energy_db.reports import faces
    from energy_db.reports.rows import ROW_TYPES

    entries: Sequence[Any]
    if by == "layer":
        entries, human = priced.layers, faces.layer_rows(priced)
    elif by == "operation":
        entries, human = priced.operations, faces.operation_rows(priced)
    elif by == "neuron":
        entries, human = priced.neurons(top), faces.neuron_rows(priced, top)
        _say_what_is_left_out(priced, len(entries))
    else:
        entries, human = priced.timeline(), faces.step_rows(priced)
    rows = [asdict(entry) for entry in entries]
    columns = [field.name for field in fields(ROW_TYPES[by])]
    if by == "layer" and priced.unlayered_energy_pj is not None:
        rows.append({**dict.fromkeys(columns), "energy_pj": priced.unlayered_energy_pj})
    exact = partial(_exact_rows, priced, by, len(rows))
    output.rows("energy-db/report-rows/1", rows, human=human, columns=columns, about=_about(priced, by), arrow=exact)
    _say_what_is_not_known(priced, by)


def _about(priced: Report, by: str) -> dict[str, Any]:
    return {
        "run_id": priced.run.run_id or None,
        "chip": priced.chip,
        "cost_version": priced.cost_version,
        "by": by,
        "total_energy_pj": priced.total_energy_pj,
        "n_operations": priced.n_operations,
        "n_priced": priced.n_priced,
    }


def _exact_rows(priced: Report, by: str, n_rows: int) -> pyarrow.Table:
    return priced.to_arrow(by).slice(0, n_rows)


def _say_what_is_not_known(priced: Report, by: str) -> None:
    """Say how much of the energy a fine grain holds: static power has no neuron, a neuron's timestep no spike."""
    if by not in ("neuron", "step") or priced.total_energy_pj is None:
        return
    known = priced.known_energy_pj(by)
    if known < priced.total_energy_pj:
        total = units.energy(priced.total_energy_pj)
        warn(f"known by {by}: {units.energy(known)} of {total}; the other operations are charged at another grain")


def _say_what_is_left_out(priced: Report, n_shown: int) -> None:
    n_active = sum(layer.n_active_neurons or 0 for layer in priced.layers)
    if priced.neurons(1) and n_shown < n_active:
        say(f"the {n_shown} costliest of {n_active} neurons that spiked; --top all shows every one")
