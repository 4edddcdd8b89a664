-- What one spike, one synaptic event and one neuron of a layer cost, over all operations that are priced in the run.
-- Grain: one row per (run, layer, chip, cost version).
CREATE OR REPLACE VIEW _cost_by_layer (
    -- The run's narrow key.
    run_key,
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
    -- Position of the layer in the network, from 0.
    layer_index,
    -- Name of the layer.
    layer,
    -- What a spike of the layer triggers: 'input', 'hidden' or 'readout'.
    role,
    -- Neurons, silent ones included.
    n_neurons,
    -- The chip.
    chip,
    -- The cost set.
    cost_version,
    -- Energy of one spike, without its synaptic events where neurons differ in their fan-out. [pJ]
    spike_cost_pj,
    -- Energy of one synaptic event where neurons differ in their fan-out, else 0. [pJ]
    synaptic_event_cost_pj,
    -- Energy of one neuron over the whole run, whatever it does. [pJ]
    neuron_cost_pj,
    -- Whether a neuron costs energy without a spike, by its steps or by counters of its own.
    has_neuron_costs,
    -- Whether single spikes cost energy.
    has_spike_costs,
    -- Whether that can be told by timestep, because every spike of the layer costs the same.
    has_step_costs
) AS
SELECT
    runs.run_key,
    runs.run_id,
    runs.run_name,
    layers.layer_index,
    layers.layer,
    layers.role,
    layers.n_neurons,
    prices.chip,
    prices.cost_version,
    CAST(coalesce(sum(counts.units_per_spike * prices.cost_pj), 0) AS DECIMAL(38, 6)) AS spike_cost_pj,
    CAST(
        coalesce(
            sum(
                CASE WHEN counts.driver = 'synaptic_event' AND counts.units_per_spike IS NULL THEN prices.cost_pj END
            ), 0
        ) AS DECIMAL(38, 6)
    ) AS synaptic_event_cost_pj,
    CAST(coalesce(sum(counts.units_per_neuron * prices.cost_pj), 0) AS DECIMAL(38, 6)) AS neuron_cost_pj,
    coalesce(bool_or(counts.grain = 'neuron' AND prices.cost_pj <> 0 AND counts.driver_count > 0), FALSE)
        AS has_neuron_costs,
    coalesce(bool_or(counts.grain = 'spike'), FALSE) AS has_spike_costs,
    coalesce(bool_or(counts.units_per_spike IS NOT NULL), FALSE) AS has_step_costs
FROM driver_counts AS counts
INNER JOIN _summed_costs AS prices ON counts.driver = prices.driver
INNER JOIN runs ON counts.run_key = runs.run_key
INNER JOIN layers ON counts.run_key = layers.run_key AND counts.layer_index = layers.layer_index
WHERE counts.missing IS NULL AND counts.grain IN ('spike', 'neuron') AND prices.cost_pj IS NOT NULL
GROUP BY
    runs.run_key,
    runs.run_id,
    runs.run_name,
    layers.layer_index,
    layers.layer,
    layers.role,
    layers.n_neurons,
    prices.chip,
    prices.cost_version;
