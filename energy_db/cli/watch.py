"""The verb that looks at a recording while it is made: watch."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from energy_db.cli.output import Output, Settings, can_draw, output_options, say, store_option, warn
from energy_db.errors import NotFoundError, UsageError
from energy_db.tables import Row

if TYPE_CHECKING:
    from energy_db.intake.network import Layer
    from energy_db.record.watching import Pricing, Sight

Price = Callable[["Sequence[Layer]"], "Pricing"]
_CUT_SHORT = 4
_INTERRUPTED = 130
# Takes the cursor up so many lines, and clears what is below.
_REDRAW = "\x1b[{}F\x1b[J"
_AT_ITS_END = "the recording came to its end"
# So many moments are drawn, the newest ones.
_WIDTH = 40


@click.command()
@click.argument("run", required=False)
@click.option("--chip", metavar="NAME", help="Price it on this chip. Default: as the training that writes it does.")
@click.option("--cost", "cost_version", metavar="VERSION", help="The cost set. Default: the one in force.")
@click.option("--every", type=click.FloatRange(min=0.1), default=1.0, show_default=True, help="Seconds between looks.")
@click.option("--once", is_flag=True, help="Look once, and end.")
@store_option
@output_options
@click.pass_obj
def watch(
    settings: Settings,
    /,
    output: Output,
    run: str | None,
    chip: str | None,
    cost_version: str | None,
    every: float,
    once: bool,
) -> int:
    """Look at a recording or training while it is written: firing rates, and energy of each layer.

    \b
    Examples:
      energy-db watch
      energy-db watch training-1 --chip loihi2 --every 5

    RUN is the name of what is recorded, the folder NAME.recording, or the run file that it will be; by default the
    newest recording beside the store or in this folder. Only the recording's own folder is read: the store is not
    opened, so that neither waits for the other. --chip prices with the costs that come with energy-db. Spikes, energy
    and share are since the beginning; "now" is since the look before. Into a file or pipe it looks once.
    """
    from energy_db.record.starting import shipped_pricing
    from energy_db.record.watching import find_recording

    if cost_version and not chip:
        raise UsageError("--cost needs --chip")
    folders = dict.fromkeys((Path(settings.path).parent, Path()))
    folder = find_recording(run, list(folders))
    priced_on, price = shipped_pricing(chip, cost_version) if chip else (None, None)
    if once or output.format != "table" or output.path or not sys.stdout.isatty():
        _show_once(output, folder, priced_on, price)
        return 0
    try:
        return _follow(folder, priced_on, price, every)
    except KeyboardInterrupt:  # the way to leave it: nothing was interrupted
        return _INTERRUPTED


def _show_once(output: Output, folder: Path, priced_on: str | None, price: Price | None) -> None:
    from energy_db.record.watching import look

    seen = look(folder, price)
    if seen is None:
        raise NotFoundError(f"{folder}: nothing is written yet", "Look again in a few seconds.")
    if output.format == "table":
        output.text(_page(seen, priced_on))
    else:
        about = {"run": seen.name, "priced_on": priced_on or seen.moment.priced_on, "seconds": seen.moment.seconds}
        about |= {"n_samples": seen.moment.n_samples, "n_timesteps": seen.moment.n_timesteps}
        about |= {"training_step": seen.moment.training_step, "epoch": seen.moment.epoch}
        output.rows("energy-db/watch/1", _rows(seen), about=about)
    for reason in seen.unpriced:
        warn(f"not in any energy: {reason}")
    if price is None and seen.moment.energy_pj is None:
        warn("a recording has no energies of its own: price it with --chip NAME")


def _follow(folder: Path, priced_on: str | None, price: Price | None, every: float) -> int:
    """Draw the recording again and again, until it comes to its end."""
    from energy_db.record import journal
    from energy_db.record.watching import look

    n_lines = 0
    while True:
        try:
            lives = journal.is_being_written(folder)
            seen = look(folder, price)
        except (NotFoundError, FileNotFoundError):
            say(_AT_ITS_END)
            return 0
        page = f"{folder}: nothing is written yet" if seen is None else _page(seen, priced_on)
        click.echo((_REDRAW.format(n_lines) if n_lines else "") + page)
        n_lines = page.count("\n") + 1
        if seen is not None and seen.moment.is_complete:
            say(_AT_ITS_END)
            return 0
        if not lives:
            say(f"nobody writes it any more: keep what it holds with: energy-db ingest {folder}")
            return _CUT_SHORT
        time.sleep(every)


def _page(seen: Sight, priced_on: str | None) -> str:
    from energy_db.history.sparkline import sparkline
    from energy_db.tables import text_table
    from energy_db.units import energy, percent

    is_plain = not can_draw()
    total = sum(layer.energy_pj or 0 for layer in seen.layers) + seen.unlayered_energy_pj
    rows: list[dict[str, Any]] = []
    for layer in seen.layers:
        row = {"layer": layer.layer, "role": layer.role, "neurons": layer.n_neurons, "spikes": layer.n_spikes}
        row["rate now"] = None if layer.firing_rate is None else percent(layer.firing_rate)
        if layer.energy_pj is not None:
            row["per sample now"] = None if layer.energy_per_sample_pj is None else energy(layer.energy_per_sample_pj)
            row["energy"] = energy(layer.energy_pj)
            row["share"] = percent(layer.energy_pj / total) if total else None
        rows.append({**row, "over time": sparkline(layer.history[-_WIDTH:], is_plain=is_plain)})
    unpriced = f"\n\nnot in any energy: {'; '.join(seen.unpriced)}" if seen.unpriced and sys.stdout.isatty() else ""
    return f"{_headline(seen, priced_on, total)}\n\n{text_table(rows)}{unpriced}"


def _headline(seen: Sight, priced_on: str | None, total: float) -> str:
    from energy_db.units import energy

    moment = seen.moment
    parts = [seen.name]
    if moment.training_step is not None:
        parts.append(f"step {moment.training_step}")
    if moment.epoch is not None:
        parts.append(f"epoch {moment.epoch}")
    parts.append(f"{moment.n_samples or 0} samples of {moment.n_timesteps or '?'} timesteps")
    parts.append(f"{moment.seconds:.0f} s")
    if priced_on or moment.priced_on:
        parts += [str(priced_on or moment.priced_on), f"{energy(total)} so far"]
    return ", ".join(parts)


def _rows(seen: Sight) -> list[Row]:
    return [
        {
            "layer": layer.layer,
            "role": layer.role,
            "neurons": layer.n_neurons,
            "spikes": layer.n_spikes,
            "firing_rate": layer.firing_rate,
            "energy_pj": layer.energy_pj,
            "energy_per_sample_pj": layer.energy_per_sample_pj,
        }
        for layer in seen.layers
    ]
