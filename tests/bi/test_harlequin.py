"""A query typed into harlequin, without a terminal, while the store goes on (`make bi-tools`)."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from factories import run_file
from published import expected_layers, tool

from energy_db import EnergyStore

harlequin = tool("harlequin")

KEYS = {" ": "space", ",": "comma", "'": "apostrophe", "_": "underscore", ".": "full_stop", "=": "equals_sign"}
KEYS |= {"(": "left_parenthesis", ")": "right_parenthesis", "*": "asterisk"}
COUNT = "select count(*) from mart.runs"
WRITER = """
from energy_db import EnergyStore
with EnergyStore("energy.duckdb") as store:
    store.ingest("later.parquet")
    store.publish("live", chips=["loihi2"])
"""


class Screen:
    """Harlequin as its user sees it."""

    def __init__(self, app: Any, pilot: Any) -> None:
        self.app = app
        self.pilot = pilot

    async def until(self, condition: Callable[[], Any], what: str) -> Any:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            await self.pilot.pause(0.05)
            if found := condition():
                return found
        raise TimeoutError(f"harlequin does not show {what}")

    async def tree(self, *path: str) -> list[str]:
        """Open the catalogue along a path of labels, and return the labels found there, with their types."""
        from harlequin.components.data_catalog.database_tree import DatabaseTree

        node = self.app.query_one(DatabaseTree).root
        for label in path:
            children = await self.until(lambda node=node: node.children, f"what is in {node.label}")
            node = next(child for child in children if str(child.label).split()[0] == label)
            node.expand()
        children = await self.until(lambda: node.children, f"what is in {path}")
        return [str(child.label) for child in children]

    async def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Type a query in place of what stands there, run it, and return the rows on the screen."""
        self.app.editor.text = ""
        self.app.editor.focus()
        await self.pilot.press(*(KEYS.get(letter, letter) for letter in query))
        assert self.app.editor.text == query
        before = self.app.results_viewer.get_visible_table()
        await self.pilot.press("ctrl+j")

        def shown() -> Any:
            table = self.app.results_viewer.get_visible_table()
            return table if table is not None and table is not before and table.row_count else None

        table = await self.until(shown, f"the result of {query}")
        return [tuple(table.get_row_at(row)) for row in range(table.row_count)]


def with_harlequin(path: Path, look: Callable[[Screen], Awaitable[None]]) -> None:
    """Open a database in harlequin, read-only, and look at it."""
    from harlequin_duckdb import DuckDbAdapter

    async def session() -> None:
        app = harlequin.Harlequin(DuckDbAdapter([str(path)], read_only=True, no_init=True), record_history=False)
        async with app.run_test(size=(120, 36)) as pilot:
            screen = Screen(app, pilot)
            await screen.until(lambda: app.connection is not None and getattr(app, "editor", None), "an editor")
            await look(screen)
        app.connection.conn.close()  # elsewhere, the end of its process does it

    for is_last in (False, False, True):
        try:
            asyncio.run(session())
            return
        except duckdb.ResourceInUseException:
            # Harlequin 2.17 asks its connection from two threads when it starts, which DuckDB 2.0 refuses at times.
            if is_last:
                raise


def test_the_catalogue_shows_the_mart(publication: Path) -> None:
    async def look(screen: Screen) -> None:
        assert {"main sch", "mart sch"} <= set(await screen.tree("energy"))
        tables = await screen.tree("energy", "mart")
        assert {"run_energy t", "layer_energy t", "neuron_energy v", "publication t"} <= set(tables)
        columns = await screen.tree("energy", "mart", "layer_energy")
        assert {"run_name s", "is_latest t/f", "run_date d", "n_spikes ##", "energy_pj #.#"} <= set(columns)

    with_harlequin(publication, look)


def test_a_query_is_typed_and_its_rows_are_shown(publication: Path) -> None:
    query = (
        "select run_name, layer, n_spikes, energy_pj from mart.layer_energy"
        " where chip = 'loihi2' order by run_name, layer_index"
    )

    async def look(screen: Screen) -> None:
        rows = await screen.ask(query)
        assert rows == expected_layers()
        assert isinstance(rows[0][3], Decimal)

    with_harlequin(publication, look)


@pytest.mark.usefixtures("folder")
def test_the_store_goes_on_while_harlequin_is_open() -> None:
    """What is open sees the old publication until it is closed."""
    with EnergyStore("energy.duckdb") as store:
        store.publish("live", chips=["loihi2"])
    run_file(Path("later.parquet"))

    async def meanwhile(screen: Screen) -> None:
        assert await screen.ask(COUNT) == [(3,)]
        done = await write()
        assert (done.returncode, done.stderr) == (0, "")
        assert await screen.ask(f"{COUNT} where true") == [(3,)]

    async def afterwards(screen: Screen) -> None:
        assert await screen.ask(COUNT) == [(4,)]

    with_harlequin(Path("live/energy.duckdb"), meanwhile)
    with_harlequin(Path("live/energy.duckdb"), afterwards)


async def write() -> subprocess.CompletedProcess[str]:
    """Ingest a run and publish, in another process."""
    command = [sys.executable, "-c", WRITER]
    return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)


def test_harlequin_on_the_store_itself_keeps_writers_out(folder: Path) -> None:
    """That is why there are publications."""

    async def look(screen: Screen) -> None:
        assert await screen.ask(COUNT) == [(3,)]
        done = await write()
        assert done.returncode == 1
        assert "StoreLockedError" in done.stderr

    with_harlequin(folder / "energy.duckdb", look)
    with EnergyStore(folder / "energy.duckdb") as store:
        assert len(store.runs()) == 3


def test_it_cannot_write(publication: Path) -> None:
    async def look(screen: Screen) -> None:
        from harlequin.components import ErrorModal

        screen.app.editor.text = "delete from mart.runs"
        screen.app.editor.focus()
        await screen.pilot.press("ctrl+j")
        await screen.until(lambda: isinstance(screen.app.screen, ErrorModal), "an error")
        assert "read-only mode" in str(screen.app.screen.error)

    with_harlequin(publication, look)
