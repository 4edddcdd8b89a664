-- Energy over time, by layer and step, under the cost version in force today: of the operations that spikes trigger.
-- Where the neurons of a layer differ in their fan-out, its synaptic events are left out.
-- Grain: one row per (run, chip, layer, timestep) with at least one spike.
CREATE OR REPLACE VIEW energy_by_step (
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
    -- Timestep within the sample, from 0.
    timestep,
    -- Recorded spikes. [count]
    n_spikes,
    -- Energy. [pJ]
    energy_pj
) AS
SELECT
    priced.run_id,
    priced.run_name,
    priced.chip,
    priced.cost_version,
    priced.layer_index,
    priced.layer,
    priced.role,
    priced.timestep,
    priced.n_spikes,
    priced.energy_pj
FROM energy_by_step_all_versions AS priced
INNER JOIN cost_version_in_force AS in_force
    ON priced.chip = in_force.chip AND priced.cost_version = in_force.cost_version;
