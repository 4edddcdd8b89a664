"""Stores whose content leaves them as files, and comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from energy_db import selectors
from energy_db.catalogue import ledger
from energy_db.exporting.writing import known_format
from energy_db.published import PublishedRuns
from energy_db.runs import Run


class ExportedRuns(PublishedRuns):
    """Runs that are written to files."""

    def export_run(self, run: str | Run, path: str | PathLike[str], *, format: str = "parquet") -> Run:
        """Write a run to a file.

        As Parquet, it is a run file with all that was declared of the run, and can be ingested again: the same run.
        CSV and Arrow hold its events alone, for other programs.

        Parameters
        ----------
        run : str or Run
            The run, or a selector of one (see `run`).
        path : path-like
            The file; one that exists is replaced.
        format : {'parquet', 'csv', 'arrow'}
            How it is written.

        Returns
        -------
        Run
            The run that was meant.

        Raises
        ------
        NotFoundError
            If there is no such run.
        UsageError
            If the store does not keep the run's events.
        EnergyDbError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> from energy_db import EnergyStore
        >>> with EnergyStore(":memory:") as store:
        ...     run = store.ingest("examples/digits-sparse.parquet")
        ...     path = tempfile.mkdtemp() + "/again.parquet"
        ...     _ = store.export_run("digits-sparse", path)
        ...     store.ingest(path).status
        'unchanged'
        """
        from energy_db.exporting.run_files import export_run

        found = self.run(run)
        export_run(self._engine, found, Path(path), known_format(format))
        return found

    def export_view(
        self,
        view: str,
        path: str | PathLike[str],
        *,
        format: str = "parquet",
        runs: Sequence[str | Run] = (),
        chip: str | None = None,
        by_run: bool = False,
    ) -> None:
        """Write the rows of a view or table to a file, in types that other programs read.

        Parameters
        ----------
        view : str
            The view; `views` lists them.
        path : path-like
            The file; or, by run, a folder that does not exist or is empty.
        format : {'parquet', 'csv', 'arrow'}
            How it is written.
        runs : sequence of (str or Run)
            Only rows of these runs; by default of all.
        chip : str, optional
            Only rows on this chip; by default on all.
        by_run : bool
            Write a folder for each run, ``run_id=...``, as Spark, DuckDB and pyarrow read them as one.

        Raises
        ------
        NotFoundError
            If there is no such view, run or chip.
        UsageError
            If the view has no column to choose by, or the folder holds something.
        EnergyDbError
            If it cannot be written.
        """
        from energy_db.exporting.views import export_view

        query = self._view_query(view, runs, chip)
        export_view(self._engine, query, Path(path), known_format(format), by_run)

    def export_store(
        self, folder: str | PathLike[str], *, format: str = "parquet", events: bool = True
    ) -> dict[str, Any]:
        """Write the whole store to a folder, table by table; `EnergyStore.from_export` makes a store of it again.

        Parameters
        ----------
        folder : path-like
            The folder; it does not exist, or is empty.
        format : {'parquet', 'csv', 'arrow'}
            How tables are written.
        events : bool
            Write the single spike events, too.

        Returns
        -------
        dict
            The content of ``export.json``: the tables with their files, rows and types.

        Raises
        ------
        UsageError
            If the folder holds something.
        EnergyDbError
            If it cannot be written.
        """
        from energy_db.exporting.stores import export_store

        return export_store(self._engine, Path(folder), known_format(format), events)

    def _view_query(self, view: str, wanted: Sequence[str | Run], chip: str | None) -> str:
        from energy_db.exporting.views import query_of

        run_ids = [selectors.load(self._engine, run).run_id for run in wanted]
        known = None if chip is None else ledger.known_chip(self._engine, chip)
        return query_of(self._engine, view, run_ids, known)

    def _csv_pieces(self, view: str, wanted: Sequence[str | Run], chip: str | None) -> Iterator[bytes]:
        """Yield the rows of a view as CSV, while they are worked out."""
        from energy_db.exporting.writing import csv_pieces

        yield from csv_pieces(self._engine, self._view_query(view, wanted, chip))
