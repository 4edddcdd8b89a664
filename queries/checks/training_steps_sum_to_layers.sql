-- Layers of a training whose spikes, or samples, are not the sum over its training steps.
-- Grain: one row per failing (run, layer).
CREATE OR REPLACE VIEW training_steps_sum_to_layers (
    -- The run.
    run_id,
    -- Name of the layer.
    layer,
    -- Spikes of the layer. [count]
    layer_spikes,
    -- Sum over its training steps. [count]
    training_step_spikes,
    -- Samples of the run. [count]
    run_samples,
    -- Sum over its training steps. [count]
    training_step_samples
) AS
WITH parts AS (
    SELECT
        run_key,
        layer_index,
        CAST(sum(n_spikes) AS BIGINT) AS n_spikes,
        CAST(sum(n_samples) AS BIGINT) AS n_samples
    FROM training_steps
    GROUP BY run_key, layer_index
)

SELECT
    runs.run_id,
    layers.layer,
    layers.n_spikes AS layer_spikes,
    coalesce(parts.n_spikes, 0) AS training_step_spikes,
    runs.n_samples AS run_samples,
    coalesce(parts.n_samples, 0) AS training_step_samples
FROM runs
INNER JOIN layers ON runs.run_key = layers.run_key
LEFT JOIN parts ON layers.run_key = parts.run_key AND layers.layer_index = parts.layer_index
WHERE
    runs.run_key IN (SELECT training_steps.run_key FROM training_steps)
    AND (layers.n_spikes IS DISTINCT FROM parts.n_spikes OR runs.n_samples IS DISTINCT FROM parts.n_samples);
