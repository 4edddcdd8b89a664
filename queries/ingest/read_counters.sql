-- Takes counters that did not come from a file, row by row.
INSERT INTO incoming_counter_texts
SELECT
    unnest(range(len(CAST($drivers AS VARCHAR[])))) AS row_number,
    unnest(CAST($layers AS VARCHAR[])) AS layer,
    unnest(CAST($neurons AS VARCHAR[])) AS neuron,
    unnest(CAST($drivers AS VARCHAR[])) AS driver,
    unnest(CAST($counts AS VARCHAR[])) AS driver_count;
