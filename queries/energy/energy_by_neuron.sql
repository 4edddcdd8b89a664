-- Energy of each neuron, under the cost version in force today: of the operations that can be told by neuron.
-- Grain: one row per (run, chip, layer, neuron) that spiked or costs energy.
CREATE OR REPLACE VIEW energy_by_neuron (
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
    -- Neuron within its layer, from 0.
    neuron,
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
    priced.neuron,
    priced.n_spikes,
    priced.energy_pj
FROM energy_by_neuron_all_versions AS priced
INNER JOIN cost_version_in_force AS in_force
    ON priced.chip = in_force.chip AND priced.cost_version = in_force.cost_version;
