-- What each layer cost in run after run of a name, and how that changed.
-- $chip: The chip.
-- $name = "%": The name of the runs; % stands for anything.
SELECT
    run_name,
    run_number,
    run_id,
    coalesce(recorded_at, ingested_at) AS run_at,
    layer,
    n_spikes,
    energy_pj,
    change_pj,
    change_share,
    has_same_extent
FROM history_by_layer
WHERE chip = $chip AND run_name LIKE $name
ORDER BY run_name, run_number, layer_index
