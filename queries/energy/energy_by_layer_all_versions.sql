-- Energy of each layer of a run, under every cost version.
-- Grain: one row per (run, chip, cost version, layer); silent layers included.
CREATE OR REPLACE VIEW energy_by_layer_all_versions (
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
    -- Neurons, silent ones included. [count]
    n_neurons,
    -- Neurons with at least one spike. [count]
    n_active_neurons,
    -- Recorded spikes. [count]
    n_spikes,
    -- Energy. [pJ]
    energy_pj,
    -- Mean energy of a recorded spike; empty where none was recorded. [pJ]
    energy_per_spike_pj
) AS
SELECT
    run_id,
    run_name,
    chip,
    cost_version,
    layer_index,
    layer,
    role,
    n_neurons,
    n_active_neurons,
    n_spikes,
    CAST(sum(energy_pj) AS DECIMAL(38, 6)) AS energy_pj,
    CAST(sum(energy_pj) AS DOUBLE) / nullif(n_spikes, 0) AS energy_per_spike_pj
FROM _energy_by_layer_operation
GROUP BY
    run_id,
    run_name,
    chip,
    cost_version,
    layer_index,
    layer,
    role,
    n_neurons,
    n_active_neurons,
    n_spikes;
