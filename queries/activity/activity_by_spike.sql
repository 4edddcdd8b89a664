-- Every recorded spike.
-- Grain: one row per spike event of the runs that keep their events.
CREATE OR REPLACE VIEW activity_by_spike (
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
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
    -- Outgoing synapses of the neuron; empty if nobody said. [count]
    fan_out
) AS
SELECT
    runs.run_id,
    runs.run_name,
    CAST(layers.layer_index AS BIGINT) AS layer_index,
    layers.layer,
    layers.role,
    CAST(activity.neuron AS BIGINT) AS neuron,
    CAST(activity.timestep AS BIGINT) AS timestep,
    CAST(activity.sample_index AS BIGINT) AS sample_index,
    CAST(activity.n_spikes AS BIGINT) AS n_spikes,
    coalesce(own.fan_out, layers.fan_out) AS fan_out
FROM spike_events AS activity
INNER JOIN layers ON activity.run_key = layers.run_key AND activity.layer_index = layers.layer_index
INNER JOIN runs ON activity.run_key = runs.run_key
LEFT JOIN fan_out AS own
    ON activity.run_key = own.run_key AND activity.layer_index = own.layer_index AND activity.neuron = own.neuron;
