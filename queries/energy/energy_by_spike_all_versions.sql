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
    prices.run_id,
    prices.run_name,
    prices.chip,
    prices.cost_version,
    CAST(prices.layer_index AS BIGINT) AS layer_index,
    prices.layer,
    prices.role,
    CAST(activity.neuron AS BIGINT) AS neuron,
    CAST(activity.timestep AS BIGINT) AS timestep,
    CAST(activity.sample_index AS BIGINT) AS sample_index,
    CAST(activity.n_spikes AS BIGINT) AS n_spikes,
    -- Most spikes are one and have no fan-out of their own, and to multiply exact decimals is dear.
    CASE
        WHEN activity.n_spikes = 1 AND own.fan_out IS NULL THEN prices.spike_cost_pj
        ELSE
            CAST(
                activity.n_spikes
                * (prices.spike_cost_pj + coalesce(own.fan_out * prices.synaptic_event_cost_pj, 0)) AS DECIMAL(38, 6)
            )
    END AS energy_pj
FROM spike_events AS activity
INNER JOIN _cost_by_layer AS prices
    ON activity.run_key = prices.run_key AND activity.layer_index = prices.layer_index
LEFT JOIN fan_out AS own
    ON activity.run_key = own.run_key AND activity.layer_index = own.layer_index AND activity.neuron = own.neuron
WHERE prices.has_spike_costs;
