"""The verb that writes a run's energies for other programs: export."""

from __future__ import annotations

from pathlib import Path

import click

from energy_db.cli.output import Settings, refuse_unwritable, say, store_option
from energy_db.cli.reports import Top


@click.command()
@click.argument("run", default="latest", metavar="[RUN]")
@click.option("--format", "form", type=click.Choice(["speedscope"]), required=True, help="What reads it.")
@click.option("--chip", required=True, metavar="NAME", help="The chip to price on.")
@click.option("--cost", "cost_version", metavar="VERSION", help="Cost set. Default: the one in force.")
@click.option("--top", type=Top(), default="100", show_default=True, metavar="N|all", help="Neurons to tell apart.")
@click.option("-o", "path", metavar="FILE", help="Write to a file instead of stdout.")
@store_option
@click.pass_obj
def export(
    settings: Settings, /, run: str, form: str, chip: str, cost_version: str | None, top: int | None, path: str | None
) -> None:
    """Write a run's energies for another program.

    \b
    Examples:
      energy-db export latest --chip loihi2 --format speedscope -o run.speedscope.json
      energy-db export @nightly --chip loihi2 --format speedscope --top all > run.speedscope.json

    speedscope is a flame graph of network, layer, operation and neuron: open the file in https://www.speedscope.app,
    which keeps it in the browser. Widths are pJ, under the unit 'none'; they add up to the report's total exactly.
    """
    if path is not None:
        refuse_unwritable(Path(path), settings)
    with settings.open() as store:
        content = store.report(run, chip, cost_version=cost_version).to_speedscope(top)
    if path is None:
        click.echo(content)
        return
    from energy_db.tables import write_whole

    write_whole(Path(path), lambda unfinished: unfinished.write_text(content + "\n", encoding="utf-8"))
    say(f"the flame graph is {path}: open it in https://www.speedscope.app")
