-- What each layer did in each step of a training.
-- Grain: one row per (run, layer, training step).
CREATE OR REPLACE VIEW activity_by_training_step (
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
    -- Number of the training step, from 0.
    training_step,
    -- Epoch that the step belongs to, as the training counted; empty if nobody said.
    epoch,
    -- Samples. [count]
    n_samples,
    -- Recorded spikes. [count]
    n_spikes,
    -- Mean number of spikes of a neuron in a timestep; empty for a layer without neurons. [1/timestep]
    firing_rate
) AS
SELECT
    runs.run_id,
    runs.run_name,
    CAST(layers.layer_index AS BIGINT) AS layer_index,
    layers.layer,
    layers.role,
    CAST(steps.training_step AS BIGINT) AS training_step,
    CAST(steps.epoch AS BIGINT) AS epoch,
    CAST(steps.n_samples AS BIGINT) AS n_samples,
    steps.n_spikes,
    steps.n_spikes / nullif(CAST(layers.n_neurons AS DOUBLE) * runs.n_timesteps * steps.n_samples, 0) AS firing_rate
FROM training_steps AS steps
INNER JOIN layers ON steps.run_key = layers.run_key AND steps.layer_index = layers.layer_index
INNER JOIN runs ON steps.run_key = runs.run_key;
