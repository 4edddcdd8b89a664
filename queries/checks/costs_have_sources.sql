-- Cost versions or costs without a source, versions without a cost or a chip, costs under no version.
-- Grain: one row per failing (chip, cost version).
CREATE OR REPLACE VIEW costs_have_sources (
    -- The chip.
    chip,
    -- The cost set.
    cost_version,
    -- What is wrong.
    problem
) AS
WITH priced AS (
    SELECT
        costs.chip,
        costs.cost_version,
        bool_and(trim(costs.source) <> '') AS has_sources
    FROM costs
    GROUP BY costs.chip, costs.cost_version
),

judged AS (
    SELECT
        coalesce(versions.chip, priced.chip) AS chip,
        coalesce(versions.cost_version, priced.cost_version) AS cost_version,
        CASE
            WHEN versions.chip IS NULL THEN 'costs without a version'
            WHEN priced.chip IS NULL THEN 'version without costs'
            WHEN trim(versions.source) = '' THEN 'version without a source'
            WHEN NOT priced.has_sources THEN 'cost without a source'
            WHEN chips.chip IS NULL THEN 'version without a chip'
        END AS problem
    FROM cost_versions AS versions
    FULL OUTER JOIN priced
        ON versions.chip = priced.chip AND versions.cost_version = priced.cost_version
    LEFT JOIN chips ON versions.chip = chips.chip
)

SELECT
    chip,
    cost_version,
    problem
FROM judged
WHERE problem IS NOT NULL;
