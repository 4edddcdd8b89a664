-- What else is known of each run: accuracy, data set, branch.
-- Grain: one row per (run, tag).
CREATE OR REPLACE VIEW tags_by_run (
    -- The run.
    run_id,
    -- Name of the run; runs that share a name form a history.
    run_name,
    -- Name of the tag.
    tag,
    -- Value of the tag, as text.
    tag_value,
    -- Value of the tag as a number, where it is one; in the tag's own unit.
    tag_number
) AS
SELECT
    runs.run_id,
    runs.run_name,
    run_tags.tag,
    run_tags.tag_value,
    run_tags.tag_number
FROM run_tags
INNER JOIN runs ON run_tags.run_key = runs.run_key;
