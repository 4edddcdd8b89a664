-- Which layers made the difference between two runs.
-- $before_run = latest~1: The run to compare with.
-- $after_run = latest: The run.
-- $chip: The chip.
SELECT
    layer,
    spikes_a AS spikes_before,
    spikes_b AS spikes_after,
    energy_a_pj AS energy_before_pj,
    energy_b_pj AS energy_after_pj,
    change_pj
FROM comparison_by_layer
WHERE run_id_a = $before_run AND run_id_b = $after_run AND chip = $chip
ORDER BY abs(change_pj) DESC NULLS LAST, layer_index ASC
