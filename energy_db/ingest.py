"""A run file on its way into the store: checked, rolled up, identified, stored; all of it or nothing.

The order is what makes it cheap: two scans roll the events up, validation and identity read the roll-ups, and only a
good, new run pays for the copy of its events.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from energy_db import declaration as declared
from energy_db import runs, sql
from energy_db.contract import CONTRACT_VERSION, RunFile, open_run_file, violations
from energy_db.declaration import Declaration, Layer
from energy_db.engines.duckdb import Engine, EngineError, first_line
from energy_db.errors import ContractError, DuplicateRunError, RunFileError, StoreError
from energy_db.runs import LayerActivity, Run


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
    rename_duplicates : bool
        Store a run whose id or name is taken by other content as a new run, instead of refusing it.
    dry_run : bool
        Do everything but keep it.
    """

    declaration: Declaration = field(default_factory=Declaration)
    network: Declaration | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    run_id: str | None = None
    keep_events: bool = True
    rename_duplicates: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class _Incoming:
    """A run file that was rolled up and checked."""

    run_file: RunFile
    said: Declaration
    network: Declaration
    layers: tuple[LayerActivity, ...]
    inferred: tuple[str, ...]
    n_events: int

    @property
    def n_spikes(self) -> int:
        return sum(layer.n_spikes for layer in self.layers)


class _DryRun(Exception):
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
    sha256 = run_file.sha256()
    if same := _same_file(engine, run_file, sha256, said):
        return same
    try:
        with engine.transaction():
            run = _store(engine, run_file, said, sha256, options, on_stage)
            if options.dry_run and run.status == "stored":
                raise _DryRun
    except _DryRun:
        return runs.with_status(run, "would be stored", run.notes)
    except EngineError as error:
        raise _engine_trouble(engine, path, error) from error
    return run


def said_of(run_file: RunFile, options: IngestOptions) -> Declaration:
    """Return all that is declared of a run file: options, then network file or sidecar, then its own metadata."""
    sidecar = run_file.path.with_suffix(".json")
    beside = options.network
    if beside is None:
        beside = declared.read_file(sidecar) if sidecar.is_file() else Declaration()
    return options.declaration.over(beside).over(run_file.declaration)


def roll_up(engine: Engine, run_file: RunFile, said: Declaration) -> _Incoming:
    """Count a run file's events and hold them against the contract; the counts are in the incoming tables.

    Raises
    ------
    ContractError
        If events break the contract.
    RunFileError
        If there are no events, and no network is declared for a silent run.
    """
    engine.run(f"CREATE OR REPLACE TEMPORARY VIEW incoming_events AS {run_file.events}")
    engine.run(sql.ingest_step("roll_up_neurons"))
    engine.run(sql.ingest_step("roll_up_steps"))
    seen = engine.records(sql.ingest_step("describe_layers"))
    if not seen and said.layers is None:
        raise RunFileError(
            f"{run_file.path}: has no events, and no network is declared",
            "A silent run is a valid run once its layers are declared, in a sidecar or with --network.",
        )
    names = _name_layers(run_file, said, [entry["layer_value"] for entry in seen])
    _expect_layers(engine, run_file, said, names)
    if broken := violations(engine, run_file):
        raise ContractError(str(run_file.path), broken, _hint_for(said, broken))
    return _with_inferences(engine, run_file, said, names, seen)


def _store(
    engine: Engine,
    run_file: RunFile,
    said: Declaration,
    sha256: str,
    options: IngestOptions,
    on_stage: Callable[[float], None],
) -> Run:
    on_stage(0.0)
    incoming = roll_up(engine, run_file, said)
    activity_hash = engine.value(sql.ingest_step("hash_activity"))
    if same := _same_activity(engine, incoming, activity_hash):
        return same
    content_hash = runs.content_hash(activity_hash, incoming.network)
    name = said.name or run_file.path.stem
    run_id = _free_id(engine, incoming, content_hash, name, options)
    run = {
        "run_id": run_id,
        "run_name": name,
        "kind": said.kind or "inference",
        "recorded_at": said.recorded_at,
        "ingested_at": datetime.now(UTC).replace(tzinfo=None),
        "n_timesteps": incoming.network.n_timesteps,
        "n_samples": incoming.network.n_samples,
        "timestep_us": incoming.network.timestep_us,
        "inferred": ",".join(incoming.inferred),
        "n_spikes": incoming.n_spikes,
        "n_events": incoming.n_events,
        "has_events": options.keep_events,
        "seed": said.seed,
        "git_commit": said.git_commit,
        "contract_version": CONTRACT_VERSION,
        "activity_hash": activity_hash,
        "content_hash": content_hash,
        "source_path": str(run_file.path),
        "source_sha256": sha256,
        "column_map": run_file.column_map,
    }
    run_key = runs.insert(engine, run, incoming.layers, said.tags)
    engine.run(sql.ingest_step("store_neurons"), {"run_key": run_key})
    engine.run(sql.ingest_step("store_steps"), {"run_key": run_key})
    if options.keep_events:
        on_stage(0.3)
        engine.run(sql.ingest_step("store_events"), {"run_key": run_key})
    return runs.with_status(runs.load(engine, run_key), "stored", run_file.notes + _doubts(engine, incoming))


def _name_layers(run_file: RunFile, said: Declaration, seen: list[Any]) -> dict[Any, str]:
    """Return the name of each value that the layer column may hold."""
    if said.layers is None:
        return {value: str(value) for value in seen if value is not None}
    names = [layer.name for layer in said.layers]
    if not run_file.layers_are_integers:
        return {name: name for name in names}
    if all(name.isdecimal() for name in names):
        return {int(name): name for name in names}
    return dict(enumerate(names))


def _expect_layers(engine: Engine, run_file: RunFile, said: Declaration, names: Mapping[Any, str]) -> None:
    declared_sizes = {layer.name: layer.n_neurons for layer in said.layers or ()}
    value_type = "BIGINT" if run_file.layers_are_integers else "VARCHAR"
    engine.run(
        f"CREATE OR REPLACE TEMPORARY TABLE incoming_layers (layer_value {value_type}, layer_name VARCHAR, "
        "declared_n_neurons BIGINT, declared_n_timesteps BIGINT, declared_n_samples BIGINT)"
    )
    expected = {
        "layer_values": [str(value) for value in names],
        "layer_names": list(names.values()),
        "n_neurons": [declared_sizes.get(name) for name in names.values()],
        "n_timesteps": said.n_timesteps,
        "n_samples": said.n_samples,
    }
    engine.run(sql.ingest_step("expect_layers"), expected)


def _with_inferences(
    engine: Engine, run_file: RunFile, said: Declaration, names: Mapping[Any, str], seen: list[dict[str, Any]]
) -> _Incoming:
    """Complete the declaration by what the events show, and mark what was inferred."""
    activity = {names[entry["layer_value"]]: entry for entry in seen}
    order = said.layers or tuple(Layer(name) for name in sorted(activity, key=_natural))
    layers = tuple(_infer_layer(layer, said.roles, activity.get(layer.name)) for layer in order)
    unknown_roles = [name for name in said.roles if name not in {layer.name for layer in order}]
    if unknown_roles:
        known = ", ".join(layer.name for layer in order)
        raise RunFileError(f"{run_file.path}: a role is given for {unknown_roles[0]!r}, but the layers are {known}")
    [(n_events, last_timestep, last_sample)] = engine.rows(
        "SELECT coalesce(sum(n_events), 0), coalesce(max(timestep), 0), coalesce(max(most_sample), 0) FROM incoming_steps"
    )
    inferred = tuple(key for key in ("n_timesteps", "n_samples") if getattr(said, key) is None)
    network = replace(
        said,
        layers=tuple(stored.layer for stored in layers),
        n_timesteps=said.n_timesteps or last_timestep + 1,
        n_samples=said.n_samples or last_sample + 1,
    )
    return _Incoming(run_file, said, network, layers, inferred, int(n_events))


def _infer_layer(layer: Layer, roles: Mapping[str, str], activity: Mapping[str, Any] | None) -> LayerActivity:
    role = roles.get(layer.name, layer.role)
    last_neuron = -1 if activity is None else activity["last_neuron"]
    inferred = [key for key, value in (("role", role), ("n_neurons", layer.n_neurons)) if value is None]
    complete = replace(
        layer,
        role=role or "hidden",
        n_neurons=last_neuron + 1 if layer.n_neurons is None else layer.n_neurons,
    )
    if activity is None:
        return LayerActivity(complete, tuple(inferred), 0, 0)
    return LayerActivity(complete, tuple(inferred), int(activity["n_spikes"]), activity["n_active_neurons"])


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Sort key that puts layer2 before layer10."""
    parts = re.findall(r"\d+|\D+", name)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def _same_file(engine: Engine, run_file: RunFile, sha256: str, said: Declaration) -> Run | None:
    """Return the run that came from the very same bytes and whose network is not contradicted."""
    keys = engine.rows(
        "SELECT run_key FROM runs WHERE source_sha256 = ? AND column_map IS NOT DISTINCT FROM ? ORDER BY run_key",
        [sha256, run_file.column_map],
    )
    stored = (runs.load(engine, key) for (key,) in keys)
    return next((_unchanged(run, said) for run in stored if not declared.contradictions(said, run.declaration)), None)


def _same_activity(engine: Engine, incoming: _Incoming, activity_hash: str) -> Run | None:
    """Return the run that has the very same events and whose network is not contradicted."""
    for (key,) in engine.rows("SELECT run_key FROM runs WHERE activity_hash = ? ORDER BY run_key", [activity_hash]):
        run = runs.load(engine, key)
        if declared.contradictions(incoming.said, run.declaration):
            continue
        if not run.has_events or _same_events(engine, key):
            return _unchanged(run, incoming.said)
    return None


def _same_events(engine: Engine, run_key: int) -> bool:
    incoming = engine.rows(sql.ingest_step("fingerprint_incoming_events"))
    return incoming == engine.rows(sql.ingest_step("fingerprint_stored_events"), {"run_key": run_key})


def _unchanged(run: Run, said: Declaration) -> Run:
    new_tags = {tag: value for tag, value in said.tags.items() if run.tags.get(tag) != value}
    hint = f"its tags were left as they are; set them with: energy-db tag {run.run_id} {_assignments(new_tags)}"
    return runs.with_status(run, "unchanged", (hint,) if new_tags else ())


def _assignments(tags: Mapping[str, str]) -> str:
    return " ".join(f"{tag}={value}" for tag, value in tags.items())


def _free_id(engine: Engine, incoming: _Incoming, content_hash: str, name: str, options: IngestOptions) -> str:
    """Return the id to store a run under; other content under the same id or name is refused, or renamed on demand."""
    wanted = options.run_id or content_hash[: runs.LENGTH_OF_ID]
    taken = engine.rows("SELECT run_key FROM runs WHERE run_id = ? OR run_name = ? ORDER BY run_key", [wanted, name])
    if taken and not options.rename_duplicates:
        stored = runs.load(engine, taken[-1][0])
        shared = f"id {wanted!r}" if stored.run_id == wanted else f"name {name!r}"
        raise DuplicateRunError(
            f"{incoming.run_file.path}: another run has the {shared}, with other content: "
            + "; ".join(_differences(incoming, stored)),
            "Store it as a new run of that name with --on-duplicate new, or give it another --name (or --run-id).",
        )
    ids = {row[0] for row in engine.rows("SELECT run_id FROM runs WHERE starts_with(run_id, ?)", [wanted])}
    copies = (f"{wanted}-{number}" for number in range(2, len(ids) + 3))
    return wanted if wanted not in ids else next(copy for copy in copies if copy not in ids)


def _differences(incoming: _Incoming, stored: Run) -> list[str]:
    found = declared.contradictions(incoming.network, stored.declaration)
    for key, now in (("spikes", incoming.n_spikes), ("events", incoming.n_events)):
        before = getattr(stored, f"n_{key}")
        if before != now:
            found.append(f"{key}: stored {before}, now {now}")
    return found or ["the same number of spikes, by other neurons or at other times"]


def _doubts(engine: Engine, incoming: _Incoming) -> tuple[str, ...]:
    """Return a note where neurons have more events than there are timesteps to have one in."""
    if "n_spikes" in incoming.run_file.columns:
        return ()
    cells = (incoming.network.n_timesteps or 1) * (incoming.network.n_samples or 1)
    crowded = engine.rows("SELECT layer, neuron, n_events FROM incoming_neurons WHERE n_events > ? LIMIT 1", [cells])
    if not crowded:
        return ()
    layer, neuron, n_events = crowded[0]
    return (
        f"layer {layer} neuron {neuron} has {n_events} events in {cells} timesteps: "
        "does the file hold rows twice, or miss a sample column?",
    )


def _hint_for(said: Declaration, broken: tuple[Any, ...]) -> str:
    if any(violation.rule == "must be a declared layer" for violation in broken):
        names = ", ".join(layer.name for layer in said.layers or ())
        return f"The declared layers are {names}. Nothing was stored."
    return "Nothing was stored. Rows are counted from 0."


def _engine_trouble(engine: Engine, path: Path, error: EngineError) -> StoreError | RunFileError:
    text = first_line(error)
    if any(sign in str(error) for sign in ("No space left", "File too large", "Failed to commit")):
        return StoreError(f"{engine.path}: {text}", f"{path} was not stored; the store is as it was.")
    return RunFileError(f"{path}: cannot be read to its end: {text}", "Nothing was stored.")
