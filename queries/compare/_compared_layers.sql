-- The layers of two runs side by side: their spikes, and the shares that the split of a change is made with.
-- Grain: one row per (run a, run b, layer of either).
CREATE OR REPLACE VIEW _compared_layers (
    -- The run before.
    run_id_a,
    -- The run after.
    run_id_b,
    -- Name of the layer.
    layer,
    -- Position of the layer in the network of the run before; empty if it has none.
    layer_index_a,
    -- Position of the layer in the network of the run after; empty if it has none.
    layer_index_b,
    -- Spikes of the layer in the run before. [count]
    spikes_a,
    -- Spikes of the layer in the run after. [count]
    spikes_b,
    -- Spikes of the whole run before. [count]
    run_spikes_a,
    -- Spikes of the whole run after. [count]
    run_spikes_b,
    -- The layer's share of the spikes of the run before; of a silent run, that of the other.
    layer_share_a,
    -- The layer's share of the spikes of the run after; of a silent run, that of the other.
    layer_share_b
) AS
WITH paired AS (
    SELECT
        run_id_a,
        run_id_b,
        layer,
        max(CASE WHEN is_a THEN layer_index END) AS layer_index_a,
        max(CASE WHEN NOT is_a THEN layer_index END) AS layer_index_b,
        CAST(sum(CASE WHEN is_a THEN n_spikes ELSE 0 END) AS BIGINT) AS spikes_a,
        CAST(sum(CASE WHEN is_a THEN 0 ELSE n_spikes END) AS BIGINT) AS spikes_b,
        run_spikes_a,
        run_spikes_b
    FROM _layers_by_side
    GROUP BY run_id_a, run_id_b, layer, run_spikes_a, run_spikes_b
)

SELECT
    run_id_a,
    run_id_b,
    layer,
    layer_index_a,
    layer_index_b,
    spikes_a,
    spikes_b,
    run_spikes_a,
    run_spikes_b,
    coalesce(
        CAST(spikes_a AS DOUBLE) / nullif(run_spikes_a, 0), CAST(spikes_b AS DOUBLE) / nullif(run_spikes_b, 0), 0
    ) AS layer_share_a,
    coalesce(
        CAST(spikes_b AS DOUBLE) / nullif(run_spikes_b, 0), CAST(spikes_a AS DOUBLE) / nullif(run_spikes_a, 0), 0
    ) AS layer_share_b
FROM paired;
