-- What the store knows of itself.
-- Grain: one row per fact and value.
CREATE TABLE store_info (
    -- Name of the fact: 'shipped_fingerprint' of the installed views and costs, 'view' for one of the views, or
    -- 'publish_after_ingest' for where and how the store is published.
    fact VARCHAR NOT NULL,
    -- Its value.
    fact_value VARCHAR NOT NULL
);
