-- Energy of each recorded spike, under every cost version.
-- Filter on run and chip: the view multiplies all events by all versions.
-- Grain: one row per (spike event, chip, cost version) of the runs that keep their events.
CREATE OR REPLACE VIEW energy_by_spike_all_versions (
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
    -- Neuron within its layer, from 0.
    neuron,
    -- Timestep within the sample, from 0.
    timestep,
    -- Sample (input, image, trial) within the run, from 0.
    sample_index,
    -- Spikes that the neuron emitted in that timestep. [count]
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
    activity.neuron,
    activity.timestep,
    activity.sample_index,
    activity.n_spikes,
    CAST(
        activity.n_spikes * (prices.spike_cost_pj + coalesce(activity.fan_out * prices.synaptic_event_cost_pj, 0))
        AS DECIMAL(38, 6)
    ) AS energy_pj
FROM activity_by_spike AS activity
INNER JOIN _cost_by_layer AS prices
    ON activity.run_id = prices.run_id AND activity.layer_index = prices.layer_index
WHERE prices.has_spike_costs;
