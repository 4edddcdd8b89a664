-- Energy of each run beside that of the run of the same name before it, under every cost version.
-- Grain: one row per (run, chip, cost version).
CREATE OR REPLACE VIEW history_by_run_all_versions (
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
    -- Place of the run among those of its name, from 1: by when it ran, or came in where that is unknown.
    run_number,
    -- When the network ran, as declared (UTC).
    recorded_at,
    -- When the run came into the store (UTC).
    ingested_at,
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
    -- Mean energy of a sample. [pJ]
    energy_per_inference_pj,
    -- Whether every operation of the version could be priced in the run.
    is_fully_priced,
    -- The run of the same name before this one; empty for the first.
    previous_run_id,
    -- Energy of that run, of its priced operations. [pJ]
    previous_energy_pj,
    -- Energy less that of the previous run; empty unless both are fully priced, as parts do not compare. [pJ]
    change_pj,
    -- The same as a share of the previous energy; empty where that is zero, too. [1]
    change_share,
    -- Whether both runs have as many timesteps and samples, so that the change means something; empty for the first.
    has_same_extent
) AS
WITH followed AS (
    SELECT
        priced.run_id,
        priced.run_name,
        ordered.run_number,
        ordered.recorded_at,
        ordered.ingested_at,
        priced.chip,
        priced.cost_version,
        priced.n_timesteps,
        priced.n_samples,
        priced.n_spikes,
        priced.energy_pj,
        priced.energy_per_inference_pj,
        priced.n_priced = priced.n_operations AS is_fully_priced,
        ordered.previous_run_id,
        -- Over the columns that people filter on: through a window, only a filter on these reaches what it reads.
        lag(priced.energy_pj) OVER (
            PARTITION BY priced.run_name, priced.chip, priced.cost_version ORDER BY ordered.run_number
        ) AS previous_energy_pj,
        lag(priced.n_priced = priced.n_operations) OVER (
            PARTITION BY priced.run_name, priced.chip, priced.cost_version ORDER BY ordered.run_number
        ) AS was_fully_priced,
        ordered.has_same_extent
    FROM energy_by_chip_all_versions AS priced
    INNER JOIN _previous_runs AS ordered ON priced.run_id = ordered.run_id
),

changed AS (
    SELECT
        *,
        CASE WHEN is_fully_priced AND was_fully_priced THEN energy_pj - previous_energy_pj END AS change_pj
    FROM followed
)

SELECT
    run_id,
    run_name,
    run_number,
    recorded_at,
    ingested_at,
    chip,
    cost_version,
    n_timesteps,
    n_samples,
    n_spikes,
    energy_pj,
    energy_per_inference_pj,
    is_fully_priced,
    previous_run_id,
    previous_energy_pj,
    CAST(change_pj AS DECIMAL(38, 6)) AS change_pj,
    CAST(change_pj AS DOUBLE) / nullif(CAST(previous_energy_pj AS DOUBLE), 0) AS change_share,
    has_same_extent
FROM changed;
