-- Energy of each run on each chip, under the cost version in force today.
-- Grain: one row per (run, chip).
CREATE OR REPLACE VIEW energy_by_chip (
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
SELECT
    priced.run_id,
    priced.run_name,
    priced.chip,
    priced.cost_version,
    priced.n_timesteps,
    priced.n_samples,
    priced.n_spikes,
    priced.energy_pj,
    priced.energy_per_spike_pj,
    priced.energy_per_inference_pj,
    priced.n_operations,
    priced.n_priced,
    priced.n_ranged,
    priced.energy_low_pj,
    priced.energy_high_pj,
    priced.unpriced
FROM energy_by_chip_all_versions AS priced
INNER JOIN cost_version_in_force AS in_force
    ON priced.chip = in_force.chip AND priced.cost_version = in_force.cost_version;
