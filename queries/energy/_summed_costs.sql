-- The costs that are summed; reference figures are shown and cited, but part of no energy.
-- Grain: one row per (chip, cost version, operation) that is priced.
CREATE OR REPLACE VIEW _summed_costs (
    -- The chip.
    chip,
    -- The cost set.
    cost_version,
    -- What the hardware does.
    operation,
    -- What the operation is charged on.
    driver,
    -- Energy of one unit of the driver; empty where the source leaves it blank. [pJ]
    cost_pj,
    -- Lower end of the published range; the energy itself where none is published. [pJ]
    least_cost_pj,
    -- Upper end of the published range; the energy itself where none is published. [pJ]
    most_cost_pj,
    -- Whether both ends of a range are published.
    is_ranged
) AS
SELECT
    chip,
    cost_version,
    operation,
    driver,
    energy_pj AS cost_pj,
    CASE WHEN high_pj IS NULL THEN energy_pj ELSE coalesce(low_pj, energy_pj) END AS least_cost_pj,
    CASE WHEN low_pj IS NULL THEN energy_pj ELSE coalesce(high_pj, energy_pj) END AS most_cost_pj,
    low_pj IS NOT NULL AND high_pj IS NOT NULL AS is_ranged
FROM costs
WHERE NOT is_reference;
