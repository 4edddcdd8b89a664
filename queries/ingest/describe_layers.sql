-- What the events show of each layer: the largest neuron, the spikes, the neurons that spiked.
SELECT
    layer AS layer_value,
    max(neuron) AS last_neuron,
    sum(n_spikes) AS n_spikes,
    count(*) AS n_active_neurons,
    max(n_spikes) AS most_spikes
FROM incoming_neurons
GROUP BY layer
ORDER BY layer;
