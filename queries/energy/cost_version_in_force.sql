-- Which cost version is in force for each chip today (UTC): the latest fact that has begun; of two for the same day,
-- the one that was recorded later.
-- Grain: one row per chip.
CREATE OR REPLACE VIEW cost_version_in_force (
    -- The chip.
    chip,
    -- The cost set that is in force.
    cost_version,
    -- First day on which it is in force.
    in_force_from
) AS
WITH begun AS (
    SELECT
        chip,
        cost_version,
        in_force_from,
        row_number() OVER (PARTITION BY chip ORDER BY in_force_from DESC, fact_number DESC) AS recency
    FROM cost_in_force
    WHERE in_force_from <= CAST(now() AT TIME ZONE 'UTC' AS DATE)
)

SELECT
    chip,
    cost_version,
    in_force_from
FROM begun
WHERE recency = 1;
