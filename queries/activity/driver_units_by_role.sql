-- How many units of each driver one recorded spike stands for, by the role of its layer:
-- a spike does not trigger the same operations everywhere (docs/method.md, Roles).
-- Grain: one row per (role, driver).
CREATE OR REPLACE VIEW driver_units_by_role (
    -- What a spike of the layer triggers: 'input', 'hidden' or 'readout'.
    role,
    -- What the operation is charged on.
    driver,
    -- Units of the driver that one spike stands for. [count]
    units_per_spike
) AS
SELECT
    role_units.role,
    role_units.driver,
    CAST(role_units.units_per_spike AS BIGINT) AS units_per_spike
FROM (
    VALUES
    ('hidden', 'spike', 1),
    ('hidden', 'neuron_spike', 1),
    ('hidden', 'generated_spike', 1),
    ('hidden', 'transmitted_spike', 1),
    ('readout', 'spike', 1),
    ('readout', 'neuron_spike', 1),
    ('readout', 'generated_spike', 0),
    ('readout', 'transmitted_spike', 0),
    ('input', 'spike', 1),
    ('input', 'neuron_spike', 0),
    ('input', 'generated_spike', 0),
    ('input', 'transmitted_spike', 1)
) AS role_units (role, driver, units_per_spike);
