-- The runs that cost more than the run of their name before them, by the share that they cost more.
-- $chip: The chip.
-- $share = 0.05: The least share, where 0.05 stands for five per cent.
SELECT
    run_name,
    run_number,
    run_id,
    coalesce(recorded_at, ingested_at) AS run_at,
    previous_run_id,
    previous_energy_pj,
    energy_pj,
    change_pj,
    change_share,
    has_same_extent
FROM history_by_run
WHERE chip = $chip AND change_share >= $share AND is_fully_priced
ORDER BY change_share DESC, run_name ASC, run_number ASC
