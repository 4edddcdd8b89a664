-- Where the layers of two runs spike more or less often in a timestep, over all samples; filter on both runs.
-- Grain: one row per (run a, run b, timestep, layer by its position) with another number of spikes.
CREATE OR REPLACE VIEW steps_apart (
    -- The run before.
    run_id_a,
    -- The run after.
    run_id_b,
    -- Timestep within its sample, from 0.
    timestep,
    -- Position of the layer in both networks, from 0.
    layer_index,
    -- Spikes in the run before. [count]
    spikes_a,
    -- Spikes in the run after. [count]
    spikes_b
) AS
WITH sides AS (
    SELECT
        a.run_id AS run_id_a,
        b.run_id AS run_id_b,
        activity.layer_index,
        activity.timestep,
        activity.n_spikes AS spikes_a,
        0 AS spikes_b
    FROM step_activity AS activity
    INNER JOIN runs AS a ON activity.run_key = a.run_key
    CROSS JOIN runs AS b
    UNION ALL
    SELECT
        a.run_id AS run_id_a,
        b.run_id AS run_id_b,
        activity.layer_index,
        activity.timestep,
        0 AS spikes_a,
        activity.n_spikes AS spikes_b
    FROM step_activity AS activity
    INNER JOIN runs AS b ON activity.run_key = b.run_key
    CROSS JOIN runs AS a
)

SELECT
    run_id_a,
    run_id_b,
    CAST(timestep AS BIGINT) AS timestep,
    CAST(layer_index AS BIGINT) AS layer_index,
    CAST(sum(spikes_a) AS BIGINT) AS spikes_a,
    CAST(sum(spikes_b) AS BIGINT) AS spikes_b
FROM sides
GROUP BY run_id_a, run_id_b, layer_index, timestep
HAVING sum(spikes_a) <> sum(spikes_b);
