-- How many counters a stored run has that the incoming ones lack, or the other way round.
SELECT count(*) AS n_different
FROM incoming_counters AS incoming
FULL JOIN (
    SELECT
        layer_index,
        neuron,
        driver,
        driver_count
    FROM counters
    WHERE run_key = $run_key
) AS stored
    ON
        incoming.driver = stored.driver
        AND incoming.driver_count = stored.driver_count
        AND incoming.layer_index IS NOT DISTINCT FROM stored.layer_index
        AND incoming.neuron IS NOT DISTINCT FROM stored.neuron
WHERE incoming.driver IS NULL OR stored.driver IS NULL;
