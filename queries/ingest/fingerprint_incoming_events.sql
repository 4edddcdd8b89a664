-- An order-free fingerprint of the incoming events, to hold against that of stored ones in the same session.
SELECT
    count(*) AS n_events,
    sum(hash(names.layer_name, CAST(events.neuron AS INTEGER), CAST(events.timestep AS INTEGER), CAST(events.sample_index AS INTEGER), CAST(events.n_spikes AS INTEGER))) AS hashes
FROM incoming_events AS events
INNER JOIN incoming_layers AS names ON events.layer = names.layer_value;
