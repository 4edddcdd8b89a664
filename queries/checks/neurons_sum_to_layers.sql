-- Layers whose spikes or active neurons are not those of their neurons.
-- Grain: one row per failing (run, layer).
CREATE OR REPLACE VIEW neurons_sum_to_layers (
    -- The run.
    run_id,
    -- Name of the layer.
    layer,
    -- Spikes of the layer. [count]
    layer_spikes,
    -- Sum over its neurons. [count]
    neuron_spikes
) AS
WITH parts AS (
    SELECT
        run_key,
        layer_index,
        CAST(sum(n_spikes) AS BIGINT) AS n_spikes,
        count(*) AS n_rows
    FROM neuron_activity
    GROUP BY run_key, layer_index
)

SELECT
    runs.run_id,
    layers.layer,
    layers.n_spikes AS layer_spikes,
    coalesce(parts.n_spikes, 0) AS neuron_spikes
FROM layers
INNER JOIN runs ON layers.run_key = runs.run_key
LEFT JOIN parts ON layers.run_key = parts.run_key AND layers.layer_index = parts.layer_index
WHERE layers.n_spikes <> coalesce(parts.n_spikes, 0) OR layers.n_active_neurons <> coalesce(parts.n_rows, 0);
