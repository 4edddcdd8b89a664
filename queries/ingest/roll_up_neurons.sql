-- Counts the incoming events per neuron; nulls and unknown layers stay visible as groups of their own.
CREATE OR REPLACE TEMPORARY TABLE incoming_neurons AS
SELECT
    layer,
    neuron,
    count(*) AS n_events,
    sum(n_spikes) AS n_spikes
FROM incoming_events
GROUP BY layer, neuron;
