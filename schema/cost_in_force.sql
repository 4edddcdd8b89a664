-- Which cost version is in force for a chip, and since when: dated facts, append-only.
-- The latest one that has begun holds; of two for the same day, the one that was recorded later.
-- Grain: one row per fact.
CREATE TABLE cost_in_force (
    -- Number of the fact, in the order in which the facts were recorded; clocks can be set back, this cannot.
    fact_number BIGINT NOT NULL PRIMARY KEY,
    -- The chip.
    chip VARCHAR NOT NULL,
    -- The cost set that is in force.
    cost_version VARCHAR NOT NULL,
    -- First day on which it is in force (UTC).
    in_force_from DATE NOT NULL,
    -- When the fact became known (UTC): to this store, or, of a fact that came with a release, with that release.
    recorded_at TIMESTAMP NOT NULL,
    -- Why.
    reason VARCHAR NOT NULL
);
