-- Outgoing synapses where the neurons of a layer differ (convolutions, pruned networks).
-- Grain: one row per (run, layer, neuron) of such a layer.
CREATE TABLE fan_out (
    -- The run.
    run_key INTEGER NOT NULL,
    -- Position of the layer in the network, from 0.
    layer_index SMALLINT NOT NULL,
    -- Neuron within its layer, from 0.
    neuron INTEGER NOT NULL,
    -- Outgoing synapses of the neuron; zero weights count.
    fan_out BIGINT NOT NULL
);
