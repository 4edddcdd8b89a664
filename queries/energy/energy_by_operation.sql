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
    priced.run_id,
    priced.run_name,
    priced.chip,
    priced.cost_version,
    priced.operation,
    priced.driver,
    priced.driver_count,
    priced.cost_pj,
    priced.energy_pj,
    priced.energy_low_pj,
    priced.energy_high_pj,
    priced.unpriced
FROM energy_by_operation_all_versions AS priced
INNER JOIN cost_version_in_force AS in_force
    ON priced.chip = in_force.chip AND priced.cost_version = in_force.cost_version;
