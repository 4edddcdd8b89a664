-- Energy of each operation in each layer, under every cost version, with what the coarser grains need of the layer.
-- Grain: one row per (run, chip, cost version, layer, operation).
CREATE OR REPLACE VIEW _energy_by_layer_operation (
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
    -- Neurons, silent ones included. [count]
    n_neurons,
    -- Neurons with at least one spike. [count]
    n_active_neurons,
    -- Recorded spikes. [count]
    n_spikes,
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
WITH counted AS (
    SELECT
        activity.run_id,
        activity.run_name,
        costs.chip,
        costs.cost_version,
        activity.layer_index,
        activity.layer,
        activity.role,
        activity.n_neurons,
        activity.n_active_neurons,
        activity.n_spikes,
        costs.operation,
        costs.driver,
        costs.energy_pj AS cost_pj,
        CASE costs.driver
            WHEN 'spike' THEN activity.spike
            WHEN 'neuron_spike' THEN activity.neuron_spike
            WHEN 'generated_spike' THEN activity.generated_spike
            WHEN 'transmitted_spike' THEN activity.transmitted_spike
        END AS driver_count
    FROM activity_by_layer AS activity
    CROSS JOIN costs
)

SELECT
    run_id,
    run_name,
    chip,
    cost_version,
    layer_index,
    layer,
    role,
    n_neurons,
    n_active_neurons,
    n_spikes,
    operation,
    driver,
    driver_count,
    cost_pj,
    CAST(driver_count * cost_pj AS DECIMAL(38, 6)) AS energy_pj
FROM counted;
