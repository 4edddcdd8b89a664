-- What changed in each layer from one run to another under any two cost versions, and what the change is made of;
-- filter on both runs.
-- Grain: one row per (run a, run b, chip, cost version a, cost version b, layer) of either run that takes part.
CREATE OR REPLACE VIEW comparison_by_layer_all_versions (
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
    -- Whether the run before has the layer.
    is_in_a,
    -- Whether the run after has the layer.
    is_in_b,
    -- Spikes in the run before. [count]
    spikes_a,
    -- Spikes in the run after. [count]
    spikes_b,
    -- Energy in the run before. [pJ]
    energy_a_pj,
    -- Energy in the run after. [pJ]
    energy_b_pj,
    -- Energy in the run after less that in the run before. [pJ]
    change_pj,
    -- The part of the change that comes from more or fewer spikes in the whole run. [pJ]
    spikes_effect_pj,
    -- The part of the change that comes from spikes that moved to other layers. [pJ]
    layer_mix_effect_pj,
    -- The part of the change that comes from spikes that moved to other neurons of a layer. [pJ]
    neuron_mix_effect_pj,
    -- The part of the change that comes from roles and fan-outs: what a spike triggers. [pJ]
    work_effect_pj,
    -- The part of the change that comes from what is not charged on spikes: timesteps, seconds, counters. [pJ]
    other_drivers_effect_pj,
    -- The part of the change that comes from other costs. [pJ]
    cost_effect_pj
) AS
WITH spike_driven AS (
    SELECT
        run_id_a,
        run_id_b,
        chip,
        cost_version_a,
        cost_version_b,
        layer,
        energy_a_pj,
        energy_b_pj,
        spikes_effect_pj,
        layer_mix_effect_pj,
        neuron_mix_effect_pj,
        work_effect_pj,
        0 AS other_drivers_effect_pj,
        cost_effect_pj
    FROM _spike_effects
    -- A layer that is silent in both runs has no neurons to be summed, and is there all the same.
    WHERE
        (grain = 'layer' AND (is_uniform OR (spikes_a = 0 AND spikes_b = 0)))
        OR (grain = 'neuron' AND NOT is_uniform)
),

parts AS (
    SELECT * FROM spike_driven
    UNION ALL
    SELECT
        run_id_a,
        run_id_b,
        chip,
        cost_version_a,
        cost_version_b,
        layer,
        energy_a_pj,
        energy_b_pj,
        0 AS spikes_effect_pj,
        0 AS layer_mix_effect_pj,
        0 AS neuron_mix_effect_pj,
        0 AS work_effect_pj,
        other_drivers_effect_pj,
        cost_effect_pj
    FROM _other_effects
),

summed AS (
    SELECT
        run_id_a,
        run_id_b,
        chip,
        cost_version_a,
        cost_version_b,
        layer,
        CAST(sum(energy_a_pj) AS DECIMAL(38, 6)) AS energy_a_pj,
        CAST(sum(energy_b_pj) AS DECIMAL(38, 6)) AS energy_b_pj,
        CAST(sum(spikes_effect_pj) AS DECIMAL(38, 12)) AS spikes_effect_pj,
        CAST(sum(layer_mix_effect_pj) AS DECIMAL(38, 12)) AS layer_mix_effect_pj,
        CAST(sum(neuron_mix_effect_pj) AS DECIMAL(38, 12)) AS neuron_mix_effect_pj,
        CAST(sum(work_effect_pj) AS DECIMAL(38, 12)) AS work_effect_pj,
        CAST(sum(other_drivers_effect_pj) AS DECIMAL(38, 12)) AS other_drivers_effect_pj,
        CAST(sum(cost_effect_pj) AS DECIMAL(38, 12)) AS cost_effect_pj
    FROM parts
    GROUP BY run_id_a, run_id_b, chip, cost_version_a, cost_version_b, layer
)

SELECT
    summed.run_id_a,
    summed.run_id_b,
    a.run_name AS run_name_a,
    b.run_name AS run_name_b,
    summed.chip,
    summed.cost_version_a,
    summed.cost_version_b,
    CAST(coalesce(layers.layer_index_b, 100000 + layers.layer_index_a) AS BIGINT) AS layer_index,
    summed.layer,
    layers.layer_index_a IS NOT NULL AS is_in_a,
    layers.layer_index_b IS NOT NULL AS is_in_b,
    CAST(coalesce(layers.spikes_a, 0) AS BIGINT) AS spikes_a,
    CAST(coalesce(layers.spikes_b, 0) AS BIGINT) AS spikes_b,
    summed.energy_a_pj,
    summed.energy_b_pj,
    CAST(summed.energy_b_pj - summed.energy_a_pj AS DECIMAL(38, 6)) AS change_pj,
    summed.spikes_effect_pj,
    summed.layer_mix_effect_pj,
    summed.neuron_mix_effect_pj,
    summed.work_effect_pj,
    summed.other_drivers_effect_pj,
    summed.cost_effect_pj
FROM summed
INNER JOIN runs AS a ON summed.run_id_a = a.run_id
INNER JOIN runs AS b ON summed.run_id_b = b.run_id
LEFT JOIN _compared_layers AS layers
    ON
        summed.run_id_a = layers.run_id_a
        AND summed.run_id_b = layers.run_id_b
        AND summed.layer = layers.layer;
