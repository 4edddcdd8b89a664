-- Energy of each run on each chip, under the cost version in force. Filter on the chip.
-- Grain: one row per (run, chip).
CREATE OR REPLACE VIEW mart.run_energy (
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
    -- Timesteps that each sample was simulated for. [count]
    n_timesteps,
    -- Samples that the run processed. [count]
    n_samples,
    -- Recorded spikes. [count]
    n_spikes,
    -- Energy, of the priced operations; empty where none is priced. [pJ]
    energy_pj,
    -- Mean energy of a recorded spike; empty where none was recorded. [pJ]
    energy_per_spike_pj,
    -- Mean energy of a sample. [pJ]
    energy_per_inference_pj,
    -- Energy at the lower ends of the published ranges; empty where no range is published. [pJ]
    energy_low_pj,
    -- Energy at the upper ends of the published ranges; empty where no range is published. [pJ]
    energy_high_pj,
    -- Operations that the version prices. [count]
    n_operations,
    -- Operations of them that could be priced here. [count]
    n_priced,
    -- Whether every operation of the version could be priced in the run.
    is_fully_priced,
    -- Why an operation has no energy; empty if every one has.
    unpriced
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
    priced.n_timesteps,
    priced.n_samples,
    priced.n_spikes,
    priced.energy_pj,
    priced.energy_per_spike_pj,
    priced.energy_per_inference_pj,
    priced.energy_low_pj,
    priced.energy_high_pj,
    priced.n_operations,
    priced.n_priced,
    priced.n_priced = priced.n_operations AS is_fully_priced,
    priced.unpriced
FROM energy_by_chip AS priced
INNER JOIN mart.runs AS runs ON priced.run_id = runs.run_id;
