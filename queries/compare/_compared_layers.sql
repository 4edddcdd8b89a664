-- The layers of two runs side by side: their spikes, and the shares that the split of a change is made with.
-- A layer of the first run goes by the name that the session variable layer_aliases gives it, if there is one.
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
WITH sides AS (
    SELECT
        a.run_id AS run_id_a,
        b.run_id AS run_id_b,
        coalesce(getvariable('layer_aliases')[layers.layer], layers.layer) AS layer,
        layers.layer_index AS layer_index_a,
        NULL AS layer_index_b,
        layers.n_spikes AS spikes_a,
        0 AS spikes_b,
        a.n_spikes AS run_spikes_a,
        b.n_spikes AS run_spikes_b
    FROM layers
    INNER JOIN runs AS a ON layers.run_key = a.run_key
    CROSS JOIN runs AS b
    UNION ALL
    SELECT
        a.run_id AS run_id_a,
        b.run_id AS run_id_b,
        layers.layer,
        NULL AS layer_index_a,
        layers.layer_index AS layer_index_b,
        0 AS spikes_a,
        layers.n_spikes AS spikes_b,
        a.n_spikes AS run_spikes_a,
        b.n_spikes AS run_spikes_b
    FROM layers
    INNER JOIN runs AS b ON layers.run_key = b.run_key
    CROSS JOIN runs AS a
),

paired AS (
    SELECT
        run_id_a,
        run_id_b,
        layer,
        max(layer_index_a) AS layer_index_a,
        max(layer_index_b) AS layer_index_b,
        CAST(sum(spikes_a) AS BIGINT) AS spikes_a,
        CAST(sum(spikes_b) AS BIGINT) AS spikes_b,
        run_spikes_a,
        run_spikes_b
    FROM sides
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
