"""Where a report's figures are from, and a hash that anybody with the same content and costs gets again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from energy_db import sql
from energy_db.engines.duckdb import Engine
from energy_db.reports.cells import Cell
from energy_db.runs import Run
from energy_db.units import exact

RECEIPT = "energy-db/receipt/1"

_COST_COLUMNS = "operation, driver, energy_pj, low_pj, high_pj, scope, status, source, doi, confidence, note"


def provenance(engine: Engine, run: Run, version: Mapping[str, Any], cells: Sequence[Cell]) -> dict[str, Any]:
    """Return which content, which costs from which sources, and which views made a report.

    Parameters
    ----------
    engine : Engine
        The store.
    run : Run
        The run.
    version : mapping
        The row of cost_versions that prices it.
    cells : sequence of Cell
        What it costs.
    """
    published_on = version["published_on"]
    costs = engine.records(
        f"SELECT {_COST_COLUMNS} FROM costs "
        "WHERE chip = ? AND cost_version = ? AND NOT is_reference ORDER BY operation",
        [version["chip"], version["cost_version"]],
    )
    return {
        "content_hash": run.content_hash or None,
        "activity_hash": run.activity_hash or None,
        "source_path": run.source_path,
        "source_sha256": run.source_sha256,
        "ingested_at": f"{run.ingested_at.isoformat()}Z",
        "inferred": list(run.inferred),
        "costs": {**version, "published_on": published_on and published_on.isoformat()},
        "cost_rows": [{name: _json_ready(value) for name, value in row.items()} for row in costs],
        "views": sql.view_versions(("energy_by_layer_operation_all_versions", "energy_by_neuron_all_versions")),
        "shipped_fingerprint": sql.shipped_fingerprint(),
        "report_hash": report_hash(run, version, cells),
    }


def cost_source(engine: Engine, chip: str, cost_version: str) -> dict[str, Any]:
    """Return the row of cost_versions that says where a cost set is from."""
    [version] = engine.records(
        "SELECT * EXCLUDE (added_at) FROM cost_versions WHERE chip = ? AND cost_version = ?", [chip, cost_version]
    )
    return version


def report_hash(run: Run, version: Mapping[str, Any], cells: Sequence[Cell]) -> str | None:
    """Return SHA-256 over the run's content, the cost version's content, and every count and energy between them.

    None for a run that is not stored: its content has no identity.
    """
    if not run.content_hash:
        return None
    content = {
        "schema": RECEIPT,
        "run": run.content_hash,
        "chip": version["chip"],
        "cost_version": version["cost_version"],
        "costs": version["content_hash"],
        "cells": sorted(
            [str(cell.layer_index), cell.operation, cell.driver, _text(cell.driver_count), _text(cell.energy_pj)]
            for cell in cells
        ),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _json_ready(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _text(value: Any) -> str:
    return "" if value is None else exact(value)
