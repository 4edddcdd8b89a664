"""Runs, their networks and their activity."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = (
    """CREATE TABLE runs (
        run_key INTEGER NOT NULL PRIMARY KEY, run_id VARCHAR NOT NULL UNIQUE, run_name VARCHAR NOT NULL,
        kind VARCHAR NOT NULL, recorded_at TIMESTAMP, ingested_at TIMESTAMP NOT NULL, n_timesteps BIGINT NOT NULL,
        n_samples BIGINT NOT NULL, timestep_us DECIMAL(18, 6), inferred VARCHAR NOT NULL, n_spikes BIGINT NOT NULL,
        n_events BIGINT NOT NULL, has_events BOOLEAN NOT NULL, seed VARCHAR, git_commit VARCHAR,
        contract_version INTEGER NOT NULL, activity_hash VARCHAR NOT NULL, content_hash VARCHAR NOT NULL,
        source_path VARCHAR, source_sha256 VARCHAR, column_map VARCHAR
    )""",
    """CREATE TABLE run_tags (
        run_key INTEGER NOT NULL, tag VARCHAR NOT NULL, tag_value VARCHAR NOT NULL, tag_number DOUBLE
    )""",
    """CREATE TABLE layers (
        run_key INTEGER NOT NULL, layer_index SMALLINT NOT NULL, layer VARCHAR NOT NULL, role VARCHAR NOT NULL,
        n_inputs BIGINT, n_neurons BIGINT NOT NULL, fan_out BIGINT, inferred VARCHAR NOT NULL,
        n_spikes BIGINT NOT NULL, n_active_neurons BIGINT NOT NULL
    )""",
    """CREATE TABLE fan_out (
        run_key INTEGER NOT NULL, layer_index SMALLINT NOT NULL, neuron INTEGER NOT NULL, fan_out BIGINT NOT NULL
    )""",
    """CREATE TABLE spike_events (
        run_key INTEGER NOT NULL, layer_index SMALLINT NOT NULL, neuron INTEGER NOT NULL, timestep INTEGER NOT NULL,
        sample_index INTEGER NOT NULL, n_spikes INTEGER NOT NULL
    )""",
    """CREATE TABLE neuron_activity (
        run_key INTEGER NOT NULL, layer_index SMALLINT NOT NULL, neuron INTEGER NOT NULL, n_spikes BIGINT NOT NULL
    )""",
    """CREATE TABLE step_activity (
        run_key INTEGER NOT NULL, layer_index SMALLINT NOT NULL, timestep INTEGER NOT NULL, n_spikes BIGINT NOT NULL
    )""",
    """CREATE TABLE counters (
        run_key INTEGER NOT NULL, layer_index SMALLINT NOT NULL, neuron INTEGER, driver VARCHAR NOT NULL,
        driver_count BIGINT NOT NULL
    )""",
    "CREATE TABLE store_info (fact VARCHAR NOT NULL, fact_value VARCHAR NOT NULL)",
)


def upgrade() -> None:
    """Create the tables."""
    for table in TABLES:
        op.get_bind().exec_driver_sql(table)


def downgrade() -> None:
    """Refuse: a store without runs is no store."""
    raise NotImplementedError("there is nothing before the first revision")
