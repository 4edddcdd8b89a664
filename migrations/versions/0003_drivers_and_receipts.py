"""Every driver can be counted, every cost says where it is from, and what is in force is a numbered fact."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from alembic import op

revision = "0003"
down_revision = "0002"

# DuckDB adds NOT NULL columns and changes keyed ones by rebuilding a table; every row moves over.
STATEMENTS = (
    "ALTER TABLE layers ADD COLUMN n_synaptic_events BIGINT",
    """UPDATE layers SET n_synaptic_events = CASE
        WHEN n_spikes = 0 THEN 0 ELSE n_spikes * coalesce(fan_out, CASE role WHEN 'readout' THEN 0 END)
    END""",
    """UPDATE layers SET n_synaptic_events = counted.n_synaptic_events FROM (
        SELECT fan_out.run_key, fan_out.layer_index,
            CAST(sum(coalesce(activity.n_spikes, 0) * fan_out.fan_out) AS BIGINT) AS n_synaptic_events
        FROM fan_out
        LEFT JOIN neuron_activity AS activity USING (run_key, layer_index, neuron)
        GROUP BY fan_out.run_key, fan_out.layer_index
    ) AS counted
    WHERE layers.run_key = counted.run_key AND layers.layer_index = counted.layer_index""",
    "ALTER TABLE counters ALTER COLUMN layer_index DROP NOT NULL",
    "CREATE TABLE drivers (driver VARCHAR NOT NULL PRIMARY KEY, meaning VARCHAR NOT NULL, "
    "is_imported BOOLEAN NOT NULL)",
    """CREATE TABLE driver_counts (
        run_key INTEGER NOT NULL, layer_index SMALLINT, driver VARCHAR NOT NULL, driver_count DECIMAL(38, 6),
        units_per_spike BIGINT, units_per_neuron BIGINT, grain VARCHAR NOT NULL, missing VARCHAR
    )""",
    """CREATE TABLE cost_withdrawals (
        chip VARCHAR NOT NULL, cost_version VARCHAR NOT NULL, withdrawn_at TIMESTAMP NOT NULL, reason VARCHAR NOT NULL
    )""",
    "ALTER TABLE cost_in_force RENAME TO cost_in_force_0002",
    """CREATE TABLE cost_in_force (
        fact_number BIGINT NOT NULL PRIMARY KEY, chip VARCHAR NOT NULL, cost_version VARCHAR NOT NULL,
        in_force_from DATE NOT NULL, recorded_at TIMESTAMP NOT NULL, reason VARCHAR NOT NULL
    )""",
    """INSERT INTO cost_in_force
        SELECT row_number() OVER (ORDER BY recorded_at, chip, in_force_from, cost_version), chip, cost_version,
            in_force_from, CASE reason WHEN 'shipped with energy-db' THEN in_force_from ELSE recorded_at END, reason
        FROM cost_in_force_0002""",
    "DROP TABLE cost_in_force_0002",
    "CREATE TABLE costs_0002 AS SELECT * FROM costs",
    "DROP TABLE costs",
    """CREATE TABLE costs (
        chip VARCHAR NOT NULL, cost_version VARCHAR NOT NULL, operation VARCHAR NOT NULL, driver VARCHAR NOT NULL,
        energy_pj DECIMAL(24, 6), low_pj DECIMAL(24, 6), high_pj DECIMAL(24, 6), scope VARCHAR NOT NULL,
        is_reference BOOLEAN NOT NULL, status VARCHAR NOT NULL, source VARCHAR NOT NULL, doi VARCHAR,
        confidence VARCHAR NOT NULL, node_nm DECIMAL(9, 3), supply_v DECIMAL(9, 3), note VARCHAR NOT NULL,
        PRIMARY KEY (chip, cost_version, operation)
    )""",
    """INSERT INTO costs
        SELECT costs.chip, costs.cost_version, operation, driver, energy_pj, low_pj, high_pj, scope, false,
            versions.status, versions.source, versions.doi, '', node_nm, supply_v, costs.note
        FROM costs_0002 AS costs
        INNER JOIN cost_versions AS versions
            ON costs.chip = versions.chip AND costs.cost_version = versions.cost_version""",
    "DROP TABLE costs_0002",
)
VERSION = ("chip", "cost_version", "label", "status", "source", "doi", "published_on", "note")
COST = (
    *("operation", "driver", "energy_pj", "low_pj", "high_pj", "scope", "is_reference", "status", "source", "doi"),
    *("confidence", "node_nm", "supply_v", "note"),
)


def upgrade() -> None:
    """Change the tables, and seal each version with a hash over all that it says."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)
    for version in connection.exec_driver_sql(f"SELECT {', '.join(VERSION)} FROM cost_versions").fetchall():
        key = f"WHERE chip = {_literal(version[0])} AND cost_version = {_literal(version[1])}"
        costs = connection.exec_driver_sql(f"SELECT {', '.join(COST)} FROM costs {key}").fetchall()
        connection.exec_driver_sql(f"UPDATE cost_versions SET content_hash = '{_hash(version, costs)}' {key}")


def downgrade() -> None:
    """Refuse: costs are append-only."""
    raise NotImplementedError("a store keeps its costs; restore the backup that the migration made")


def _hash(version: Sequence[Any], costs: Iterable[Sequence[Any]]) -> str:
    content = [[_plain(value) for value in version], sorted([_plain(value) for value in cost] for cost in costs)]
    return hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:.6f}"
    return value if value is None or isinstance(value, bool) else str(value)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
