-- The change of energy that is not charged on spikes, split into how often its drivers were counted and what a unit
-- costs: Shapley's rule for two factors. A layer that a run does not have counts nothing there.
-- Grain: one row per (run a, run b, chip, cost version a, cost version b, layer), or with an empty layer.
CREATE OR REPLACE VIEW _other_effects (
    -- The run before.
    run_id_a,
    -- The run after.
    run_id_b,
    -- The chip.
    chip,
    -- The cost set that prices the run before.
    cost_version_a,
    -- The cost set that prices the run after.
    cost_version_b,
    -- Name of the layer; empty for what belongs to none.
    layer,
    -- Energy in the run before. [pJ]
    energy_a_pj,
    -- Energy in the run after. [pJ]
    energy_b_pj,
    -- Because the drivers were counted more or less often. [pJ]
    other_drivers_effect_pj,
    -- Because the costs differ. [pJ]
    cost_effect_pj
) AS
WITH counted AS (
    SELECT
        operations.run_id_a,
        operations.run_id_b,
        operations.chip,
        operations.cost_version_a,
        operations.cost_version_b,
        counts.layer_index AS layer_index_a,
        NULL AS layer_index_b,
        CAST(counts.driver_count * operations.cost_a_pj AS DECIMAL(38, 6)) AS energy_aa_pj,
        CAST(counts.driver_count * operations.cost_b_pj AS DECIMAL(38, 6)) AS energy_ab_pj,
        0 AS energy_ba_pj,
        0 AS energy_bb_pj
    FROM _compared_operations AS operations
    INNER JOIN driver_counts AS counts
        ON operations.run_key_a = counts.run_key AND operations.driver = counts.driver
    WHERE operations.left_out IS NULL AND counts.grain <> 'spike'
    UNION ALL
    SELECT
        operations.run_id_a,
        operations.run_id_b,
        operations.chip,
        operations.cost_version_a,
        operations.cost_version_b,
        NULL AS layer_index_a,
        counts.layer_index AS layer_index_b,
        0 AS energy_aa_pj,
        0 AS energy_ab_pj,
        CAST(counts.driver_count * operations.cost_a_pj AS DECIMAL(38, 6)) AS energy_ba_pj,
        CAST(counts.driver_count * operations.cost_b_pj AS DECIMAL(38, 6)) AS energy_bb_pj
    FROM _compared_operations AS operations
    INNER JOIN driver_counts AS counts
        ON operations.run_key_b = counts.run_key AND operations.driver = counts.driver
    WHERE operations.left_out IS NULL AND counts.grain <> 'spike'
),

summed AS (
    SELECT
        counted.run_id_a,
        counted.run_id_b,
        counted.chip,
        counted.cost_version_a,
        counted.cost_version_b,
        layers.layer,
        CAST(sum(counted.energy_aa_pj) AS DECIMAL(38, 6)) AS energy_aa_pj,
        CAST(sum(counted.energy_ab_pj) AS DECIMAL(38, 6)) AS energy_ab_pj,
        CAST(sum(counted.energy_ba_pj) AS DECIMAL(38, 6)) AS energy_ba_pj,
        CAST(sum(counted.energy_bb_pj) AS DECIMAL(38, 6)) AS energy_bb_pj
    FROM counted
    LEFT JOIN _compared_layers AS layers
        ON
            counted.run_id_a = layers.run_id_a
            AND counted.run_id_b = layers.run_id_b
            AND (counted.layer_index_a = layers.layer_index_a OR counted.layer_index_b = layers.layer_index_b)
    GROUP BY
        counted.run_id_a,
        counted.run_id_b,
        counted.chip,
        counted.cost_version_a,
        counted.cost_version_b,
        layers.layer
)

SELECT
    run_id_a,
    run_id_b,
    chip,
    cost_version_a,
    cost_version_b,
    layer,
    energy_aa_pj AS energy_a_pj,
    energy_bb_pj AS energy_b_pj,
    CAST((energy_ba_pj - energy_aa_pj + energy_bb_pj - energy_ab_pj) * 0.5 AS DECIMAL(38, 12))
        AS other_drivers_effect_pj,
    CAST((energy_ab_pj - energy_aa_pj + energy_bb_pj - energy_ba_pj) * 0.5 AS DECIMAL(38, 12)) AS cost_effect_pj
FROM summed;
