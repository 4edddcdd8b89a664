-- Energy of each run on each chip, under every cost version.
-- Grain: one row per (run, chip, cost version).
CREATE OR REPLACE VIEW energy_by_chip_all_versions (
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
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
    -- Energy. [pJ]
    energy_pj,
    -- Mean energy of a recorded spike; empty where none was recorded. [pJ]
    energy_per_spike_pj,
    -- Mean energy of a sample. [pJ]
    energy_per_inference_pj
) AS
WITH priced AS (
    SELECT
        run_id,
        chip,
        cost_version,
        CAST(sum(energy_pj) AS DECIMAL(38, 6)) AS energy_pj
    FROM _energy_by_layer_operation
    GROUP BY run_id, chip, cost_version
)

SELECT
    runs.run_id,
    runs.run_name,
    priced.chip,
    priced.cost_version,
    runs.n_timesteps,
    runs.n_samples,
    runs.n_spikes,
    priced.energy_pj,
    CAST(priced.energy_pj AS DOUBLE) / nullif(runs.n_spikes, 0) AS energy_per_spike_pj,
    CAST(priced.energy_pj AS DOUBLE) / nullif(runs.n_samples, 0) AS energy_per_inference_pj
FROM runs
INNER JOIN priced ON runs.run_id = priced.run_id;
