-- How many units of each driver a spike of a layer stands for, whether the layer spikes or not.
-- Grain: one row per (run, layer, driver that spikes drive).
CREATE OR REPLACE VIEW _units_by_layer (
    -- The run.
    run_id,
    -- Position of the layer in the network, from 0.
    layer_index,
    -- What an operation is charged on.
    driver,
    -- Units for each spike; empty where neurons differ, or nobody said. [count]
    units_per_spike,
    -- Whether the neurons of the layer differ in their fan-out.
    has_own_fan_out
) AS
WITH own AS (
    SELECT
        run_key,
        layer_index
    FROM fan_out
    GROUP BY run_key, layer_index
)

SELECT
    runs.run_id,
    layers.layer_index,
    drivers.driver,
    CASE drivers.driver
        WHEN 'spike' THEN units.spike_units
        WHEN 'neuron_spike' THEN units.neuron_spike_units
        WHEN 'generated_spike' THEN units.generated_spike_units
        WHEN 'transmitted_spike' THEN units.transmitted_spike_units
        WHEN 'synop_fanin' THEN CASE WHEN units.neuron_spike_units = 0 THEN 0 ELSE layers.n_inputs END
        WHEN 'synaptic_event'
            THEN
                CASE
                    WHEN layers.fan_out IS NOT NULL OR own.run_key IS NOT NULL THEN layers.fan_out
                    WHEN units.generated_spike_units = 0 AND units.transmitted_spike_units = 0 THEN 0
                END
    END AS units_per_spike,
    drivers.driver = 'synaptic_event' AND own.run_key IS NOT NULL AS has_own_fan_out
FROM layers
INNER JOIN runs ON layers.run_key = runs.run_key
INNER JOIN units_by_role AS units ON layers.role = units.role
CROSS JOIN (
    VALUES
    ('spike'), ('neuron_spike'), ('generated_spike'), ('transmitted_spike'), ('synaptic_event'), ('synop_fanin')
) AS drivers (driver)
LEFT JOIN own ON layers.run_key = own.run_key AND layers.layer_index = own.layer_index;
