-- Runs whose energy is not the same to the last digit when it is summed over operations, layers, neurons or timesteps.
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
    -- Energy of the run. [pJ]
    run_energy_pj,
    -- Sum over the grain. [pJ]
    summed_energy_pj
) AS
WITH parts AS (
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
),

expected AS (
    SELECT
        totals.run_id,
        totals.chip,
        totals.cost_version,
        grains.summed_over,
        totals.energy_pj
    FROM energy_by_chip_all_versions AS totals
    CROSS JOIN (VALUES ('operation'), ('layer'), ('neuron'), ('step')) AS grains (summed_over)
)

SELECT
    expected.run_id,
    expected.chip,
    expected.cost_version,
    expected.summed_over,
    expected.energy_pj AS run_energy_pj,
    coalesce(sums.energy_pj, 0) AS summed_energy_pj
FROM expected
LEFT JOIN sums
    ON
        expected.run_id = sums.run_id
        AND expected.chip = sums.chip
        AND expected.cost_version = sums.cost_version
        AND expected.summed_over = sums.summed_over
WHERE expected.energy_pj <> coalesce(sums.energy_pj, 0);
