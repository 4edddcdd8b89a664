-- What each run was, with its place in the history of its name.
-- Grain: one row per run.
CREATE OR REPLACE VIEW mart.runs (
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
    -- When the network ran, as declared (UTC).
    recorded_at,
    -- When the run came into the store (UTC).
    ingested_at,
    -- What was executed: 'inference', 'training', or the user's own word.
    kind,
    -- Timesteps that each sample was simulated for. [count]
    n_timesteps,
    -- Samples that the run processed. [count]
    n_samples,
    -- Length of one timestep. [µs]
    timestep_us,
    -- Duration: timesteps times their length times samples; empty if nobody said how long a timestep is. [s]
    seconds,
    -- Layers of the network. [count]
    n_layers,
    -- Neurons, silent ones included. [count]
    n_neurons,
    -- Neurons with at least one spike. [count]
    n_active_neurons,
    -- Recorded spikes. [count]
    n_spikes,
    -- Seed of the random generator, as declared.
    seed,
    -- Commit of the user's code, as declared.
    git_commit
) AS
WITH placed AS (
    SELECT
        run_id,
        coalesce(recorded_at, ingested_at) AS run_at,
        row_number() OVER (PARTITION BY run_name ORDER BY coalesce(recorded_at, ingested_at), run_key) AS run_number,
        lead(run_key) OVER (PARTITION BY run_name ORDER BY coalesce(recorded_at, ingested_at), run_key) AS next_run_key
    FROM main.runs
)

SELECT
    activity.run_id,
    activity.run_name,
    placed.run_number,
    placed.next_run_key IS NULL AS is_latest,
    CAST(placed.run_at AS DATE) AS run_date,
    placed.run_at,
    activity.recorded_at,
    activity.ingested_at,
    activity.kind,
    activity.n_timesteps,
    activity.n_samples,
    activity.timestep_us,
    activity.seconds,
    activity.n_layers,
    activity.n_neurons,
    activity.n_active_neurons,
    activity.n_spikes,
    activity.seed,
    activity.git_commit
FROM activity_by_run AS activity
INNER JOIN placed ON activity.run_id = placed.run_id;
