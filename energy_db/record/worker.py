"""The thread that turns arrays into events and brings them to the journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from energy_db.errors import EnergyDbError, StoreError
from energy_db.intake.network import Layer
from energy_db.record import run_file
from energy_db.record.buffer import Buffer
from energy_db.record.journal import COMPLETE, Journal
from energy_db.record.progress import ProgressWriter, Tally
from energy_db.record.spikes import Spikes

if TYPE_CHECKING:
    import pyarrow

_EVENTS_OF_A_FLUSH = 1_000_000
_SECONDS_OF_A_FLUSH = 5.0


@dataclass(frozen=True)
class Work:
    """Spikes that are still to be made into events.

    Attributes
    ----------
    events : callable
        Makes them; called in the thread.
    n_bytes : int
        The memory that it holds until then.
    reached : mapping
        How far the recording has come with them (`Reach.snapshot`).
    """

    events: Callable[[], Spikes]
    n_bytes: int
    reached: Mapping[str, Any]


class _End:
    """Says that no more work comes."""


class Worker:
    """Writes to a journal, a million events or five seconds at a time.

    Parameters
    ----------
    journal : Journal
        The journal; it is closed with the worker.
    layers : sequence of Layer
        The network, in order.
    most_bytes : int
        Memory for what waits.
    """

    def __init__(self, journal: Journal, layers: Sequence[Layer], most_bytes: int) -> None:
        self._journal = journal
        self._layers = [layer.name for layer in layers]
        self._tally = Tally(layers)
        self._progress = ProgressWriter(journal.folder)
        self._columns = run_file.schema("").remove_metadata()
        self._buffer: Buffer[Work | Event | _End] = Buffer(most_bytes)
        self._waiting: list[pyarrow.RecordBatch] = []
        self._n_waiting = 0
        self._reached: dict[str, Any] = {}
        self._trouble: BaseException | None = None
        self._thread = Thread(target=self._run, name="energy-db-recording", daemon=True)
        self._thread.start()

    @property
    def n_events(self) -> int:
        """Events that are in the journal."""
        return self._journal.n_events

    def give(self, work: Work) -> None:
        """Hand work over; wait while too much of it waits.

        Raises
        ------
        EnergyDbError
            If earlier work failed.
        """
        self._raise_trouble()
        self._buffer.put(work, work.n_bytes)

    def flush(self) -> None:
        """Return when all work so far is in the journal."""
        done = Event()
        self._buffer.put(done, 0)
        while not done.wait(0.05) and self._thread.is_alive():
            pass
        self._raise_trouble()

    def end(self, reached: Mapping[str, Any] | None) -> None:
        """Finish all work, and close the journal; with how far it came if the recording is complete.

        Raises
        ------
        EnergyDbError
            If work failed.
        """
        self._buffer.put(_End(), 0)
        self._thread.join()
        try:
            if reached is not None and self._trouble is None:
                self._journal.append(run_file.no_rows(self._layers), {**reached, COMPLETE: True})
                self._progress.note(**reached, **self._tally.counts, is_complete=True)
        finally:
            self._journal.close()
        if reached is not None:
            self._raise_trouble()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # it is raised where the recording goes on
            self._trouble = error
        finally:
            self._buffer.close()

    def _work(self) -> None:
        due = time.monotonic() + _SECONDS_OF_A_FLUSH
        while True:
            entry = self._buffer.take(due - time.monotonic())
            if isinstance(entry, Work):
                spikes = entry.events()
                self._waiting.append(run_file.batch_of(spikes, self._layers, self._columns))
                self._n_waiting += len(spikes)
                self._tally.add(spikes)
                self._reached = dict(entry.reached)
            if isinstance(entry, Event | _End) or self._n_waiting >= _EVENTS_OF_A_FLUSH or time.monotonic() >= due:
                self._write()
                due = time.monotonic() + _SECONDS_OF_A_FLUSH
            if isinstance(entry, Event):
                entry.set()
            if isinstance(entry, _End):
                return

    def _write(self) -> None:
        if self._waiting:
            self._journal.append(run_file.together(self._waiting), self._reached)
            if self._progress.is_due():
                self._progress.note(**self._reached, **self._tally.counts)
            self._waiting, self._n_waiting = [], 0

    def _raise_trouble(self) -> None:
        if isinstance(self._trouble, EnergyDbError):
            raise self._trouble
        if self._trouble is not None:
            raise StoreError(
                f"the recording failed: {type(self._trouble).__name__}: {self._trouble}",
                f"What was written before is in {self._journal.folder}.",
            ) from self._trouble
