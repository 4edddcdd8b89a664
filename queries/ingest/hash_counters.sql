-- The identity of the incoming counters: SHA-256 over all of them in an order of their own.
-- They are hashed in blocks of neurons, so that no text grows with the network.
WITH blocks AS (
    SELECT
        driver,
        layer_index,
        neuron // 65536 AS block,
        sha256(string_agg(concat_ws(' ', coalesce(neuron, -1), driver_count), ';' ORDER BY neuron)) AS digest
    FROM incoming_counters
    GROUP BY driver, layer_index, neuron // 65536
),

parts AS (
    SELECT concat_ws(' ', driver, coalesce(layer_index, -1), coalesce(block, -1), digest) AS part FROM blocks
)

SELECT sha256(string_agg(part, ';' ORDER BY part)) AS counters_hash
FROM parts;
