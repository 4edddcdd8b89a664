-- What one unit of each operation costs on each chip, in every version of the published numbers.
-- Grain: one row per (chip, cost version, operation).
CREATE OR REPLACE VIEW mart.costs (
    -- The chip.
    chip,
    -- The cost set.
    cost_version,
    -- Whether the version is in force for the chip today.
    is_in_force,
    -- What the hardware does.
    operation,
    -- What an operation is charged on.
    driver,
    -- Energy of one unit of the driver; empty where the source leaves it blank. [pJ]
    cost_pj,
    -- Lower end of the published range; empty where none is published. [pJ]
    cost_low_pj,
    -- Upper end of the published range; empty where none is published. [pJ]
    cost_high_pj,
    -- Whether the number is shown and cited only, and never summed.
    is_reference,
    -- What the number includes: 'operation', 'marginal', 'static' and others (docs/costs.md).
    scope,
    -- How the number came about: 'measured', 'simulated', 'vendor', 'literature', 'tutorial' or 'user'.
    status,
    -- Where the number was published.
    source,
    -- Digital object identifier of the source, where it has one.
    doi,
    -- What to know of this one number.
    note
) AS
SELECT
    published.chip,
    published.cost_version,
    catalogue.is_in_force,
    published.operation,
    published.driver,
    published.energy_pj AS cost_pj,
    published.low_pj AS cost_low_pj,
    published.high_pj AS cost_high_pj,
    published.is_reference,
    published.scope,
    published.status,
    published.source,
    published.doi,
    published.note
FROM main.costs AS published
INNER JOIN cost_catalogue AS catalogue
    ON published.chip = catalogue.chip AND published.cost_version = catalogue.cost_version;
