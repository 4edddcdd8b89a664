-- What happened in each run, in the units that costs are charged on: rolled up in the transaction that stores the run.
-- Grain: one row per (run, layer, driver); a driver that is counted once for the whole run has an empty layer.
CREATE TABLE driver_counts (
    -- The run.
    run_key INTEGER NOT NULL,
    -- Position of the layer in the network, from 0; empty for what is counted once for the whole run.
    layer_index SMALLINT,
    -- What an operation can be charged on.
    driver VARCHAR NOT NULL,
    -- Units of the driver, of 'second' in seconds; empty where it cannot be counted.
    driver_count DECIMAL(38, 6),
    -- Units for each spike of the layer; empty where neurons differ, or for a driver that spikes do not drive.
    units_per_spike BIGINT,
    -- Units for each neuron of the layer, whatever it does; empty for other drivers than 'neuron_step'.
    units_per_neuron BIGINT,
    -- The finest grain at which the driver is known: 'spike', 'neuron', 'layer' or 'run'.
    grain VARCHAR NOT NULL,
    -- Why the driver cannot be counted for the run as a whole; empty if it can.
    missing VARCHAR
);
