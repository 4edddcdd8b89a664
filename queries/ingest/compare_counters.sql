-- How many counters a stored run has that the incoming ones lack, or the other way round.
WITH stored AS (
    SELECT
        layer_index,
        neuron,
        driver,
        driver_count
    FROM counters
    WHERE run_key = $run_key
)

SELECT count(*) AS n_different
FROM incoming_counters AS given
FULL JOIN stored
    ON
        given.driver = stored.driver
        AND given.driver_count = stored.driver_count
        AND given.layer_index IS NOT DISTINCT FROM stored.layer_index
        AND given.neuron IS NOT DISTINCT FROM stored.neuron
WHERE given.driver IS NULL OR stored.driver IS NULL;
