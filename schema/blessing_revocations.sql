-- Blessings that were taken back, each with the reason; append-only: what was blessed stays on record.
-- Grain: one row per revocation.
CREATE TABLE blessing_revocations (
    -- The blessing that was taken back; it can be taken back once.
    blessing_number BIGINT NOT NULL PRIMARY KEY,
    -- Why.
    reason VARCHAR NOT NULL,
    -- When (UTC).
    revoked_at TIMESTAMP NOT NULL,
    -- Who took it back; empty if nobody said.
    revoked_by VARCHAR
);
