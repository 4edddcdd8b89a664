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
        sides.is_a,
        counts.layer_index,
        CAST(counts.driver_count * operations.cost_a_pj AS DECIMAL(38, 6)) AS energy_at_a_pj,
        CAST(counts.driver_count * operations.cost_b_pj AS DECIMAL(38, 6)) AS energy_at_b_pj
    FROM _compared_operations AS operations
    CROSS JOIN (VALUES (TRUE), (FALSE)) AS sides (is_a)
    INNER JOIN driver_counts AS counts
        ON
            operations.driver = counts.driver
            AND counts.run_key = CASE WHEN sides.is_a THEN operations.run_key_a ELSE operations.run_key_b END
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
        CAST(sum(CASE WHEN counted.is_a THEN counted.energy_at_a_pj ELSE 0 END) AS DECIMAL(38, 6)) AS energy_aa_pj,
        CAST(sum(CASE WHEN counted.is_a THEN counted.energy_at_b_pj ELSE 0 END) AS DECIMAL(38, 6)) AS energy_ab_pj,
        CAST(sum(CASE WHEN counted.is_a THEN 0 ELSE counted.energy_at_a_pj END) AS DECIMAL(38, 6)) AS energy_ba_pj,
        CAST(sum(CASE WHEN counted.is_a THEN 0 ELSE counted.energy_at_b_pj END) AS DECIMAL(38, 6)) AS energy_bb_pj
    FROM counted
    LEFT JOIN _layers_by_side AS layers
        ON
            counted.run_id_a = layers.run_id_a
            AND counted.run_id_b = layers.run_id_b
            AND counted.is_a = layers.is_a
            AND counted.layer_index = layers.layer_index
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
