-- Every cost version of every chip, with where it is from and whether it is in force.
-- Grain: one row per (chip, cost version).
CREATE OR REPLACE VIEW cost_catalogue (
    -- The chip.
    chip,
    -- The cost set.
    cost_version,
    -- Whether it is in force for the chip today.
    is_in_force,
    -- How the numbers came about: 'measured', 'simulated', 'vendor', 'literature', 'tutorial' or 'user'.
    status,
    -- Operations that it prices. [count]
    n_operations,
    -- What the version is, in a few words.
    label,
    -- Where the numbers were published.
    source,
    -- What to know before trusting the numbers.
    note
) AS
SELECT
    versions.chip,
    versions.cost_version,
    in_force.chip IS NOT NULL AS is_in_force,
    versions.status,
    CAST(count(costs.operation) AS BIGINT) AS n_operations,
    versions.label,
    versions.source,
    versions.note
FROM cost_versions AS versions
LEFT JOIN costs ON versions.chip = costs.chip AND versions.cost_version = costs.cost_version
LEFT JOIN cost_version_in_force AS in_force
    ON versions.chip = in_force.chip AND versions.cost_version = in_force.cost_version
GROUP BY
    versions.chip,
    versions.cost_version,
    in_force.chip,
    versions.status,
    versions.label,
    versions.source,
    versions.note;
