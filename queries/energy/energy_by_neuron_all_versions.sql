-- Energy of each neuron, under every cost version: of the operations that can be told by neuron.
-- Grain: one row per (run, chip, cost version, layer, neuron) that spiked or costs energy.
CREATE OR REPLACE VIEW energy_by_neuron_all_versions (
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
    -- The chip.
    chip,
    -- The cost set.
    cost_version,
    -- Position of the layer in the network, from 0.
    layer_index,
    -- Name of the layer.
    layer,
    -- What a spike of the layer triggers: 'input', 'hidden' or 'readout'.
    role,
    -- Neuron within its layer, from 0.
    neuron,
    -- Recorded spikes. [count]
    n_spikes,
    -- Energy. [pJ]
    energy_pj
) AS
WITH fired AS (
    SELECT
        prices.run_key,
        prices.run_id,
        prices.run_name,
        prices.chip,
        prices.cost_version,
        prices.layer_index,
        prices.layer,
        prices.role,
        activity.neuron,
        activity.n_spikes,
        activity.n_spikes * (prices.spike_cost_pj + coalesce(own.fan_out * prices.synaptic_event_cost_pj, 0))
        + prices.neuron_cost_pj AS energy_pj
    FROM neuron_activity AS activity
    INNER JOIN _cost_by_layer AS prices
        ON activity.run_key = prices.run_key AND activity.layer_index = prices.layer_index
    LEFT JOIN fan_out AS own
        ON activity.run_key = own.run_key AND activity.layer_index = own.layer_index AND activity.neuron = own.neuron
),

everyone AS (
    SELECT
        run_key,
        run_id,
        run_name,
        chip,
        cost_version,
        layer_index,
        layer,
        role,
        unnest(range(n_neurons)) AS neuron,
        neuron_cost_pj
    FROM _cost_by_layer
    WHERE has_neuron_costs
),

silent AS (
    SELECT
        everyone.run_key,
        everyone.run_id,
        everyone.run_name,
        everyone.chip,
        everyone.cost_version,
        everyone.layer_index,
        everyone.layer,
        everyone.role,
        everyone.neuron,
        0 AS n_spikes,
        everyone.neuron_cost_pj AS energy_pj
    FROM everyone
    LEFT JOIN neuron_activity AS activity
        ON
            everyone.run_key = activity.run_key
            AND everyone.layer_index = activity.layer_index
            AND everyone.neuron = activity.neuron
    WHERE activity.neuron IS NULL
),

neurons AS (
    SELECT * FROM fired
    UNION ALL
    SELECT * FROM silent
)

SELECT
    neurons.run_id,
    neurons.run_name,
    neurons.chip,
    neurons.cost_version,
    CAST(neurons.layer_index AS BIGINT) AS layer_index,
    neurons.layer,
    neurons.role,
    CAST(neurons.neuron AS BIGINT) AS neuron,
    neurons.n_spikes,
    CAST(neurons.energy_pj + coalesce(counters.energy_pj, 0) AS DECIMAL(38, 6)) AS energy_pj
FROM neurons
LEFT JOIN _counter_energy_by_neuron AS counters
    ON
        neurons.run_key = counters.run_key
        AND neurons.layer_index = counters.layer_index
        AND neurons.neuron = counters.neuron
        AND neurons.chip = counters.chip
        AND neurons.cost_version = counters.cost_version
WHERE neurons.n_spikes > 0 OR neurons.energy_pj <> 0 OR counters.energy_pj <> 0;
