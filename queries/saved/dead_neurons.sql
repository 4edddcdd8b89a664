-- How many neurons of each layer fired in no run of a name: what could be pruned.
-- $name: The name of the runs.
WITH sizes AS (
    SELECT
        layer,
        count(DISTINCT run_id) AS n_runs,
        max(n_neurons) AS n_neurons
    FROM activity_by_layer
    WHERE run_name = $name
    GROUP BY layer
),

fired AS (
    SELECT
        layer,
        count(DISTINCT neuron) AS n_neurons
    FROM activity_by_neuron
    WHERE run_name = $name
    GROUP BY layer
)

SELECT
    sizes.layer,
    sizes.n_runs,
    sizes.n_neurons,
    sizes.n_neurons - coalesce(fired.n_neurons, 0) AS n_dead_neurons,
    CAST(sizes.n_neurons - coalesce(fired.n_neurons, 0) AS DOUBLE) / nullif(sizes.n_neurons, 0) AS dead_share
FROM sizes
LEFT JOIN fired ON sizes.layer = fired.layer
ORDER BY n_dead_neurons DESC, sizes.layer ASC
