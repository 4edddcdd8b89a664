-- How many units of each driver one recorded spike, or one neuron in one timestep, stands for, by the role of its
-- layer: a spike does not trigger the same operations everywhere (docs/method.md, Roles).
-- Grain: one row per role.
CREATE OR REPLACE VIEW units_by_role (
    -- What a spike of the layer triggers: 'input', 'hidden' or 'readout'.
    role,
    -- Units of `spike`. [count]
    spike_units,
    -- Units of `neuron_spike`. [count]
    neuron_spike_units,
    -- Units of `generated_spike`. [count]
    generated_spike_units,
    -- Units of `transmitted_spike`. [count]
    transmitted_spike_units,
    -- Units of `neuron_step` of one neuron in one timestep of one sample. [count]
    neuron_step_units
) AS
SELECT
    known.role,
    CAST(known.spike_units AS BIGINT) AS spike_units,
    CAST(known.neuron_spike_units AS BIGINT) AS neuron_spike_units,
    CAST(known.generated_spike_units AS BIGINT) AS generated_spike_units,
    CAST(known.transmitted_spike_units AS BIGINT) AS transmitted_spike_units,
    CAST(known.neuron_step_units AS BIGINT) AS neuron_step_units
FROM (
    VALUES
    ('hidden', 1, 1, 1, 1, 1),
    ('readout', 1, 1, 0, 0, 1),
    ('input', 1, 0, 0, 1, 0)
) AS known (
    role, spike_units, neuron_spike_units, generated_spike_units, transmitted_spike_units, neuron_step_units
);
