-- Each run beside the one before it: runs that share a name form a history, in the order in which they ran.
-- Grain: one row per run.
CREATE OR REPLACE VIEW _previous_runs (
    -- The run.
    run_id,
    -- When the network ran, as declared (UTC).
    recorded_at,
    -- When the run came into the store (UTC).
    ingested_at,
    -- Place of the run among those of its name, from 1: by when it ran, or came in where that is unknown.
    run_number,
    -- The run of the same name before this one; empty for the first.
    previous_run_id,
    -- Whether both have as many timesteps and samples; empty for the first.
    has_same_extent
) AS
WITH placed AS (
    SELECT
        run_key,
        run_id,
        run_name,
        recorded_at,
        ingested_at,
        n_timesteps,
        n_samples,
        -- A run that does not say when it ran did so when it came in, as far as anybody knows.
        coalesce(recorded_at, ingested_at) AS ran_at
    FROM runs
)

SELECT
    run_id,
    recorded_at,
    ingested_at,
    row_number() OVER (PARTITION BY run_name ORDER BY ran_at, run_key) AS run_number,
    lag(run_id) OVER (PARTITION BY run_name ORDER BY ran_at, run_key) AS previous_run_id,
    lag(n_timesteps) OVER (PARTITION BY run_name ORDER BY ran_at, run_key) = n_timesteps
    AND lag(n_samples) OVER (PARTITION BY run_name ORDER BY ran_at, run_key) = n_samples AS has_same_extent
FROM placed;
