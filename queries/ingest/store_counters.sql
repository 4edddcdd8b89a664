-- Stores the counters that a run brings with it.
INSERT INTO counters (run_key, layer_index, neuron, driver, driver_count)
SELECT
    $run_key AS run_key,
    layer_index,
    neuron,
    driver,
    driver_count
FROM incoming_counters
ORDER BY driver, layer_index, neuron;
