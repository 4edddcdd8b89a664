-- What changed in each operation of each layer from one run to another under any two versions, of those that take part;
-- filter on both runs.
-- Grain: one row per (run a, run b, chip, cost version a, cost version b, operation, layer of either run).
CREATE OR REPLACE VIEW comparison_by_layer_operation_all_versions (
    -- The run before.
    run_id_a,
    -- The run after.
    run_id_b,
    -- Name of the run before.
    run_name_a,
    -- Name of the run after.
    run_name_b,
    -- The chip.
    chip,
    -- The cost set that prices the run before.
    cost_version_a,
    -- The cost set that prices the run after.
    cost_version_b,
    -- Position of the layer in the network of the run after, from 0, then those that only the run before has; empty for
    -- what belongs to no layer.
    layer_index,
    -- Name of the layer; empty for what belongs to no layer.
    layer,
    -- What the hardware does.
    operation,
    -- What the operation is charged on.
    driver,
    -- The finest grain at which the driver is known: 'spike', 'neuron', 'layer' or 'run'.
    grain,
    -- Units of the driver in the run before. [count]
    driver_count_a,
    -- Units of the driver in the run after. [count]
    driver_count_b,
    -- Energy of one unit in the cost set before; empty where it has no such operation. [pJ]
    cost_a_pj,
    -- Energy of one unit in the cost set after; empty where it has no such operation. [pJ]
    cost_b_pj,
    -- Energy in the run before. [pJ]
    energy_a_pj,
    -- Energy in the run after. [pJ]
    energy_b_pj,
    -- Energy in the run after less that in the run before. [pJ]
    change_pj
) AS
WITH sides AS (
    SELECT
        operations.*,
        CASE WHEN sides.is_a THEN counts.layer_index END AS layer_index_a,
        CASE WHEN NOT sides.is_a THEN counts.layer_index END AS layer_index_b,
        counts.grain,
        CASE WHEN sides.is_a THEN counts.driver_count ELSE 0 END AS driver_count_a,
        CASE WHEN sides.is_a THEN 0 ELSE counts.driver_count END AS driver_count_b
    FROM _compared_operations AS operations
    CROSS JOIN (VALUES (TRUE), (FALSE)) AS sides (is_a)
    INNER JOIN driver_counts AS counts
        ON
            operations.driver = counts.driver
            AND counts.run_key = CASE WHEN sides.is_a THEN operations.run_key_a ELSE operations.run_key_b END
    WHERE operations.left_out IS NULL
),

counted AS (
    SELECT
        sides.run_id_a,
        sides.run_id_b,
        sides.chip,
        sides.cost_version_a,
        sides.cost_version_b,
        coalesce(layers.layer_index_b, 100000 + layers.layer_index_a) AS layer_index,
        layers.layer,
        sides.operation,
        sides.driver,
        sides.cost_a_pj,
        sides.cost_b_pj,
        sides.given_cost_a_pj,
        sides.given_cost_b_pj,
        min(sides.grain) AS grain,
        CAST(sum(sides.driver_count_a) AS DECIMAL(38, 6)) AS driver_count_a,
        CAST(sum(sides.driver_count_b) AS DECIMAL(38, 6)) AS driver_count_b
    FROM sides
    LEFT JOIN _compared_layers AS layers
        ON
            sides.run_id_a = layers.run_id_a
            AND sides.run_id_b = layers.run_id_b
            AND (sides.layer_index_a = layers.layer_index_a OR sides.layer_index_b = layers.layer_index_b)
    GROUP BY
        sides.run_id_a,
        sides.run_id_b,
        sides.chip,
        sides.cost_version_a,
        sides.cost_version_b,
        coalesce(layers.layer_index_b, 100000 + layers.layer_index_a),
        layers.layer,
        sides.operation,
        sides.driver,
        sides.cost_a_pj,
        sides.cost_b_pj,
        sides.given_cost_a_pj,
        sides.given_cost_b_pj
),

priced AS (
    SELECT
        *,
        CAST(driver_count_a * cost_a_pj AS DECIMAL(38, 6)) AS energy_a_pj,
        CAST(driver_count_b * cost_b_pj AS DECIMAL(38, 6)) AS energy_b_pj
    FROM counted
)

SELECT
    priced.run_id_a,
    priced.run_id_b,
    a.run_name AS run_name_a,
    b.run_name AS run_name_b,
    priced.chip,
    priced.cost_version_a,
    priced.cost_version_b,
    CAST(priced.layer_index AS BIGINT) AS layer_index,
    priced.layer,
    priced.operation,
    priced.driver,
    priced.grain,
    priced.driver_count_a,
    priced.driver_count_b,
    priced.given_cost_a_pj AS cost_a_pj,
    priced.given_cost_b_pj AS cost_b_pj,
    priced.energy_a_pj,
    priced.energy_b_pj,
    CAST(priced.energy_b_pj - priced.energy_a_pj AS DECIMAL(38, 6)) AS change_pj
FROM priced
INNER JOIN runs AS a ON priced.run_id_a = a.run_id
INNER JOIN runs AS b ON priced.run_id_b = b.run_id;
