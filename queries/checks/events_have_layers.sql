-- Events that belong to no stored layer.
-- Grain: one row per failing (run key, layer).
CREATE OR REPLACE VIEW events_have_layers (
    -- Key of the run, which may be missing.
    run_key,
    -- Position of the layer.
    layer_index
) AS
WITH events AS (
    SELECT DISTINCT
        run_key,
        layer_index
    FROM spike_events
),

layers_of_runs AS (
    SELECT
        layers.run_key,
        layers.layer_index
    FROM layers
    INNER JOIN runs ON layers.run_key = runs.run_key
)

SELECT
    CAST(events.run_key AS BIGINT) AS run_key,
    CAST(events.layer_index AS BIGINT) AS layer_index
FROM events
LEFT JOIN layers_of_runs
    ON events.run_key = layers_of_runs.run_key AND events.layer_index = layers_of_runs.layer_index
WHERE layers_of_runs.run_key IS NULL;
