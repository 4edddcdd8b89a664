-- What one unit of an operation costs on a chip, under a version of the published numbers; append-only.
-- Grain: one row per (chip, cost version, operation).
CREATE TABLE costs (
    -- The chip.
    chip VARCHAR NOT NULL,
    -- The cost set.
    cost_version VARCHAR NOT NULL,
    -- What the hardware does.
    operation VARCHAR NOT NULL,
    -- What the operation is charged on: 'spike', 'neuron_spike', 'generated_spike', 'transmitted_spike', or a counter.
    driver VARCHAR NOT NULL,
    -- Energy of one unit of the driver, in pJ; empty where the source leaves it blank.
    energy_pj DECIMAL(18, 6),
    -- Lower end of the published range, in pJ.
    low_pj DECIMAL(18, 6),
    -- Upper end of the published range, in pJ.
    high_pj DECIMAL(18, 6),
    -- What the number includes: 'operation', 'marginal' and 'static' may be summed; 'aggregate' stands alone.
    scope VARCHAR NOT NULL,
    -- Process node that the number holds for, in nm.
    node_nm DECIMAL(9, 3),
    -- Supply voltage that the number holds for, in V.
    supply_v DECIMAL(9, 3),
    -- What to know of this one number.
    note VARCHAR NOT NULL,
    PRIMARY KEY (chip, cost_version, operation)
);
