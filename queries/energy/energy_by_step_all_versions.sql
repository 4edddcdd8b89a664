-- Energy over time, by layer and step, under every cost version: of the operations that spikes trigger.
-- Where the neurons of a layer differ in their fan-out, its synaptic events are left out.
-- Grain: one row per (run, chip, cost version, layer, timestep) with at least one spike.
CREATE OR REPLACE VIEW energy_by_step_all_versions (
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
    -- Timestep within the sample, from 0.
    timestep,
    -- Recorded spikes. [count]
    n_spikes,
    -- Energy. [pJ]
    energy_pj
) AS
SELECT
    activity.run_id,
    activity.run_name,
    prices.chip,
    prices.cost_version,
    activity.layer_index,
    activity.layer,
    activity.role,
    activity.timestep,
    activity.n_spikes,
    CAST(activity.n_spikes * prices.spike_cost_pj AS DECIMAL(38, 6)) AS energy_pj
FROM activity_by_step AS activity
INNER JOIN _cost_by_layer AS prices
    ON activity.run_id = prices.run_id AND activity.layer_index = prices.layer_index
WHERE prices.has_step_costs;
