"""Verbs about the store itself: init, verify, migrate, doctor, completion."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from energy_db.cli.forked import exit_code_of_child
from energy_db.cli.output import Output, Settings, output_options, say, store_option
from energy_db.errors import EnergyDbError

if TYPE_CHECKING:
    from energy_db.store import EnergyStore

_CHECK_FAILED = 1
_OPERATIONAL = 4
_CLOCKS_DIFFER_BY = timedelta(minutes=5)

# Names of files beside a store -> what to do with them.
_LEFTOVERS = {
    "STORE.wal": "what was committed last; the next writer takes it into the store, so never remove it alone",
    "STORE.tmp": "of statements that did not fit into memory; it can be removed, unless one is under way",
    "STORE.archive-unfinished*": "of an archive that was cut short; it can be removed",
    "STORE.backup-*.unfinished*": "of a migration that was cut short; it can be removed",
    "STORE.init-unfinished*": "of an init --from that was cut short, or is under way; the next one replaces it",
    ".*.unfinished": "of an export, page or run file that was cut short; it can be removed, unless one is under way",
    "*.recording": "a recording that was not closed, or is under way; energy-db ingest takes it",
}


@click.command()
@click.option("--from", "folder", metavar="DIR", help="Make it from what `export --store` wrote.")
@store_option
@click.pass_obj
def init(settings: Settings, /, folder: str | None) -> None:
    """Make an empty store; `ingest` makes one, too.

    \b
    Examples:
      energy-db init
      energy-db --db runs/energy.duckdb init
      energy-db --db again.duckdb init --from backup/
    """
    if folder is not None:
        from energy_db.store import EnergyStore

        with EnergyStore.from_export(folder, settings.path) as store:
            say(f"{settings.path} made: {len(store.runs())} runs")
        return
    existed = Path(settings.path).exists()
    with settings.open(read_only=False, create=True) as store:
        n_versions = len(store.costs.versions())
    say(f"{settings.path} {'is a store already' if existed else 'made'}: {n_versions} cost versions")


@click.command()
@click.option("--quick", is_flag=True, help="Leave out what reads every event; seconds, whatever the store holds.")
@store_option
@output_options
@click.pass_obj
def verify(settings: Settings, /, output: Output, quick: bool) -> int:
    """Check that the store is sound.

    \b
    Examples:
      energy-db verify
      energy-db verify --quick
      energy-db verify --json

    Every value can be read, all sums close at every grain, roll-ups equal events, no view or cost was changed, no cost
    lacks a source. Exit code 1 if not, 4 if the file is damaged.
    """
    if (exit_code := exit_code_of_child(settings.path)) is not None:
        return exit_code
    with _opened(settings) as store:
        results = store.verify(quick=quick)
    rows = [
        {
            "check": result.check,
            "result": "failed" if result.n_failures else "ok",
            "failures": result.n_failures,
            "first_failure": result.first_failure and str(result.first_failure),
        }
        for result in results
    ]
    output.rows("energy-db/verify/1", rows)
    failed = [result for result in results if result.n_failures]
    for result in failed:
        say(f"{result.check}: {result.sentence}")
    say(f"{len(results) - len(failed)} of {len(results)} checks hold")
    return _CHECK_FAILED if failed else 0


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@store_option
@click.pass_obj
def migrate(settings: Settings, /, dry_run: bool) -> None:
    """Bring an older store up to this release.

    \b
    Examples:
      energy-db migrate
      energy-db --db old.duckdb migrate --dry-run

    Its schema, views and costs; a backup is made beside it first.
    """
    from energy_db import lifecycle

    found, now, backup = lifecycle.migrate(settings.path, dry_run=dry_run)
    if found == now and dry_run:
        say(f"{settings.path} is at schema revision {now}, the newest; only its views and costs would be refreshed")
    elif found == now:
        say(f"{settings.path} is at schema revision {now}, the newest; its views and costs are up to date")
    elif dry_run:
        say(f"{settings.path} would go from schema revision {found} to {now}")
    else:
        say(f"{settings.path} went from schema revision {found} to {now}; the old store is {backup}")


@click.command()
@store_option
@output_options
@click.pass_obj
def doctor(settings: Settings, /, output: Output) -> int:
    """Say what energy-db runs on and whether it works.

    \b
    Examples:
      energy-db doctor
      energy-db doctor --json
    """
    if (exit_code := exit_code_of_child(settings.path)) is not None:
        return exit_code
    import platform
    from importlib.metadata import PackageNotFoundError, version

    rows: list[dict[str, Any]] = [{"what": "python", "is": platform.python_version(), "ok": True}]
    for package in (
        "energy-db",
        "duckdb",
        "pyarrow",
        "numpy",
        "sqlalchemy",
        "duckdb-engine",
        "alembic",
        "click",
        "rich",
    ):
        try:
            rows.append({"what": package, "is": version(package), "ok": True})
        except PackageNotFoundError:
            rows.append({"what": package, "is": "not installed", "ok": False})
    rows += _store_facts(settings)
    output.rows("energy-db/doctor/1", rows)
    return 0 if all(row["ok"] for row in rows) else _OPERATIONAL


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, /, shell: str) -> None:
    """Print a shell's completion script.

    \b
    Examples:
      eval "$(energy-db completion bash)"
      energy-db completion fish > ~/.config/fish/completions/energy-db.fish
    """
    from click.shell_completion import get_completion_class

    completer = get_completion_class(shell)
    if completer is None:
        raise EnergyDbError(f"no completion is known for {shell}")
    click.echo(completer(context.find_root().command, {}, "energy-db", "_ENERGY_DB_COMPLETE").source())


@contextmanager
def _opened(settings: Settings, /) -> Iterator[EnergyStore]:
    """Open a store that has all its tables; one that cannot be opened for want of them is refused by the same words."""
    from energy_db.engines.duckdb import EngineBug
    from energy_db.verification import refuse_missing_tables_in

    try:
        store = settings.open()
    except EngineBug:
        refuse_missing_tables_in(settings.path)
        raise
    with store:
        refuse_missing_tables_in(settings.path)
        yield store


def _store_facts(settings: Settings, /) -> list[dict[str, Any]]:
    import os
    import shutil

    path = Path(settings.path)
    folder = path.resolve().parent
    free = shutil.disk_usage(folder if folder.exists() else Path.cwd()).free
    rows: list[dict[str, Any]] = [
        {"what": "store", "is": str(path.resolve()), "ok": True},
        {"what": "free disk", "is": f"{free // 2**20} MiB", "ok": free > 2**26},
    ]
    if folder.exists() and not os.access(folder, os.W_OK):
        rows.append({"what": "folder", "is": f"{folder} cannot be written to: runs cannot be stored", "ok": False})
    if not path.exists():
        rows.append({"what": "store state", "is": "does not exist yet; ingest makes it", "ok": True})
        return [*rows, *_leftovers(path)]
    if not os.access(path, os.W_OK):
        rows.append({"what": "file", "is": f"{path} cannot be written to: runs cannot be stored", "ok": False})
    try:
        with _opened(settings) as store:
            rows += _run_facts(store)
    except EnergyDbError as error:
        rows.append({"what": "store state", "is": str(error), "ok": False})
    rows.append({"what": "store size", "is": f"{path.stat().st_size / 2**20:.1f} MiB", "ok": True})
    return [*rows, *_leftovers(path)]


def _run_facts(store: EnergyStore) -> list[dict[str, Any]]:
    """Return what the runs say of the store, and of the clock that they were stored by."""
    runs = store.runs()
    rows: list[dict[str, Any]] = [{"what": "store state", "is": f"usable, {len(runs)} runs", "ok": True}]
    now = datetime.now(UTC).replace(tzinfo=None)
    ahead = [run for run in runs if run.ingested_at > now + _CLOCKS_DIFFER_BY]
    if ahead:
        found = f"{len(ahead)} runs were stored after now, {now:%Y-%m-%d %H:%M} UTC: `latest` means one of them"
        rows.append({"what": "clock", "is": f"{found}; is the clock right?", "ok": False})
    return rows


def _leftovers(path: Path) -> list[dict[str, Any]]:
    """Return what something left beside a store when it was cut short: beside its name, or where a link leads to."""
    return [
        {"what": "left behind", "is": f"{found.name}: {meaning}", "ok": True}
        for pattern, meaning in _LEFTOVERS.items()
        for found in sorted(
            {
                found
                for file in (path.absolute(), path.resolve())
                for found in file.parent.glob(pattern.replace("STORE", escape(file.name)))
            }
        )
    ]
