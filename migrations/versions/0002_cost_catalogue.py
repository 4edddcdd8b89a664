"""Chips and their versioned costs."""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = (
    "CREATE TABLE chips (chip VARCHAR NOT NULL PRIMARY KEY, title VARCHAR NOT NULL, note VARCHAR NOT NULL)",
    """CREATE TABLE cost_versions (
        chip VARCHAR NOT NULL, cost_version VARCHAR NOT NULL, label VARCHAR NOT NULL, status VARCHAR NOT NULL,
        source VARCHAR NOT NULL, doi VARCHAR, published_on DATE, note VARCHAR NOT NULL,
        content_hash VARCHAR NOT NULL, added_at TIMESTAMP NOT NULL, PRIMARY KEY (chip, cost_version)
    )""",
    """CREATE TABLE costs (
        chip VARCHAR NOT NULL, cost_version VARCHAR NOT NULL, operation VARCHAR NOT NULL, driver VARCHAR NOT NULL,
        energy_pj DECIMAL(18, 6), low_pj DECIMAL(18, 6), high_pj DECIMAL(18, 6), scope VARCHAR NOT NULL,
        node_nm DECIMAL(9, 3), supply_v DECIMAL(9, 3), note VARCHAR NOT NULL,
        PRIMARY KEY (chip, cost_version, operation)
    )""",
    """CREATE TABLE cost_in_force (
        chip VARCHAR NOT NULL, cost_version VARCHAR NOT NULL, in_force_from DATE NOT NULL,
        recorded_at TIMESTAMP NOT NULL, reason VARCHAR NOT NULL
    )""",
)


def upgrade() -> None:
    """Create the tables; the shipped costs are filled in when the store is refreshed."""
    for table in TABLES:
        op.get_bind().exec_driver_sql(table)


def downgrade() -> None:
    """Refuse: costs are append-only."""
    raise NotImplementedError("a store keeps its costs; restore the backup that the migration made")
