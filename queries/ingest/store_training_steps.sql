-- Stores what a layer did in each step of a training.
INSERT INTO training_steps (run_key, layer_index, training_step, epoch, n_samples, n_spikes)
SELECT
    layers.run_key,
    layers.layer_index,
    steps.training_step,
    steps.epoch,
    steps.n_samples,
    steps.n_spikes
FROM (
    SELECT
        unnest(range(len(CAST($n_spikes AS BIGINT[])))) AS training_step,
        unnest(CAST($epochs AS INTEGER[])) AS epoch,
        unnest(CAST($n_samples AS INTEGER[])) AS n_samples,
        unnest(CAST($n_spikes AS BIGINT[])) AS n_spikes
) AS steps
INNER JOIN layers ON layers.run_key = $run_key AND layers.layer = $layer_name;
