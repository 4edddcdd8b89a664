-- The chips that have costs, each with its cost version in force: what it is, and where it is from.
-- Grain: one row per chip that has a cost version in force.
CREATE OR REPLACE VIEW mart.chips (
    -- The chip.
    chip,
    -- Full name of the chip.
    title,
    -- The cost set.
    cost_version,
    -- First day on which the cost version is in force (UTC).
    in_force_from,
    -- How the numbers came about: 'measured', 'simulated', 'vendor', 'literature', 'tutorial' or 'user'.
    status,
    -- Which figures may be compared with it: those of the same group; 'reference only' where it cannot price.
    scope_group,
    -- Whether it should no longer be used: it still prices, with a warning.
    is_withdrawn,
    -- Operations that it prices. [count]
    n_operations,
    -- What the version is, in a few words.
    label,
    -- Where the numbers were published.
    source,
    -- Digital object identifier of the source, where it has one.
    doi,
    -- What to know before trusting the numbers.
    note
) AS
SELECT
    catalogue.chip,
    chips.title,
    catalogue.cost_version,
    in_force.in_force_from,
    catalogue.status,
    catalogue.scope_group,
    catalogue.is_withdrawn,
    catalogue.n_operations,
    catalogue.label,
    catalogue.source,
    catalogue.doi,
    catalogue.note
FROM cost_catalogue AS catalogue
INNER JOIN main.chips AS chips ON catalogue.chip = chips.chip
INNER JOIN cost_version_in_force AS in_force
    ON catalogue.chip = in_force.chip AND catalogue.cost_version = in_force.cost_version;
