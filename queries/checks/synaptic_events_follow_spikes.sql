-- Layers whose synaptic events are not the spikes of their neurons times the fan-out of each.
-- Grain: one row per failing (run, layer).
CREATE OR REPLACE VIEW synaptic_events_follow_spikes (
    -- The run.
    run_id,
    -- Name of the layer.
    layer,
    -- Synaptic events of the layer; empty if its fan-out is not known. [count]
    layer_synaptic_events,
    -- Sum over its neurons; empty if their fan-out is not known. [count]
    neuron_synaptic_events
) AS
WITH parts AS (
    SELECT
        neurons.run_key,
        neurons.layer_index,
        sum(CAST(neurons.n_spikes AS HUGEINT) * coalesce(fan_out.fan_out, layers.fan_out)) AS n_synaptic_events
    FROM neuron_activity AS neurons
    INNER JOIN layers ON neurons.run_key = layers.run_key AND neurons.layer_index = layers.layer_index
    LEFT JOIN fan_out
        ON
            neurons.run_key = fan_out.run_key
            AND neurons.layer_index = fan_out.layer_index
            AND neurons.neuron = fan_out.neuron
    GROUP BY neurons.run_key, neurons.layer_index
),

compared AS (
    SELECT
        runs.run_id,
        layers.layer,
        layers.n_synaptic_events AS layer_synaptic_events,
        -- A silent layer has none, nor has a readout that sends nothing on.
        CASE
            WHEN layers.n_spikes = 0 THEN 0
            ELSE coalesce(parts.n_synaptic_events, CASE layers.role WHEN 'readout' THEN 0 END)
        END AS neuron_synaptic_events
    FROM layers
    INNER JOIN runs ON layers.run_key = runs.run_key
    LEFT JOIN parts ON layers.run_key = parts.run_key AND layers.layer_index = parts.layer_index
)

SELECT
    run_id,
    layer,
    layer_synaptic_events,
    CAST(neuron_synaptic_events AS DECIMAL(38, 0)) AS neuron_synaptic_events
FROM compared
WHERE layer_synaptic_events IS DISTINCT FROM neuron_synaptic_events;
