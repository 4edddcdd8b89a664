-- What one spike of a layer costs, over all operations that are charged on spikes.
-- Grain: one row per (chip, cost version, role).
CREATE OR REPLACE VIEW _cost_by_role (
    -- The chip.
    chip,
    -- The cost set.
    cost_version,
    -- What a spike of the layer triggers: 'input', 'hidden' or 'readout'.
    role,
    -- Energy of one spike. [pJ]
    cost_pj
) AS
WITH charged AS (
    SELECT
        costs.chip,
        costs.cost_version,
        units.role,
        costs.energy_pj,
        CASE costs.driver
            WHEN 'spike' THEN units.spike_units
            WHEN 'neuron_spike' THEN units.neuron_spike_units
            WHEN 'generated_spike' THEN units.generated_spike_units
            WHEN 'transmitted_spike' THEN units.transmitted_spike_units
        END AS units_per_spike
    FROM costs
    CROSS JOIN units_by_role AS units
)

SELECT
    chip,
    cost_version,
    role,
    CAST(sum(units_per_spike * energy_pj) AS DECIMAL(18, 6)) AS cost_pj
FROM charged
WHERE units_per_spike IS NOT NULL
GROUP BY chip, cost_version, role;
