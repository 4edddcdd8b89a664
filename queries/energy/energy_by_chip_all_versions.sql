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
    -- Energy, of the priced operations; empty where none is priced. [pJ]
    energy_pj,
    -- Mean energy of a recorded spike; empty where none was recorded. [pJ]
    energy_per_spike_pj,
    -- Mean energy of a sample. [pJ]
    energy_per_inference_pj,
    -- Operations that the version prices. [count]
    n_operations,
    -- Operations of them that could be priced here. [count]
    n_priced,
    -- Priced operations whose cost has a published range. [count]
    n_ranged,
    -- Energy at the lower ends of the published ranges; empty where no range is published. [pJ]
    energy_low_pj,
    -- Energy at the upper ends of the published ranges; empty where no range is published. [pJ]
    energy_high_pj,
    -- Why an operation has no energy; empty if every one has.
    unpriced
) AS
WITH by_operation AS (
    SELECT
        run_id,
        chip,
        cost_version,
        operation,
        unpriced,
        sum(energy_pj) AS energy_pj,
        sum(energy_low_pj) AS energy_low_pj,
        sum(energy_high_pj) AS energy_high_pj,
        bool_or(is_ranged) AS is_ranged
    FROM _energy_by_layer_operation
    GROUP BY run_id, chip, cost_version, operation, unpriced
),

priced AS (
    SELECT
        run_id,
        chip,
        cost_version,
        CAST(sum(energy_pj) AS DECIMAL(38, 6)) AS energy_pj,
        CAST(count(*) AS BIGINT) AS n_operations,
        CAST(count(energy_pj) AS BIGINT) AS n_priced,
        CAST(count(CASE WHEN is_ranged THEN energy_pj END) AS BIGINT) AS n_ranged,
        CAST(sum(energy_low_pj) AS DECIMAL(38, 6)) AS energy_low_pj,
        CAST(sum(energy_high_pj) AS DECIMAL(38, 6)) AS energy_high_pj,
        string_agg(operation || ': ' || unpriced, '; ' ORDER BY operation) AS unpriced
    FROM by_operation
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
    CAST(priced.energy_pj AS DOUBLE) / nullif(runs.n_samples, 0) AS energy_per_inference_pj,
    priced.n_operations,
    priced.n_priced,
    priced.n_ranged,
    CASE WHEN priced.n_ranged > 0 THEN priced.energy_low_pj END AS energy_low_pj,
    CASE WHEN priced.n_ranged > 0 THEN priced.energy_high_pj END AS energy_high_pj,
    priced.unpriced
FROM runs
INNER JOIN priced ON runs.run_id = priced.run_id;
