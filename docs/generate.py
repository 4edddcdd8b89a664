"""Writes what of the documentation follows from the code: views.md, cli.md, and every output that the README shows.

It pins the columns of the public views, too. `python docs/generate.py` writes what is stale; with `--check` it names
that, and exits 1.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
import public_surface

from energy_db import EnergyStore, errors, sql, units
from energy_db.cli.app import cli
from energy_db.sql import SqlObject
from energy_db.tables import markdown_table

ROOT = Path(__file__).parents[1]
WRITTEN_BY = "<!-- Written by docs/generate.py; change the code that it reads, then run `make docs`. -->"

_HELP_WIDTH = 100
_ROOMS = {
    "activity": "What happened: spikes and what they count for, without any costs.",
    "energy": "What it costs: activity times the costs of the catalogue.",
    "compare": "What changed: runs held against each other, and a run against its history.",
    "mart": "For BI tools: flat, under names that stay ([bi.md](bi.md)).",
}
_RUN_BLOCK = re.compile(
    r"^```console\n(?P<commands>.*?)^```$|^```sql\n(?P<query>.*?)^```\n\n```text\n.*?^```$", re.M | re.S
)
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_SHOWN_TIME = "2026-11-23 12:00:00"


def readme_page() -> str:
    """Return the README with what its commands and queries print today, run in order in one folder."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        copy_examples(Path(folder))
        return _RUN_BLOCK.sub(lambda block: _replayed(block, folder), text)


def copy_examples(folder: Path) -> None:
    """Copy the example runs with their sidecars, so that pages can name them without a path."""
    for run_file in sql.examples():
        for path in (run_file, run_file.with_suffix(".json")):
            shutil.copy(path, folder)


def _replayed(block: re.Match[str], folder: str) -> str:
    query = block["query"]
    if query is not None:
        return f"```sql\n{query}```\n\n```text\n{_output(['energy-db', 'sql', '-'], folder, query)}```"
    commands = [line for line in block["commands"].splitlines() if line.startswith("$ ")]
    shown = [f"{command}\n{_output(shlex.split(command)[1:], folder)}" for command in commands]
    return f"```console\n{''.join(shown)}```"


def _output(command: Sequence[str], folder: str, stdin: str = "") -> str:
    if command[0] != "energy-db":
        raise ValueError(f"only energy-db is run here, not {command[0]!r}: put it into another kind of block")
    environment = {name: value for name, value in os.environ.items() if name != "ENERGY_DB"}
    done = subprocess.run(
        [sys.executable, "-m", "energy_db", *command[1:]],
        cwd=folder, env=environment, input=stdin, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{shlex.join(command)} exits {done.returncode}: {done.stderr}")
    return _TIME.sub(_SHOWN_TIME, done.stdout)


def views_page() -> str:
    """Return the reference of views and tables, lifted from their own files."""
    types = public_surface.column_types()
    views = {view.name: view for view in sorted(sql.views(), key=lambda view: view.name)}
    parts = [_VIEWS_INTRODUCTION]
    for room, sentence in _ROOMS.items():
        public = [view for view in views.values() if view.room == room and not view.is_private]
        parts += [f"## {room}", sentence, *(_view_section(view, views, types) for view in public)]
    parts += ["## publication", _PUBLICATION_INTRODUCTION]
    parts += [_section(table, types) for table in sql.publication_tables()]
    checks = [view for view in views.values() if view.room == "checks"]
    looks = [{"view": f"`{view.name}`", "looks for": view.sentence, "grain": view.grain} for view in checks]
    parts += ["## checks", _CHECKS_INTRODUCTION, markdown_table(looks, is_markup=True)]
    parts += ["## Tables", _TABLES_INTRODUCTION, *(_section(table, types) for table in sql.tables())]
    return "\n\n".join(parts) + "\n"


def _view_section(view: SqlObject, views: dict[str, SqlObject], types: dict[tuple[str, str], str]) -> str:
    twin = views.get(view.name.removesuffix("_all_versions"), view)
    if twin is view or twin.columns != view.columns:
        return _section(view, types)
    return f"{_heading(view)}\n\nColumns as in [`{twin.name}`](#{twin.name})."


def _section(thing: SqlObject, types: dict[tuple[str, str], str]) -> str:
    rows = [
        {"column": f"`{name}`", "type": types[thing.name, name], "meaning": text}
        for name, text in thing.columns.items()
    ]
    return f"{_heading(thing)}\n\n{markdown_table(rows, is_markup=True)}"


def _heading(thing: SqlObject) -> str:
    return f"### {thing.name}\n\n{thing.sentence}\n\nGrain: {thing.grain}"


def cli_page() -> str:
    """Return the reference of the command line: what --help says of every verb, and the exit codes."""
    root = click.Context(cli, info_name="energy-db", terminal_width=_HELP_WIDTH, **cli.context_settings)
    helps = [f"## {name}\n\n```text\n{text}\n```" for name, text in _helps(root)]
    codes = [
        {"code": kind.exit_code, "error": f"`{kind.__name__}`", "when": (kind.__doc__ or "").partition("\n")[0]}
        for kind in _error_kinds()
    ]
    return "\n\n".join([_CLI_INTRODUCTION, *helps, _EXIT_CODES, markdown_table(codes, is_markup=True)]) + "\n"


def _helps(context: click.Context) -> Iterator[tuple[str, str]]:
    yield context.command_path, context.get_help()
    if isinstance(context.command, click.Group):
        for name, command in context.command.commands.items():
            yield from _helps(click.Context(command, info_name=name, parent=context))


def _error_kinds() -> list[type[errors.EnergyDbError]]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    found = [kind for kind in kinds if issubclass(kind, errors.EnergyDbError) and kind is not errors.EnergyDbError]
    return sorted(found, key=lambda kind: (kind.exit_code, kind.__name__))


_VIEWS_INTRODUCTION = f"""{WRITTEN_BY}

# Views and tables

Everything that energy-db reports is a view that you can query yourself: `energy-db sql "..."`, `EnergyStore.sql`, or
any tool that opens DuckDB files. Start with [`activity_by_run`](#activity_by_run) and
[`energy_by_layer`](#energy_by_layer).

- Names say measure and grain; the unit is the suffix: `energy_pj` is in picojoules.
- Views of the energy room show the cost version *in force*, one row per chip: **filter on `chip`**, or you add up the
  same spikes on every chip. Their twins, `..._all_versions`, show every version: filter on `cost_version`, too.
- Energies are exact decimals; [method.md](method.md) says what they mean.
- Names with a leading underscore are private to their room and may change."""

_PUBLICATION_INTRODUCTION = "Beside the views, a publication ([bi.md](bi.md)) says what it is and what it holds."

_CHECKS_INTRODUCTION = "What must not be: each view returns no rows in a sound store. `energy-db verify` runs them all."

_TABLES_INTRODUCTION = """What is stored. Prefer the views: they carry names instead of keys, and they stay when a table
changes."""

_CLI_INTRODUCTION = f"""{WRITTEN_BY}

# Command line

**Which store**: `--db PATH`, before or behind the verb; else the environment variable `ENERGY_DB`; else
`./energy.duckdb`. The first `ingest` makes it.

**Which run**: its id or the first six or more characters of it, its name (the newest run of that name), `latest`,
`latest~1` (the one before), `@tag` or `@tag=value` (the newest run that carries the tag).

**What goes where**: data to stdout, everything else (progress, notes, hints) to stderr. Tables are for eyes and scale
their units; `json`, `csv` and `parquet` are for machines and always in pJ. `-o FILE` chooses the format by its suffix.

**Colour**: `--color`, then the environment variables `NO_COLOR` and `FORCE_COLOR`, then whether a terminal listens."""

_EXIT_CODES = """## Exit codes

0 done · 1 a check failed (`verify`, `costs lint`) · 2 wrong usage · 3 not found, or not priced (`report --strict`) ·
4 operational · 130 interrupted.
Each error of the Python API has the code that the command line ends with:"""

_EVERY_VERSION = re.compile(r"(<!-- every version.*?-->\n).*?(<!-- end -->)", re.S)


def method_page() -> str:
    """Return docs/method.md with the example runs priced under every version of the catalogue."""
    text = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    table = markdown_table(_every_version(), is_markup=True)
    return _EVERY_VERSION.sub(lambda marks: f"{marks[1]}\n{table}\n\n{marks[2]}", text)


def _every_version() -> list[dict[str, str]]:
    with EnergyStore(":memory:") as store:
        names = [store.ingest(run_file).name for run_file in sql.examples()]
        rows = store.sql(
            "SELECT chip, cost_version, scope_group, status, energies.n_priced, energies.n_operations, run_name, "
            "energy_pj FROM energy_by_chip_all_versions AS energies JOIN cost_catalogue AS catalogue "
            "USING (chip, cost_version) WHERE energies.n_priced > 0 ORDER BY chip, cost_version"
        ).to_pylist()
    shown: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        about = {
            "chip": row["chip"],
            "version": f"`{row['cost_version']}`",
            "status": row["status"],
            "compares with": row["scope_group"],
            "priced": f"{row['n_priced']} of {row['n_operations']}",
            **dict.fromkeys(names, ""),
        }
        shown.setdefault((row["chip"], row["cost_version"]), about)[row["run_name"]] = units.energy(row["energy_pj"])
    return list(shown.values())


def pinned_columns() -> str:
    """Return tests/public_columns.csv: with what is new, but never without what was not announced to go."""
    pinned = public_surface.parse_pin(public_surface.PIN.read_text(encoding="utf-8"))
    changes = public_surface.parse_changes(public_surface.CHANGES.read_text(encoding="utf-8"))
    return public_surface.pin(public_surface.pinned_anew(pinned, public_surface.public_columns(), changes))


PAGES: dict[str, Callable[[], str]] = {
    "README.md": readme_page,
    "docs/views.md": views_page,
    "docs/cli.md": cli_page,
    "docs/method.md": method_page,
    "tests/public_columns.csv": pinned_columns,
}


def main() -> int:
    """Write what is stale, or only name it."""
    parser = argparse.ArgumentParser(description="Write the generated documentation.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is stale")
    check = parser.parse_args().check
    stale = False
    for name, make in PAGES.items():
        path, text = ROOT / name, make()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale = True
        print(f"{name} is stale: run make docs" if check else f"{name} written")
        if not check:
            path.write_text(text, encoding="utf-8")
    return int(check and stale)


if __name__ == "__main__":
    sys.exit(main())
