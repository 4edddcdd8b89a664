-- Energy of each run beside that of the run of the same name before it, under the cost version in force.
-- Grain: one row per (run, chip).
CREATE OR REPLACE VIEW mart.run_comparison (
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
    -- Recorded spikes. [count]
    n_spikes,
    -- Energy, of the priced operations; empty where none is priced. [pJ]
    energy_pj,
    -- Whether every operation of the version could be priced in the run.
    is_fully_priced,
    -- The run of the same name before this one; empty for the first.
    previous_run_id,
    -- Energy of that run, of its priced operations. [pJ]
    previous_energy_pj,
    -- Energy less that of the previous run; empty unless both are fully priced, as parts do not compare. [pJ]
    change_pj,
    -- Change as a share of the previous energy; empty where that is zero, too. [1]
    change_share,
    -- Whether both runs have as many timesteps and samples, so that the change means something; empty for the first.
    has_same_extent
) AS
SELECT
    runs.run_id,
    runs.run_name,
    runs.run_number,
    runs.is_latest,
    runs.run_date,
    runs.run_at,
    followed.chip,
    followed.cost_version,
    followed.n_spikes,
    followed.energy_pj,
    followed.is_fully_priced,
    followed.previous_run_id,
    followed.previous_energy_pj,
    followed.change_pj,
    followed.change_share,
    followed.has_same_extent
FROM history_by_run AS followed
INNER JOIN mart.runs AS runs ON followed.run_id = runs.run_id;
