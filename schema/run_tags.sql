-- Anything else that is known of a run: data set, accuracy, branch, experiment.
-- Grain: one row per (run, tag).
CREATE TABLE run_tags (
    -- The run.
    run_key INTEGER NOT NULL,
    -- Name of the tag.
    tag VARCHAR NOT NULL,
    -- Value of the tag, as text.
    tag_value VARCHAR NOT NULL,
    -- Value of the tag as a number, where it is one.
    tag_number DOUBLE
);
