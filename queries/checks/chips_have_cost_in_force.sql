-- Chips without a cost version in force, or with one in force that does not exist.
-- Grain: one row per failing chip.
CREATE OR REPLACE VIEW chips_have_cost_in_force (
    -- The chip.
    chip,
    -- The cost set said to be in force; empty if none.
    cost_version
) AS
SELECT
    chips.chip,
    in_force.cost_version
FROM chips
LEFT JOIN cost_version_in_force AS in_force ON chips.chip = in_force.chip
LEFT JOIN cost_versions AS versions
    ON in_force.chip = versions.chip AND in_force.cost_version = versions.cost_version
WHERE versions.chip IS NULL;
