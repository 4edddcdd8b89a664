-- Timesteps whose rolled-up spikes are not those of the stored events.
-- Grain: one row per failing (run, layer, timestep).
CREATE OR REPLACE VIEW steps_equal_events (
    -- The run.
    run_id,
    -- Position of the layer in the network, from 0.
    layer_index,
    -- Timestep within the sample, from 0.
    timestep,
    -- Spikes according to the roll-up. [count]
    rolled_up_spikes,
    -- Spikes according to the events. [count]
    event_spikes
) AS
WITH recounted AS (
    SELECT
        run_key,
        layer_index,
        timestep,
        CAST(sum(n_spikes) AS BIGINT) AS n_spikes
    FROM spike_events
    GROUP BY run_key, layer_index, timestep
),

rolled_up AS (
    SELECT
        activity.run_key,
        activity.layer_index,
        activity.timestep,
        activity.n_spikes
    FROM step_activity AS activity
    INNER JOIN runs ON activity.run_key = runs.run_key
    WHERE runs.has_events
),

both_counts AS (
    SELECT
        coalesce(rolled_up.run_key, recounted.run_key) AS run_key,
        coalesce(rolled_up.layer_index, recounted.layer_index) AS layer_index,
        coalesce(rolled_up.timestep, recounted.timestep) AS timestep,
        coalesce(rolled_up.n_spikes, 0) AS rolled_up_spikes,
        coalesce(recounted.n_spikes, 0) AS event_spikes
    FROM rolled_up
    FULL OUTER JOIN recounted
        ON
            rolled_up.run_key = recounted.run_key
            AND rolled_up.layer_index = recounted.layer_index
            AND rolled_up.timestep = recounted.timestep
)

SELECT
    runs.run_id,
    CAST(both_counts.layer_index AS BIGINT) AS layer_index,
    CAST(both_counts.timestep AS BIGINT) AS timestep,
    both_counts.rolled_up_spikes,
    both_counts.event_spikes
FROM both_counts
LEFT JOIN runs ON both_counts.run_key = runs.run_key
WHERE both_counts.rolled_up_spikes <> both_counts.event_spikes;
