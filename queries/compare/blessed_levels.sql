-- Levels of energy that were accepted, each with whether it holds today.
-- Grain: one row per blessing, those that were taken back included.
CREATE OR REPLACE VIEW blessed_levels (
    -- Number of the blessing, in the order in which they were given.
    blessing_number,
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
    -- The chip.
    chip,
    -- The cost set that priced it then.
    cost_version,
    -- Name of the layer; empty for the whole run.
    layer,
    -- Samples that the run processed. [count]
    n_samples,
    -- The accepted level: the energy as it was then. [pJ]
    energy_pj,
    -- Why it was accepted.
    reason,
    -- When it was accepted (UTC).
    blessed_at,
    -- Who accepted it; empty if nobody said.
    blessed_by,
    -- When it was taken back (UTC); empty if it was not.
    revoked_at,
    -- Who took it back; empty if nobody said, or if it was not.
    revoked_by,
    -- Why it was taken back; empty if it was not.
    revocation_reason,
    -- Whether it is the newest that was not taken back, of its history, chip and layer.
    is_in_force
) AS
WITH newest AS (
    SELECT max(blessings.blessing_number) AS blessing_number
    FROM blessings
    INNER JOIN runs ON blessings.run_key = runs.run_key
    LEFT JOIN blessing_revocations ON blessings.blessing_number = blessing_revocations.blessing_number
    WHERE blessing_revocations.blessing_number IS NULL
    GROUP BY runs.run_name, blessings.chip, blessings.layer
)

SELECT
    blessings.blessing_number,
    runs.run_id,
    runs.run_name,
    blessings.chip,
    blessings.cost_version,
    blessings.layer,
    runs.n_samples,
    blessings.energy_pj,
    blessings.reason,
    blessings.blessed_at,
    blessings.blessed_by,
    blessing_revocations.revoked_at,
    blessing_revocations.revoked_by,
    blessing_revocations.reason AS revocation_reason,
    newest.blessing_number IS NOT NULL AS is_in_force
FROM blessings
INNER JOIN runs ON blessings.run_key = runs.run_key
LEFT JOIN blessing_revocations ON blessings.blessing_number = blessing_revocations.blessing_number
LEFT JOIN newest ON blessings.blessing_number = newest.blessing_number;
