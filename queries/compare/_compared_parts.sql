-- What the spikes of two runs are split into: each layer as a whole, and each neuron that spikes in either run.
-- A neuron's share within a silent layer is taken from the other run.
-- Grain: one row per (run a, run b, layer), with an empty neuron, and per (run a, run b, layer, neuron).
CREATE OR REPLACE VIEW _compared_parts (
    -- The run before.
    run_id_a,
    -- The run after.
    run_id_b,
    -- Name of the layer.
    layer,
    -- Whether the row is a whole layer or a neuron: 'layer' or 'neuron'.
    grain,
    -- Neuron within its layer, from 0; empty for a whole layer.
    neuron,
    -- Spikes in the run before. [count]
    spikes_a,
    -- Spikes in the run after. [count]
    spikes_b,
    -- Spikes of the whole run before. [count]
    run_spikes_a,
    -- Spikes of the whole run after. [count]
    run_spikes_b,
    -- The layer's share of the spikes of the run before; of a silent run, that of the other.
    layer_share_a,
    -- The layer's share of the spikes of the run after; of a silent run, that of the other.
    layer_share_b,
    -- Share of the spikes of the layer in the run before.
    neuron_share_a,
    -- Share of the spikes of the layer in the run after.
    neuron_share_b,
    -- Fan-out of the neuron in the run before, where it has one of its own. [count]
    fan_out_a,
    -- Fan-out of the neuron in the run after, where it has one of its own. [count]
    fan_out_b
) AS
WITH sides AS (
    SELECT
        layers.run_id_a,
        layers.run_id_b,
        layers.layer,
        activity.neuron,
        CASE WHEN layers.is_a THEN activity.n_spikes ELSE 0 END AS spikes_a,
        CASE WHEN layers.is_a THEN 0 ELSE activity.n_spikes END AS spikes_b
    FROM neuron_activity AS activity
    INNER JOIN _layers_by_side AS layers
        ON activity.run_key = layers.run_key AND activity.layer_index = layers.layer_index
),

neurons AS (
    SELECT
        run_id_a,
        run_id_b,
        layer,
        neuron,
        CAST(sum(spikes_a) AS BIGINT) AS spikes_a,
        CAST(sum(spikes_b) AS BIGINT) AS spikes_b
    FROM sides
    GROUP BY run_id_a, run_id_b, layer, neuron
),

own AS (
    SELECT
        runs.run_id,
        fan_out.layer_index,
        fan_out.neuron,
        fan_out.fan_out
    FROM fan_out
    INNER JOIN runs ON fan_out.run_key = runs.run_key
)

SELECT
    run_id_a,
    run_id_b,
    layer,
    'layer' AS grain,
    NULL AS neuron,
    spikes_a,
    spikes_b,
    run_spikes_a,
    run_spikes_b,
    layer_share_a,
    layer_share_b,
    1.0 AS neuron_share_a,
    1.0 AS neuron_share_b,
    NULL AS fan_out_a,
    NULL AS fan_out_b
FROM _compared_layers
UNION ALL
SELECT
    neurons.run_id_a,
    neurons.run_id_b,
    neurons.layer,
    'neuron' AS grain,
    neurons.neuron,
    neurons.spikes_a,
    neurons.spikes_b,
    layers.run_spikes_a,
    layers.run_spikes_b,
    layers.layer_share_a,
    layers.layer_share_b,
    coalesce(
        CAST(neurons.spikes_a AS DOUBLE) / nullif(layers.spikes_a, 0),
        CAST(neurons.spikes_b AS DOUBLE) / nullif(layers.spikes_b, 0)
    ) AS neuron_share_a,
    coalesce(
        CAST(neurons.spikes_b AS DOUBLE) / nullif(layers.spikes_b, 0),
        CAST(neurons.spikes_a AS DOUBLE) / nullif(layers.spikes_a, 0)
    ) AS neuron_share_b,
    own_a.fan_out AS fan_out_a,
    own_b.fan_out AS fan_out_b
FROM neurons
INNER JOIN _compared_layers AS layers
    ON
        neurons.run_id_a = layers.run_id_a
        AND neurons.run_id_b = layers.run_id_b
        AND neurons.layer = layers.layer
LEFT JOIN own AS own_a
    ON
        neurons.run_id_a = own_a.run_id
        AND layers.layer_index_a = own_a.layer_index
        AND neurons.neuron = own_a.neuron
LEFT JOIN own AS own_b
    ON
        neurons.run_id_b = own_b.run_id
        AND layers.layer_index_b = own_b.layer_index
        AND neurons.neuron = own_b.neuron;
