-- Counts the synaptic events of a layer whose neurons differ in their fan-out.
SELECT CAST(coalesce(sum(counts.n_spikes * fan_out.fan_out), 0) AS BIGINT) AS n_synaptic_events
FROM incoming_neurons AS counts
INNER JOIN incoming_layers AS known ON counts.layer = known.layer_value
INNER JOIN fan_out ON counts.neuron = fan_out.neuron
WHERE known.layer_name = $layer_name AND fan_out.run_key = $run_key AND fan_out.layer_index = $layer_index;
