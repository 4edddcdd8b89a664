-- The same fingerprint of the events of a stored run.
SELECT
    count(*) AS n_events,
    sum(hash(concat_ws(' ', layers.layer, events.neuron, events.timestep, events.sample_index, events.n_spikes)))
        AS fingerprint
FROM spike_events AS events
INNER JOIN layers ON events.run_key = layers.run_key AND events.layer_index = layers.layer_index
WHERE events.run_key = $run_key;
