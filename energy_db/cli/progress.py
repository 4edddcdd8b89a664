"""A progress bar for long ingests: bytes, rate and time left, on stderr, only for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from energy_db.cli.output import is_watched

if TYPE_CHECKING:
    from energy_db.store import EnergyStore

_SECONDS_BETWEEN_LOOKS = 0.1
OnStage = Callable[[float], None]


class _Position:
    """How far the work is: bytes of finished files, and the share of the current one at which its stage began."""

    def __init__(self, sizes: dict[Path, int]) -> None:
        self._sizes = sizes
        self._done = 0
        self._current = 0
        self._stage = 0.0

    def begin(self, path: Path) -> OnStage:
        self._done += self._current
        self._current = self._sizes[path]
        self._stage = 0.0
        return self._begin_stage

    def bytes_at(self, share_of_statement: float) -> float:
        stage_length = (1 - self._stage) if self._stage else 0.15
        return self._done + self._current * (self._stage + stage_length * share_of_statement)

    def _begin_stage(self, share: float) -> None:
        self._stage = share


@contextmanager
def progress_over(store: EnergyStore, files: list[Path]) -> Iterator[Callable[[Path], OnStage]]:
    """Show a bar while files are ingested; yields what to call when one begins.

    Parameters
    ----------
    store : EnergyStore
        The store that does the work.
    files : list of Path
        The files, in order.
    """
    position = _Position({path: path.stat().st_size if path.is_file() else 0 for path in files})
    if not is_watched():
        yield position.begin
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    finished = Event()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("ingest", total=sum(position._sizes.values()))

        def watch() -> None:
            while not finished.wait(_SECONDS_BETWEEN_LOOKS):
                bar.update(task, completed=position.bytes_at(store.progress()))

        watcher = Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield position.begin
        finally:
            finished.set()
            watcher.join()
