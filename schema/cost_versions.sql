-- The published cost sets: append-only, a version never changes once it is added; other numbers are another version.
-- Grain: one row per (chip, cost version).
CREATE TABLE cost_versions (
    -- The chip.
    chip VARCHAR NOT NULL,
    -- Name of the cost set.
    cost_version VARCHAR NOT NULL,
    -- What the version is, in a few words.
    label VARCHAR NOT NULL,
    -- How the numbers came about: 'measured', 'simulated', 'vendor', 'literature', 'tutorial' or 'user'.
    status VARCHAR NOT NULL,
    -- Where the numbers were published.
    source VARCHAR NOT NULL,
    -- Digital object identifier of the source, where it has one.
    doi VARCHAR,
    -- When the source was published, where it says so.
    published_on DATE,
    -- What to know before trusting the numbers.
    note VARCHAR NOT NULL,
    -- SHA-256 over the version and all its costs: a changed number under an old name shows.
    content_hash VARCHAR NOT NULL,
    -- When the version came into this store (UTC).
    added_at TIMESTAMP NOT NULL,
    PRIMARY KEY (chip, cost_version)
);
