-- Energy of each recorded spike, under the cost version in force today.
-- Filter on run and chip: the view multiplies all events by all chips.
-- Grain: one row per (spike event, chip) of the runs that keep their events.
CREATE OR REPLACE VIEW energy_by_spike (
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
    -- Timestep within the sample, from 0.
    timestep,
    -- Sample (input, image, trial) within the run, from 0.
    sample_index,
    -- Spikes that the neuron emitted in that timestep. [count]
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
    priced.timestep,
    priced.sample_index,
    priced.n_spikes,
    priced.energy_pj
FROM energy_by_spike_all_versions AS priced
INNER JOIN cost_version_in_force AS in_force
    ON priced.chip = in_force.chip AND priced.cost_version = in_force.cost_version;
