-- The operations of a run that cost most, and those that could not be priced.
-- $run = latest: The run.
-- $chip: The chip.
SELECT
    operation,
    driver,
    driver_count,
    cost_pj,
    energy_pj,
    CAST(energy_pj AS DOUBLE) / nullif(sum(energy_pj) OVER (), 0) AS energy_share,
    unpriced
FROM energy_by_operation
WHERE run_id = $run AND chip = $chip
ORDER BY energy_pj DESC NULLS LAST, operation ASC
