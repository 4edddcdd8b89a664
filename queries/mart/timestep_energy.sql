-- Energy of each layer over time, under the cost version in force, of the operations that spikes trigger; synaptic
-- events of layers whose neurons differ in their fan-out are left out. Large: filter on the chip and the run.
-- Grain: one row per (run, chip, layer, timestep) with at least one spike, where its energy can be told by timestep.
CREATE OR REPLACE VIEW mart.timestep_energy (
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
    -- Place of the run among those of its name, from 1: by when it ran, or came in where that is unknown.
    run_number,
    -- Whether it is the newest of its name.
    is_latest,
    -- Day on which the run ran, or came into the store where that is unknown (UTC).
    run_date,
    -- When the run ran, or came into the store where that is unknown (UTC).
    run_at,
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
    runs.run_id,
    runs.run_name,
    runs.run_number,
    runs.is_latest,
    runs.run_date,
    runs.run_at,
    priced.chip,
    priced.cost_version,
    priced.layer_index,
    priced.layer,
    priced.role,
    priced.timestep,
    priced.n_spikes,
    priced.energy_pj
FROM energy_by_step AS priced
INNER JOIN mart.runs AS runs ON priced.run_id = runs.run_id;
