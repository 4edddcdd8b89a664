-- Layers whose spikes are not the sum over their timesteps.
-- Grain: one row per failing (run, layer).
CREATE OR REPLACE VIEW steps_sum_to_layers (
    -- The run.
    run_id,
    -- Name of the layer.
    layer,
    -- Spikes of the layer. [count]
    layer_spikes,
    -- Sum over its timesteps. [count]
    step_spikes
) AS
WITH parts AS (
    SELECT
        run_key,
        layer_index,
        CAST(sum(n_spikes) AS BIGINT) AS n_spikes
    FROM step_activity
    GROUP BY run_key, layer_index
)

SELECT
    runs.run_id,
    layers.layer,
    layers.n_spikes AS layer_spikes,
    coalesce(parts.n_spikes, 0) AS step_spikes
FROM layers
INNER JOIN runs ON layers.run_key = runs.run_key
LEFT JOIN parts ON layers.run_key = parts.run_key AND layers.layer_index = parts.layer_index
WHERE layers.n_spikes <> coalesce(parts.n_spikes, 0);
