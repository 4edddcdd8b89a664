-- How many counters a run of another store has that a stored one lacks, or the other way round.
WITH theirs AS (
    SELECT
        layer_index,
        neuron,
        driver,
        driver_count
    FROM merged.counters
    WHERE run_key = $their_key
),

ours AS (
    SELECT
        layer_index,
        neuron,
        driver,
        driver_count
    FROM counters
    WHERE run_key = $our_key
),

apart AS (
    SELECT * FROM theirs
    EXCEPT ALL
    SELECT * FROM ours
),

apart_here AS (
    SELECT * FROM ours
    EXCEPT ALL
    SELECT * FROM theirs
)

SELECT (SELECT count(*) FROM apart) + (SELECT count(*) FROM apart_here) AS n_different;
