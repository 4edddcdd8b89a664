-- Runs whose energy is not the same to the last digit when it is summed over operations, layers, neurons or timesteps,
-- as far as the operations are known at that grain.
-- Grain: one row per failing (run, chip, cost version, grain).
CREATE OR REPLACE VIEW energy_sums_close (
    -- The run.
    run_id,
    -- The chip.
    chip,
    -- The cost set.
    cost_version,
    -- What was summed over: 'operation', 'layer', 'neuron' or 'step'.
    summed_over,
    -- Energy of the run, of the operations known at the grain. [pJ]
    run_energy_pj,
    -- Sum over the grain. [pJ]
    summed_energy_pj
) AS
WITH known AS (
    SELECT
        cells.run_id,
        cells.chip,
        cells.cost_version,
        sum(CASE WHEN cells.grain IN ('spike', 'neuron') THEN cells.energy_pj END) AS by_neuron_pj,
        sum(
            CASE
                WHEN
                    cells.grain = 'spike' AND (cells.driver <> 'synaptic_event' OR layers.fan_out IS NOT NULL)
                    THEN cells.energy_pj
            END
        ) AS by_step_pj
    FROM energy_by_layer_operation_all_versions AS cells
    LEFT JOIN activity_by_layer AS layers ON cells.run_id = layers.run_id AND cells.layer_index = layers.layer_index
    GROUP BY cells.run_id, cells.chip, cells.cost_version
),

expected AS (
    SELECT
        totals.run_id,
        totals.chip,
        totals.cost_version,
        grains.summed_over,
        CASE grains.summed_over
            WHEN 'neuron' THEN known.by_neuron_pj
            WHEN 'step' THEN known.by_step_pj
            ELSE totals.energy_pj
        END AS energy_pj
    FROM energy_by_chip_all_versions AS totals
    INNER JOIN known
        ON
            totals.run_id = known.run_id
            AND totals.chip = known.chip
            AND totals.cost_version = known.cost_version
    CROSS JOIN (VALUES ('operation'), ('layer'), ('neuron'), ('step')) AS grains (summed_over)
),

parts AS (
    SELECT
        run_id,
        chip,
        cost_version,
        'operation' AS summed_over,
        energy_pj
    FROM energy_by_operation_all_versions
    UNION ALL
    SELECT
        run_id,
        chip,
        cost_version,
        'layer' AS summed_over,
        energy_pj
    FROM energy_by_layer_all_versions
    UNION ALL
    SELECT
        run_id,
        chip,
        cost_version,
        'neuron' AS summed_over,
        energy_pj
    FROM energy_by_neuron_all_versions
    UNION ALL
    SELECT
        run_id,
        chip,
        cost_version,
        'step' AS summed_over,
        energy_pj
    FROM energy_by_step_all_versions
),

sums AS (
    SELECT
        run_id,
        chip,
        cost_version,
        summed_over,
        CAST(sum(energy_pj) AS DECIMAL(38, 6)) AS energy_pj
    FROM parts
    GROUP BY run_id, chip, cost_version, summed_over
)

SELECT
    expected.run_id,
    expected.chip,
    expected.cost_version,
    expected.summed_over,
    CAST(coalesce(expected.energy_pj, 0) AS DECIMAL(38, 6)) AS run_energy_pj,
    CAST(coalesce(sums.energy_pj, 0) AS DECIMAL(38, 6)) AS summed_energy_pj
FROM expected
LEFT JOIN sums
    ON
        expected.run_id = sums.run_id
        AND expected.chip = sums.chip
        AND expected.cost_version = sums.cost_version
        AND expected.summed_over = sums.summed_over
WHERE coalesce(expected.energy_pj, 0) <> coalesce(sums.energy_pj, 0);
