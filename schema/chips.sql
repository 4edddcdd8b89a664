-- The chips that the catalogue knows.
-- Grain: one row per chip.
CREATE TABLE chips (
    -- Short name of the chip, as reports and commands use it.
    chip VARCHAR NOT NULL PRIMARY KEY,
    -- Full name of the chip.
    title VARCHAR NOT NULL,
    -- What to know before comparing the chip with another.
    note VARCHAR NOT NULL
);
