-- Energy of each layer of each run, under the cost version in force. Filter on the chip.
-- Grain: one row per (run, chip, layer); silent layers included.
CREATE OR REPLACE VIEW mart.layer_energy (
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
    -- Share of the run's energy on the chip; empty where nothing is priced, or nothing costs. [1]
    energy_share
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
    priced.n_neurons,
    priced.n_active_neurons,
    priced.n_spikes,
    priced.energy_pj,
    CAST(priced.energy_pj AS DOUBLE) / nullif(CAST(whole.energy_pj AS DOUBLE), 0) AS energy_share
FROM energy_by_layer AS priced
INNER JOIN energy_by_chip AS whole ON priced.run_id = whole.run_id AND priced.chip = whole.chip
INNER JOIN mart.runs AS runs ON priced.run_id = runs.run_id;
