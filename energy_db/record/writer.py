"""Live recording: spikes as they come, through a thread of its own, to a run file or a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from energy_db.errors import UsageError
from energy_db.intake.network import Layer
from energy_db.record import run_file
from energy_db.record import target as target_of
from energy_db.record.arrays import as_array
from energy_db.record.axes import TIME, read_axes
from energy_db.record.declaring import read_told
from energy_db.record.journal import Journal, JournaledRun
from energy_db.record.reach import Reach, completed
from energy_db.record.spikes import Extent, Spikes, Values, extent_of, from_dense, from_events
from energy_db.record.worker import Work, Worker

if TYPE_CHECKING:
    from energy_db.record.spool import Spool
    from energy_db.record.target import Target
    from energy_db.runs import Run
    from energy_db.store import EnergyStore

_MEBIBYTE = 2**20


class RunWriter:
    """Records one run while it happens.

    What is added is copied, and turned into events by a thread of its own; `close` makes the run visible, at once and
    whole. Until then it is in a journal beside the target, a folder `NAME.recording`, from which `recover` reads what
    had come that far if the process dies.

    Parameters
    ----------
    target : path-like, Spool or EnergyStore
        A run file to be written (`NAME.parquet`), or the spool or store that the run goes to.
    layers : sequence of (str or mapping or Layer)
        The layers, in order: names, or what a sidecar says of a layer (name, role, n_inputs, n_neurons, fan_out).
    n_timesteps : int, optional
        Timesteps of a sample. Default: those of the first dense array.
    n_samples : int, optional
        Samples of the run. Default: as many as come.
    name : str, optional
        What to call the run; runs of one name are a history. Needed for a spool or a store. Default: the file's stem.
    timestep_us : float, optional
        Length of a timestep in microseconds.
    tags, kind, seed, git_commit, recorded_at : optional
        As in `EnergyStore.ingest`.
    journal_folder : path-like, optional
        The journal's folder; default: `NAME.recording` beside the target, or in the spool.
    buffer_mib : int
        Memory for what waits for the thread, in MiB; `add` waits while it is full.

    Raises
    ------
    UsageError
        If an argument cannot be meant.
    StoreError
        If the journal cannot be made, because an earlier recording is there.

    Examples
    --------
    >>> import numpy as np
    >>> from energy_db import EnergyStore
    >>> from energy_db.record import RunWriter
    >>> store = EnergyStore(":memory:")
    >>> layers = [{"name": "hidden", "role": "hidden"}, {"name": "out", "role": "readout"}]
    >>> with RunWriter(store, layers=layers, name="evaluation") as writer:
    ...     for batch in range(3):
    ...         writer.add("hidden", np.ones((5, 2, 8), dtype=bool))
    ...         writer.add("out", np.zeros((5, 2, 4), dtype=bool))
    >>> store.report("evaluation", "loihi2").total_spikes
    240
    """

    def __init__(
        self,
        target: str | PathLike[str] | Spool | EnergyStore,
        *,
        layers: Sequence[str | Mapping[str, Any] | Layer],
        n_timesteps: int | None = None,
        n_samples: int | None = None,
        name: str | None = None,
        timestep_us: float | None = None,
        tags: Mapping[str, Any] | None = None,
        kind: str | None = None,
        seed: str | int | None = None,
        git_commit: str | None = None,
        recorded_at: Any = None,
        journal_folder: str | PathLike[str] | None = None,
        buffer_mib: int = 64,
    ) -> None:
        self._target: Target = Path(target) if isinstance(target, str | PathLike) else target
        about = {"run": name, "kind": kind, "seed": seed, "git_commit": git_commit, "tags": dict(tags or {})}
        timing = {"n_timesteps": n_timesteps, "n_samples": n_samples, "timestep_us": timestep_us}
        said, self._declaration = read_told({**about, **timing, "recorded_at": recorded_at, "layers": layers})
        self._reach = Reach(said)
        if buffer_mib < 1:
            raise UsageError(f"buffer_mib is {buffer_mib}, must be 1 or more")
        journal_of_run = Journal(target_of.journal_folder(self._target, name, journal_folder), self._declaration)
        self.journal_folder = journal_of_run.folder
        self._worker = Worker(journal_of_run, list(self._reach.layers.values()), buffer_mib * _MEBIBYTE)
        self._is_open = True

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close it; after an error of the block only end the journal, which keeps what was recorded."""
        if kind is None:
            self.close()
        else:
            self.abort()

    def add(
        self,
        layer: str,
        spikes: Any,
        axes: str = "TBN",
        *,
        values: Values = "counts",
        timestep: int | None = None,
        sample: int | None = None,
    ) -> None:
        """Add a dense array of a layer: a batch of samples, or one timestep of it.

        Parameters
        ----------
        layer : str
            The layer.
        spikes : array-like
            Booleans, spike counts or graded spikes; a NumPy array, or a tensor of torch, JAX or TensorFlow.
        axes : str
            What its axes mean: `T` time, `B` batch, `N` neurons, or channels `C` with `D`, `H`, `W`; beside `C`, `N`
            is the batch.
        values : {'counts', 'graded'}
            Whether an entry is a number of spikes, or the payload of a single one.
        timestep : int, optional
            The run's timestep of the array's first one. Default: 0; an array without `T` needs it.
        sample : int, optional
            The run's sample of the array's first one. Default: behind the samples of this layer so far; an array
            without `T` needs it.

        Raises
        ------
        UsageError
            If the array does not fit layer, axes or timesteps; what its entries hold is found out later, and raised
            by a later call.
        """
        self._refuse_closed()
        what = f"the array of layer {layer!r}"
        array = as_array(spikes, what)
        meaning = read_axes(axes, array.ndim, what)
        if TIME not in meaning.names and (timestep is None or sample is None):
            raise UsageError(f"axes are {axes!r}: without T, say which timestep and sample", "timestep=0, sample=0")
        at_step, at_sample = timestep or 0, self._reach.next_sample(layer) if sample is None else sample
        size = extent_of(array.shape, meaning)
        reached = Extent(at_step + size.n_timesteps, at_sample + size.n_samples, size.n_neurons)
        self._reach.take(layer, reached, is_whole=timestep is None, is_dense=True)
        copied = array.copy()
        self._give(
            lambda: from_dense(layer, copied, axes, values=values, timestep=at_step, sample=at_sample)[0],
            copied.nbytes,
        )

    def add_events(self, layer: str, neuron: Any, timestep: Any, sample: Any = None, n_spikes: Any = None) -> None:
        """Add single spikes of a layer.

        Parameters
        ----------
        layer : str
            The layer.
        neuron, timestep : array-like of int, shape (events,)
            Which neuron fired, when.
        sample : array-like of int or int, optional
            In which sample. Default: 0.
        n_spikes : array-like of int, optional
            Spikes of each event. Default: 1.

        Raises
        ------
        UsageError
            If the lists differ in length, hold what cannot be meant, or reach beyond what is declared.
        """
        self._add_part(from_events(layer, neuron, timestep, sample, n_spikes))

    def add_table(self, table: Any) -> None:
        """Add an Arrow table or batch with the columns `layer`, `neuron`, `timestep`, optionally `sample`, `n_spikes`.

        Parameters
        ----------
        table : pyarrow.Table or pyarrow.RecordBatch
            The spikes.

        Raises
        ------
        UsageError
            If a column is missing, or holds what cannot be meant.
        """
        self._refuse_closed()
        for part in list(run_file.parts_of(table, list(self._reach.layers))):
            self._add_part(part)

    def flush(self) -> None:
        """Wait until all that was added is in the journal, where it outlives this process."""
        self._refuse_closed()
        self._worker.flush()

    def close(self) -> Run | Path:
        """End the recording, and make the run visible: at once and whole.

        Returns
        -------
        Run or Path
            The stored run, or the run file, of a spool the published one.

        Raises
        ------
        EnergyDbError
            If the run cannot be written or stored; the journal keeps it then, for `recover`.
        """
        self._refuse_closed()
        self._is_open = False
        reached = self._reach.snapshot()
        self._worker.end(reached)
        finished = JournaledRun(self.journal_folder, completed(self._declaration, reached), self._worker.n_events)
        return target_of.publish(finished, self._target)

    def abort(self) -> None:
        """End the recording without a run; the journal keeps what was recorded, for `recover`."""
        if self._is_open:
            self._is_open = False
            self._worker.end(None)

    def _add_part(self, part: Spikes) -> None:
        self._refuse_closed()
        if len(part) == 0:
            return
        reached = Extent(*(int(column.max()) + 1 for column in (part.timestep, part.sample, part.neuron)))
        self._reach.take(part.layer, reached, is_whole=False, is_dense=False)
        columns = (part.neuron.copy(), part.timestep.copy(), part.sample.copy())
        kept = Spikes(part.layer, *columns, None if part.n_spikes is None else part.n_spikes.copy())
        self._give(lambda: kept, 4 * columns[0].nbytes)

    def _give(self, events: Callable[[], Spikes], n_bytes: int) -> None:
        self._worker.give(Work(events, n_bytes, self._reach.snapshot()))

    def _refuse_closed(self) -> None:
        if not self._is_open:
            raise UsageError("the recording is closed", "Make a new RunWriter.")
