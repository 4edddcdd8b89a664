"""Trainings are kept step by step."""

from alembic import op

revision = "0005"
down_revision = "0004"

TABLE = """CREATE TABLE training_steps (
    run_key INTEGER NOT NULL, layer_index SMALLINT NOT NULL, training_step INTEGER NOT NULL, epoch INTEGER,
    n_samples INTEGER NOT NULL, n_spikes BIGINT NOT NULL
)"""


def upgrade() -> None:
    """Create the table."""
    op.get_bind().exec_driver_sql(TABLE)


def downgrade() -> None:
    """Remove the table; what was spiked in all stays."""
    op.get_bind().exec_driver_sql("DROP TABLE training_steps")
