-- How evenly the neurons of each layer fire: silent ones, the busiest one, and the spikes above the mean.
-- Grain: one row per (run, layer).
CREATE OR REPLACE VIEW firing_by_layer (
    -- The run.
    run_id,
    -- Position of the layer in the network, from 0.
    layer_index,
    -- Name of the layer.
    layer,
    -- Neurons, silent ones included. [count]
    n_neurons,
    -- Neurons without a spike. [count]
    n_silent_neurons,
    -- Recorded spikes. [count]
    n_spikes,
    -- Mean spikes of a neuron, silent ones included. [count]
    mean_spikes,
    -- Neuron with the most spikes; empty in a silent layer.
    busiest_neuron,
    -- Spikes of the busiest neuron. [count]
    busiest_spikes,
    -- Spikes of the busiest tenth of the neurons, rounded up. [count]
    busiest_tenth_spikes,
    -- Spikes above the mean, summed over the neurons that fire more than the mean. [count]
    excess_spikes
) AS
WITH ranked AS (
    SELECT
        runs.run_id,
        activity.layer_index,
        activity.neuron,
        activity.n_spikes,
        row_number()
            OVER (PARTITION BY runs.run_id, activity.layer_index ORDER BY activity.n_spikes DESC, activity.neuron ASC)
            AS busyness
    FROM neuron_activity AS activity
    INNER JOIN runs ON activity.run_key = runs.run_key
)

SELECT
    runs.run_id,
    CAST(layers.layer_index AS BIGINT) AS layer_index,
    layers.layer,
    layers.n_neurons,
    layers.n_neurons - layers.n_active_neurons AS n_silent_neurons,
    layers.n_spikes,
    CAST(layers.n_spikes AS DOUBLE) / nullif(layers.n_neurons, 0) AS mean_spikes,
    CAST(max(CASE WHEN ranked.busyness = 1 THEN ranked.neuron END) AS BIGINT) AS busiest_neuron,
    coalesce(max(ranked.n_spikes), 0) AS busiest_spikes,
    CAST(
        coalesce(sum(CASE WHEN (ranked.busyness - 1) * 10 < layers.n_neurons THEN ranked.n_spikes END), 0) AS BIGINT
    ) AS busiest_tenth_spikes,
    CAST(
        coalesce(
            sum(
                CASE
                    WHEN ranked.n_spikes > CAST(layers.n_spikes AS DOUBLE) / nullif(layers.n_neurons, 0)
                        THEN
                            CAST(ranked.n_spikes AS DECIMAL(19, 0)) * CAST(layers.n_neurons AS DECIMAL(19, 0))
                            - CAST(layers.n_spikes AS DECIMAL(19, 0))
                END
            ), 0
        ) AS DOUBLE
    ) / nullif(layers.n_neurons, 0) AS excess_spikes
FROM layers
INNER JOIN runs ON layers.run_key = runs.run_key
LEFT JOIN ranked ON runs.run_id = ranked.run_id AND layers.layer_index = ranked.layer_index
GROUP BY
    runs.run_id,
    layers.layer_index,
    layers.layer,
    layers.n_neurons,
    layers.n_active_neurons,
    layers.n_spikes;
