"""The `energy-db` command: its global options, its verbs, and what becomes of errors."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

import click

import energy_db
from energy_db.cli import (
    archive,
    compare,
    costs,
    export,
    gate,
    publish,
    query,
    record,
    recost,
    reports,
    runs,
    trend,
    upkeep,
    watch,
)
from energy_db.cli.output import Settings, choose_colours, say, say_error
from energy_db.engines.limits import NO_LIMITS, Limits, bound_process
from energy_db.errors import EnergyDbError

_INTERRUPTED = 130
_OPERATIONAL = 4


class EnergyDbGroup(click.Group):
    """A group whose errors end in a sentence, a hint and an exit code, never in a traceback."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line and exit."""
        standalone = kwargs.pop("standalone_mode", True)
        result: Any
        try:
            result = super().main(*args, **{**kwargs, "standalone_mode": False})
        except click.exceptions.Abort:
            say("interrupted; nothing is half-stored")
            result = _INTERRUPTED
        except click.ClickException as error:
            error.show()
            result = error.exit_code
        except EnergyDbError as error:
            say_error(error.message, error.hint)
            result = error.exit_code
        except OSError as error:
            say_error(f"{error.filename or 'the output'}: {error.strerror or error}")
            result = _OPERATIONAL
        except Exception as error:  # the last resort: a bug must not greet a user with a traceback
            say_error(f"unexpected {type(error).__name__}: {str(error).strip()}", "Please report it, with this line.")
            result = _OPERATIONAL
        if standalone:
            sys.exit(result if isinstance(result, int) else 0)
        return result

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; a reader of its output, such as head, may leave early."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.dup2(nowhere, sys.stderr.fileno())
            return 0
        return result


@click.group(cls=EnergyDbGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--db", metavar="PATH", help="The store. Default: $ENERGY_DB, else ./energy.duckdb.")
@click.option(
    "--wait",
    type=click.FloatRange(0),
    default=0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a store that another process holds.",
)
@click.option("--memory-limit", metavar="SIZE", help="How much memory to take at most, such as 2GB.")
@click.option("--threads", type=click.IntRange(1), metavar="N", help="How many threads to take at most.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the talk.",
)
@click.version_option(energy_db.__version__, prog_name="energy-db")
@click.pass_context
def cli(
    context: click.Context, db: str | None, wait: float, memory_limit: str | None, threads: int | None, color: str
) -> None:
    """Where does the energy of a spiking neural network go?

    \b
    Examples:
      energy-db ingest run.parquet
      energy-db report latest --chip loihi2

    Spikes in, joules out, history kept. stdout is data, stderr is talk.
    Exit codes: 0 done, 1 a check failed, 2 wrong usage, 3 not found, 4 operational, 130 interrupted.
    """
    context.obj = Settings(db=db, wait=wait)
    bound_process(Limits(memory_limit, threads))
    context.call_on_close(lambda: bound_process(NO_LIMITS))
    choose_colours(color)


def main() -> None:
    """Run the command line."""
    exit_code = cli.main(prog_name="energy-db", standalone_mode=False)
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    # The store is closed and all is said: the interpreter's own tidying would take a tenth of a short report.
    os._exit(exit_code if isinstance(exit_code, int) else 0)


for _verb in (
    upkeep.init,
    record.ingest,
    watch.watch,
    runs.runs,
    record.show,
    record.tag,
    reports.report,
    compare.compare,
    recost.recost,
    trend.trend,
    costs.costs,
    gate.check,
    gate.bless,
    export.export,
    query.sql,
    publish.publish,
    upkeep.verify,
    upkeep.migrate,
    archive.archive,
    upkeep.doctor,
    reports.demo,
    upkeep.completion,
):
    cli.add_command(_verb)
