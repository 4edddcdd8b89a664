-- Which cost version is in force for a chip, and since when: dated facts, append-only.
-- The latest one that has begun holds.
-- Grain: one row per (chip, day from which it holds, moment at which it was recorded).
CREATE TABLE cost_in_force (
    -- The chip.
    chip VARCHAR NOT NULL,
    -- The cost set that is in force.
    cost_version VARCHAR NOT NULL,
    -- First day on which it is in force.
    in_force_from DATE NOT NULL,
    -- When the fact came into this store (UTC).
    recorded_at TIMESTAMP NOT NULL,
    -- Why.
    reason VARCHAR NOT NULL
);
