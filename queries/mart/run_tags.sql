-- What else is known of each run: accuracy, data set, branch.
-- Grain: one row per (run, tag).
CREATE OR REPLACE VIEW mart.run_tags (
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
    runs.run_number,
    runs.is_latest,
    runs.run_date,
    runs.run_at,
    tags.tag,
    tags.tag_value,
    tags.tag_number
FROM tags_by_run AS tags
INNER JOIN mart.runs AS runs ON tags.run_id = runs.run_id;
