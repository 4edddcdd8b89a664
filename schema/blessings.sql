-- Levels of energy that somebody accepted, each with the reason; append-only.
-- Grain: one row per blessing.
CREATE TABLE blessings (
    -- Number of the blessing, in the order in which they were given; clocks can be set back, this cannot.
    blessing_number BIGINT NOT NULL PRIMARY KEY,
    -- The run whose level was accepted.
    run_key INTEGER NOT NULL,
    -- The chip.
    chip VARCHAR NOT NULL,
    -- The cost set that priced it then.
    cost_version VARCHAR NOT NULL,
    -- The layer whose level was accepted; empty for the whole run.
    layer VARCHAR,
    -- The level: its energy as it was then, in pJ.
    energy_pj DECIMAL(38, 6) NOT NULL,
    -- Why it was accepted.
    reason VARCHAR NOT NULL,
    -- When it was accepted (UTC).
    blessed_at TIMESTAMP NOT NULL,
    -- Who accepted it; empty if nobody said.
    blessed_by VARCHAR
);
