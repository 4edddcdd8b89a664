-- How many spikes each layer of a run fires in each timestep; timesteps without any are left out.
-- $run = latest: The run.
SELECT
    layer,
    timestep,
    n_spikes,
    CAST(n_spikes AS DOUBLE) / sum(n_spikes) OVER (PARTITION BY layer_index) AS spike_share
FROM activity_by_step
WHERE run_id = $run
ORDER BY layer_index, timestep
