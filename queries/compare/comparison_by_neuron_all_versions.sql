-- What changed in each neuron from one run to another under any two cost versions: in what is charged on spikes;
-- filter on both runs.
-- Grain: one row per (run a, run b, chip, cost version a, cost version b, layer, neuron) that spiked in either run.
CREATE OR REPLACE VIEW comparison_by_neuron_all_versions (
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
    -- Name of the layer.
    layer,
    -- Neuron within its layer, from 0.
    neuron,
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
    effects.run_id_a,
    effects.run_id_b,
    a.run_name AS run_name_a,
    b.run_name AS run_name_b,
    effects.chip,
    effects.cost_version_a,
    effects.cost_version_b,
    effects.layer,
    CAST(effects.neuron AS BIGINT) AS neuron,
    effects.spikes_a,
    effects.spikes_b,
    effects.energy_a_pj,
    effects.energy_b_pj,
    CAST(effects.energy_b_pj - effects.energy_a_pj AS DECIMAL(38, 6)) AS change_pj,
    effects.spikes_effect_pj,
    effects.layer_mix_effect_pj,
    effects.neuron_mix_effect_pj,
    effects.work_effect_pj,
    CAST(0 AS DECIMAL(38, 12)) AS other_drivers_effect_pj,
    effects.cost_effect_pj
FROM _spike_effects AS effects
INNER JOIN runs AS a ON effects.run_id_a = a.run_id
INNER JOIN runs AS b ON effects.run_id_b = b.run_id
WHERE effects.grain = 'neuron';
