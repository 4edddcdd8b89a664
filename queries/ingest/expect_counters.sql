-- Which layer each text in a layer column means; every layer of the run is there at least by its name.
INSERT INTO incoming_counter_layers
SELECT
    unnest(CAST($layer_values AS VARCHAR[])) AS layer_value,
    unnest(CAST($layer_indexes AS INTEGER[])) AS layer_index,
    unnest(CAST($n_neurons AS BIGINT[])) AS n_neurons;
