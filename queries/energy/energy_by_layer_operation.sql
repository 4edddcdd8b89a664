-- Energy of each operation in each layer, under the cost version in force today.
-- Grain: one row per (run, chip, layer, operation).
CREATE OR REPLACE VIEW energy_by_layer_operation (
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
    -- The chip.
    chip,
    -- The cost set.
    cost_version,
    -- Position of the layer in the network, from 0.
    layer_index,
    -- Name of the layer.
    layer,
    -- What a spike of the layer triggers: 'input', 'hidden' or 'readout'.
    role,
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
    priced.layer_index,
    priced.layer,
    priced.role,
    priced.operation,
    priced.driver,
    priced.driver_count,
    priced.cost_pj,
    priced.energy_pj
FROM energy_by_layer_operation_all_versions AS priced
INNER JOIN cost_version_in_force AS in_force
    ON priced.chip = in_force.chip AND priced.cost_version = in_force.cost_version;
