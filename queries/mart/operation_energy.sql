-- Energy of each operation of each run, under the cost version in force. Filter on the chip.
-- Grain: one row per (run, chip, operation).
CREATE OR REPLACE VIEW mart.operation_energy (
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
    -- Place of the run among those of its name, from 1: by when it ran, or came in where that is unknown.
    run_number,
    -- Whether it is the newest of its name.
    is_latest,
    -- Day on which the run ran, or came into the store where that is unknown (UTC).
    run_date,
    -- When the run ran, or came into the store where that is unknown (UTC).
    run_at,
    -- The chip.
    chip,
    -- The cost set.
    cost_version,
    -- What the hardware does.
    operation,
    -- What the operation is charged on.
    driver,
    -- Units of the driver, of `second` in seconds. [count]
    driver_count,
    -- Energy of one unit of the driver. [pJ]
    cost_pj,
    -- Energy; empty where the operation is unpriced. [pJ]
    energy_pj,
    -- Share of the run's energy on the chip; empty where nothing is priced, or nothing costs. [1]
    energy_share,
    -- Why the operation has no energy in this run; empty if it has one.
    unpriced
) AS
SELECT
    runs.run_id,
    runs.run_name,
    runs.run_number,
    runs.is_latest,
    runs.run_date,
    runs.run_at,
    priced.chip,
    priced.cost_version,
    priced.operation,
    priced.driver,
    priced.driver_count,
    priced.cost_pj,
    priced.energy_pj,
    CAST(priced.energy_pj AS DOUBLE) / nullif(CAST(whole.energy_pj AS DOUBLE), 0) AS energy_share,
    priced.unpriced
FROM energy_by_operation AS priced
INNER JOIN energy_by_chip AS whole ON priced.run_id = whole.run_id AND priced.chip = whole.chip
INNER JOIN mart.runs AS runs ON priced.run_id = runs.run_id;
