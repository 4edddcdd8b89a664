-- What a spike of a layer costs with the work of either run at the costs of either version: the first letter of a
-- column's suffix is the run whose work it is, the second the cost set.
-- Where a run does not have the layer, or nobody said its units, those of the other run are taken.
-- Grain: one row per (run a, run b, layer, chip, cost version a, cost version b).
CREATE OR REPLACE VIEW _compared_spike_costs (
    -- The run before.
    run_id_a,
    -- The run after.
    run_id_b,
    -- Name of the layer.
    layer,
    -- The chip.
    chip,
    -- The cost set that prices the run before.
    cost_version_a,
    -- The cost set that prices the run after.
    cost_version_b,
    -- Whether every spike of the layer costs the same, in both runs.
    is_uniform,
    -- Energy of a spike, without its synaptic events where neurons differ in their fan-out. [pJ]
    spike_cost_aa_pj,
    -- Energy of a spike, without its synaptic events where neurons differ in their fan-out. [pJ]
    spike_cost_ab_pj,
    -- Energy of a spike, without its synaptic events where neurons differ in their fan-out. [pJ]
    spike_cost_ba_pj,
    -- Energy of a spike, without its synaptic events where neurons differ in their fan-out. [pJ]
    spike_cost_bb_pj,
    -- Energy of a synaptic event where neurons differ in their fan-out, else 0, in the cost set before. [pJ]
    synaptic_event_cost_a_pj,
    -- Energy of a synaptic event where neurons differ in their fan-out, else 0, in the cost set after. [pJ]
    synaptic_event_cost_b_pj,
    -- Fan-out of the neurons of the run before that have none of their own. [count]
    fan_out_a,
    -- Fan-out of the neurons of the run after that have none of their own. [count]
    fan_out_b
) AS
WITH charged AS (
    SELECT
        layers.run_id_a,
        layers.run_id_b,
        layers.layer,
        operations.chip,
        operations.cost_version_a,
        operations.cost_version_b,
        operations.driver,
        operations.cost_a_pj,
        operations.cost_b_pj,
        coalesce(a.has_own_fan_out, FALSE) OR coalesce(b.has_own_fan_out, FALSE) AS is_by_neuron,
        CASE WHEN NOT coalesce(a.has_own_fan_out, FALSE) THEN coalesce(a.units_per_spike, b.units_per_spike) END
            AS units_a,
        CASE WHEN NOT coalesce(b.has_own_fan_out, FALSE) THEN coalesce(b.units_per_spike, a.units_per_spike) END
            AS units_b
    FROM _compared_layers AS layers
    INNER JOIN _compared_operations AS operations
        ON layers.run_id_a = operations.run_id_a AND layers.run_id_b = operations.run_id_b
    LEFT JOIN _units_by_layer AS a
        ON
            layers.run_id_a = a.run_id
            AND layers.layer_index_a = a.layer_index
            AND operations.driver = a.driver
    LEFT JOIN _units_by_layer AS b
        ON
            layers.run_id_b = b.run_id
            AND layers.layer_index_b = b.layer_index
            AND operations.driver = b.driver
    WHERE operations.left_out IS NULL AND (a.driver IS NOT NULL OR b.driver IS NOT NULL)
)

SELECT
    run_id_a,
    run_id_b,
    layer,
    chip,
    cost_version_a,
    cost_version_b,
    NOT bool_or(is_by_neuron) AS is_uniform,
    CAST(coalesce(sum(CASE WHEN NOT is_by_neuron THEN units_a * cost_a_pj END), 0) AS DECIMAL(38, 6))
        AS spike_cost_aa_pj,
    CAST(coalesce(sum(CASE WHEN NOT is_by_neuron THEN units_a * cost_b_pj END), 0) AS DECIMAL(38, 6))
        AS spike_cost_ab_pj,
    CAST(coalesce(sum(CASE WHEN NOT is_by_neuron THEN units_b * cost_a_pj END), 0) AS DECIMAL(38, 6))
        AS spike_cost_ba_pj,
    CAST(coalesce(sum(CASE WHEN NOT is_by_neuron THEN units_b * cost_b_pj END), 0) AS DECIMAL(38, 6))
        AS spike_cost_bb_pj,
    CAST(coalesce(sum(CASE WHEN is_by_neuron THEN cost_a_pj END), 0) AS DECIMAL(38, 6)) AS synaptic_event_cost_a_pj,
    CAST(coalesce(sum(CASE WHEN is_by_neuron THEN cost_b_pj END), 0) AS DECIMAL(38, 6)) AS synaptic_event_cost_b_pj,
    CAST(max(CASE WHEN is_by_neuron THEN units_a END) AS BIGINT) AS fan_out_a,
    CAST(max(CASE WHEN is_by_neuron THEN units_b END) AS BIGINT) AS fan_out_b
FROM charged
GROUP BY run_id_a, run_id_b, layer, chip, cost_version_a, cost_version_b;
