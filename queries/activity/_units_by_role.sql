-- The units of `driver_units_by_role` side by side, to multiply a spike count with.
-- Grain: one row per role.
CREATE OR REPLACE VIEW _units_by_role (
    -- What a spike of the layer triggers: 'input', 'hidden' or 'readout'.
    role,
    -- Units of spike that one spike stands for. [count]
    spike,
    -- Units of neuron_spike that one spike stands for. [count]
    neuron_spike,
    -- Units of generated_spike that one spike stands for. [count]
    generated_spike,
    -- Units of transmitted_spike that one spike stands for. [count]
    transmitted_spike
) AS
SELECT
    role,
    CAST(sum(CASE WHEN driver = 'spike' THEN units_per_spike END) AS BIGINT) AS spike,
    CAST(sum(CASE WHEN driver = 'neuron_spike' THEN units_per_spike END) AS BIGINT) AS neuron_spike,
    CAST(sum(CASE WHEN driver = 'generated_spike' THEN units_per_spike END) AS BIGINT) AS generated_spike,
    CAST(sum(CASE WHEN driver = 'transmitted_spike' THEN units_per_spike END) AS BIGINT) AS transmitted_spike
FROM driver_units_by_role
GROUP BY role;
