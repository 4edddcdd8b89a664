-- Stores the events themselves, in the order of the file.
INSERT INTO spike_events (run_key, layer_index, neuron, timestep, sample_index, n_spikes)
SELECT
    $run_key AS run_key,
    indexes.layer_index,
    events.neuron,
    events.timestep,
    events.sample_index,
    events.n_spikes
FROM incoming_events AS events
INNER JOIN (
    SELECT
        names.layer_value,
        layers.layer_index
    FROM incoming_layers AS names
    INNER JOIN layers ON names.layer_name = layers.layer
    WHERE layers.run_key = $run_key
) AS indexes ON events.layer = indexes.layer_value;
