-- The layers of each of two runs, under the names that they go by beside each other: a layer of the run before goes by
-- the name that the session variable layer_aliases gives it, if there is one.
-- Grain: one row per (run a, run b, side, layer of that side).
CREATE OR REPLACE VIEW _layers_by_side (
    -- The run before.
    run_id_a,
    -- The run after.
    run_id_b,
    -- Whether it is a layer of the run before.
    is_a,
    -- The narrow key of the run that it is a layer of.
    run_key,
    -- Position of the layer in the network of that run.
    layer_index,
    -- Name of the layer.
    layer,
    -- Spikes of the layer. [count]
    n_spikes,
    -- Spikes of the whole run before. [count]
    run_spikes_a,
    -- Spikes of the whole run after. [count]
    run_spikes_b
) AS
SELECT
    a.run_id AS run_id_a,
    b.run_id AS run_id_b,
    sides.is_a,
    layers.run_key,
    layers.layer_index,
    CASE WHEN sides.is_a THEN coalesce(getvariable('layer_aliases')[layers.layer], layers.layer) ELSE layers.layer END
        AS layer,
    layers.n_spikes,
    a.n_spikes AS run_spikes_a,
    b.n_spikes AS run_spikes_b
FROM runs AS a
CROSS JOIN runs AS b
CROSS JOIN (VALUES (TRUE), (FALSE)) AS sides (is_a)
INNER JOIN layers ON layers.run_key = CASE WHEN sides.is_a THEN a.run_key ELSE b.run_key END;
