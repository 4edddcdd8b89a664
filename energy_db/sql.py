"""Finds and reads the SQL folders: the tables, the views in their order, the steps of an ingest.

The documentation of every table, view and column stands in its file, above what it explains; this module
lifts it for the database's catalogue and for docs/views.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

_OBJECT = re.compile(r"CREATE (?:OR REPLACE )?(TABLE|VIEW) ((?:mart\.)?\w+) \(")
_COLUMN = re.compile(r"    ([a-z]\w*)\b")
MART = "mart"
"""The room, and the database's schema, of the flat views for BI tools."""
_PUBLICATION = "publication"
_VIEW_ROOMS = ("activity", "energy", "compare", MART, "checks")


@dataclass(frozen=True)
class SqlObject:
    """A table or view, with the documentation that stands in its file.

    Attributes
    ----------
    kind : str
        'TABLE' or 'VIEW'.
    name : str
        Its name, which is also the file's; that of a view for BI tools begins with its schema, 'mart.'.
    room : str
        The folder that it lives in.
    sentence, grain : str
        What it is, and what one row stands for.
    columns : dict of str to str
        The text above each column.
    statement : str
        The file's text.
    """

    kind: str
    name: str
    room: str
    sentence: str
    grain: str
    columns: dict[str, str]
    statement: str

    @property
    def is_private(self) -> bool:
        """Whether only views of the same room may read it."""
        return self.name.startswith("_")

    @property
    def query(self) -> str:
        """The query of a view, without its head and its last semicolon."""
        return self.statement.partition("\n) AS\n")[2].strip().removesuffix(";")

    @property
    def comments(self) -> str:
        """The statements that put its documentation into the database's catalogue."""
        texts = {f"{self.kind} {self.name}": f"{self.sentence} Grain: {self.grain}"}
        texts |= {f"COLUMN {self.name}.{column}": text for column, text in self.columns.items()}
        return "".join(f"COMMENT ON {target} IS {_literal(text)};\n" for target, text in texts.items())


def root() -> Path:
    """Return the folder that holds schema/, queries/ and migrations/: inside a wheel, or the checkout's top."""
    installed = Path(__file__).parent / "sql"
    return installed if installed.is_dir() else Path(__file__).parents[1]


@cache
def tables() -> tuple[SqlObject, ...]:
    """Return the tables of schema/, by name."""
    return tuple(_read(path) for path in sorted((root() / "schema").glob("*.sql")))


@cache
def views() -> tuple[SqlObject, ...]:
    """Return the views of queries/ in an order in which each finds the views that it reads."""
    by_name = {view.name: view for room in _VIEW_ROOMS for view in _read_room(room)}
    sources = {view.name: words_of(view) & by_name.keys() - {view.name} for view in by_name.values()}
    return tuple(by_name[name] for name in TopologicalSorter(sources).static_order())


@cache
def publication_tables() -> tuple[SqlObject, ...]:
    """Return the tables that only a publication has: what it is, and what it holds."""
    return tuple(_read_room(_PUBLICATION))


def views_behind(names: Iterable[str]) -> tuple[SqlObject, ...]:
    """Return the views of these names and all that they read, in order."""
    needed = set(names)
    for view in reversed(views()):
        if view.name in needed:
            needed |= views_read_by(view)
    return tuple(view for view in views() if view.name in needed)


@cache
def readers_of(table: str) -> frozenset[str]:
    """Return the name of a table, and those of the views that read it, themselves or through others."""
    found = {table}
    for view in views():
        if words_in(view.statement) & found:
            found.add(view.name)
    return frozenset(found)


@cache
def view_versions(names: tuple[str, ...]) -> dict[str, str]:
    """Return the version of each of these views and all that they read: the beginning of its text's SHA-256."""
    return {view.name: hashlib.sha256(view.statement.encode()).hexdigest()[:12] for view in views_behind(names)}


def views_read_by(view: SqlObject) -> set[str]:
    """Return the names of the views that a view reads."""
    return words_of(view) & {other.name for other in views()} - {view.name}


@cache
def ingest_step(name: str) -> str:
    """Return the statement of one step of an ingest."""
    return (root() / "queries" / "ingest" / f"{name}.sql").read_text(encoding="utf-8")


def saved_query_files() -> list[Path]:
    """Return the queries of the shipped library, by name."""
    return sorted((root() / "queries" / "saved").glob("*.sql"))


def cost_files() -> list[Path]:
    """Return the shipped cost files, by chip."""
    return sorted((root() / "schema" / "costs").glob("*.toml"))


def shipped_chip(chip: str | None) -> list[str] | None:
    """Return a list of this chip alone if a cost file of its name is shipped, and else None, which stands for all."""
    return [chip] if isinstance(chip, str) and chip in {path.stem for path in cost_files()} else None


def drivers_file() -> Path:
    """Return the shipped file of drivers."""
    return root() / "schema" / "drivers.toml"


def cost_template() -> str:
    """Return the cost file to start from."""
    return (root() / "schema" / "template.toml").read_text(encoding="utf-8")


def examples() -> list[Path]:
    """Return the run files of the demo, in the order of their names."""
    return sorted((root() / "examples").glob("digits-*.parquet"))


def newest_revision() -> str:
    """Return the number of the newest migration, which is the revision that this code works with."""
    return max(path.stem.partition("_")[0] for path in (root() / "migrations" / "versions").glob("[0-9]*.py"))


@cache
def shipped_fingerprint() -> str:
    """Return a hash over all views, roll-ups and shipped costs: a store that carries another one is refreshed."""
    digest = hashlib.sha256()
    rooms = (*_VIEW_ROOMS, "ingest")
    paths = [path for room in rooms for path in sorted((root() / "queries" / room).glob("*.sql"))]
    for path in [*paths, *cost_files(), drivers_file()]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _read_room(room: str) -> list[SqlObject]:
    return [_read(path) for path in sorted((root() / "queries" / room).glob("*.sql"))]


def _read(path: Path) -> SqlObject:
    statement = path.read_text(encoding="utf-8")
    found = _OBJECT.search(statement)
    name = f"{MART}.{path.stem}" if path.parent.name in (MART, _PUBLICATION) else path.stem
    if found is None or found[2] != name:
        raise AssertionError(f"{path} must create the table or view {name}")
    head = [line.removeprefix("--").strip() for line in statement[: found.start()].splitlines()]
    grain = next((line.removeprefix("Grain:").strip() for line in head if line.startswith("Grain:")), "")
    sentence = " ".join(line for line in head if line and not line.startswith("Grain:"))
    columns = _columns(statement[found.end() :])
    return SqlObject(found[1], name, path.parent.name, sentence, grain, columns, statement)


def words_of(view: SqlObject) -> set[str]:
    """Return the words of a view's statement: among them the tables and views that it reads."""
    return words_in(view.statement)


def words_in(statement: str) -> set[str]:
    """Return the words of a statement, without its comments."""
    return set(re.findall(r"(?:\bmart\.)?\w+", re.sub(r"--[^\n]*", "", statement)))


def _columns(text: str) -> dict[str, str]:
    columns: dict[str, str] = {}
    sentence = ""
    for line in text.splitlines():
        if line.startswith(")"):
            break
        if line.strip().startswith("--"):
            sentence = f"{sentence} {line.strip().removeprefix('--').strip()}".strip()
        elif column := _COLUMN.match(line):
            columns[column[1]] = sentence
            sentence = ""
    return columns


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
