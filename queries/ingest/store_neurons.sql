-- Stores the roll-up per neuron.
INSERT INTO neuron_activity (run_key, layer_index, neuron, n_spikes)
SELECT
    layers.run_key,
    layers.layer_index,
    counts.neuron,
    counts.n_spikes
FROM incoming_neurons AS counts
INNER JOIN incoming_layers AS known ON counts.layer = known.layer_value
INNER JOIN layers ON known.layer_name = layers.layer
WHERE layers.run_key = $run_key
ORDER BY layers.layer_index, counts.neuron;
