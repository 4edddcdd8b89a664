-- How often everything happened that an operation can be charged on: what the costs of a chip are multiplied with.
-- Grain: one row per (run, layer, driver); a driver that is counted once for the whole run has an empty layer.
CREATE OR REPLACE VIEW activity_by_driver (
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
    -- Position of the layer in the network, from 0; empty for what is counted once for the whole run.
    layer_index,
    -- Name of the layer; empty for what is counted once for the whole run.
    layer,
    -- What a spike of the layer triggers: 'input', 'hidden' or 'readout'; empty for the whole run.
    role,
    -- What an operation is charged on.
    driver,
    -- Units of the driver, of `second` in seconds. [count]
    driver_count,
    -- The finest grain at which the driver is known: 'spike', 'neuron', 'layer' or 'run'.
    grain,
    -- Why the driver cannot be counted for the run as a whole; empty if it can.
    missing
) AS
SELECT
    runs.run_id,
    runs.run_name,
    CAST(counts.layer_index AS BIGINT) AS layer_index,
    layers.layer,
    layers.role,
    counts.driver,
    counts.driver_count,
    counts.grain,
    counts.missing
FROM driver_counts AS counts
INNER JOIN runs ON counts.run_key = runs.run_key
LEFT JOIN layers ON counts.run_key = layers.run_key AND counts.layer_index = layers.layer_index;
