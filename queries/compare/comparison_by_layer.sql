-- What changed in each layer from one run to another under the costs in force, and what the change is made of;
-- filter on both runs.
-- Grain: one row per (run a, run b, chip, layer) of either run that takes part.
CREATE OR REPLACE VIEW comparison_by_layer (
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
SELECT
    compared.run_id_a,
    compared.run_id_b,
    compared.run_name_a,
    compared.run_name_b,
    compared.chip,
    compared.cost_version_a,
    compared.cost_version_b,
    compared.layer_index,
    compared.layer,
    compared.is_in_a,
    compared.is_in_b,
    compared.spikes_a,
    compared.spikes_b,
    compared.energy_a_pj,
    compared.energy_b_pj,
    compared.change_pj,
    compared.spikes_effect_pj,
    compared.layer_mix_effect_pj,
    compared.neuron_mix_effect_pj,
    compared.work_effect_pj,
    compared.other_drivers_effect_pj,
    compared.cost_effect_pj
FROM comparison_by_layer_all_versions AS compared
INNER JOIN cost_version_in_force AS in_force ON compared.chip = in_force.chip
WHERE compared.cost_version_a = in_force.cost_version AND compared.cost_version_b = in_force.cost_version;
