-- What happened in each layer: its spikes, and what they count for on every driver.
-- Grain: one row per (run, layer); silent layers included.
CREATE OR REPLACE VIEW activity_by_layer (
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
    -- Neurons, silent ones included. [count]
    n_neurons,
    -- Neurons with at least one spike. [count]
    n_active_neurons,
    -- Recorded spikes. [count]
    n_spikes,
    -- Recorded spikes, whatever the role of their layer. [count]
    spike,
    -- Spikes that a neuron of the chip made. [count]
    neuron_spike,
    -- Spikes that a neuron of the chip made and sent on. [count]
    generated_spike,
    -- Spikes that were looked up and routed, whoever made them. [count]
    transmitted_spike
) AS
SELECT
    runs.run_id,
    runs.run_name,
    CAST(layers.layer_index AS BIGINT) AS layer_index,
    layers.layer,
    layers.role,
    layers.n_neurons,
    layers.n_active_neurons,
    layers.n_spikes,
    layers.n_spikes * units.spike_units AS spike,
    layers.n_spikes * units.neuron_spike_units AS neuron_spike,
    layers.n_spikes * units.generated_spike_units AS generated_spike,
    layers.n_spikes * units.transmitted_spike_units AS transmitted_spike
FROM layers
INNER JOIN runs ON layers.run_key = runs.run_key
INNER JOIN units_by_role AS units ON layers.role = units.role;
