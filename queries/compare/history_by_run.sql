-- Energy of each run beside that of the run of the same name before it, under the cost version in force today.
-- Grain: one row per (run, chip).
CREATE OR REPLACE VIEW history_by_run (
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
SELECT
    followed.run_id,
    followed.run_name,
    followed.run_number,
    followed.recorded_at,
    followed.ingested_at,
    followed.chip,
    followed.cost_version,
    followed.n_timesteps,
    followed.n_samples,
    followed.n_spikes,
    followed.energy_pj,
    followed.energy_per_inference_pj,
    followed.is_fully_priced,
    followed.previous_run_id,
    followed.previous_energy_pj,
    followed.change_pj,
    followed.change_share,
    followed.has_same_extent
FROM history_by_run_all_versions AS followed
INNER JOIN cost_version_in_force AS in_force
    ON followed.chip = in_force.chip AND followed.cost_version = in_force.cost_version;
