"""The verb for people who know SQL: sql."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from energy_db.cli.output import Output, Settings, output_options, say, store_option, warn
from energy_db.errors import UsageError
from energy_db.tables import with_unique_names

if TYPE_CHECKING:
    from energy_db.asking.queries import SavedQuery
    from energy_db.store import EnergyStore

_PATIENCE = 300.0  # seconds


@click.command()
@click.argument("query", metavar="[QUERY|@NAME|@FILE|-]", required=False)
@click.option("-p", "--param", "params", metavar="NAME=VALUE", multiple=True, help="A value for $NAME (repeatable).")
@click.option("--timeout", metavar="SECONDS", type=click.FloatRange(min=0), default=_PATIENCE, show_default=True,
              help="Stop the query after so long; 0: never.")  # fmt: skip
@click.option("--views", "list_views", is_flag=True, help="List the views, with what one row of each stands for.")
@click.option("--describe", "described", metavar="VIEW", help="List the columns of a view: type, unit, meaning.")
@click.option("--queries", "list_queries", is_flag=True, help="List the saved queries with their parameters.")
@click.option("--save", "save_as", metavar="NAME", help="Do not ask, but keep QUERY in the store under a name.")
@click.option("--about", metavar="TEXT", help="With --save: what the query answers.")
@click.option("--history", "history_of", metavar="NAME", help="List the versions of a saved query.")
@store_option
@output_options
@click.pass_obj
def sql(
    settings: Settings,
    /,
    output: Output,
    query: str | None,
    params: tuple[str, ...],
    timeout: float,
    list_views: bool,
    described: str | None,
    list_queries: bool,
    save_as: str | None,
    about: str | None,
    history_of: str | None,
) -> None:
    """Ask the store in SQL; nothing can be changed, and no file be read.

    \b
    Examples:
      energy-db sql --views
      energy-db sql --describe energy_by_layer
      energy-db sql @top_neurons -p run=latest -p chip=loihi2
      energy-db sql 'SELECT layer, n_spikes FROM activity_by_layer WHERE run_id = $run' -p run=latest
      energy-db sql @query.sql --save by_layer --about "What each layer costs."

    A value of -p is a number, a date, true or false if it looks like one, and else a text; in "..." it is a text. A
    parameter `run`, or one that ends in `_run`, takes any selector of a run and becomes its id. @NAME is a saved query
    (@NAME~1 its version before), @FILE a file if it has a suffix or a folder.
    """
    _refuse_contradictions(query, params, list_views, described, list_queries, save_as, about, history_of)
    with settings.open(read_only=save_as is None) as store:
        if list_views:
            rows = [asdict(view) for view in store.views()]
            shown = [{key: row[key] for key in ("name", "room", "grain", "about")} for row in rows]
            output.rows("energy-db/sql-views/1", rows, human=shown, wrap=True)
        elif described is not None:
            output.rows("energy-db/sql-columns/1", [asdict(column) for column in store.describe(described)], wrap=True)
        elif list_queries:
            _list_queries(output, store.saved_queries())
        elif history_of is not None:
            _list_versions(output, store.query_history(history_of))
        elif save_as is not None:
            saved = store.save_query(save_as, _text_of(store, str(query)), about)
            say(f"{saved.status}: {saved.name}, version {saved.version}; ask it with energy-db sql @{saved.name}")
        else:
            _answer(store, output, _text_of(store, str(query)), _values(store, params), timeout)


def _refuse_contradictions(
    query: str | None,
    params: tuple[str, ...],
    list_views: bool,
    described: str | None,
    list_queries: bool,
    save_as: str | None,
    about: str | None,
    history_of: str | None,
) -> None:
    lists = {
        "--views": list_views,
        "--describe": described is not None,
        "--queries": list_queries,
        "--history": history_of is not None,
    }
    wanted = [option for option, is_wanted in lists.items() if is_wanted]
    if len(wanted) + (query is not None) > 1:
        raise UsageError(
            f"{wanted[0]} goes with no {'query' if query is not None else 'other list'}", "Ask one at a time."
        )
    if not wanted and query is None:
        raise UsageError("there is nothing to ask", "Give a query, or look around: energy-db sql --views")
    if about is not None and save_as is None:
        raise UsageError("--about goes with --save", "Name the query to keep it: --save NAME")
    if params and (wanted or save_as is not None):
        raise UsageError(f"-p goes with no {wanted[0] if wanted else '--save'}", "Values go in when a query is asked.")
    if wanted and save_as is not None:
        raise UsageError(f"--save goes with no {wanted[0]}", "Give the query to keep: energy-db sql QUERY --save NAME")


def _answer(store: EnergyStore, output: Output, query: str, values: Mapping[str, Any], timeout: float) -> None:
    result = with_unique_names(store.sql(query, values, timeout=timeout))
    if query.startswith("@"):
        saved = store.saved_query(query[1:])
        taken = [str(each) for each in saved.parameters if each.default is not None and each.name not in values]
        if taken:
            say(f"{saved.name} with {', '.join(taken)} (its default{'s' * (len(taken) > 1)})")
    rows = result.to_pylist()
    output.rows("energy-db/sql/1", rows, columns=result.column_names, arrow=lambda: result)
    warn_of_missing_events(store, query)
    if not rows:
        say(f"no rows ({', '.join(result.column_names)})")


def warn_of_missing_events(store: EnergyStore, text: str) -> None:
    """Say so where a text names what reads single spikes, and the store does not keep those of some runs."""
    from energy_db.sql import readers_of, words_in

    asked = ", ".join(sorted(readers_of("spike_events") & words_in(text)))
    if not asked:
        return
    query = "SELECT count(*) FILTER (NOT has_events) AS n_without, count(*) AS n_runs FROM runs"
    [counted] = store.sql(query).to_pylist()
    if counted["n_without"]:
        warn(f"{counted['n_without']} of {counted['n_runs']} runs keep no single spikes, and have no rows in {asked}")


def _list_queries(output: Output, queries: list[SavedQuery]) -> None:
    shown = [
        {
            "query": f"@{saved.name}",
            "version": _version(saved),
            "about": saved.about,
            "parameters": ", ".join(map(str, saved.parameters)),
        }
        for saved in queries
    ]
    output.rows("energy-db/sql-queries/1", [_row(saved) for saved in queries], human=shown, wrap=True)


def _list_versions(output: Output, versions: list[SavedQuery]) -> None:
    shown = [
        {
            "query": f"@{saved.name}" + f"~{back}" * (back > 0),
            "version": _version(saved),
            "saved_at": saved.saved_at,
            "about": saved.about,
            "text": " ".join(line.strip() for line in saved.query.splitlines() if not line.startswith("--")),
        }
        for back, saved in enumerate(versions)
    ]
    output.rows("energy-db/sql-queries/1", [_row(saved) for saved in versions], human=shown, wrap=True)


def _row(saved: SavedQuery) -> dict[str, Any]:
    """Return a query as machines read it: flat, with its parameters as they would be written."""
    parameters = "; ".join(f"{parameter}: {parameter.about}" for parameter in saved.parameters)
    row = {"name": saved.name, "version": saved.version, "saved_at": saved.saved_at, "about": saved.about}
    return {**row, "parameters": parameters, "query": saved.query}


def _version(saved: SavedQuery) -> str:
    return "shipped" if saved.version is None else str(saved.version)


def _values(store: EnergyStore, params: tuple[str, ...]) -> dict[str, Any]:
    """Return the values of -p, each of its type, and of a run its id."""
    from energy_db.asking.values import names_a_run, typed

    values: dict[str, Any] = {}
    for written in params:
        name, has_value, text = written.partition("=")
        name = name.strip().removeprefix("$")
        if not has_value or not name:
            raise UsageError(f"-p {written}: expected NAME=VALUE", "Such as -p run=latest.")
        if name in values:
            raise UsageError(f"-p {name} is given twice", "Give one value for each name.")
        values[name] = store.run(text.strip('"')).run_id if names_a_run(name) else typed(text)
    return values


def _text_of(store: EnergyStore, query: str) -> str:
    """Return the text of a query, or, of a saved one, its name behind an @."""
    if query == "-":
        return sys.stdin.read()
    if not query.startswith("@"):
        return query
    path = Path(query[1:])
    is_file = path.suffix or path.name != query[1:]
    if not is_file:
        known = {saved.name for saved in store.saved_queries()}
        is_file = query[1:].partition("~")[0] not in known and path.is_file()
    if not is_file:
        return query
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
