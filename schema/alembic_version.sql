-- Which migration the store stands at.
-- Grain: one row.
CREATE TABLE alembic_version (
    -- Number of the newest revision that was applied.
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
