-- Stores the fan-out of a layer whose neurons differ.
INSERT INTO fan_out (run_key, layer_index, neuron, fan_out)
SELECT
    $run_key AS run_key,
    $layer_index AS layer_index,
    unnest(range(len(CAST($fan_out AS BIGINT[])))) AS neuron,
    unnest(CAST($fan_out AS BIGINT[])) AS fan_out;
