"""Levels of energy can be accepted, and taken back."""

from alembic import op

revision = "0004"
down_revision = "0003"

TABLES = (
    """CREATE TABLE blessings (
        blessing_number BIGINT NOT NULL PRIMARY KEY, run_key INTEGER NOT NULL, chip VARCHAR NOT NULL,
        cost_version VARCHAR NOT NULL, layer VARCHAR, energy_pj DECIMAL(38, 6) NOT NULL, reason VARCHAR NOT NULL,
        blessed_at TIMESTAMP NOT NULL, blessed_by VARCHAR
    )""",
    """CREATE TABLE blessing_revocations (
        blessing_number BIGINT NOT NULL PRIMARY KEY, reason VARCHAR NOT NULL, revoked_at TIMESTAMP NOT NULL,
        revoked_by VARCHAR
    )""",
)


def upgrade() -> None:
    """Create the tables."""
    for table in TABLES:
        op.get_bind().exec_driver_sql(table)


def downgrade() -> None:
    """Refuse: what was accepted stays on record."""
    raise NotImplementedError("a store keeps what was accepted; restore the backup that the migration made")
