-- The counters as numbers, each with its layer: validation and storage read this.
-- A text is whole where it has no digits but zeros behind its point; one that no whole number can hold is too large.
CREATE OR REPLACE TEMPORARY TABLE incoming_counter_rows AS
WITH judged AS (
    SELECT
        *,
        neuron IS NULL OR regexp_full_match(neuron, '-?\d+(\.0*)?') AS neuron_is_whole,
        driver_count IS NULL OR regexp_full_match(driver_count, '-?\d+(\.0*)?') AS count_is_whole,
        try_cast(split_part(neuron, '.', 1) AS HUGEINT) AS neuron_number,
        try_cast(split_part(driver_count, '.', 1) AS HUGEINT) AS count_number
    FROM incoming_counter_texts
)

SELECT
    judged.row_number,
    judged.layer,
    judged.neuron,
    judged.driver,
    judged.driver_count,
    judged.neuron_is_whole,
    judged.count_is_whole,
    layers.layer_index,
    layers.n_neurons,
    (drivers.driver IS NOT NULL AND NOT drivers.is_imported) OR judged.driver = 'inference' AS is_derived,
    CASE
        WHEN judged.neuron_is_whole AND judged.neuron IS NOT NULL
            THEN coalesce(judged.neuron_number, 170141183460469231731687303715884105727)
    END AS neuron_number,
    CASE
        WHEN judged.count_is_whole AND judged.driver_count IS NOT NULL
            THEN coalesce(judged.count_number, 170141183460469231731687303715884105727)
    END AS count_number
FROM judged
LEFT JOIN incoming_counter_layers AS layers ON judged.layer = layers.layer_value
LEFT JOIN drivers ON judged.driver = drivers.driver;
