"""The files and stores that the measures share, in a temporary folder, each made when it is first needed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks import work
from benchmarks.recording import CONVOLUTIONAL, write_recording
from benchmarks.wide import write_wide_run
from energy_db import EnergyStore

EXAMPLES = Path(__file__).parents[1] / "examples"


@dataclass(frozen=True)
class Scene:
    """How large everything is, and where it is.

    Attributes
    ----------
    folder : Path
        A temporary folder.
    n_events : int
        Spikes of the large run.
    n_runs : int
        Runs of the history, each of a hundredth of these spikes.
    pairs : int
        How often a pair of whole pieces of work is taken.
    """

    folder: Path
    n_events: int
    n_runs: int
    pairs: int

    @property
    def rounds(self) -> int:
        """How often a query of milliseconds is taken."""
        return 5 * self.pairs

    @property
    def n_events_per_run(self) -> int:
        """Spikes of each run of the history."""
        return self.n_events // 100

    @cached_property
    def large_run(self) -> Path:
        return write_recording(self.folder / "large.parquet", self.n_events, seed=0)

    @cached_property
    def convolutional_run(self) -> Path:
        """A run of as many spikes, of a network of 200,000 neurons."""
        return write_recording(self.folder / "convolutional.parquet", self.n_events, 0, CONVOLUTIONAL)

    @property
    def digits(self) -> str:
        """A pattern of the three recorded runs of a real network."""
        return str(EXAMPLES / "digits-*.parquet")

    @property
    def n_events_of_digits(self) -> int:
        """Spikes of these runs together."""
        return sum(pq.read_metadata(path).num_rows for path in EXAMPLES.glob("digits-*.parquet"))

    @cached_property
    def empty_store(self) -> Path:
        path = self.folder / "empty.duckdb"
        work.in_fresh_process(work.make_store, path, path)
        return path

    @cached_property
    def large_store(self) -> Path:
        """A store of the large run alone."""
        return self._store_of(self.large_run)

    @cached_property
    def stores_by_events(self) -> dict[int, Path]:
        """Stores of one run each, of a hundredth, a tenth and all of the spikes."""
        smaller = [self.n_events // 100, self.n_events // 10]
        files = [write_recording(self.folder / f"{size}-events.parquet", size, seed=0) for size in smaller]
        stores = {size: self._store_of(file) for size, file in zip(smaller, files, strict=True)}
        return stores | {self.n_events: self.large_store}

    @cached_property
    def history(self) -> list[Path]:
        """Run files of the same network, whose spikes differ."""
        folder = self.folder / "history"
        folder.mkdir()
        return [
            write_recording(folder / f"run{number:05}.parquet", self.n_events_per_run, seed=number)
            for number in range(1, self.n_runs + 1)
        ]

    @cached_property
    def stores_by_runs(self) -> dict[int, Path]:
        """Stores of the first 1, 10, 100, ... runs of the history, and of all of it."""
        sizes = sorted({10**power for power in range(6) if 10**power < self.n_runs} | {self.n_runs})
        stores: dict[int, Path] = {}
        source = self.empty_store
        for done, size in zip([0, *sizes], sizes, strict=False):
            source = stores[size] = Path(shutil.copy(source, self.folder / f"{size}-runs.duckdb"))
            with EnergyStore(source) as store:
                for file in self.history[done:size]:
                    store.ingest(file)
        return stores

    @cached_property
    def wide_store(self) -> Path:
        """A store of two runs of a tenth as many neurons as the large run has spikes."""
        store = self.copy_of_empty_store("wide.duckdb")
        for seed in (1, 2):
            work.in_fresh_process(
                work.ingest, write_wide_run(self.folder / f"wide{seed}.parquet", self.n_neurons, seed), store
            )
        return store

    @property
    def n_neurons(self) -> int:
        """Neurons of each run that is compared."""
        return self.n_events // 10

    @property
    def history_store(self) -> Path:
        """The store of the whole history."""
        return self.stores_by_runs[self.n_runs]

    def copy_of_empty_store(self, name: str) -> Path:
        return Path(shutil.copy(self.empty_store, self.absent(name)))

    def absent(self, name: str) -> Path:
        """Return the path of a file that does not exist, any more."""
        path = self.folder / name
        path.unlink(missing_ok=True)
        return path

    def _store_of(self, file: Path) -> Path:
        store = self.copy_of_empty_store(f"{file.stem}.duckdb")
        work.in_fresh_process(work.ingest, file, store)
        return store
