-- Energy of the counters that single neurons bring with them.
-- Grain: one row per (run, layer, neuron, chip, cost version) with such a counter.
CREATE OR REPLACE VIEW _counter_energy_by_neuron (
    -- The run's narrow key.
    run_key,
    -- Position of the layer in the network, from 0.
    layer_index,
    -- Neuron within its layer, from 0.
    neuron,
    -- The chip.
    chip,
    -- The cost set.
    cost_version,
    -- Energy. [pJ]
    energy_pj
) AS
SELECT
    counters.run_key,
    counters.layer_index,
    counters.neuron,
    prices.chip,
    prices.cost_version,
    CAST(sum(counters.driver_count * prices.cost_pj) AS DECIMAL(38, 6)) AS energy_pj
FROM counters
INNER JOIN _summed_costs AS prices ON counters.driver = prices.driver
WHERE counters.neuron IS NOT NULL
GROUP BY counters.run_key, counters.layer_index, counters.neuron, prices.chip, prices.cost_version;
