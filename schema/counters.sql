-- Counts that spikes cannot give and a run brings with it: memory accesses, messages, hops.
-- Grain: one row per (run, layer, driver), or per (run, layer, neuron, driver).
CREATE TABLE counters (
    -- The run.
    run_key INTEGER NOT NULL,
    -- Position of the layer in the network, from 0.
    layer_index SMALLINT NOT NULL,
    -- Neuron within its layer, from 0; empty for a count of the whole layer.
    neuron INTEGER,
    -- What was counted: the driver that an operation's cost is charged on.
    driver VARCHAR NOT NULL,
    -- How many units of the driver.
    driver_count BIGINT NOT NULL
);
