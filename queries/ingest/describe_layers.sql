-- What the events show of each layer: the largest neuron, the spikes, the neurons that spiked.
SELECT
    layer AS layer_value,
    max(neuron) AS last_neuron,
    sum(n_spikes) AS n_spikes,
    count(*) AS n_active_neurons
FROM incoming_neurons
GROUP BY layer
ORDER BY layer;
