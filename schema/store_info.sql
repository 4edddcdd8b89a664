-- What the store knows of itself.
-- Grain: one row per fact.
CREATE TABLE store_info (
    -- Name of the fact: 'shipped_fingerprint' says which views and shipped costs are installed.
    fact VARCHAR NOT NULL,
    -- Its value.
    fact_value VARCHAR NOT NULL
);
