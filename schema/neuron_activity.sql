-- Spike counts per neuron, rolled up in the transaction that stores the run: reports read this instead of the events.
-- Grain: one row per (run, layer, neuron) with at least one spike.
CREATE TABLE neuron_activity (
    -- The run.
    run_key INTEGER NOT NULL,
    -- Position of the layer in the network, from 0.
    layer_index SMALLINT NOT NULL,
    -- Neuron within its layer, from 0.
    neuron INTEGER NOT NULL,
    -- Spikes of the neuron over all timesteps and samples.
    n_spikes BIGINT NOT NULL
);
