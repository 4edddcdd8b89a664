-- Layers whose role is none of those that costs apply to: their energy would be missing everywhere.
-- Grain: one row per failing (run, layer).
CREATE OR REPLACE VIEW layers_have_known_roles (
    -- The run.
    run_id,
    -- Name of the layer.
    layer,
    -- Its role.
    role
) AS
SELECT
    runs.run_id,
    layers.layer,
    layers.role
FROM layers
INNER JOIN runs ON layers.run_key = runs.run_key
LEFT JOIN units_by_role AS units ON layers.role = units.role
WHERE units.role IS NULL;
