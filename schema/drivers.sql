-- What operations can be charged on; append-only.
-- Grain: one row per driver.
CREATE TABLE drivers (
    -- Name of the driver.
    driver VARCHAR NOT NULL PRIMARY KEY,
    -- What one unit of it is.
    meaning VARCHAR NOT NULL,
    -- Whether a run must bring the count with it, because spikes and network do not tell it.
    is_imported BOOLEAN NOT NULL
);
