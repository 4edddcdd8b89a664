-- Takes the counters in the form that is stored: neurons that count 0 are left out, as those that nobody named are.
CREATE OR REPLACE TEMPORARY TABLE incoming_counters AS
SELECT
    layer_index,
    CAST(neuron_number AS INTEGER) AS neuron,
    driver,
    CAST(count_number AS BIGINT) AS driver_count
FROM incoming_counter_rows
WHERE neuron IS NULL OR count_number > 0;
