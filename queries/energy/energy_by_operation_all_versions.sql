-- Energy of each operation of a run, under every cost version.
-- Grain: one row per (run, chip, cost version, operation).
CREATE OR REPLACE VIEW energy_by_operation_all_versions (
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
    -- The chip.
    chip,
    -- The cost set.
    cost_version,
    -- What the hardware does.
    operation,
    -- What the operation is charged on.
    driver,
    -- Units of the driver, of `second` in seconds. [count]
    driver_count,
    -- Energy of one unit of the driver. [pJ]
    cost_pj,
    -- Energy; empty where the operation is unpriced. [pJ]
    energy_pj,
    -- Energy at the lower end of the published range; empty where none is published. [pJ]
    energy_low_pj,
    -- Energy at the upper end of the published range; empty where none is published. [pJ]
    energy_high_pj,
    -- Why the operation has no energy in this run; empty if it has one.
    unpriced
) AS
SELECT
    run_id,
    run_name,
    chip,
    cost_version,
    operation,
    driver,
    CAST(CASE WHEN count(driver_count) = count(*) THEN sum(driver_count) END AS DECIMAL(38, 6)) AS driver_count,
    cost_pj,
    CAST(sum(energy_pj) AS DECIMAL(38, 6)) AS energy_pj,
    CAST(sum(CASE WHEN is_ranged THEN energy_low_pj END) AS DECIMAL(38, 6)) AS energy_low_pj,
    CAST(sum(CASE WHEN is_ranged THEN energy_high_pj END) AS DECIMAL(38, 6)) AS energy_high_pj,
    unpriced
FROM _energy_by_layer_operation
GROUP BY run_id, run_name, chip, cost_version, operation, driver, cost_pj, unpriced;
