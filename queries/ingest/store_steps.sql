-- Stores the roll-up per timestep.
INSERT INTO step_activity (run_key, layer_index, timestep, n_spikes)
SELECT
    layers.run_key,
    layers.layer_index,
    counts.timestep,
    counts.n_spikes
FROM incoming_steps AS counts
INNER JOIN incoming_layers AS known ON counts.layer = known.layer_value
INNER JOIN layers ON known.layer_name = layers.layer
WHERE layers.run_key = $run_key
ORDER BY layers.layer_index, counts.timestep;
