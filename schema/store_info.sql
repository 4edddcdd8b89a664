-- What the store knows of itself.
-- Grain: one row per fact and value.
CREATE TABLE store_info (
    -- Name of the fact: 'shipped_fingerprint' of the installed views and costs, or 'view' for one of the views.
    fact VARCHAR NOT NULL,
    -- Its value.
    fact_value VARCHAR NOT NULL
);
