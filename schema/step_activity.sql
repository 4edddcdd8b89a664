-- Spike counts over time, rolled up in the transaction that stores the run.
-- Grain: one row per (run, layer, timestep) with at least one spike.
CREATE TABLE step_activity (
    -- The run.
    run_key INTEGER NOT NULL,
    -- Position of the layer in the network, from 0.
    layer_index SMALLINT NOT NULL,
    -- Timestep within the sample, from 0.
    timestep INTEGER NOT NULL,
    -- Spikes of the layer in that timestep, over all samples.
    n_spikes BIGINT NOT NULL
);
