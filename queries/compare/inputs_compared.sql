-- Whether two runs were shown the same input: the spikes that entered them, by neuron and by timestep.
-- Grain: one row per (run a, run b).
CREATE OR REPLACE VIEW inputs_compared (
    -- The run before.
    run_id_a,
    -- The run after.
    run_id_b,
    -- Input spikes of the run before; empty if it declares no input layer. [count]
    input_spikes_a,
    -- Input spikes of the run after; empty if it declares no input layer. [count]
    input_spikes_b,
    -- Whether every input neuron and every timestep counts the same spikes; empty if a run declares no input layer.
    is_same_input
) AS
WITH inputs AS (
    SELECT
        runs.run_id,
        runs.run_key,
        layers.layer_index,
        -- Input layers pair up by their order among themselves: a hidden layer before them is no other input.
        row_number() OVER (PARTITION BY runs.run_key ORDER BY layers.layer_index) AS input_rank,
        layers.n_spikes
    FROM layers
    INNER JOIN runs ON layers.run_key = runs.run_key
    WHERE layers.role = 'input'
),

totals AS (
    SELECT
        run_id,
        CAST(sum(n_spikes) AS BIGINT) AS input_spikes
    FROM inputs
    GROUP BY run_id
),

counted AS (
    SELECT
        inputs.run_id,
        inputs.input_rank,
        'neuron' AS kind,
        activity.neuron AS place,
        activity.n_spikes
    FROM neuron_activity AS activity
    INNER JOIN inputs ON activity.run_key = inputs.run_key AND activity.layer_index = inputs.layer_index
    UNION ALL
    SELECT
        inputs.run_id,
        inputs.input_rank,
        'step' AS kind,
        activity.timestep AS place,
        activity.n_spikes
    FROM step_activity AS activity
    INNER JOIN inputs ON activity.run_key = inputs.run_key AND activity.layer_index = inputs.layer_index
),

sides AS (
    SELECT
        a.run_id AS run_id_a,
        b.run_id AS run_id_b,
        a.input_rank,
        a.kind,
        a.place,
        a.n_spikes AS surplus
    FROM counted AS a
    CROSS JOIN runs AS b
    UNION ALL
    SELECT
        a.run_id AS run_id_a,
        b.run_id AS run_id_b,
        b.input_rank,
        b.kind,
        b.place,
        -b.n_spikes AS surplus
    FROM counted AS b
    CROSS JOIN runs AS a
),

apart AS (
    SELECT
        run_id_a,
        run_id_b
    FROM (
        SELECT
            run_id_a,
            run_id_b
        FROM sides
        GROUP BY run_id_a, run_id_b, input_rank, kind, place
        HAVING sum(surplus) <> 0
    ) AS places
    GROUP BY run_id_a, run_id_b
)

SELECT
    a.run_id AS run_id_a,
    b.run_id AS run_id_b,
    totals_a.input_spikes AS input_spikes_a,
    totals_b.input_spikes AS input_spikes_b,
    CASE
        WHEN totals_a.input_spikes IS NOT NULL AND totals_b.input_spikes IS NOT NULL THEN apart.run_id_a IS NULL
    END AS is_same_input
FROM runs AS a
CROSS JOIN runs AS b
LEFT JOIN totals AS totals_a ON a.run_id = totals_a.run_id
LEFT JOIN totals AS totals_b ON b.run_id = totals_b.run_id
LEFT JOIN apart ON a.run_id = apart.run_id_a AND b.run_id = apart.run_id_b;
