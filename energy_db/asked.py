"""A store that answers: queries in SQL, those that are kept under a name, and what there is to ask."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from energy_db.asking import listing, shelf
from energy_db.asking.listing import ColumnInfo, ViewInfo
from energy_db.asking.queries import SavedQuery
from energy_db.asking.values import filled
from energy_db.engines.duckdb import Parameters
from energy_db.errors import UsageError
from energy_db.exported import ExportedRuns

if TYPE_CHECKING:
    import pyarrow


class AskedRuns(ExportedRuns):
    """Runs that can be asked in SQL."""

    def sql(self, query: str, params: Parameters = (), *, timeout: float | None = None) -> pyarrow.Table:
        """Return the result of one query; nothing that it does can change the store, or read what is not in it.

        Parameters
        ----------
        query : str
            One SELECT, SHOW, DESCRIBE, SUMMARIZE or EXPLAIN; docs/views.md lists the views. Or the name of a saved
            query behind an @, such as '@top_neurons'; '@mine~1' is the version before the newest.
        params : sequence or mapping, optional
            Values for ``?`` or ``$name``. A saved query takes them by name, and takes any selector of a run for `run`
            and for what ends in `_run`.
        timeout : float, optional
            Seconds after which it is stopped; by default, as with 0, there is no limit.

        Raises
        ------
        QueryError
            If the query is wrong, is not one that only reads the store, or lacks a value.
        QueryTimeoutError
            If it takes longer than it may.
        NotFoundError
            If there is no saved query, run or chip of the name.

        Examples
        --------
        >>> from energy_db import EnergyStore
        >>> with EnergyStore(":memory:") as store:
        ...     run = store.ingest("examples/digits-baseline.parquet")
        ...     table = store.sql("@top_neurons", {"run": run, "chip": "loihi2", "n": 2}, timeout=60)
        >>> table.select(["layer", "neuron", "n_spikes"]).to_pylist()
        [{'layer': 'hidden1', 'neuron': 115, 'n_spikes': 6321}, {'layer': 'hidden1', 'neuron': 79, 'n_spikes': 6028}]
        """
        if timeout is not None and not (timeout >= 0 and math.isfinite(timeout)):
            raise UsageError(f"timeout is {timeout}, must be a number of seconds, or 0 for no limit")
        if query.startswith("@"):
            saved = shelf.find(self._engine, query[1:])
            return self._engine.read_only_query(saved.query, filled(self._engine, saved, params), timeout)
        return self._engine.read_only_query(query, params, timeout)

    def save_query(self, name: str, query: str, about: str | None = None) -> SavedQuery:
        """Keep a query in the store under a name; what was saved under it before stays as its history.

        Parameters
        ----------
        name : str
            Its name: letters, digits, dashes and underscores. Those of shipped queries are taken.
        query : str
            The query. A comment at its head may say what it answers, and ``-- $name = default: Meaning.`` for each
            parameter.
        about : str, optional
            What it answers; by default what its head says.

        Returns
        -------
        SavedQuery
            The query with its version; the same again is 'unchanged'.

        Raises
        ------
        QueryError
            If it is wrong, or does not only read the store.
        UsageError
            If it cannot have the name.
        """
        self._refuse_read_only("save_query")
        return shelf.save(self._engine, name, query, about)

    def saved_queries(self) -> list[SavedQuery]:
        """Return the shipped queries, and then those that are kept in the store, in their newest version."""
        return shelf.newest(self._engine)

    def saved_query(self, name: str) -> SavedQuery:
        """Return a saved query.

        Parameters
        ----------
        name : str
            Its name; 'name~1' is the version before the newest.

        Raises
        ------
        NotFoundError
            If there is no such query.
        """
        return shelf.find(self._engine, name)

    def query_history(self, name: str) -> list[SavedQuery]:
        """Return all versions of a saved query, the newest first.

        Parameters
        ----------
        name : str
            Its name.

        Raises
        ------
        NotFoundError
            If there is no such query.
        """
        return shelf.versions(self._engine, name) or [shelf.find(self._engine, name)]

    def views(self) -> list[ViewInfo]:
        """Return the views that can be asked, with what a row of each stands for: those for BI tools come first."""
        return listing.views(self._engine)

    def describe(self, view: str) -> list[ColumnInfo]:
        """Return the columns of a view or table, with types, units and meanings.

        Parameters
        ----------
        view : str
            Its name.

        Raises
        ------
        NotFoundError
            If there is none of this name.
        """
        return listing.describe(self._engine, view)
