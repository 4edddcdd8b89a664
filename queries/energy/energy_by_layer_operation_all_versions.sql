-- Energy of each operation in each layer, under every cost version.
-- Grain: one row per (run, chip, cost version, layer, operation).
CREATE OR REPLACE VIEW energy_by_layer_operation_all_versions (
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
    run_id,
    run_name,
    chip,
    cost_version,
    layer_index,
    layer,
    role,
    operation,
    driver,
    driver_count,
    cost_pj,
    energy_pj
FROM _energy_by_layer_operation;
