-- Counters that are negative, of a run or neuron that is not there, or counted twice or in two ways.
-- Grain: one row per failing (run key, driver, layer, neuron, problem).
CREATE OR REPLACE VIEW counters_fit_their_runs (
    -- Key of the run.
    run_key,
    -- What was counted.
    driver,
    -- Position of the layer in the network, from 0; empty for a count of the whole run.
    layer_index,
    -- Neuron within its layer, from 0; empty for a count of the whole layer or run.
    neuron,
    -- What is wrong with it.
    problem
) AS
WITH described AS (
    SELECT
        counters.run_key,
        counters.driver,
        counters.layer_index,
        counters.neuron,
        counters.driver_count,
        layers.n_neurons,
        runs.run_key IS NOT NULL AS has_run,
        CASE WHEN counters.layer_index IS NULL THEN 0 WHEN counters.neuron IS NULL THEN 1 ELSE 2 END AS form
    FROM counters
    LEFT JOIN runs ON counters.run_key = runs.run_key
    LEFT JOIN layers ON counters.run_key = layers.run_key AND counters.layer_index = layers.layer_index
),

-- A layer without neurons has a count for itself where the others have one for each neuron.
forms AS (
    SELECT
        run_key,
        driver,
        min(form) <> max(form) AS is_mixed
    FROM described
    WHERE coalesce(n_neurons, 1) > 0
    GROUP BY run_key, driver
),

problems AS (
    SELECT
        run_key,
        driver,
        layer_index,
        neuron,
        CASE
            WHEN NOT has_run THEN 'its run is not there'
            WHEN driver_count < 0 THEN 'negative'
            WHEN neuron < 0 OR neuron >= n_neurons THEN 'its layer has no such neuron'
            WHEN neuron IS NOT NULL AND layer_index IS NULL THEN 'its neuron has no layer'
        END AS problem
    FROM described
    UNION ALL
    SELECT
        run_key,
        driver,
        layer_index,
        neuron,
        'counted twice' AS problem
    FROM counters
    GROUP BY run_key, driver, layer_index, neuron
    HAVING count(*) > 1
    UNION ALL
    SELECT
        run_key,
        driver,
        NULL AS layer_index,
        NULL AS neuron,
        'counted in two ways' AS problem
    FROM forms
    WHERE is_mixed
)

SELECT
    CAST(run_key AS BIGINT) AS run_key,
    driver,
    CAST(layer_index AS BIGINT) AS layer_index,
    CAST(neuron AS BIGINT) AS neuron,
    problem
FROM problems
WHERE problem IS NOT NULL;
