-- Sums of activity that belong to no stored layer, and layers and tags that belong to no stored run.
-- Grain: one row per failing (table, run key, layer).
CREATE OR REPLACE VIEW activity_has_layers (
    -- Table that holds the orphans.
    table_name,
    -- Key of the missing run or layer's run.
    run_key,
    -- Position of the layer; empty for tags.
    layer_index
) AS
WITH activity AS (
    SELECT DISTINCT
        'neuron_activity' AS table_name,
        run_key,
        layer_index
    FROM neuron_activity
    UNION ALL
    SELECT DISTINCT
        'step_activity' AS table_name,
        run_key,
        layer_index
    FROM step_activity
    UNION ALL
    SELECT DISTINCT
        'fan_out' AS table_name,
        run_key,
        layer_index
    FROM fan_out
    UNION ALL
    SELECT DISTINCT
        'counters' AS table_name,
        run_key,
        layer_index
    FROM counters
    WHERE layer_index IS NOT NULL
    UNION ALL
    SELECT DISTINCT
        'training_steps' AS table_name,
        run_key,
        layer_index
    FROM training_steps
),

layers_of_runs AS (
    SELECT
        layers.run_key,
        layers.layer_index
    FROM layers
    INNER JOIN runs ON layers.run_key = runs.run_key
)

SELECT
    activity.table_name,
    CAST(activity.run_key AS BIGINT) AS run_key,
    CAST(activity.layer_index AS BIGINT) AS layer_index
FROM activity
LEFT JOIN layers_of_runs
    ON activity.run_key = layers_of_runs.run_key AND activity.layer_index = layers_of_runs.layer_index
WHERE layers_of_runs.run_key IS NULL
UNION ALL
SELECT
    'layers' AS table_name,
    CAST(layers.run_key AS BIGINT) AS run_key,
    CAST(layers.layer_index AS BIGINT) AS layer_index
FROM layers
LEFT JOIN runs ON layers.run_key = runs.run_key
WHERE runs.run_key IS NULL
UNION ALL
SELECT DISTINCT
    'run_tags' AS table_name,
    CAST(run_tags.run_key AS BIGINT) AS run_key,
    CAST(NULL AS BIGINT) AS layer_index
FROM run_tags
LEFT JOIN runs ON run_tags.run_key = runs.run_key
WHERE runs.run_key IS NULL;
