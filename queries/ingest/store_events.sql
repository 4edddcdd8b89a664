-- Stores the events themselves, in the order of the file.
INSERT INTO spike_events (run_key, layer_index, neuron, timestep, sample_index, n_spikes)
WITH indexes AS (
    SELECT
        known.layer_value,
        layers.layer_index
    FROM incoming_layers AS known
    INNER JOIN layers ON known.layer_name = layers.layer
    WHERE layers.run_key = $run_key
)

SELECT
    $run_key AS run_key,
    indexes.layer_index,
    events.neuron,
    events.timestep,
    events.sample_index,
    events.n_spikes
FROM incoming_events AS events
INNER JOIN indexes ON events.layer = indexes.layer_value;
