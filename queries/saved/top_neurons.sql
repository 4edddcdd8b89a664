-- The neurons of a run that cost most.
-- $run = latest: The run.
-- $chip: The chip.
-- $n = 20: How many.
SELECT
    row_number() OVER (ORDER BY energy_pj DESC, layer_index ASC, neuron ASC) AS neuron_rank,
    layer,
    role,
    neuron,
    n_spikes,
    energy_pj,
    CAST(energy_pj AS DOUBLE) / nullif(sum(energy_pj) OVER (), 0) AS energy_share
FROM energy_by_neuron
WHERE run_id = $run AND chip = $chip
ORDER BY neuron_rank
LIMIT $n
