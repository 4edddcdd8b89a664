-- Layers whose energy of what spikes trigger is not the sum over their stored spike events, under the cost version in
-- force.
-- Grain: one row per failing (run, chip, layer).
CREATE OR REPLACE VIEW spike_energy_sums_close (
    -- The run.
    run_id,
    -- The chip.
    chip,
    -- Name of the layer.
    layer,
    -- Energy of the layer, of the operations that spikes trigger. [pJ]
    layer_energy_pj,
    -- Sum over its spike events. [pJ]
    spike_energy_pj
) AS
WITH spikes AS (
    SELECT
        run_id,
        chip,
        layer_index,
        CAST(sum(energy_pj) AS DECIMAL(38, 6)) AS energy_pj
    FROM energy_by_spike
    GROUP BY run_id, chip, layer_index
),

layers AS (
    SELECT
        cells.run_id,
        cells.chip,
        cells.layer_index,
        cells.layer,
        CAST(sum(cells.energy_pj) AS DECIMAL(38, 6)) AS energy_pj
    FROM energy_by_layer_operation AS cells
    WHERE cells.grain = 'spike'
    GROUP BY cells.run_id, cells.chip, cells.layer_index, cells.layer
)

SELECT
    layers.run_id,
    layers.chip,
    layers.layer,
    coalesce(layers.energy_pj, 0) AS layer_energy_pj,
    coalesce(spikes.energy_pj, 0) AS spike_energy_pj
FROM layers
INNER JOIN runs ON layers.run_id = runs.run_id
LEFT JOIN spikes
    ON layers.run_id = spikes.run_id AND layers.chip = spikes.chip AND layers.layer_index = spikes.layer_index
WHERE runs.has_events AND coalesce(layers.energy_pj, 0) <> coalesce(spikes.energy_pj, 0);
