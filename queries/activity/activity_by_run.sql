-- What each run was and how much it spiked.
-- Start here: every other view names its run by run_id.
-- Grain: one row per run.
CREATE OR REPLACE VIEW activity_by_run (
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
    -- What was executed: 'inference', 'training', or the user's own word.
    kind,
    -- When the network ran, as declared (UTC).
    recorded_at,
    -- When the run came into the store (UTC).
    ingested_at,
    -- Timesteps that each sample was simulated for. [count]
    n_timesteps,
    -- Samples that the run processed. [count]
    n_samples,
    -- Length of one timestep. [µs]
    timestep_us,
    -- Duration: timesteps times their length times samples; empty if nobody said how long a timestep is. [s]
    seconds,
    -- Recorded spikes. [count]
    n_spikes,
    -- Rows of the run file. [count]
    n_events,
    -- Whether the store keeps the single spike events.
    has_events,
    -- Which of n_timesteps and n_samples were inferred from the events, separated by commas.
    inferred,
    -- Seed of the random generator, as declared.
    seed,
    -- Commit of the user's code, as declared.
    git_commit,
    -- SHA-256 over the run's activity and network.
    content_hash,
    -- Path of the run file as it was given.
    source_path,
    -- Layers of the network. [count]
    n_layers,
    -- Neurons, silent ones included. [count]
    n_neurons,
    -- Neurons with at least one spike. [count]
    n_active_neurons
) AS
WITH networks AS (
    SELECT
        run_key,
        CAST(count(*) AS BIGINT) AS n_layers,
        CAST(sum(n_neurons) AS BIGINT) AS n_neurons,
        CAST(sum(n_active_neurons) AS BIGINT) AS n_active_neurons
    FROM layers
    GROUP BY run_key
)

SELECT
    runs.run_id,
    runs.run_name,
    runs.kind,
    runs.recorded_at,
    runs.ingested_at,
    runs.n_timesteps,
    runs.n_samples,
    runs.timestep_us,
    durations.driver_count AS seconds,
    runs.n_spikes,
    runs.n_events,
    runs.has_events,
    runs.inferred,
    runs.seed,
    runs.git_commit,
    runs.content_hash,
    runs.source_path,
    networks.n_layers,
    networks.n_neurons,
    networks.n_active_neurons
FROM runs
INNER JOIN networks ON runs.run_key = networks.run_key
LEFT JOIN driver_counts AS durations ON runs.run_key = durations.run_key AND durations.driver = 'second';
