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
    -- Position of the layer in the network, from 0; empty for what is charged once for the whole run.
    layer_index,
    -- Name of the layer; empty for what is charged once for the whole run.
    layer,
    -- What a spike of the layer triggers: 'input', 'hidden' or 'readout'.
    role,
    -- What the hardware does.
    operation,
    -- What the operation is charged on.
    driver,
    -- The finest grain at which the driver is known: 'spike', 'neuron', 'layer' or 'run'; empty where it is not.
    grain,
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
    layer_index,
    layer,
    role,
    operation,
    driver,
    grain,
    driver_count,
    cost_pj,
    energy_pj,
    CASE WHEN is_ranged THEN energy_low_pj END AS energy_low_pj,
    CASE WHEN is_ranged THEN energy_high_pj END AS energy_high_pj,
    unpriced
FROM _energy_by_layer_operation;
