-- Counts that spikes cannot give and a run brings with it: memory accesses, messages, hops.
-- A driver is counted for every layer, or for every layer by neuron, or once for the whole run.
-- Grain: one row per (run, driver), per (run, layer, driver), or per (run, layer, neuron, driver).
CREATE TABLE counters (
    -- The run.
    run_key INTEGER NOT NULL,
    -- Position of the layer in the network, from 0; empty for a count of the whole run.
    layer_index SMALLINT,
    -- Neuron within its layer, from 0; empty for a count of the whole layer or run.
    neuron INTEGER,
    -- What was counted: the driver that an operation's cost is charged on.
    driver VARCHAR NOT NULL,
    -- How many units of the driver.
    driver_count BIGINT NOT NULL
);
