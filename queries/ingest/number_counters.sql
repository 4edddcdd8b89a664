-- The counters as numbers, each with its layer: validation and storage read this.
-- A text is whole where it has no digits but zeros behind its point; one that no whole number can hold is too large.
CREATE OR REPLACE TEMPORARY TABLE incoming_counter_rows AS
SELECT
    texts.row_number,
    texts.layer,
    texts.neuron,
    texts.driver,
    texts.driver_count,
    layers.layer_index,
    layers.n_neurons,
    NOT coalesce(drivers.is_imported, true) OR texts.driver = 'inference' AS is_derived,
    coalesce(regexp_full_match(texts.neuron, '-?\d+(\.0*)?'), true) AS neuron_is_whole,
    coalesce(regexp_full_match(texts.driver_count, '-?\d+(\.0*)?'), true) AS count_is_whole,
    CASE
        WHEN regexp_full_match(texts.neuron, '-?\d+(\.0*)?')
            THEN coalesce(TRY_CAST(split_part(texts.neuron, '.', 1) AS HUGEINT), 170141183460469231731687303715884105727)
    END AS neuron_number,
    CASE
        WHEN regexp_full_match(texts.driver_count, '-?\d+(\.0*)?')
            THEN coalesce(TRY_CAST(split_part(texts.driver_count, '.', 1) AS HUGEINT), 170141183460469231731687303715884105727)
    END AS count_number
FROM incoming_counter_texts AS texts
LEFT JOIN incoming_counter_layers AS layers ON texts.layer = layers.layer_value
LEFT JOIN drivers ON texts.driver = drivers.driver;
