"""A view's test is a folder: queries/<view>/<case>/given/<table>.csv is what the tables hold, expect.csv what it shows.

Columns that a given file leaves out are empty, or, where the table demands a value, hold a neutral one. What drives
costs is rolled up from the given tables as for a run that a store is told of, unless the case gives driver_counts.csv.
Values are compared as text, rows without regard to their order; NULL stands for an empty value.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from energy_db import sql
from energy_db.engines.duckdb import MEMORY, Engine

FOLDER = Path(__file__).parent / "queries"
CASES = sorted(path.parent for path in FOLDER.glob("*/*/expect.csv"))
NEUTRAL = {"VARCHAR": "", "TIMESTAMP": "2026-01-01 00:00:00", "DATE": "2026-01-01", "BOOLEAN": "true"}
NEUTRAL_COLUMNS = {"is_reference": "false"}
ROLLED_UP = "driver_counts"
NULL = "NULL"

Rows = list[list[str]]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Give the tables and views of a store, all of them empty."""
    opened = Engine(MEMORY)
    opened.run(f"CREATE SCHEMA {sql.MART}")
    for thing in (*sql.tables(), *sql.views()):
        opened.run(thing.statement)
    yield opened
    opened.close()


def read(path: Path) -> tuple[list[str], Rows]:
    with path.open(newline="", encoding="utf-8") as stream:
        header, *rows = csv.reader(stream)
    return header, rows


@cache  # asked once for each table, not once for each case
def columns_of(engine: Engine, table: str) -> dict[str, tuple[str, str]]:
    """Return the type of each column of a table, and whether it may be empty."""
    return {name: (kind, null) for name, kind, null, *_ in engine.rows(f"DESCRIBE {table}")}


def fill(engine: Engine, table: str, header: list[str], rows: Rows) -> None:
    columns = columns_of(engine, table)
    assert set(header) <= set(columns), f"{table} has no column {set(header) - set(columns)}"
    neutral = {name: NEUTRAL.get(kind, "0") for name, (kind, null) in columns.items() if null == "NO"}
    neutral |= {name: value for name, value in NEUTRAL_COLUMNS.items() if name in columns}
    given = []
    for number, row in enumerate(rows):
        assert len(row) == len(header), f"{table}: {row}"
        values = neutral | {"fact_number": str(number)} | dict(zip(header, row, strict=True))
        given.append([None if values.get(name, NULL) == NULL else values[name] for name in columns])
    engine.insert(table, given)


def fill_all(engine: Engine, folder: Path) -> None:
    paths = sorted((folder / "given").glob("*.csv"))
    for path in paths:
        fill(engine, path.stem, *read(path))
    if ROLLED_UP not in {path.stem for path in paths}:
        engine.run(sql.ingest_step(f"store_{ROLLED_UP}"), {"run_key": None})


def shown(engine: Engine, view: str) -> tuple[list[str], Rows]:
    # Engine.arrow would plan the view twice, Engine.records would not name the columns of no rows.
    result = engine._connection.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {view}")
    header = [column[0] for column in result.description or []]
    return header, [[NULL if value is None else value for value in row] for row in result.fetchall()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_view(engine: Engine, case: Path) -> None:
    expected_header, expected = read(case / "expect.csv")
    engine.run("BEGIN TRANSACTION")
    try:
        fill_all(engine, case)
        header, rows = shown(engine, case.parent.name)
    finally:
        engine.run("ROLLBACK")
    assert header == expected_header
    assert sorted(rows) == sorted(expected)


def test_every_public_view_of_activity_and_energy_has_a_case() -> None:
    wanted = {view.name for view in sql.views() if view.room != "checks" and not view.is_private}
    assert wanted <= {case.parent.name for case in CASES}


def test_every_check_has_a_case_that_passes_and_one_that_fails() -> None:
    for view in (view for view in sql.views() if view.room == "checks"):
        n_rows = {bool(read(case / "expect.csv")[1]) for case in CASES if case.parent.name == view.name}
        assert n_rows == {True, False}, f"{view.name} needs a case that passes and one that fails"


def test_every_case_tests_a_view_and_every_given_file_fills_a_table() -> None:
    assert {case.parent.name for case in CASES} <= {view.name for view in sql.views()}
    tables = {table.name for table in sql.tables()}
    given = {path.stem for path in FOLDER.glob("*/*/given/*")}
    assert given <= tables
    assert {path.parent.parent for path in FOLDER.glob("*/*/given/*")} <= set(CASES)
