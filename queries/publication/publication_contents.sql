-- How many rows every table and every fact of this publication has.
-- Grain: one row per table, and per view of the schema mart.
CREATE TABLE mart.publication_contents (
    -- Name of the table or view, with its schema if that is not main.
    object_name VARCHAR NOT NULL,
    -- What it is: 'table' or 'view'.
    object_kind VARCHAR NOT NULL,
    -- Rows. [count]
    n_rows BIGINT NOT NULL
);
