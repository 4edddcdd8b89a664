-- Runs whose spikes are not the sum of their layers' spikes.
-- Grain: one row per failing run.
CREATE OR REPLACE VIEW layers_sum_to_run (
    -- The run.
    run_id,
    -- Spikes of the run. [count]
    run_spikes,
    -- Sum over its layers. [count]
    layer_spikes
) AS
SELECT
    runs.run_id,
    runs.n_spikes AS run_spikes,
    CAST(sum(layers.n_spikes) AS BIGINT) AS layer_spikes
FROM runs
LEFT JOIN layers ON runs.run_key = layers.run_key
GROUP BY runs.run_id, runs.n_spikes
HAVING runs.n_spikes <> coalesce(sum(layers.n_spikes), -1);
