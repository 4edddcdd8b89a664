-- Energy of each step of a training, by layer, under every cost version: of its spikes and of its neurons in each
-- timestep. Where the neurons of a layer differ in their fan-out, its synaptic events are left out.
-- Grain: one row per (run, chip, cost version, layer, training step).
CREATE OR REPLACE VIEW energy_by_training_step_all_versions (
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
    -- Number of the training step, from 0.
    training_step,
    -- Epoch that the step belongs to, as the training counted; empty if nobody said.
    epoch,
    -- Samples. [count]
    n_samples,
    -- Recorded spikes. [count]
    n_spikes,
    -- Energy. [pJ]
    energy_pj
) AS
SELECT
    activity.run_id,
    activity.run_name,
    prices.chip,
    prices.cost_version,
    activity.layer_index,
    activity.layer,
    activity.role,
    activity.training_step,
    activity.epoch,
    activity.n_samples,
    activity.n_spikes,
    CAST(
        activity.n_spikes * prices.spike_cost_pj
        + activity.n_samples * CAST(prices.n_neurons * prices.neuron_cost_pj / runs.n_samples AS DECIMAL(38, 6))
        AS DECIMAL(38, 6)
    ) AS energy_pj
FROM activity_by_training_step AS activity
INNER JOIN runs ON activity.run_id = runs.run_id
INNER JOIN _cost_by_layer AS prices
    ON activity.run_id = prices.run_id AND activity.layer_index = prices.layer_index
WHERE prices.has_step_costs OR prices.has_neuron_costs;
