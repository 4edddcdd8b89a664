"""Users keep queries under a name."""

from alembic import op

revision = "0006"
down_revision = "0005"

TABLE = """CREATE TABLE saved_queries (
    query_name VARCHAR NOT NULL, query_version BIGINT NOT NULL, query VARCHAR NOT NULL, about VARCHAR,
    saved_at TIMESTAMP NOT NULL, PRIMARY KEY (query_name, query_version)
)"""


def upgrade() -> None:
    """Create the table."""
    op.get_bind().exec_driver_sql(TABLE)


def downgrade() -> None:
    """Remove the table, and with it the queries that were saved."""
    op.get_bind().exec_driver_sql("DROP TABLE saved_queries")
