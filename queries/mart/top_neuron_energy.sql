-- The neurons that cost most in each run on each chip, under the cost version in force, of the operations that can be
-- told by neuron. Filter on the chip.
-- Grain: one row per (run, chip, layer, neuron) of the 20 dearest of a run on a chip; of equals, the first.
CREATE OR REPLACE VIEW mart.top_neuron_energy (
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
    -- Place of the run among those of its name, from 1: by when it ran, or came in where that is unknown.
    run_number,
    -- Whether it is the newest of its name.
    is_latest,
    -- Day on which the run ran, or came into the store where that is unknown (UTC).
    run_date,
    -- When the run ran, or came into the store where that is unknown (UTC).
    run_at,
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
    -- Place among the neurons of the run on the chip, from 1 for the dearest.
    neuron_rank,
    -- Recorded spikes. [count]
    n_spikes,
    -- Energy. [pJ]
    energy_pj
) AS
WITH ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY run_id, chip ORDER BY energy_pj DESC, layer_index ASC, neuron ASC
        ) AS neuron_rank
    FROM mart.neuron_energy
)

SELECT
    run_id,
    run_name,
    run_number,
    is_latest,
    run_date,
    run_at,
    chip,
    cost_version,
    layer_index,
    layer,
    role,
    neuron,
    neuron_rank,
    n_spikes,
    energy_pj
FROM ranked
WHERE neuron_rank <= 20;
