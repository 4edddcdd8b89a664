-- What an inference cost in run after run.
-- $chip: The chip.
-- $name = "%": The name of the runs; % stands for anything.
SELECT
    run_name,
    run_number,
    run_id,
    coalesce(recorded_at, ingested_at) AS run_at,
    n_samples,
    n_spikes,
    energy_per_inference_pj,
    is_fully_priced
FROM history_by_run
WHERE chip = $chip AND run_name LIKE $name
ORDER BY run_at, run_name, run_number
