-- Energy of each step of a training, by layer, under the cost version in force today: of its spikes and of its
-- neurons in each timestep. Where the neurons of a layer differ in their fan-out, its synaptic events are left out.
-- Grain: one row per (run, chip, layer, training step).
CREATE OR REPLACE VIEW energy_by_training_step (
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
    -- Number of the training step, from 0.
    training_step,
    -- Epoch that the step belongs to, as the training counted; empty if nobody said.
    epoch,
    -- Samples. [count]
    n_samples,
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
    priced.training_step,
    priced.epoch,
    priced.n_samples,
    priced.n_spikes,
    priced.energy_pj
FROM energy_by_training_step_all_versions AS priced
INNER JOIN cost_version_in_force AS in_force
    ON priced.chip = in_force.chip AND priced.cost_version = in_force.cost_version;
