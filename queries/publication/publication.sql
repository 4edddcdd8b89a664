-- What this publication is: a copy of a store, made at one moment.
-- Grain: one row.
CREATE TABLE mart.publication (
    -- Number of the publication in its folder, from 1.
    publication_number BIGINT NOT NULL,
    -- When it was made (UTC).
    published_at TIMESTAMP NOT NULL,
    -- The store that it was made from.
    store_path VARCHAR NOT NULL,
    -- Revision of the store's tables.
    schema_revision VARCHAR NOT NULL,
    -- Release of energy-db that made it.
    energy_db_version VARCHAR NOT NULL,
    -- Release of DuckDB that wrote it.
    duckdb_version VARCHAR NOT NULL,
    -- Runs that it holds. [count]
    n_runs BIGINT NOT NULL,
    -- Recorded spikes of all runs. [count]
    n_spikes BIGINT NOT NULL,
    -- Whether it holds the single spike events, of the runs that keep them.
    has_events BOOLEAN NOT NULL,
    -- The chips that its facts are priced on, separated by commas; empty for all.
    chips VARCHAR
);
