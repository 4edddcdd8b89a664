-- Energy of each layer of a run, under the cost version in force today.
-- Grain: one row per (run, chip, layer); silent layers included.
CREATE OR REPLACE VIEW energy_by_layer (
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
    -- The chip.
    chip,
    -- The cost set.
    cost_version,
    -- Position of the layer in the network, from 0; empty for what is charged once for the whole run.
    layer_index,
    -- Name of the layer; empty for what is charged once for the whole run.
    layer,
    -- What a spike of the layer triggers: 'input', 'hidden' or 'readout'.
    role,
    -- Neurons, silent ones included. [count]
    n_neurons,
    -- Neurons with at least one spike. [count]
    n_active_neurons,
    -- Recorded spikes. [count]
    n_spikes,
    -- Energy, of the priced operations; empty where none is priced. [pJ]
    energy_pj,
    -- Mean energy of a recorded spike; empty where none was recorded. [pJ]
    energy_per_spike_pj,
    -- Operations that the version prices. [count]
    n_operations,
    -- Operations of them that could be priced here. [count]
    n_priced,
    -- Priced operations whose cost has a published range. [count]
    n_ranged,
    -- Energy at the lower ends of the published ranges; empty where no range is published. [pJ]
    energy_low_pj,
    -- Energy at the upper ends of the published ranges; empty where no range is published. [pJ]
    energy_high_pj
) AS
SELECT
    priced.run_id,
    priced.run_name,
    priced.chip,
    priced.cost_version,
    priced.layer_index,
    priced.layer,
    priced.role,
    priced.n_neurons,
    priced.n_active_neurons,
    priced.n_spikes,
    priced.energy_pj,
    priced.energy_per_spike_pj,
    priced.n_operations,
    priced.n_priced,
    priced.n_ranged,
    priced.energy_low_pj,
    priced.energy_high_pj
FROM energy_by_layer_all_versions AS priced
INNER JOIN cost_version_in_force AS in_force
    ON priced.chip = in_force.chip AND priced.cost_version = in_force.cost_version;
