-- The change of energy that is charged on spikes, split by Shapley's rule into five factors that multiply:
-- all spikes x share of the layer x share of the neuron x units per spike x cost of a unit.
-- Each effect is the average, over all orders in which the factors may change, of what its change brings. The products
-- in brackets are a change and its mirror, so that swapping the runs gives the same digits with the other sign.
-- Source: Sun, Energy Economics 20 (1998) 85-100; Ang, Huang and Mu, Energy Policy 37 (2009) 4624-4632.
-- Grain: one row per (run a, run b, chip, cost version a, cost version b, layer, neuron), and with an empty neuron.
CREATE OR REPLACE VIEW _spike_effects (
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
    -- Name of the layer.
    layer,
    -- Whether the row is a whole layer or a neuron: 'layer' or 'neuron'.
    grain,
    -- Neuron within its layer, from 0; empty for a whole layer.
    neuron,
    -- Whether every spike of the layer costs the same; only then a whole layer has effects.
    is_uniform,
    -- Spikes in the run before. [count]
    spikes_a,
    -- Spikes in the run after. [count]
    spikes_b,
    -- Energy in the run before. [pJ]
    energy_a_pj,
    -- Energy in the run after. [pJ]
    energy_b_pj,
    -- Because the whole run spikes more or less. [pJ]
    spikes_effect_pj,
    -- Because the spikes moved to other layers. [pJ]
    layer_mix_effect_pj,
    -- Because the spikes moved to other neurons of the layer. [pJ]
    neuron_mix_effect_pj,
    -- Because a spike triggers more or less. [pJ]
    work_effect_pj,
    -- Because the costs differ. [pJ]
    cost_effect_pj
) AS
WITH costed AS (
    SELECT
        parts.run_id_a,
        parts.run_id_b,
        prices.chip,
        prices.cost_version_a,
        prices.cost_version_b,
        parts.layer,
        parts.grain,
        parts.neuron,
        prices.is_uniform,
        parts.spikes_a,
        parts.spikes_b,
        parts.run_spikes_a,
        parts.run_spikes_b,
        parts.layer_share_a,
        parts.layer_share_b,
        parts.neuron_share_a,
        parts.neuron_share_b,
        prices.spike_cost_aa_pj
        + prices.synaptic_event_cost_a_pj
        * coalesce(parts.fan_out_a, prices.fan_out_a, parts.fan_out_b, prices.fan_out_b, 0) AS cost_aa_pj,
        prices.spike_cost_ab_pj
        + prices.synaptic_event_cost_b_pj
        * coalesce(parts.fan_out_a, prices.fan_out_a, parts.fan_out_b, prices.fan_out_b, 0) AS cost_ab_pj,
        prices.spike_cost_ba_pj
        + prices.synaptic_event_cost_a_pj
        * coalesce(parts.fan_out_b, prices.fan_out_b, parts.fan_out_a, prices.fan_out_a, 0) AS cost_ba_pj,
        prices.spike_cost_bb_pj
        + prices.synaptic_event_cost_b_pj
        * coalesce(parts.fan_out_b, prices.fan_out_b, parts.fan_out_a, prices.fan_out_a, 0) AS cost_bb_pj
    FROM _compared_parts AS parts
    INNER JOIN _compared_spike_costs AS prices
        ON
            parts.run_id_a = prices.run_id_a
            AND parts.run_id_b = prices.run_id_b
            AND parts.layer = prices.layer
),

factors AS (
    SELECT
        *,
        CAST(run_spikes_a AS DOUBLE) AS n0,
        CAST(run_spikes_b AS DOUBLE) AS n1,
        layer_share_a AS l0,
        layer_share_b AS l1,
        neuron_share_a AS m0,
        neuron_share_b AS m1,
        CAST(cost_aa_pj AS DOUBLE) AS c00,
        CAST(cost_ab_pj AS DOUBLE) AS c01,
        CAST(cost_ba_pj AS DOUBLE) AS c10,
        CAST(cost_bb_pj AS DOUBLE) AS c11,
        CAST(cost_ba_pj - cost_aa_pj AS DOUBLE) AS work_at_a,
        CAST(cost_bb_pj - cost_ab_pj AS DOUBLE) AS work_at_b,
        CAST(cost_ab_pj - cost_aa_pj AS DOUBLE) AS price_of_a,
        CAST(cost_bb_pj - cost_ba_pj AS DOUBLE) AS price_of_b
    FROM costed
),

effects AS (
    SELECT
        *,
        (n1 - n0) * (
            (l0 * m0 * c00 + l1 * m1 * c11) / 5
            + (
                (l1 * m0 * c00 + l0 * m1 * c11) + (l0 * m1 * c00 + l1 * m0 * c11)
                + (l0 * m0 * c10 + l1 * m1 * c01) + (l0 * m0 * c01 + l1 * m1 * c10)
            ) / 20
            + (
                (l1 * m1 * c00 + l0 * m0 * c11) + (l1 * m0 * c10 + l0 * m1 * c01) + (l1 * m0 * c01 + l0 * m1 * c10)
            ) / 30
        ) AS spikes_effect,
        (l1 - l0) * (
            (n0 * m0 * c00 + n1 * m1 * c11) / 5
            + (
                (n1 * m0 * c00 + n0 * m1 * c11) + (n0 * m1 * c00 + n1 * m0 * c11)
                + (n0 * m0 * c10 + n1 * m1 * c01) + (n0 * m0 * c01 + n1 * m1 * c10)
            ) / 20
            + (
                (n1 * m1 * c00 + n0 * m0 * c11) + (n1 * m0 * c10 + n0 * m1 * c01) + (n1 * m0 * c01 + n0 * m1 * c10)
            ) / 30
        ) AS layer_mix_effect,
        (m1 - m0) * (
            (n0 * l0 * c00 + n1 * l1 * c11) / 5
            + (
                (n1 * l0 * c00 + n0 * l1 * c11) + (n0 * l1 * c00 + n1 * l0 * c11)
                + (n0 * l0 * c10 + n1 * l1 * c01) + (n0 * l0 * c01 + n1 * l1 * c10)
            ) / 20
            + (
                (n1 * l1 * c00 + n0 * l0 * c11) + (n1 * l0 * c10 + n0 * l1 * c01) + (n1 * l0 * c01 + n0 * l1 * c10)
            ) / 30
        ) AS neuron_mix_effect,
        (n0 * l0 * m0 * work_at_a + n1 * l1 * m1 * work_at_b) / 5
        + (
            (n1 * l0 * m0 * work_at_a + n0 * l1 * m1 * work_at_b)
            + (n0 * l1 * m0 * work_at_a + n1 * l0 * m1 * work_at_b)
            + (n0 * l0 * m1 * work_at_a + n1 * l1 * m0 * work_at_b)
            + (n0 * l0 * m0 * work_at_b + n1 * l1 * m1 * work_at_a)
        ) / 20
        + (
            (n1 * l1 * m0 * work_at_a + n0 * l0 * m1 * work_at_b)
            + (n1 * l0 * m1 * work_at_a + n0 * l1 * m0 * work_at_b)
            + (n1 * l0 * m0 * work_at_b + n0 * l1 * m1 * work_at_a)
        ) / 30 AS work_effect,
        (n0 * l0 * m0 * price_of_a + n1 * l1 * m1 * price_of_b) / 5
        + (
            (n1 * l0 * m0 * price_of_a + n0 * l1 * m1 * price_of_b)
            + (n0 * l1 * m0 * price_of_a + n1 * l0 * m1 * price_of_b)
            + (n0 * l0 * m1 * price_of_a + n1 * l1 * m0 * price_of_b)
            + (n0 * l0 * m0 * price_of_b + n1 * l1 * m1 * price_of_a)
        ) / 20
        + (
            (n1 * l1 * m0 * price_of_a + n0 * l0 * m1 * price_of_b)
            + (n1 * l0 * m1 * price_of_a + n0 * l1 * m0 * price_of_b)
            + (n1 * l0 * m0 * price_of_b + n0 * l1 * m1 * price_of_a)
        ) / 30 AS cost_effect
    FROM factors
),

rounded AS (
    SELECT
        *,
        CAST(spikes_a * cost_aa_pj AS DECIMAL(38, 6)) AS energy_a_pj,
        CAST(spikes_b * cost_bb_pj AS DECIMAL(38, 6)) AS energy_b_pj,
        CAST(spikes_effect AS DECIMAL(38, 12)) AS spikes_effect_pj,
        CAST(layer_mix_effect AS DECIMAL(38, 12)) AS layer_mix_effect_pj,
        CAST(neuron_mix_effect AS DECIMAL(38, 12)) AS neuron_mix_effect_pj,
        CAST(work_effect AS DECIMAL(38, 12)) AS work_effect_pj,
        CAST(cost_effect AS DECIMAL(38, 12)) AS cost_effect_pj,
        greatest(
            abs(spikes_effect), abs(layer_mix_effect), abs(neuron_mix_effect), abs(work_effect), abs(cost_effect)
        ) AS largest
    FROM effects
),

-- What rounding leaves goes to the largest effect, so that the five add up to the change to the last digit.
closed AS (
    SELECT
        *,
        CASE
            WHEN largest = abs(spikes_effect) THEN 'spikes'
            WHEN largest = abs(layer_mix_effect) THEN 'layer_mix'
            WHEN largest = abs(neuron_mix_effect) THEN 'neuron_mix'
            WHEN largest = abs(work_effect) THEN 'work'
            ELSE 'cost'
        END AS takes_rest,
        energy_b_pj - energy_a_pj
        - (spikes_effect_pj + layer_mix_effect_pj + neuron_mix_effect_pj + work_effect_pj + cost_effect_pj) AS rest_pj
    FROM rounded
)

SELECT
    run_id_a,
    run_id_b,
    chip,
    cost_version_a,
    cost_version_b,
    layer,
    grain,
    neuron,
    is_uniform,
    spikes_a,
    spikes_b,
    energy_a_pj,
    energy_b_pj,
    CAST(spikes_effect_pj + CASE WHEN takes_rest = 'spikes' THEN rest_pj ELSE 0 END AS DECIMAL(38, 12))
        AS spikes_effect_pj,
    CAST(layer_mix_effect_pj + CASE WHEN takes_rest = 'layer_mix' THEN rest_pj ELSE 0 END AS DECIMAL(38, 12))
        AS layer_mix_effect_pj,
    CAST(neuron_mix_effect_pj + CASE WHEN takes_rest = 'neuron_mix' THEN rest_pj ELSE 0 END AS DECIMAL(38, 12))
        AS neuron_mix_effect_pj,
    CAST(work_effect_pj + CASE WHEN takes_rest = 'work' THEN rest_pj ELSE 0 END AS DECIMAL(38, 12)) AS work_effect_pj,
    CAST(cost_effect_pj + CASE WHEN takes_rest = 'cost' THEN rest_pj ELSE 0 END AS DECIMAL(38, 12)) AS cost_effect_pj
FROM closed;
