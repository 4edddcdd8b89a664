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
SELECT
    costs.chip,
    costs.cost_version,
    units.role,
    CAST(sum(units.units_per_spike * costs.energy_pj) AS DECIMAL(18, 6)) AS cost_pj
FROM costs
INNER JOIN driver_units_by_role AS units ON costs.driver = units.driver
GROUP BY costs.chip, costs.cost_version, units.role;
