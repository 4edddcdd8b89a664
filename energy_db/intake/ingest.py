"""A run file on its way into the store: checked, rolled up, identified, stored; all of it or nothing.

The order is what makes it cheap: two scans roll the events up, validation and identity read the roll-ups, and only a
good, new run pays for the copy of its events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from energy_db import runs, sql
from energy_db.engines.duckdb import Engine, EngineBug, EngineError
from energy_db.engines.wording import first_line
from energy_db.errors import EnergyDbError, RunFileError, StoreError, UsageError
from energy_db.intake import counter_sources, counters, identity
from energy_db.intake import declaration as declared
from energy_db.intake.contract import CONTRACT_VERSION, RunFile, open_run_file
from energy_db.intake.counter_sources import CounterRows
from energy_db.intake.counters import Counters
from energy_db.intake.declaration import Declaration
from energy_db.intake.incoming import Incoming, doubts, roll_up
from energy_db.intake.training import Training
from energy_db.record.journal import JournaledRun
from energy_db.record.recording import Recording
from energy_db.runs import Run


@dataclass(frozen=True)
class IngestOptions:
    """How a run file is to be read, and what is known of it beyond the file.

    Attributes
    ----------
    declaration : Declaration
        What was said in options; it goes before everything else.
    network : Declaration, optional
        What a network file says, instead of the sidecar beside the run file.
    columns : mapping of str to str
        The file's names for columns of the contract.
    run_id : str, optional
        Identity to store the run under, instead of one made from its content.
    keep_events : bool
        Whether to store the single events beside the roll-ups.
    counters : path-like, Arrow-like table, mapping or sequence, optional
        What the run counted beside its spikes, instead of what is declared.
    rename_duplicates : bool
        Store a run whose id or name is taken by other content as a new run, instead of refusing it.
    dry_run : bool
        Do everything but keep it.
    recording : Recording or JournaledRun, optional
        What the run file was written from; then it is gone after the ingest, and nothing may point to it.
    """

    declaration: Declaration = field(default_factory=Declaration)
    network: Declaration | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    run_id: str | None = None
    keep_events: bool = True
    counters: Any = None
    rename_duplicates: bool = False
    dry_run: bool = False
    recording: Recording | JournaledRun | None = None


class _DryRunError(Exception):
    """Leaves the transaction of an ingest that is not to be kept."""


def ingest_file(engine: Engine, path: Path, options: IngestOptions, on_stage: Callable[[float], None]) -> Run:
    """Store a run file, unless its content is stored already.

    Parameters
    ----------
    engine : Engine
        The store.
    path : Path
        The run file.
    options : IngestOptions
        How to read it.
    on_stage : callable
        Called with the share of the work, from 0 to 1, that is done when a stage begins.

    Raises
    ------
    RunFileError, ContractError
        If the file cannot be read, or breaks the contract.
    DuplicateRunError
        If other content is stored under its id or name.
    """
    run_file = open_run_file(engine, path, options.columns)
    said = said_of(run_file, options)
    sha256 = None if options.recording else run_file.sha256()
    counter_rows = _read_counters(engine, options, said)
    if sha256 and (same := identity.same_file(engine, run_file, sha256, said, counter_rows)):
        return identity.unchanged(same, run_file, said, options.run_id, same_bytes=True)
    try:
        with engine.transaction():
            run = _store(engine, run_file, said, sha256, counter_rows, options, on_stage)
            run_file.refuse_change()
            if options.dry_run and run.status == "stored":
                raise _DryRunError
    except _DryRunError:
        return runs.with_status(run, "would be stored", run.notes)
    except EngineBug:
        run_file.refuse_change()  # it may have other columns now
        raise
    except EngineError as error:
        raise _engine_trouble(engine, run_file, error) from error
    return run


def ingest_recording(
    engine: Engine, recording: Recording | JournaledRun, options: IngestOptions, on_stage: Callable[[float], None]
) -> Run:
    """Store a recording, by way of a run file that is gone afterwards.

    Raises
    ------
    UsageError
        If nobody says what to call the run.
    RunFileError, ContractError, DuplicateRunError
        As `ingest_file`; they name the recording.
    """
    declared_names = [options.declaration.name, options.network.name if options.network else None]
    declared_names += [recording.declaration().get("run"), Path(recording.origin).stem if recording.origin else None]
    name = next((name for name in declared_names if name), None)
    if name is None:
        raise UsageError("the run of a recording needs a name", "Give it: store.ingest(recording, name='evaluation').")
    options = replace(
        options,
        declaration=replace(options.declaration, name=name),
        counters=recording.counters if options.counters is None else options.counters,
        recording=recording,
    )
    with TemporaryDirectory(prefix="energy-db-") as folder:
        path = Path(folder) / "recording.parquet"
        try:
            run = ingest_file(engine, recording.write(path), options, on_stage)
        except EnergyDbError as error:
            _call_it(error, path, f"the recording {recording.origin or repr(name)}")
            raise
    return runs.with_status(run, run.status, recording.notes + run.notes)


def _call_it(error: EnergyDbError, path: Path, called: str) -> None:
    """Let an error name what a file was written from: the file is gone when somebody reads of it."""
    error.message = error.message.replace(str(path), called)
    error.hint = error.hint and error.hint.replace(str(path), called)
    error.args = (error.message,)


def said_of(run_file: RunFile, options: IngestOptions) -> Declaration:
    """Return all that is declared of a run file: options, then network file or sidecar, then its own metadata."""
    sidecar = run_file.path.with_suffix(".json")
    beside = options.network
    if beside is None:
        beside = declared.read_file(sidecar) if sidecar.is_file() else Declaration()
    return options.declaration.over(beside).over(run_file.declaration)


def price_file(engine: Engine, path: Path, options: IngestOptions, by_step: bool) -> Run:
    """Roll a run file up in a store in memory, without identity and events, so that it can be priced."""
    run_file = open_run_file(engine, path, options.columns)
    said = said_of(run_file, options)
    counter_rows = _read_counters(engine, options, said)
    try:
        incoming = _roll_up(engine, run_file, said, by_step)
        counted = counters.hold_against(engine, counter_rows, incoming.network.layers or ())
        run_key = _insert(engine, incoming, counted, options, {"run_id": "", "activity_hash": "", "content_hash": ""})
        engine.run(sql.ingest_step("store_neurons"), {"run_key": run_key})
        engine.run(sql.ingest_step("store_driver_counts"), {"run_key": run_key})
        if by_step:
            engine.run(sql.ingest_step("store_steps"), {"run_key": run_key})
        run_file.refuse_change()
    except EngineBug:
        run_file.refuse_change()  # it may have other columns now
        raise
    except EngineError as error:
        raise _engine_trouble(engine, run_file, error) from error
    return runs.with_status(runs.load(engine, run_key), "not stored", _notes(engine, incoming, counted))


def _store(
    engine: Engine,
    run_file: RunFile,
    said: Declaration,
    sha256: str | None,
    counter_rows: CounterRows | None,
    options: IngestOptions,
    on_stage: Callable[[float], None],
) -> Run:
    on_stage(0.0)
    incoming = _roll_up(engine, run_file, said)
    activity_hash = engine.value(sql.ingest_step("hash_activity"))
    if same := identity.same_activity(engine, incoming, activity_hash, counter_rows):
        return identity.unchanged(same, run_file, said, options.run_id, same_bytes=False)
    counted = counters.hold_against(engine, counter_rows, incoming.network.layers or ())
    content_hash = runs.content_hash(activity_hash, incoming.network, counted.digest if counted else None)
    if not options.rename_duplicates:
        identity.refuse_taken(engine, incoming, options.run_id, counter_rows, counted)
    run_id = identity.free_id(engine, options.run_id or content_hash[: runs.LENGTH_OF_ID])
    hashes = {"activity_hash": activity_hash, "content_hash": content_hash, "source_sha256": sha256}
    run_key = _insert(engine, incoming, counted, options, {"run_id": run_id, **hashes})
    engine.run(sql.ingest_step("store_neurons"), {"run_key": run_key})
    engine.run(sql.ingest_step("store_steps"), {"run_key": run_key})
    engine.run(sql.ingest_step("store_driver_counts"), {"run_key": run_key})
    _store_training(engine, run_key, said.training)
    if _keeps_events(said, options):
        on_stage(0.3)
        engine.run(sql.ingest_step("store_events"), {"run_key": run_key})
    return runs.with_status(runs.load(engine, run_key), "stored", _notes(engine, incoming, counted))


def _roll_up(engine: Engine, run_file: RunFile, said: Declaration, by_step: bool = True) -> Incoming:
    """Roll a run file up; that reads nothing of the store, so that what the engine does not survive is the file's."""
    try:
        return roll_up(engine, run_file, said, by_step)
    except StoreError as error:
        if type(error.__cause__).__name__ != "InternalException":
            raise
        raise RunFileError(
            f"{run_file.path}: is so damaged that the engine stops at it: {first_line(error.__cause__ or error)}",
            "Nothing was stored, and the store is as it was; where it stays open, close it and open it anew.",
        ) from error


def _keeps_events(said: Declaration, options: IngestOptions) -> bool:
    # The events of a training are sums over its samples, not single spikes.
    return options.keep_events and said.training is None


def _store_training(engine: Engine, run_key: int, training: Training | None) -> None:
    if training is None:
        return
    of_all = {"run_key": run_key, "epochs": list(training.epochs), "n_samples": list(training.n_samples)}
    for layer, n_spikes in training.n_spikes.items():
        own = {"layer_name": layer, "n_spikes": list(n_spikes)}
        engine.run(sql.ingest_step("store_training_steps"), {**of_all, **own})


def _read_counters(engine: Engine, options: IngestOptions, said: Declaration) -> CounterRows | None:
    return counter_sources.read(engine, said.counters if options.counters is None else options.counters)


def _notes(engine: Engine, incoming: Incoming, counted: Counters | None) -> tuple[str, ...]:
    return incoming.run_file.notes + doubts(engine, incoming) + (counted.notes if counted else ())


def _insert(
    engine: Engine, incoming: Incoming, counted: Counters | None, options: IngestOptions, ids: Mapping[str, str]
) -> int:
    said, network = incoming.said, incoming.network
    run = {
        **ids,
        "run_name": incoming.name,
        "kind": said.kind or ("inference" if said.training is None else declared.TRAINING),
        "recorded_at": said.recorded_at,
        "ingested_at": datetime.now(UTC).replace(tzinfo=None),
        "n_timesteps": network.n_timesteps,
        "n_samples": network.n_samples,
        "timestep_us": network.timestep_us,
        "inferred": ",".join(incoming.inferred),
        "n_spikes": incoming.n_spikes,
        "n_events": incoming.n_events,
        "has_events": _keeps_events(said, options),
        "seed": said.seed,
        "git_commit": said.git_commit,
        "contract_version": CONTRACT_VERSION,
        "source_path": options.recording.origin if options.recording else str(incoming.run_file.path),
        "column_map": incoming.run_file.column_map,
    }
    layers = incoming.layers if counted is None else counters.mark_absent(counted, incoming.layers)
    return runs.insert(engine, run, layers, said.tags, has_counters=counted is not None)


# What says of an engine's error that it is the store that cannot be written, not the run file that cannot be read.
_OF_THE_STORE = ("No space left", "File too large", "Failed to commit", "Could not write", "fsync")


def _engine_trouble(engine: Engine, run_file: RunFile, error: EngineError) -> StoreError | RunFileError:
    text = first_line(error)
    if any(sign in str(error) for sign in _OF_THE_STORE):
        return StoreError(f"{engine.path}: {text}", f"{run_file.path} was not stored; the store is as it was.")
    run_file.refuse_change()
    return RunFileError(f"{run_file.path}: cannot be read to its end: {text}", "Nothing was stored.")
