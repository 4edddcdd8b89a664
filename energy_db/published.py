"""Stores whose content is published for readers, who never wait for a writer and never keep one waiting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from energy_db.catalogue import ledger
from energy_db.errors import EnergyDbError, PublicationError, UsageError
from energy_db.merged import MergedRuns
from energy_db.publishing.setting import Setting, read_setting, write_setting

if TYPE_CHECKING:
    from energy_db.publishing.publication import Publication
    from energy_db.runs import Run


class PublishedRuns(MergedRuns):
    """Runs that are published."""

    _puts_off = False
    _is_due = False

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
        PublicationError
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
        return self._publish(self._setting(to, keep, events, chips, parquet))

    def publish_after_ingest(
        self,
        to: str | PathLike[str] | None,
        *,
        keep: int = 3,
        events: bool = False,
        chips: Sequence[str] = (),
        parquet: bool = True,
    ) -> None:
        """Let the store publish by itself from now on: whenever runs came in, whoever stores them.

        The store keeps this. Trouble with a publication does not undo an ingest; it is a note of the run.

        Parameters
        ----------
        to : path-like or None
            The folder; None ends it.
        keep, events, chips, parquet : optional
            As in `publish`.

        Raises
        ------
        UsageError
            If the folder holds something else, or an argument cannot be meant.
        NotFoundError
            If a chip is not in the catalogue.
        """
        self._refuse_read_only("publish_after_ingest")
        setting = None if to is None else self._setting(to, keep, events, chips, parquet)
        if setting is not None:
            from energy_db.publishing.publish import folder_for

            folder_for(self._engine, Path(setting.to))
        write_setting(self._engine, setting)

    @property
    def published_to(self) -> Setting | None:
        """Where and how the store publishes after each ingest; None if it does not."""
        return read_setting(self._engine)

    @contextmanager
    def publishing_once(self) -> Iterator[None]:
        """Publish once behind the block, instead of behind each ingest in it; not if the block fails.

        Raises
        ------
        PublicationError
            If that cannot be done; the runs are stored.
        """
        self._puts_off = True
        try:
            yield
        finally:
            self._puts_off = False
        if self._is_due:
            self._publish_as_set()

    def _setting(
        self, to: str | PathLike[str], keep: int, events: bool, chips: Sequence[str], parquet: bool
    ) -> Setting:
        if keep < 1:
            raise UsageError(f"keep is {keep}, must be 1 or more")
        known = tuple(ledger.known_chip(self._engine, chip) for chip in dict.fromkeys(chips))
        return Setting(str(Path(to).resolve()), keep, events, known, parquet)

    def _publish(self, setting: Setting) -> Publication:
        from energy_db.publishing.publish import publish

        self._refuse_read_only("publish")
        return publish(self._engine, setting)

    def _publish_as_set(self) -> None:
        self._is_due = False
        if (setting := self.published_to) is not None:
            try:
                self._publish(setting)
            except EnergyDbError as error:
                raise PublicationError(
                    f"stored, but not published to {setting.to}: {error.message}", "Try again: energy-db publish"
                ) from error

    def _announce(self, came_in: list[Run]) -> list[Run]:
        """Publish what came in, if the store is set to; or remember that it is to be done."""
        if not any(run.status == "stored" for run in came_in):
            return came_in
        if self._puts_off:
            self._is_due = True
            return came_in
        try:
            self._publish_as_set()
        except PublicationError as error:
            return [replace(run, notes=(*run.notes, error.message)) for run in came_in]
        return came_in
