-- Finds the runs of another store whose activity is stored here: pairs that may be the same run.
SELECT
    theirs.run_key AS their_key,
    ours.run_key AS our_key
FROM merged.runs AS theirs
INNER JOIN runs AS ours ON theirs.activity_hash = ours.activity_hash
ORDER BY theirs.run_key, ours.run_key;
