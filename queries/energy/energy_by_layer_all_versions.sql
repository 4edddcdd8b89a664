-- Energy of each layer of a run, under every cost version.
-- Grain: one row per (run, chip, cost version, layer); silent layers included.
CREATE OR REPLACE VIEW energy_by_layer_all_versions (
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
    -- The chip.
    chip,
    -- The cost set.
    cost_version,
    -- Position of the layer in the network, from 0; empty for what is charged once for the whole run.
    layer_index,
    -- Name of the layer; empty for what is charged once for the whole run.
    layer,
    -- What a spike of the layer triggers: 'input', 'hidden' or 'readout'.
    role,
    -- Neurons, silent ones included. [count]
    n_neurons,
    -- Neurons with at least one spike. [count]
    n_active_neurons,
    -- Recorded spikes. [count]
    n_spikes,
    -- Energy, of the priced operations; empty where none is priced. [pJ]
    energy_pj,
    -- Mean energy of a recorded spike; empty where none was recorded. [pJ]
    energy_per_spike_pj,
    -- Operations that the version prices. [count]
    n_operations,
    -- Operations of them that could be priced here. [count]
    n_priced,
    -- Priced operations whose cost has a published range. [count]
    n_ranged,
    -- Energy at the lower ends of the published ranges; empty where no range is published. [pJ]
    energy_low_pj,
    -- Energy at the upper ends of the published ranges; empty where no range is published. [pJ]
    energy_high_pj
) AS
-- Straight from the counts: _energy_by_layer_operation also says what is unpriced and why, which no layer needs, and to
-- plan that takes a third of a report. Grouped by run_id, for a filter on it then reaches the counts.
WITH priced AS (
    SELECT
        runs.run_id,
        prices.chip,
        prices.cost_version,
        coalesce(counts.layer_index, -1) AS place_index,
        CAST(sum(CAST(counts.driver_count * prices.cost_pj AS DECIMAL(38, 6))) AS DECIMAL(38, 6)) AS energy_pj,
        CAST(count(counts.driver_count) AS BIGINT) AS n_priced,
        CAST(count(CASE WHEN prices.is_ranged THEN counts.driver_count END) AS BIGINT) AS n_ranged,
        CAST(sum(CAST(counts.driver_count * prices.least_cost_pj AS DECIMAL(38, 6))) AS DECIMAL(38, 6))
            AS energy_low_pj,
        CAST(sum(CAST(counts.driver_count * prices.most_cost_pj AS DECIMAL(38, 6))) AS DECIMAL(38, 6))
            AS energy_high_pj
    FROM driver_counts AS counts
    INNER JOIN _summed_costs AS prices ON counts.driver = prices.driver
    INNER JOIN runs ON counts.run_key = runs.run_key
    WHERE counts.missing IS NULL AND prices.cost_pj IS NOT NULL
    GROUP BY runs.run_id, prices.chip, prices.cost_version, coalesce(counts.layer_index, -1)
),

versions AS (
    SELECT
        chip,
        cost_version,
        CAST(count(*) AS BIGINT) AS n_operations
    FROM _summed_costs
    GROUP BY chip, cost_version
),

places AS (
    SELECT
        runs.run_id,
        runs.run_name,
        layers.layer_index AS place_index,
        CAST(layers.layer_index AS BIGINT) AS layer_index,
        layers.layer,
        layers.role,
        layers.n_neurons,
        layers.n_active_neurons,
        layers.n_spikes
    FROM layers
    INNER JOIN runs ON layers.run_key = runs.run_key
    UNION ALL
    SELECT
        run_id,
        run_name,
        -1 AS place_index,
        NULL AS layer_index,
        NULL AS layer,
        NULL AS layer_role,
        NULL AS n_neurons,
        NULL AS n_active_neurons,
        NULL AS n_spikes
    FROM runs
)

SELECT
    places.run_id,
    places.run_name,
    versions.chip,
    versions.cost_version,
    places.layer_index,
    places.layer,
    places.role,
    places.n_neurons,
    places.n_active_neurons,
    places.n_spikes,
    priced.energy_pj,
    CAST(priced.energy_pj AS DOUBLE) / nullif(places.n_spikes, 0) AS energy_per_spike_pj,
    versions.n_operations,
    coalesce(priced.n_priced, 0) AS n_priced,
    coalesce(priced.n_ranged, 0) AS n_ranged,
    CASE WHEN priced.n_ranged > 0 THEN priced.energy_low_pj END AS energy_low_pj,
    CASE WHEN priced.n_ranged > 0 THEN priced.energy_high_pj END AS energy_high_pj
FROM places
CROSS JOIN versions
LEFT JOIN priced
    ON
        places.run_id = priced.run_id
        AND versions.chip = priced.chip
        AND versions.cost_version = priced.cost_version
        AND places.place_index = priced.place_index
WHERE places.layer_index IS NOT NULL OR priced.n_priced > 0;
