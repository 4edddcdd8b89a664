-- Energy of each operation in each layer, under every cost version, with what the coarser grains need to know of it.
-- Grain: one row per (run, chip, cost version, operation, layer), or one with an empty layer where it is not by layer.
CREATE OR REPLACE VIEW _energy_by_layer_operation (
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
    -- The chip.
    chip,
    -- The cost set.
    cost_version,
    -- Position of the layer in the network, from 0.
    layer_index,
    -- Name of the layer.
    layer,
    -- What a spike of the layer triggers: 'input', 'hidden' or 'readout'.
    role,
    -- What the hardware does.
    operation,
    -- What the operation is charged on.
    driver,
    -- The finest grain at which the driver is known: 'spike', 'neuron', 'layer' or 'run'.
    grain,
    -- Whether every spike of the layer costs the same, so that the energy can be told by timestep.
    is_by_step,
    -- Units of the driver. [count]
    driver_count,
    -- Energy of one unit of the driver. [pJ]
    cost_pj,
    -- Whether the source publishes a range for the cost.
    is_ranged,
    -- Energy; empty where it is unpriced. [pJ]
    energy_pj,
    -- Energy at the lower ends of the published ranges. [pJ]
    energy_low_pj,
    -- Energy at the upper ends of the published ranges. [pJ]
    energy_high_pj,
    -- Why the operation has no energy in this run; empty if it has one.
    unpriced
) AS
WITH counted AS (
    SELECT
        runs.run_id,
        runs.run_name,
        prices.chip,
        prices.cost_version,
        CAST(counts.layer_index AS BIGINT) AS layer_index,
        layers.layer,
        layers.role,
        prices.operation,
        prices.driver,
        counts.grain,
        counts.units_per_spike IS NOT NULL AS is_by_step,
        counts.driver_count,
        prices.cost_pj,
        prices.least_cost_pj,
        prices.most_cost_pj,
        prices.is_ranged,
        CASE
            WHEN prices.cost_pj IS NULL THEN 'the source gives no energy'
            WHEN counts.driver IS NULL THEN 'the run brings no counter ' || prices.driver
            ELSE counts.missing
        END AS unpriced
    FROM runs
    CROSS JOIN _summed_costs AS prices
    LEFT JOIN driver_counts AS counts ON runs.run_key = counts.run_key AND prices.driver = counts.driver
    LEFT JOIN layers ON counts.run_key = layers.run_key AND counts.layer_index = layers.layer_index
)

SELECT
    run_id,
    run_name,
    chip,
    cost_version,
    layer_index,
    layer,
    role,
    operation,
    driver,
    grain,
    is_by_step,
    driver_count,
    cost_pj,
    is_ranged,
    CAST(CASE WHEN unpriced IS NULL THEN driver_count * cost_pj END AS DECIMAL(38, 6)) AS energy_pj,
    CAST(CASE WHEN unpriced IS NULL THEN driver_count * least_cost_pj END AS DECIMAL(38, 6)) AS energy_low_pj,
    CAST(CASE WHEN unpriced IS NULL THEN driver_count * most_cost_pj END AS DECIMAL(38, 6)) AS energy_high_pj,
    unpriced
FROM counted;
