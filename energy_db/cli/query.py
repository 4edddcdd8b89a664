"""The verb for people who know SQL: sql."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from energy_db.cli.output import Output, Settings, output_options, say, store_option
from energy_db.errors import UsageError
from energy_db.tables import with_unique_names


@click.command()
@click.argument("query", metavar="QUERY|@FILE|-")
@store_option
@output_options
@click.pass_obj
def sql(settings: Settings, /, output: Output, query: str) -> None:
    """Ask the store in SQL; nothing can be changed.

    \b
    Examples:
      energy-db sql "SELECT layer, energy_pj FROM energy_by_layer WHERE chip = 'loihi2'"
      energy-db sql @query.sql --format csv

    SHOW TABLES lists the views; docs/views.md explains them.
    """
    with settings.open() as store:
        result = with_unique_names(store.sql(_text_of(query)))
    rows = result.to_pylist()
    output.rows("energy-db/sql/1", rows, columns=result.column_names, arrow=lambda: result)
    if not rows:
        say(f"no rows ({', '.join(result.column_names)})")


def _text_of(query: str) -> str:
    if query == "-":
        return sys.stdin.read()
    if not query.startswith("@"):
        return query
    try:
        return Path(query[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{query[1:]}: cannot be read: {error}") from error
