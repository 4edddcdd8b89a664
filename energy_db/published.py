"""Stores whose content is published for readers, who never wait for a writer and never keep one waiting."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from energy_db.catalogue import ledger
from energy_db.errors import UsageError
from energy_db.merged import MergedRuns

if TYPE_CHECKING:
    from energy_db.publishing.publication import Publication


class PublishedRuns(MergedRuns):
    """Runs that are published."""

    def publish(
        self,
        to: str | PathLike[str],
        *,
        keep: int = 3,
        events: bool = False,
        chips: Sequence[str] = (),
        parquet: bool = True,
    ) -> Publication:
        """Publish the store: a read-only copy in a folder, for BI tools and notebooks, while this store is written to.

        Readers open ``energy.duckdb`` in the folder; the next publication takes its place in one step, and those that
        have it open keep what they have. Beside it, ``marts/`` holds the views of the schema mart as Parquet files,
        and ``catalog.json`` says what everything is (docs/bi.md).

        Parameters
        ----------
        to : path-like
            The folder; it is made if it does not exist.
        keep : int
            How many publications stay in it.
        events : bool
            Publish the single spike events, too; by default only what is summed up over them.
        chips : sequence of str
            The chips that the facts of the mart are priced on; by default all. Fewer make it faster and smaller.
        parquet : bool
            Write Parquet files, too.

        Returns
        -------
        Publication
            Its number, its place, its runs and spikes.

        Raises
        ------
        UsageError
            If the folder holds something else, or an argument cannot be meant.
        NotFoundError
            If a chip is not in the catalogue.
        StoreLockedError
            If another process publishes to the folder right now.
        StoreError
            If it cannot be written; what was published before is as it was.

        Examples
        --------
        >>> import tempfile
        >>> from energy_db import EnergyStore
        >>> with EnergyStore(":memory:") as store:
        ...     run = store.ingest("examples/digits-baseline.parquet")
        ...     published = store.publish(tempfile.mkdtemp(), chips=["loihi2"])
        >>> published.number, published.n_runs, published.n_spikes
        (1, 1, 528507)
        """
        from energy_db.publishing.publish import publish

        self._refuse_read_only("publish")
        if keep < 1:
            raise UsageError(f"keep is {keep}, must be 1 or more")
        known = [ledger.known_chip(self._engine, chip) for chip in dict.fromkeys(chips)]
        return publish(self._engine, Path(to), keep=keep, events=events, chips=known, parquet=parquet)
