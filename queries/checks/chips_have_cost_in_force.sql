-- Chips that have costs to price with but none in force, or in force what does not exist or cannot price.
-- Grain: one row per failing chip.
CREATE OR REPLACE VIEW chips_have_cost_in_force (
    -- The chip.
    chip,
    -- The cost set said to be in force; empty if none.
    cost_version
) AS
WITH pricing AS (
    SELECT DISTINCT
        costs.chip,
        costs.cost_version
    FROM costs
    WHERE NOT costs.is_reference
),

-- A chip whose first version comes into force later is as it was meant to be.
foreseen AS (
    SELECT DISTINCT facts.chip
    FROM cost_in_force AS facts
    INNER JOIN pricing ON facts.chip = pricing.chip AND facts.cost_version = pricing.cost_version
    WHERE facts.in_force_from > CAST(now() AT TIME ZONE 'UTC' AS DATE)
)

SELECT DISTINCT
    pricing.chip,
    in_force.cost_version
FROM pricing
LEFT JOIN cost_version_in_force AS in_force ON pricing.chip = in_force.chip
WHERE in_force.chip IS NULL AND pricing.chip NOT IN (SELECT foreseen.chip FROM foreseen)
UNION ALL
SELECT
    in_force.chip,
    in_force.cost_version
FROM cost_version_in_force AS in_force
LEFT JOIN pricing ON in_force.chip = pricing.chip AND in_force.cost_version = pricing.cost_version
WHERE pricing.chip IS NULL;
