-- What changed in each operation from one run to another under any two cost versions; filter on both runs.
-- Grain: one row per (run a, run b, chip, cost version a, cost version b, operation, driver) of either version.
CREATE OR REPLACE VIEW comparison_by_operation_all_versions (
    -- The run before.
    run_id_a,
    -- The run after.
    run_id_b,
    -- Name of the run before.
    run_name_a,
    -- Name of the run after.
    run_name_b,
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
    -- Units of the driver in the run before; empty where it cannot be counted. [count]
    driver_count_a,
    -- Units of the driver in the run after; empty where it cannot be counted. [count]
    driver_count_b,
    -- Energy of one unit in the cost set before; empty where it has no such operation, or leaves it blank. [pJ]
    cost_a_pj,
    -- Energy of one unit in the cost set after; empty where it has no such operation, or leaves it blank. [pJ]
    cost_b_pj,
    -- Energy in the run before. [pJ]
    energy_a_pj,
    -- Energy in the run after. [pJ]
    energy_b_pj,
    -- Energy in the run after less that in the run before. [pJ]
    change_pj,
    -- Why the operation takes no part in the comparison; empty if it does.
    left_out
) AS
WITH counted AS (
    SELECT
        run_key,
        driver,
        max(missing) AS missing,
        CAST(sum(driver_count) AS DECIMAL(38, 6)) AS driver_count
    FROM driver_counts
    GROUP BY run_key, driver
),

compared AS (
    SELECT
        operations.*,
        CASE WHEN counted_a.missing IS NULL THEN counted_a.driver_count END AS driver_count_a,
        CASE WHEN counted_b.missing IS NULL THEN counted_b.driver_count END AS driver_count_b
    FROM _compared_operations AS operations
    LEFT JOIN counted AS counted_a
        ON operations.run_key_a = counted_a.run_key AND operations.driver = counted_a.driver
    LEFT JOIN counted AS counted_b
        ON operations.run_key_b = counted_b.run_key AND operations.driver = counted_b.driver
)

SELECT
    compared.run_id_a,
    compared.run_id_b,
    a.run_name AS run_name_a,
    b.run_name AS run_name_b,
    compared.chip,
    compared.cost_version_a,
    compared.cost_version_b,
    compared.operation,
    compared.driver,
    compared.driver_count_a,
    compared.driver_count_b,
    compared.given_cost_a_pj AS cost_a_pj,
    compared.given_cost_b_pj AS cost_b_pj,
    CAST(CASE WHEN compared.left_out IS NULL THEN compared.driver_count_a * compared.cost_a_pj END AS DECIMAL(38, 6))
        AS energy_a_pj,
    CAST(CASE WHEN compared.left_out IS NULL THEN compared.driver_count_b * compared.cost_b_pj END AS DECIMAL(38, 6))
        AS energy_b_pj,
    CAST(
        CASE
            WHEN compared.left_out IS NULL
                THEN
                    CAST(compared.driver_count_b * compared.cost_b_pj AS DECIMAL(38, 6))
                    - CAST(compared.driver_count_a * compared.cost_a_pj AS DECIMAL(38, 6))
        END AS DECIMAL(38, 6)
    ) AS change_pj,
    compared.left_out
FROM compared
INNER JOIN runs AS a ON compared.run_id_a = a.run_id
INNER JOIN runs AS b ON compared.run_id_b = b.run_id;
