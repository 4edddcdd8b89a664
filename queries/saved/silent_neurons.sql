-- The neurons that never fired in a run: they cost no energy per spike, but area and memory.
-- $run = latest: The run.
WITH neurons AS (
    SELECT
        run_id,
        layer_index,
        layer,
        role,
        unnest(range(n_neurons)) AS neuron
    FROM activity_by_layer
    WHERE run_id = $run
)

SELECT
    neurons.layer,
    neurons.role,
    neurons.neuron
FROM neurons
ANTI JOIN activity_by_neuron AS active
    ON neurons.run_id = active.run_id AND neurons.layer_index = active.layer_index AND neurons.neuron = active.neuron
ORDER BY neurons.layer_index, neurons.neuron
