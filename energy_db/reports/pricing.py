"""Makes reports: the store's priced rows of one run, explained and put beside their sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from energy_db import sql
from energy_db.engines.duckdb import Engine
from energy_db.reports.advice import DOMINANT_NEURON_SHARE, advise, explain
from energy_db.reports.report import (
    NEURONS_AT_HAND,
    PRICED,
    SORTED_BY,
    LayerEnergy,
    OperationEnergy,
    Report,
    costliest_neurons,
)
from energy_db.runs import Run


def build(engine: Engine, run: Run, chip: str, cost_version: str) -> Report:
    """Make the report of a stored run.

    Parameters
    ----------
    engine : Engine
        The store.
    run : Run
        The run.
    chip, cost_version : str
        The chip and the cost set; both must be in the catalogue.
    """
    key = [run.run_id, chip, cost_version]
    layer_rows = engine.records(f"SELECT * FROM energy_by_layer_all_versions WHERE {PRICED} ORDER BY layer_index", key)
    total = float(sum(row["energy_pj"] for row in layer_rows))
    layers = tuple(_layer(row, total) for row in layer_rows)
    operation_rows = engine.records(
        f"SELECT * FROM energy_by_operation_all_versions WHERE {PRICED} ORDER BY {SORTED_BY['operation']}", key
    )
    firing = engine.records("SELECT * FROM firing_by_layer WHERE run_id = ? ORDER BY layer_index", [run.run_id])
    costliest = costliest_neurons(engine, key, total, NEURONS_AT_HAND)
    costly = [(entry.layer, entry.neuron, entry.spikes) for entry in costliest if entry.share > DOMINANT_NEURON_SHARE]
    [costs] = engine.records(
        "SELECT * EXCLUDE (added_at) FROM cost_versions WHERE chip = ? AND cost_version = ?", [chip, cost_version]
    )
    return Report(
        run=run,
        chip=chip,
        cost_version=cost_version,
        total_spikes=run.n_spikes,
        total_energy_pj=total,
        layers=layers,
        operations=tuple(_operation(row, total) for row in operation_rows),
        why=explain(layers, firing),
        advice=advise(layers, firing, costly, total),
        warnings=_warnings(run, costs, operation_rows),
        provenance=_provenance(run, costs),
        _costliest=costliest,
        _engine=engine,
    )


def _layer(row: Mapping[str, Any], total: float) -> LayerEnergy:
    energy_pj = float(row["energy_pj"])
    return LayerEnergy(
        layer=row["layer"],
        role=row["role"],
        n_neurons=row["n_neurons"],
        n_active_neurons=row["n_active_neurons"],
        spikes=row["n_spikes"],
        energy_pj=energy_pj,
        share=energy_pj / total if total else 0.0,
        energy_per_spike_pj=float(row["energy_pj"] / row["n_spikes"]) if row["n_spikes"] else None,
    )


def _operation(row: Mapping[str, Any], total: float) -> OperationEnergy:
    energy_pj = float(row["energy_pj"])
    share = energy_pj / total if total else 0.0
    return OperationEnergy(
        row["operation"], row["driver"], row["driver_count"], float(row["cost_pj"]), energy_pj, share
    )


def _warnings(run: Run, costs: Mapping[str, Any], operations: list[dict[str, Any]]) -> tuple[str, ...]:
    found = []
    if costs["status"] == "tutorial":
        found.append(f"the costs {costs['cost_version']} are literature values of a tutorial, not measurements")
    if [row["operation"] for row in operations] == ["undivided"]:
        found.append(f"no split by operation is published for {costs['chip']}: one lump per spike")
    if roles := [name.removesuffix(".role") for name in run.inferred if name.endswith(".role")]:
        found.append(f"no role is declared for {', '.join(roles)}: priced as hidden")
    if others := [name for name in run.inferred if not name.endswith(".role")]:
        found.append(f"inferred from the events, not declared: {', '.join(others)}")
    return tuple(found)


def _provenance(run: Run, costs: Mapping[str, Any]) -> dict[str, Any]:
    published_on = costs["published_on"]
    return {
        "content_hash": run.content_hash or None,
        "activity_hash": run.activity_hash or None,
        "source_path": run.source_path,
        "source_sha256": run.source_sha256,
        "ingested_at": f"{run.ingested_at.isoformat()}Z",
        "inferred": list(run.inferred),
        "costs": {**costs, "published_on": published_on and published_on.isoformat()},
        "shipped_fingerprint": sql.shipped_fingerprint(),
    }
