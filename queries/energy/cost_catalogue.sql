-- Every cost version of every chip, with where it is from, what it may be compared with, and whether it is in force.
-- Grain: one row per (chip, cost version).
CREATE OR REPLACE VIEW cost_catalogue (
    -- The chip.
    chip,
    -- The cost set.
    cost_version,
    -- Whether it is in force for the chip today.
    is_in_force,
    -- Whether it should no longer be used: it still prices, with a warning.
    is_withdrawn,
    -- How the numbers came about: 'measured', 'simulated', 'vendor', 'literature', 'tutorial' or 'user'.
    status,
    -- Which figures may be compared with it: those of the same group; 'reference only' where it cannot price.
    scope_group,
    -- Operations that it prices. [count]
    n_operations,
    -- Figures that are for reference only, and never summed. [count]
    n_reference,
    -- What the version is, in a few words.
    label,
    -- Where the numbers were published.
    source,
    -- Digital object identifier of the source, where it has one.
    doi,
    -- What to know before trusting the numbers.
    note,
    -- SHA-256 over the version and all its costs.
    content_hash
) AS
WITH counted AS (
    SELECT
        costs.chip,
        costs.cost_version,
        CAST(count(*) FILTER (WHERE NOT costs.is_reference) AS BIGINT) AS n_operations,
        CAST(count(*) FILTER (WHERE costs.is_reference) AS BIGINT) AS n_reference,
        count(*) FILTER (WHERE NOT costs.is_reference AND costs.scope IN ('operation', 'marginal')) AS n_events,
        count(*) FILTER (WHERE NOT costs.is_reference AND costs.scope = 'static') AS n_static,
        min(costs.scope) FILTER (WHERE NOT costs.is_reference) AS first_scope
    FROM costs
    GROUP BY costs.chip, costs.cost_version
),

grouped AS (
    SELECT
        chip,
        cost_version,
        n_operations,
        n_reference,
        CASE
            WHEN n_operations = 0 THEN 'reference only'
            WHEN n_events > 0 AND n_static > 0 THEN 'operation + static'
            WHEN n_events > 0 THEN 'operation'
            ELSE first_scope
        END AS scope_group
    FROM counted
),

withdrawn AS (
    SELECT DISTINCT
        withdrawals.chip,
        withdrawals.cost_version
    FROM cost_withdrawals AS withdrawals
)

SELECT
    versions.chip,
    versions.cost_version,
    in_force.chip IS NOT NULL AS is_in_force,
    withdrawn.chip IS NOT NULL AS is_withdrawn,
    versions.status,
    CASE
        WHEN versions.status = 'tutorial' AND grouped.n_operations > 0 THEN grouped.scope_group || ' (tutorial)'
        ELSE coalesce(grouped.scope_group, 'reference only')
    END AS scope_group,
    coalesce(grouped.n_operations, 0) AS n_operations,
    coalesce(grouped.n_reference, 0) AS n_reference,
    versions.label,
    versions.source,
    versions.doi,
    versions.note,
    versions.content_hash
FROM cost_versions AS versions
LEFT JOIN grouped ON versions.chip = grouped.chip AND versions.cost_version = grouped.cost_version
LEFT JOIN withdrawn ON versions.chip = withdrawn.chip AND versions.cost_version = withdrawn.cost_version
LEFT JOIN cost_version_in_force AS in_force
    ON versions.chip = in_force.chip AND versions.cost_version = in_force.cost_version;
