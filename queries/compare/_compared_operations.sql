-- The operations of two cost versions of a chip beside two runs, and which of them take part in a comparison:
-- those whose driver both runs count, and whose energy no version leaves blank.
-- Grain: one row per (run a, run b, chip, cost version a, cost version b, operation, driver) of either version.
CREATE OR REPLACE VIEW _compared_operations (
    -- The run before.
    run_id_a,
    -- The run after.
    run_id_b,
    -- The narrow key of the run before.
    run_key_a,
    -- The narrow key of the run after.
    run_key_b,
    -- The chip.
    chip,
    -- The cost set that prices the run before.
    cost_version_a,
    -- The cost set that prices the run after.
    cost_version_b,
    -- What the hardware does.
    operation,
    -- What the operation is charged on.
    driver,
    -- Energy of one unit in the cost set before; 0 where it has no such operation. [pJ]
    cost_a_pj,
    -- Energy of one unit in the cost set after; 0 where it has no such operation. [pJ]
    cost_b_pj,
    -- The same before as it is given; empty where it is not. [pJ]
    given_cost_a_pj,
    -- The same after as it is given; empty where it is not. [pJ]
    given_cost_b_pj,
    -- Why the operation takes no part; empty if it does.
    left_out
) AS
WITH sides AS (
    SELECT
        priced.chip,
        CASE WHEN sides.is_a THEN priced.cost_version ELSE other.cost_version END AS cost_version_a,
        CASE WHEN sides.is_a THEN other.cost_version ELSE priced.cost_version END AS cost_version_b,
        priced.operation,
        priced.driver,
        priced.energy_pj,
        sides.is_a
    FROM costs AS priced
    INNER JOIN cost_versions AS other ON priced.chip = other.chip
    CROSS JOIN (VALUES (TRUE), (FALSE)) AS sides (is_a)
    WHERE NOT priced.is_reference
),

books AS (
    SELECT
        chip,
        cost_version_a,
        cost_version_b,
        operation,
        driver,
        bool_or(is_a) AS is_in_a,
        bool_or(NOT is_a) AS is_in_b,
        max(CASE WHEN is_a THEN energy_pj END) AS cost_a_pj,
        max(CASE WHEN NOT is_a THEN energy_pj END) AS cost_b_pj
    FROM sides
    GROUP BY chip, cost_version_a, cost_version_b, operation, driver
),

counted AS (
    SELECT
        runs.run_id,
        counts.driver,
        max(counts.missing) AS missing
    FROM driver_counts AS counts
    INNER JOIN runs ON counts.run_key = runs.run_key
    GROUP BY runs.run_id, counts.driver
)

SELECT
    a.run_id AS run_id_a,
    b.run_id AS run_id_b,
    a.run_key AS run_key_a,
    b.run_key AS run_key_b,
    books.chip,
    books.cost_version_a,
    books.cost_version_b,
    books.operation,
    books.driver,
    coalesce(books.cost_a_pj, 0) AS cost_a_pj,
    coalesce(books.cost_b_pj, 0) AS cost_b_pj,
    books.cost_a_pj AS given_cost_a_pj,
    books.cost_b_pj AS given_cost_b_pj,
    CASE
        WHEN books.is_in_a AND books.cost_a_pj IS NULL THEN books.cost_version_a || ' gives no energy'
        WHEN books.is_in_b AND books.cost_b_pj IS NULL THEN books.cost_version_b || ' gives no energy'
        WHEN counted_a.driver IS NULL THEN a.run_name || ' brings no counter ' || books.driver
        WHEN counted_b.driver IS NULL THEN b.run_name || ' brings no counter ' || books.driver
        WHEN counted_a.missing IS NOT NULL THEN a.run_name || ': ' || counted_a.missing
        WHEN counted_b.missing IS NOT NULL THEN b.run_name || ': ' || counted_b.missing
    END AS left_out
FROM runs AS a
CROSS JOIN runs AS b
CROSS JOIN books
LEFT JOIN counted AS counted_a ON a.run_id = counted_a.run_id AND books.driver = counted_a.driver
LEFT JOIN counted AS counted_b ON b.run_id = counted_b.run_id AND books.driver = counted_b.driver;
