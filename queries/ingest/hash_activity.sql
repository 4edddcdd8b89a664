-- The identity of the incoming activity: SHA-256 over its counts at the grain that accounting reads, in an order of
-- their own, so that row order, row groups, integer widths and compression do not matter.
-- Neurons are hashed in blocks, so that no text grows with the network.
WITH neuron_blocks AS (
    SELECT
        known.layer_name,
        counts.neuron // 65536 AS block,
        sha256(string_agg(concat_ws(' ', counts.neuron, counts.n_spikes), ';' ORDER BY counts.neuron)) AS digest
    FROM incoming_neurons AS counts
    INNER JOIN incoming_layers AS known ON counts.layer = known.layer_value
    GROUP BY known.layer_name, counts.neuron // 65536
),

step_blocks AS (
    SELECT
        known.layer_name,
        counts.timestep // 65536 AS block,
        sha256(string_agg(concat_ws(' ', counts.timestep, counts.n_spikes), ';' ORDER BY counts.timestep)) AS digest
    FROM incoming_steps AS counts
    INNER JOIN incoming_layers AS known ON counts.layer = known.layer_value
    GROUP BY known.layer_name, counts.timestep // 65536
),

parts AS (
    SELECT concat_ws(' ', 'neurons', sha256(layer_name), block, digest) AS part FROM neuron_blocks
    UNION ALL
    SELECT concat_ws(' ', 'steps', sha256(layer_name), block, digest) AS part FROM step_blocks
)

SELECT sha256(coalesce(string_agg(part, ';' ORDER BY part), '')) AS activity_hash
FROM parts;
