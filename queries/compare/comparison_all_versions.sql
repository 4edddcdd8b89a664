-- What changed from one run to another under any two cost versions, and what the change is made of; filter on
-- both runs.
-- Grain: one row per (run a, run b, chip, cost version a, cost version b).
CREATE OR REPLACE VIEW comparison_all_versions (
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
SELECT
    compared.run_id_a,
    compared.run_id_b,
    compared.run_name_a,
    compared.run_name_b,
    compared.chip,
    compared.cost_version_a,
    compared.cost_version_b,
    a.n_spikes AS spikes_a,
    b.n_spikes AS spikes_b,
    CAST(sum(compared.energy_a_pj) AS DECIMAL(38, 6)) AS energy_a_pj,
    CAST(sum(compared.energy_b_pj) AS DECIMAL(38, 6)) AS energy_b_pj,
    CAST(sum(compared.change_pj) AS DECIMAL(38, 6)) AS change_pj,
    CAST(sum(compared.spikes_effect_pj) AS DECIMAL(38, 12)) AS spikes_effect_pj,
    CAST(sum(compared.layer_mix_effect_pj) AS DECIMAL(38, 12)) AS layer_mix_effect_pj,
    CAST(sum(compared.neuron_mix_effect_pj) AS DECIMAL(38, 12)) AS neuron_mix_effect_pj,
    CAST(sum(compared.work_effect_pj) AS DECIMAL(38, 12)) AS work_effect_pj,
    CAST(sum(compared.other_drivers_effect_pj) AS DECIMAL(38, 12)) AS other_drivers_effect_pj,
    CAST(sum(compared.cost_effect_pj) AS DECIMAL(38, 12)) AS cost_effect_pj
FROM comparison_by_layer_all_versions AS compared
INNER JOIN runs AS a ON compared.run_id_a = a.run_id
INNER JOIN runs AS b ON compared.run_id_b = b.run_id
GROUP BY
    compared.run_id_a,
    compared.run_id_b,
    compared.run_name_a,
    compared.run_name_b,
    compared.chip,
    compared.cost_version_a,
    compared.cost_version_b,
    a.n_spikes,
    b.n_spikes;
