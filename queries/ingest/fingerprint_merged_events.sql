-- The fingerprint of fingerprint_stored_events, of the events of a run of another store.
SELECT
    count(*) AS n_events,
    sum(hash(concat_ws(' ', layers.layer, events.neuron, events.timestep, events.sample_index, events.n_spikes)))
        AS fingerprint
FROM merged.spike_events AS events
INNER JOIN merged.layers AS layers ON events.run_key = layers.run_key AND events.layer_index = layers.layer_index
WHERE events.run_key = $run_key;
