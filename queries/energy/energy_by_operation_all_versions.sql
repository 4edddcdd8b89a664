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
    -- Units of the driver. [count]
    driver_count,
    -- Energy of one unit of the driver. [pJ]
    cost_pj,
    -- Energy. [pJ]
    energy_pj
) AS
SELECT
    run_id,
    run_name,
    chip,
    cost_version,
    operation,
    driver,
    CAST(sum(driver_count) AS BIGINT) AS driver_count,
    cost_pj,
    CAST(sum(energy_pj) AS DECIMAL(38, 6)) AS energy_pj
FROM _energy_by_layer_operation
GROUP BY run_id, run_name, chip, cost_version, operation, driver, cost_pj;
