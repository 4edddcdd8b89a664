-- Energy of each operation of a run, under the cost version in force today.
-- Grain: one row per (run, chip, operation).
CREATE OR REPLACE VIEW energy_by_operation (
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
    priced.run_id,
    priced.run_name,
    priced.chip,
    priced.cost_version,
    priced.operation,
    priced.driver,
    priced.driver_count,
    priced.cost_pj,
    priced.energy_pj
FROM energy_by_operation_all_versions AS priced
INNER JOIN cost_version_in_force AS in_force
    ON priced.chip = in_force.chip AND priced.cost_version = in_force.cost_version;
