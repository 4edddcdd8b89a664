-- What one unit of an operation costs on a chip, under a version of the published numbers; append-only.
-- Grain: one row per (chip, cost version, operation).
CREATE TABLE costs (
    -- The chip.
    chip VARCHAR NOT NULL,
    -- The cost set.
    cost_version VARCHAR NOT NULL,
    -- What the hardware does.
    operation VARCHAR NOT NULL,
    -- What the operation is charged on (table drivers).
    driver VARCHAR NOT NULL,
    -- Energy of one unit of the driver, in pJ; empty where the source leaves it blank.
    energy_pj DECIMAL(24, 6),
    -- Lower end of the published range, in pJ.
    low_pj DECIMAL(24, 6),
    -- Upper end of the published range, in pJ.
    high_pj DECIMAL(24, 6),
    -- What the number includes: 'operation', 'marginal', 'static', 'aggregate', 'convention'; or, for reference only,
    -- 'all_in', 'system', 'power', 'dynamic' or 'as_reported' (docs/costs.md).
    scope VARCHAR NOT NULL,
    -- Whether the number is shown and cited only, and never summed.
    is_reference BOOLEAN NOT NULL,
    -- How the number came about: 'measured', 'simulated', 'vendor', 'literature', 'tutorial' or 'user'.
    status VARCHAR NOT NULL,
    -- Where the number was published.
    source VARCHAR NOT NULL,
    -- Digital object identifier of the source, where it has one.
    doi VARCHAR,
    -- How the number was read: in the source itself, or in whose quotation of it; empty if nobody said.
    confidence VARCHAR NOT NULL,
    -- Process node that the number holds for, in nm.
    node_nm DECIMAL(9, 3),
    -- Supply voltage that the number holds for, in V.
    supply_v DECIMAL(9, 3),
    -- What to know of this one number.
    note VARCHAR NOT NULL,
    PRIMARY KEY (chip, cost_version, operation)
);
