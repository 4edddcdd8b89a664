-- Whether few neurons of a layer do most of the firing: candidates for homeostasis.
-- $run = latest: The run.
SELECT
    layer,
    n_neurons,
    n_silent_neurons,
    n_spikes,
    CAST(busiest_tenth_spikes AS DOUBLE) / nullif(n_spikes, 0) AS busiest_tenth_share,
    busiest_neuron,
    busiest_spikes,
    busiest_spikes / nullif(mean_spikes, 0) AS busiest_by_mean
FROM firing_by_layer
WHERE run_id = $run
ORDER BY busiest_tenth_share DESC NULLS LAST, layer_index ASC
