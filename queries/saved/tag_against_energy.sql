-- A tag with numbers, such as accuracy, beside what an inference costs in each run that carries it.
-- $chip: The chip.
-- $tag = accuracy: The tag.
SELECT
    energy.run_id,
    energy.run_name,
    tags.tag_number,
    energy.energy_per_inference_pj,
    energy.energy_pj,
    energy.n_spikes
FROM tags_by_run AS tags
INNER JOIN energy_by_chip AS energy ON tags.run_id = energy.run_id
WHERE tags.tag = $tag AND tags.tag_number IS NOT NULL AND energy.chip = $chip
ORDER BY tags.tag_number DESC, energy.energy_per_inference_pj ASC, energy.run_id ASC
