-- The recorded spikes themselves: append-only, in the file's order, without keys or indexes, which would make
-- an ingest 5 to 13 times as long.
-- Grain: one row per spike, or per group of spikes that one neuron emitted in one timestep of one sample.
CREATE TABLE spike_events (
    -- The run.
    run_key INTEGER NOT NULL,
    -- Position of the layer in the network, from 0.
    layer_index SMALLINT NOT NULL,
    -- Neuron within its layer, from 0.
    neuron INTEGER NOT NULL,
    -- Timestep within the sample, from 0.
    timestep INTEGER NOT NULL,
    -- Sample (input, image, trial) within the run, from 0.
    sample_index INTEGER NOT NULL,
    -- Spikes that the neuron emitted in that timestep, 1 for nearly every framework.
    n_spikes INTEGER NOT NULL
);
