"""Stored runs: what one is, how its rows are written and read."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from energy_db import sql
from energy_db.engines.duckdb import Engine
from energy_db.intake.declaration import Declaration, tag_number
from energy_db.intake.network import Layer

LENGTH_OF_ID = 12


@dataclass(frozen=True)
class Run:
    """A run in the store.

    Attributes
    ----------
    run_key : int
        The store's own narrow key.
    run_id, name, kind : str
        Its identity, what people call it, what was executed.
    n_timesteps, n_samples, n_spikes, n_events : int
        Timesteps of a sample, samples, spikes, and rows of the run file.
    has_events : bool
        Whether the single events are kept.
    layers : tuple of Layer
        The network, in order, as declared or inferred.
    inferred : tuple of str
        What was inferred from the events, as 'n_timesteps' or 'hidden1.role', and which counters were taken as 0
        because the layer has none, as 'hidden1.hop'.
    counters : dict of str to int
        What it counted beside its spikes: the sum of each driver.
    tags : dict of str to str
        Anything else that is known of it.
    recorded_at, ingested_at : datetime
        When it ran (None if nobody said) and when it came in, in UTC.
    timestep_us : Decimal or None
        Length of a timestep in microseconds.
    seed, git_commit, source_path, source_sha256 : str or None
        Where it came from.
    activity_hash, content_hash : str
        SHA-256 over its spike counts, and over those and its network.
    status : {'stored', 'unchanged', 'would be stored'}
        What the ingest that returned it did; 'stored' for a run that was looked up.
    notes : tuple of str
        What that ingest had to say.
    """

    run_key: int
    run_id: str
    name: str
    kind: str
    n_timesteps: int
    n_samples: int
    n_spikes: int
    n_events: int
    has_events: bool
    layers: tuple[Layer, ...]
    inferred: tuple[str, ...]
    counters: dict[str, int]
    tags: dict[str, str]
    recorded_at: datetime | None
    ingested_at: datetime
    timestep_us: Decimal | None
    seed: str | None
    git_commit: str | None
    source_path: str | None
    source_sha256: str | None
    activity_hash: str
    content_hash: str
    status: str = "stored"
    notes: tuple[str, ...] = ()

    @property
    def declaration(self) -> Declaration:
        """The run's network and timing, to hold a new declaration against."""
        return Declaration(
            layers=self.layers,
            n_timesteps=self.n_timesteps,
            n_samples=self.n_samples,
            timestep_us=self.timestep_us,
        )


@dataclass(frozen=True)
class LayerActivity:
    """A layer as it is stored: what it is, what was inferred of it, and how much it spiked."""

    layer: Layer
    inferred: tuple[str, ...]
    n_spikes: int
    n_active_neurons: int

    @property
    def n_synaptic_events(self) -> int | None:
        """Its spikes times its fan-out; None if nobody said the fan-out, or if neurons differ."""
        fan_out = 0 if self.layer.fan_out is None and self.layer.role == "readout" else self.layer.fan_out
        if self.n_spikes == 0:
            return 0
        return None if fan_out is None or isinstance(fan_out, tuple) else self.n_spikes * fan_out


def content_hash(activity_hash: str, declaration: Declaration, counters_hash: str | None = None) -> str:
    """Return the identity of a run: SHA-256 over its activity hash, network and counters as canonical JSON."""
    network: dict[str, Any] = {
        "activity": activity_hash,
        "n_timesteps": declaration.n_timesteps,
        "n_samples": declaration.n_samples,
        "timestep_us": None if declaration.timestep_us is None else f"{declaration.timestep_us:f}",
        "layers": [[la.name, la.role, la.n_inputs, la.n_neurons, la.fan_out] for la in declaration.layers or ()],
    }
    if counters_hash is not None:
        network["counters"] = counters_hash
    text = json.dumps(network, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def insert(
    engine: Engine,
    run: Mapping[str, Any],
    layers: Sequence[LayerActivity],
    tags: Mapping[str, str],
    has_counters: bool = False,
) -> int:
    """Write a run with its layers, counters and tags, and return its key.

    Parameters
    ----------
    engine : Engine
        The store, inside a transaction.
    run : mapping
        Values of the columns of `runs`, without the key.
    layers : sequence of LayerActivity
        Its network, in order.
    tags : mapping of str to str
        Its tags.
    has_counters : bool
        Whether the table of incoming counters holds its counters.
    """
    run_key = int(engine.value("SELECT coalesce(max(run_key), 0) + 1 FROM runs"))
    columns = {"run_key": run_key, **run}
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    engine.run(f"INSERT INTO runs ({names}) VALUES ({marks})", list(columns.values()))
    engine.insert("layers", [_layer_row(engine, run_key, index, stored) for index, stored in enumerate(layers)])
    if has_counters:
        engine.run(sql.ingest_step("store_counters"), {"run_key": run_key})
    _add_tags(engine, run_key, tags)
    return run_key


def _layer_row(engine: Engine, run_key: int, index: int, stored: LayerActivity) -> list[Any]:
    """Return a layer's row; where its neurons differ in their fan-out, store it, and count the events that follow."""
    layer, fan_out, n_synaptic_events = stored.layer, stored.layer.fan_out, stored.n_synaptic_events
    if isinstance(fan_out, tuple):
        key = {"run_key": run_key, "layer_index": index}
        engine.run(sql.ingest_step("store_fan_out"), {**key, "fan_out": list(fan_out)})
        fan_out = None
        if stored.n_spikes:
            n_synaptic_events = engine.value(
                sql.ingest_step("count_synaptic_events"), {**key, "layer_name": layer.name}
            )
    about = [run_key, index, layer.name, layer.role, layer.n_inputs, layer.n_neurons, fan_out]
    return [*about, ",".join(stored.inferred), stored.n_spikes, stored.n_active_neurons, n_synaptic_events]


def set_tags(engine: Engine, run_key: int, tags: Mapping[str, str | None]) -> None:
    """Set tags of a run; None removes one."""
    for tag in tags:
        engine.run("DELETE FROM run_tags WHERE run_key = ? AND tag = ?", [run_key, tag])
    _add_tags(engine, run_key, tags)


def _add_tags(engine: Engine, run_key: int, tags: Mapping[str, str | None]) -> None:
    rows = [[run_key, tag, value, tag_number(value)] for tag, value in tags.items() if value is not None]
    engine.insert("run_tags", rows)


def load(engine: Engine, run_key: int) -> Run:
    """Return a stored run by its key."""
    return load_many(engine, [run_key])[0]


def load_many(engine: Engine, run_keys: Sequence[int]) -> list[Run]:
    """Return stored runs by their keys, in the order of the keys; with one query for each table, however many."""
    found = {row["run_key"]: row for row in engine.records(*_of_runs("SELECT * FROM runs WHERE {}", run_keys))}
    tags = _by_run(engine, "SELECT run_key, tag, tag_value FROM run_tags WHERE {} ORDER BY tag", run_keys)
    counters = _by_run(
        engine,
        "SELECT run_key, driver, sum(driver_count) FROM counters WHERE {} GROUP BY run_key, driver ORDER BY driver",
        run_keys,
    )
    layers = _load_layers(engine, run_keys)
    return [_run(found[key], layers[key], dict(counters[key]), dict(tags[key])) for key in run_keys]


def _by_run(engine: Engine, query: str, run_keys: Sequence[int]) -> defaultdict[int, list[tuple[Any, ...]]]:
    """Return the rows of a query by their first column, the run's key; none for a run that has none."""
    rows_of = defaultdict(list)
    for key, *row in engine.rows(*_of_runs(query, run_keys)):
        rows_of[key].append(tuple(row))
    return rows_of


def _load_layers(engine: Engine, run_keys: Sequence[int]) -> defaultdict[int, list[tuple[Layer, str]]]:
    """Return the layers of each run, in order, each with what was inferred of it."""
    each_neuron = _by_run(
        engine,
        "SELECT run_key, layer_index, list(fan_out ORDER BY neuron) FROM fan_out WHERE {} GROUP BY ALL",
        run_keys,
    )
    fan_outs = {(key, index): tuple(each) for key, rows in each_neuron.items() for index, each in rows}
    layers_of = defaultdict(list)
    for row in engine.records(*_of_runs("SELECT * FROM layers WHERE {} ORDER BY layer_index", run_keys)):
        fan_out = fan_outs.get((row["run_key"], row["layer_index"]), row["fan_out"])
        layer = Layer(row["layer"], row["role"], row["n_inputs"], row["n_neurons"], fan_out)
        layers_of[row["run_key"]].append((layer, row["inferred"]))
    return layers_of


def _of_runs(query: str, run_keys: Sequence[int]) -> tuple[str, list[Any]]:
    """Return the query with `{}` replaced by the condition that a row is of these runs, and its parameters."""
    if len(run_keys) == 1:  # most often, and planned in half the time
        return query.format("run_key = ?"), list(run_keys)
    return query.format("run_key IN (SELECT unnest(?::INTEGER[]))"), [run_keys]


def _run(
    row: Mapping[str, Any], layers: Sequence[tuple[Layer, str]], counters: dict[str, int], tags: dict[str, str]
) -> Run:
    """Return a run from its row and what belongs to it."""
    inferred = [name for name in row["inferred"].split(",") if name]
    for layer, names in layers:
        inferred += [f"{layer.name}.{name}" for name in names.split(",") if name]
    set_apart = ("contract_version", "column_map", "run_name", "inferred")
    return Run(
        **{column: value for column, value in row.items() if column not in set_apart},
        name=row["run_name"],
        layers=tuple(layer for layer, _ in layers),
        inferred=tuple(inferred),
        counters=counters,
        tags=tags,
    )


def with_status(run: Run, status: str, notes: tuple[str, ...]) -> Run:
    """Return a run with what an ingest did."""
    return replace(run, status=status, notes=notes)


def is_stored(engine: Engine, run: Run) -> bool:
    """Whether a run is stored here under its key, with its content."""
    key = [run.run_key, run.run_id, run.content_hash]
    return bool(engine.rows("SELECT 1 FROM runs WHERE run_key = ? AND run_id = ? AND content_hash = ?", key))
