-- Energy of each layer beside its energy in the run of the same name before it, under the cost version in force today.
-- Grain: one row per (run, chip, layer); silent layers included.
CREATE OR REPLACE VIEW history_by_layer (
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
    -- Position of the layer in the network, from 0; empty for what is charged once for the whole run.
    layer_index,
    -- Name of the layer; empty for what is charged once for the whole run.
    layer,
    -- Recorded spikes. [count]
    n_spikes,
    -- Energy, of the priced operations; empty where none is priced. [pJ]
    energy_pj,
    -- Whether every operation of the version could be priced in the run.
    is_fully_priced,
    -- The run of the same name before this one; empty for the first.
    previous_run_id,
    -- Energy of the layer in that run, of its priced operations; empty if that run has no such layer. [pJ]
    previous_energy_pj,
    -- Energy less that in the previous run; empty unless both runs are fully priced and have the layer. [pJ]
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
    followed.layer_index,
    followed.layer,
    followed.n_spikes,
    followed.energy_pj,
    followed.is_fully_priced,
    followed.previous_run_id,
    followed.previous_energy_pj,
    followed.change_pj,
    followed.change_share,
    followed.has_same_extent
FROM history_by_layer_all_versions AS followed
INNER JOIN cost_version_in_force AS in_force
    ON followed.chip = in_force.chip AND followed.cost_version = in_force.cost_version;
