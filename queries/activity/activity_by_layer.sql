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
    -- Inputs of each neuron of the layer; empty if nobody said. [count]
    n_inputs,
    -- Neurons, silent ones included. [count]
    n_neurons,
    -- Outgoing synapses of each neuron of the layer; empty if nobody said or where neurons differ. [count]
    fan_out,
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
    transmitted_spike,
    -- Spikes times fan-out, summed over the neurons; empty if nobody said the fan-out. [count]
    synaptic_event,
    -- Spikes that a neuron of the chip made, times the inputs of its own layer: the wrong side of the synapse, kept for
    -- parity with sc-neurocore; empty if nobody said the inputs. [count]
    synop_fanin,
    -- Neurons of the chip times timesteps times samples: silence costs energy and leaves no event. [count]
    neuron_step
) AS
SELECT
    runs.run_id,
    runs.run_name,
    CAST(layers.layer_index AS BIGINT) AS layer_index,
    layers.layer,
    layers.role,
    layers.n_inputs,
    layers.n_neurons,
    layers.fan_out,
    layers.n_active_neurons,
    layers.n_spikes,
    CAST(max(CASE counts.driver WHEN 'spike' THEN counts.driver_count END) AS BIGINT) AS spike,
    CAST(max(CASE counts.driver WHEN 'neuron_spike' THEN counts.driver_count END) AS BIGINT) AS neuron_spike,
    CAST(max(CASE counts.driver WHEN 'generated_spike' THEN counts.driver_count END) AS BIGINT) AS generated_spike,
    CAST(max(CASE counts.driver WHEN 'transmitted_spike' THEN counts.driver_count END) AS BIGINT) AS transmitted_spike,
    CAST(max(CASE counts.driver WHEN 'synaptic_event' THEN counts.driver_count END) AS BIGINT) AS synaptic_event,
    CAST(max(CASE counts.driver WHEN 'synop_fanin' THEN counts.driver_count END) AS BIGINT) AS synop_fanin,
    CAST(max(CASE counts.driver WHEN 'neuron_step' THEN counts.driver_count END) AS BIGINT) AS neuron_step
FROM layers
INNER JOIN runs ON layers.run_key = runs.run_key
INNER JOIN driver_counts AS counts ON layers.run_key = counts.run_key AND layers.layer_index = counts.layer_index
GROUP BY
    runs.run_id,
    runs.run_name,
    layers.layer_index,
    layers.layer,
    layers.role,
    layers.n_inputs,
    layers.n_neurons,
    layers.fan_out,
    layers.n_active_neurons,
    layers.n_spikes;
