-- What each step of a training did; runs that are no training have no rows.
-- Grain: one row per (run, training step, layer).
CREATE TABLE training_steps (
    -- The run.
    run_key INTEGER NOT NULL,
    -- Position of the layer in the network, from 0.
    layer_index SMALLINT NOT NULL,
    -- Number of the training step, from 0.
    training_step INTEGER NOT NULL,
    -- Epoch that the step belongs to, as the training counted; empty if nobody said.
    epoch INTEGER,
    -- Samples that were presented in the step.
    n_samples INTEGER NOT NULL,
    -- Spikes of the layer in the step.
    n_spikes BIGINT NOT NULL
);
