-- Cost versions without a source, without a cost, or with costs under no version.
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
    SELECT DISTINCT
        costs.chip,
        costs.cost_version
    FROM costs
)

SELECT
    coalesce(versions.chip, priced.chip) AS chip,
    coalesce(versions.cost_version, priced.cost_version) AS cost_version,
    CASE
        WHEN versions.chip IS NULL THEN 'costs without a version'
        WHEN priced.chip IS NULL THEN 'version without costs'
        ELSE 'version without a source'
    END AS problem
FROM cost_versions AS versions
FULL OUTER JOIN priced
    ON versions.chip = priced.chip AND versions.cost_version = priced.cost_version
WHERE versions.chip IS NULL OR priced.chip IS NULL OR trim(versions.source) = '';
