-- What each layer did over time.
-- Grain: one row per (run, layer, timestep) with at least one spike.
CREATE OR REPLACE VIEW activity_by_step (
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
    -- Timestep within the sample, from 0.
    timestep,
    -- Recorded spikes. [count]
    n_spikes
) AS
SELECT
    runs.run_id,
    runs.run_name,
    CAST(layers.layer_index AS BIGINT) AS layer_index,
    layers.layer,
    layers.role,
    CAST(activity.timestep AS BIGINT) AS timestep,
    activity.n_spikes
FROM step_activity AS activity
INNER JOIN layers ON activity.run_key = layers.run_key AND activity.layer_index = layers.layer_index
INNER JOIN runs ON activity.run_key = runs.run_key;
