-- Cost versions that should no longer be used: they still price, with a warning; append-only.
-- Grain: one row per withdrawal.
CREATE TABLE cost_withdrawals (
    -- The chip.
    chip VARCHAR NOT NULL,
    -- The cost set.
    cost_version VARCHAR NOT NULL,
    -- When it was withdrawn (UTC).
    withdrawn_at TIMESTAMP NOT NULL,
    -- Why, and what to use instead.
    reason VARCHAR NOT NULL
);
