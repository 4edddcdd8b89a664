-- Queries that somebody keeps in the store under a name, in every version; append-only.
-- Grain: one row per (query name, version).
CREATE TABLE saved_queries (
    -- Its name.
    query_name VARCHAR NOT NULL,
    -- Number of the version among those of its name, from 1.
    query_version BIGINT NOT NULL,
    -- The query, as it was written.
    query VARCHAR NOT NULL,
    -- What it answers; empty if nobody said.
    about VARCHAR,
    -- When this version was saved (UTC).
    saved_at TIMESTAMP NOT NULL,
    PRIMARY KEY (query_name, query_version)
);
