-- Energy of each layer in each step of a training, under the cost version in force; synaptic events of layers whose
-- neurons differ in their fan-out are left out. Large: filter on the chip and the run.
-- Grain: one row per (run, chip, layer, training step) of the layers whose energy can be told by step.
CREATE OR REPLACE VIEW mart.training_step_energy (
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
    priced.training_step,
    priced.epoch,
    priced.n_samples,
    priced.n_spikes,
    priced.energy_pj
FROM energy_by_training_step AS priced
INNER JOIN mart.runs AS runs ON priced.run_id = runs.run_id;
