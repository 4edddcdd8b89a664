"""The front door: one store of recorded runs, priced on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from energy_db import lifecycle, runs, selectors
from energy_db.catalogue.book import Catalogue
from energy_db.engines.limits import Limits
from energy_db.errors import UsageError
from energy_db.intake import arguments
from energy_db.intake import declaration as declared
from energy_db.intake.ingest import IngestOptions, ingest_file, ingest_recording
from energy_db.kept import KeptRuns
from energy_db.network_files import read_network
from energy_db.record.journal import is_journal, recover
from energy_db.runs import Run

if TYPE_CHECKING:
    import sqlalchemy

    from energy_db.intake.network import Layer
    from energy_db.record.journal import JournaledRun
    from energy_db.record.live import LiveEnergy
    from energy_db.record.recording import Recording
    from energy_db.record.spool import Spool

AnyPath = str | PathLike[str]


class EnergyStore(KeptRuns):
    """A store of recorded runs in one DuckDB file; for one thread at a time.

    Parameters
    ----------
    path : path-like
        The file; it is made if it does not exist. ':memory:' keeps everything in memory.
    read_only : bool
        Refuse to write; several readers can share a file, a writer needs it alone.
    memory_limit : str, optional
        How much memory statements may take, such as '2GB'; by default 80 % of the machine's. What needs more is written
        to a folder beside the store, or refused.
    threads : int, optional
        How many threads they may take; by default one for each core.

    Raises
    ------
    UsageError
        If a limit cannot be meant.
    StoreError
        If the file cannot be opened or is not an energy-db store.
    StoreLockedError
        If another process holds it.
    StoreVersionError
        If it was made by another version of energy-db; the message names the command to run.

    Examples
    --------
    >>> from energy_db import EnergyStore
    >>> with EnergyStore(":memory:") as store:
    ...     run = store.ingest("examples/digits-baseline.parquet")
    ...     print(store.report(run, "loihi2").total_energy_pj)
    899253.2
    """

    def __init__(
        self,
        path: AnyPath = "energy.duckdb",
        read_only: bool = False,
        *,
        memory_limit: str | None = None,
        threads: int | None = None,
    ) -> None:
        super().__init__(lifecycle.open_store(str(path), read_only, Limits(memory_limit, threads)))
        self._read_only = read_only

    @classmethod
    def from_export(cls, folder: AnyPath, path: AnyPath = "energy.duckdb") -> Self:
        """Make a store from the files of `export_store`, and open it: the same runs, costs and figures.

        Parameters
        ----------
        folder : path-like
            The folder of the export.
        path : path-like
            The store to be made; nothing may be there.

        Raises
        ------
        StoreError
            If something is there, or a file of the export is missing, damaged or not what its manifest says.
        StoreVersionError
            If the export is of another schema revision.
        """
        from energy_db.exporting.stores import restore

        restore(Path(folder), Path(path))
        return cls(path)

    def __repr__(self) -> str:
        return f"EnergyStore({self.path!r}, read_only={self._read_only})"

    @property
    def path(self) -> str:
        """The store's file, or ':memory:'."""
        return self._engine.path

    @property
    def engine(self) -> sqlalchemy.Engine:
        """A SQLAlchemy engine on the open store, for pandas and other tools."""
        from energy_db.engines import alchemy

        self._engine.refuse_closed()
        return alchemy.engine_for(self._engine)

    @property
    def costs(self) -> Catalogue:
        """The cost catalogue: which versions there are, what they say, which is in force; and how to add to it."""
        return Catalogue(self._engine, self._read_only)

    def ingest(
        self,
        source: AnyPath | Recording | JournaledRun,
        *,
        name: str | None = None,
        run_id: str | None = None,
        network: AnyPath | Mapping[str, Any] | None = None,
        counters: Any = None,
        columns: Mapping[str, str] | None = None,
        tags: Mapping[str, Any] | None = None,
        roles: Mapping[str, str] | None = None,
        n_timesteps: int | None = None,
        n_samples: int | None = None,
        timestep_us: float | None = None,
        kind: str | None = None,
        seed: str | int | None = None,
        git_commit: str | None = None,
        recorded_at: Any = None,
        events: Literal["all", "none"] = "all",
        on_duplicate: Literal["error", "new"] = "error",
        dry_run: bool = False,
        on_stage: Callable[[float], None] | None = None,
    ) -> Run:
        """Store a run file or a recording: checked, rolled up and identified in one transaction.

        Content that is stored already is left as it is, and its run is returned with the status 'unchanged'.

        Parameters
        ----------
        source : path-like or Recording
            A Parquet file of spike events: columns `layer`, `neuron`, `timestep`, optionally `sample` and `n_spikes`
            (docs/python.md). Or a recording, as an adapter of `energy_db.adapters` returns it, or `recover` of
            `energy_db.record`; the folder of a recording that was cut short is taken, too.
        name, run_id : str, optional
            What to call it (default: the sidecar's `run`, else the file's stem), and its identity (default: made from
            the content).
        network : path-like or mapping, optional
            The network and timing, as a file or in the form of a sidecar, instead of the sidecar beside the file. The
            file is JSON, or a NIR graph.
        counters : path-like, table, mapping of columns, or list of rows, optional
            What the run counted beside its spikes: memory accesses, messages, hops. A Parquet or CSV file, an Arrow or
            pandas table, or rows such as ``{"layer": "hidden", "driver": "hop", "count": 12}``, with columns `driver`
            and `count`, optionally `layer` and `neuron` (docs/python.md).
        columns : mapping of str to str, optional
            The file's name for a column of the contract, such as ``{"neuron": "senders"}``.
        tags : mapping of str to (str or number), optional
            Anything else that is known of the run.
        roles : mapping of str to {'input', 'hidden', 'readout'}, optional
            Roles of single layers.
        n_timesteps, n_samples : int, optional
            Timesteps of a sample; samples of the run.
        timestep_us : float, optional
            Length of a timestep in microseconds.
        kind, seed, git_commit, recorded_at : optional
            What was executed, from which seed and code, and when.
        events : {'all', 'none'}
            Keep the single events, or only the roll-ups.
        on_duplicate : {'error', 'new'}
            What to do with other content under an id or name that is taken.
        dry_run : bool
            Do everything but keep it.
        on_stage : callable, optional
            Called with the share of the work, from 0 to 1, that is done when a stage begins.

        Returns
        -------
        Run
            The stored run, with the status 'stored', 'unchanged' or 'would be stored'.

        Raises
        ------
        UsageError
            If an argument cannot be meant.
        RunFileError
            If the file, its sidecar or its counters cannot be read.
        ContractError
            If events or counters break the contract; it names column, rule, number of bad rows and the first of them.
        DuplicateRunError
            If other content is stored under the same id or name.
        """
        _one_of("events", events, ("all", "none"))
        _one_of("on_duplicate", on_duplicate, ("error", "new"))
        arguments.refuse_no_mapping("columns", columns, "columns={'neuron': 'senders'}", of_texts=True)
        arguments.refuse_no_mapping("tags", tags, "tags={'accuracy': 0.98}")
        arguments.refuse_no_mapping("roles", roles, "roles={'out': 'readout'}")
        arguments.refuse_no_place("network", network)
        arguments.refuse_no_text("run_id", run_id)
        given = {"n_timesteps": n_timesteps, "n_samples": n_samples, "timestep_us": timestep_us, "tags": tags or {}}
        about = {"run": name, "kind": kind, "seed": seed, "git_commit": git_commit, "recorded_at": recorded_at}
        options = IngestOptions(
            declaration=declared.from_options({**given, **about}, roles or {}),
            network=read_network(network),
            counters=counters,
            columns=columns or {},
            run_id=selectors.valid_id(run_id),
            keep_events=events == "all",
            rename_duplicates=on_duplicate == "new",
            dry_run=dry_run,
        )
        self._refuse_read_only("ingest")
        begin_stage = on_stage or (lambda share: None)
        if isinstance(source, str | PathLike):
            if not is_journal(Path(source)):
                return self._announce([ingest_file(self._engine, Path(source), options, begin_stage)])[0]
            source = recover(source)
        return self._announce([ingest_recording(self._engine, source, options, begin_stage)])[0]

    def live(
        self,
        chip: str,
        *,
        layers: Sequence[str | Mapping[str, Any] | Layer],
        cost_version: str | None = None,
        n_timesteps: int | None = None,
        timestep_us: float | None = None,
        on_scalar: Callable[[str, float], object] | None = None,
        name: str | None = None,
        to: Spool | str | PathLike[str] | None = None,
        tags: Mapping[str, Any] | None = None,
        seed: str | int | None = None,
        git_commit: str | None = None,
        recorded_at: Any = None,
    ) -> LiveEnergy:
        """Price a network while it runs or learns: spikes of each batch in, running energy of each layer out.

        Parameters
        ----------
        chip : str
            A chip of the catalogue.
        layers : sequence of (str or mapping or Layer)
            The layers, in order: names, or what a sidecar says of a layer (name, role, n_inputs, n_neurons, fan_out). A
            layer without a role is priced as hidden.
        cost_version : str, optional
            The cost set to price with; by default the one in force today.
        n_timesteps : int, optional
            Timesteps of a sample; only needed where spikes come as counts or rates.
        timestep_us : float, optional
            Length of a timestep in microseconds.
        on_scalar : callable, optional
            Called behind each step with a name and a value, for loggers such as TensorBoard, MLflow or W&B.
        name : str, optional
            Keep the steps as a run of this name and of the kind 'training'; by default nothing is stored.
        to : Spool or path-like, optional
            Where such a run goes, instead of this store: a spool, or a run file to be written. Trainings that run side
            by side price theirs in a store in memory, and go to one spool.
        tags, seed, git_commit, recorded_at : optional
            As in `ingest`, for a run that is kept.

        Raises
        ------
        NotFoundError
            If the chip or the cost version is not in the catalogue.
        UsageError
            If an argument cannot be meant, or no operation of the chip can be priced from spikes.
        StoreError
            If the journal of an earlier training of the name is there.

        Examples
        --------
        >>> import numpy as np
        >>> from energy_db import EnergyStore
        >>> store = EnergyStore(":memory:")
        >>> layers = [{"name": "hidden", "role": "hidden"}, {"name": "out", "role": "readout"}]
        >>> with store.live("loihi2", layers=layers, name="training-1") as live:
        ...     for epoch in range(2):
        ...         spikes = {"hidden": np.ones((5, 2, 8)), "out": np.zeros((5, 2, 4))}
        ...         print(live.step(spikes, epoch=epoch).energy_pj)
        {'hidden': 168.0, 'out': 0.0}
        {'hidden': 168.0, 'out': 0.0}
        >>> store.run("training-1").kind, store.report("training-1", "loihi2").total_energy_pj
        ('training', 336.0)
        """
        from energy_db.record.starting import start_live

        self._refuse_read_only("live")
        about = {"tags": dict(tags or {}), "seed": seed, "git_commit": git_commit, "recorded_at": recorded_at}
        said = {**about, "run": name, "timestep_us": timestep_us, "layers": layers}
        if to is not None and name is None:
            raise UsageError("a training that is kept needs a name", "Give it: name='training-1'.")
        target = Path(to) if isinstance(to, str | PathLike) else to or self
        return start_live(target, self._engine, said, chip, cost_version, n_timesteps, on_scalar)

    def runs(self, *, name: str | None = None, limit: int | None = None) -> list[Run]:
        """Return the stored runs, the newest first.

        Parameters
        ----------
        name : str, optional
            Only runs of this name.
        limit : int, optional
            At most so many.
        """
        if limit is not None and limit < 0:
            raise UsageError(f"limit is {limit}, must be 0 or more")
        condition, parameters = ("WHERE run_name = ?", [name]) if name is not None else ("", [])
        keys = self._engine.rows(
            f"SELECT run_key FROM runs {condition} ORDER BY ingested_at DESC, run_key DESC LIMIT ?",
            [*parameters, 2**62 if limit is None else limit],
        )
        return runs.load_many(self._engine, [key for (key,) in keys])

    def tag(self, run: str | Run, tags: Mapping[str, Any]) -> Run:
        """Set tags of a run; a value of None removes one. Returns the run as it is then."""
        self._refuse_read_only("tag")
        key = selectors.find(self._engine, run)
        kept = {tag: value for tag, value in tags.items() if value is not None}
        values = declared.from_options({"tags": kept}, {}).tags
        with self._engine.transaction():
            runs.set_tags(self._engine, key, {tag: values.get(tag) for tag in tags})
        return runs.load(self._engine, key)

    def progress(self) -> float:
        """Return how far the running statement is, from 0 to 1, for a progress bar in another thread."""
        return self._engine.progress()

    def interrupt(self) -> None:
        """Stop the running statement; its transaction is rolled back."""
        self._engine.interrupt()


def _one_of(argument: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise UsageError(f"{argument} is {value!r}, must be one of {', '.join(allowed)}")
