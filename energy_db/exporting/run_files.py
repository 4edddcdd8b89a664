"""A stored run as a run file again: its events, and all that was declared of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from energy_db.engines.duckdb import Engine
from energy_db.engines.wording import literal
from energy_db.errors import UsageError
from energy_db.exporting.writing import write_file
from energy_db.intake.network import Layer
from energy_db.record.run_file import METADATA_KEY
from energy_db.runs import Run
from energy_db.tables import write_whole

_EVENTS = """
SELECT layer, CAST(neuron AS INTEGER) AS neuron, CAST(timestep AS INTEGER) AS timestep,
    CAST(sample_index AS INTEGER) AS sample, CAST(n_spikes AS INTEGER) AS n_spikes
FROM activity_by_spike WHERE run_id = """
_COUNTERS = """
SELECT layers.layer, counters.neuron, counters.driver, counters.driver_count AS count
FROM counters LEFT JOIN layers ON counters.run_key = layers.run_key AND counters.layer_index = layers.layer_index
WHERE counters.run_key = ? ORDER BY counters.layer_index, counters.neuron, counters.driver"""


def export_run(engine: Engine, run: Run, path: Path, form: str) -> None:
    """Write a run to a file; as Parquet, it is a run file that can be ingested again.

    Raises
    ------
    UsageError
        If the store does not keep the run's events.
    EnergyDbError
        If the file cannot be written.
    """
    if not run.has_events:
        raise UsageError(
            f"the single events of {run.name} ({run.run_id}) are not kept",
            "Export what was summed up of it: energy-db export --view activity_by_neuron --run " + run.run_id,
        )
    about = {METADATA_KEY: json.dumps(declared(engine, run), ensure_ascii=False)}
    write_whole(path, lambda file: write_file(engine, _EVENTS + literal(run.run_id), file, form, about=about))


def declared(engine: Engine, run: Run) -> dict[str, Any]:
    """Return what was declared of a run, in the form of a sidecar; what was inferred is left out."""
    said: dict[str, Any] = {
        "run": run.name,
        "kind": run.kind,
        "n_timesteps": run.n_timesteps,
        "n_samples": run.n_samples,
        "timestep_us": run.timestep_us and float(run.timestep_us),
        "seed": run.seed,
        "git_commit": run.git_commit,
        "recorded_at": run.recorded_at and run.recorded_at.isoformat(),
        "tags": run.tags or None,
        "layers": [_layer(layer, run.inferred) for layer in run.layers],
        "counters": _counters(engine, run) or None,
    }
    return {key: value for key, value in said.items() if value is not None and key not in run.inferred}


def _layer(layer: Layer, inferred: tuple[str, ...]) -> dict[str, Any]:
    each = layer.fan_out
    said = {
        "role": layer.role,
        "n_inputs": layer.n_inputs,
        "n_neurons": layer.n_neurons,
        "fan_out": list(each) if isinstance(each, tuple) else each,
    }
    kept = {key: value for key, value in said.items() if value is not None and f"{layer.name}.{key}" not in inferred}
    return {"name": layer.name, **kept}


def _counters(engine: Engine, run: Run) -> list[dict[str, Any]]:
    rows = engine.records(_COUNTERS, [run.run_key])
    return [{key: value for key, value in row.items() if value is not None} for row in rows]
