-- The layers that may occur, with what is declared of them: validation holds the events against it.
INSERT INTO incoming_layers
SELECT
    unnest(CAST($layer_values AS VARCHAR[])) AS layer_value,
    unnest(CAST($layer_names AS VARCHAR[])) AS layer_name,
    unnest(CAST($n_neurons AS BIGINT[])) AS declared_n_neurons;
