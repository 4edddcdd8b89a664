-- An order-free fingerprint of the incoming events, to hold against that of stored ones in the same session.
SELECT
    count(*) AS n_events,
    sum(hash(concat_ws(' ', known.layer_name, events.neuron, events.timestep, events.sample_index, events.n_spikes)))
        AS fingerprint
FROM incoming_events AS events
INNER JOIN incoming_layers AS known ON events.layer = known.layer_value;
