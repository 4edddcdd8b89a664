-- Where the single recorded spikes of two runs differ, of those whose events are kept; filter on both runs.
-- Grain: one row per (run a, run b, timestep, layer by its position, neuron, sample) with another number of spikes.
CREATE OR REPLACE VIEW events_apart (
    -- The run before.
    run_id_a,
    -- The run after.
    run_id_b,
    -- Timestep within its sample, from 0.
    timestep,
    -- Position of the layer in both networks, from 0.
    layer_index,
    -- Neuron within its layer, from 0.
    neuron,
    -- Sample within the run, from 0.
    sample_index,
    -- Spikes in the run before. [count]
    spikes_a,
    -- Spikes in the run after. [count]
    spikes_b
) AS
WITH sides AS (
    SELECT
        a.run_id AS run_id_a,
        b.run_id AS run_id_b,
        events.layer_index,
        events.neuron,
        events.timestep,
        events.sample_index,
        events.n_spikes AS spikes_a,
        0 AS spikes_b
    FROM spike_events AS events
    INNER JOIN runs AS a ON events.run_key = a.run_key
    CROSS JOIN runs AS b
    WHERE a.has_events AND b.has_events
    UNION ALL
    SELECT
        a.run_id AS run_id_a,
        b.run_id AS run_id_b,
        events.layer_index,
        events.neuron,
        events.timestep,
        events.sample_index,
        0 AS spikes_a,
        events.n_spikes AS spikes_b
    FROM spike_events AS events
    INNER JOIN runs AS b ON events.run_key = b.run_key
    CROSS JOIN runs AS a
    WHERE a.has_events AND b.has_events
)

SELECT
    run_id_a,
    run_id_b,
    CAST(timestep AS BIGINT) AS timestep,
    CAST(layer_index AS BIGINT) AS layer_index,
    CAST(neuron AS BIGINT) AS neuron,
    CAST(sample_index AS BIGINT) AS sample_index,
    CAST(sum(spikes_a) AS BIGINT) AS spikes_a,
    CAST(sum(spikes_b) AS BIGINT) AS spikes_b
FROM sides
GROUP BY run_id_a, run_id_b, layer_index, neuron, timestep, sample_index
HAVING sum(spikes_a) <> sum(spikes_b);
