-- The layers of a run's network, with the layer roll-up of its activity.
-- Grain: one row per (run, layer).
CREATE TABLE layers (
    -- The run.
    run_key INTEGER NOT NULL,
    -- Position of the layer in the network, from 0.
    layer_index SMALLINT NOT NULL,
    -- Name of the layer.
    layer VARCHAR NOT NULL,
    -- What a spike of the layer triggers: 'input', 'hidden' or 'readout'.
    role VARCHAR NOT NULL,
    -- Inputs of each neuron of the layer (fan-in); empty if nobody said.
    n_inputs BIGINT,
    -- Neurons of the layer, silent ones included.
    n_neurons BIGINT NOT NULL,
    -- Outgoing synapses of each neuron of the layer; empty if nobody said or where neurons differ.
    fan_out BIGINT,
    -- Which of role and n_neurons were inferred, separated by commas; empty if none.
    inferred VARCHAR NOT NULL,
    -- Spikes of the layer.
    n_spikes BIGINT NOT NULL,
    -- Neurons of the layer with at least one spike.
    n_active_neurons BIGINT NOT NULL,
    -- Synaptic events of the layer, spikes times fan-out summed over its neurons; empty if nobody said the fan-out.
    n_synaptic_events BIGINT
);
