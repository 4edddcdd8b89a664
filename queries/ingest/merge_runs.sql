-- Copies runs of another store, with all that belongs to them, under the keys and ids of the table merged_keys.
-- What drives costs is counted anew afterwards; what costs and blessings the other store has stays there.
INSERT INTO runs (
    run_key, run_id, run_name, kind, recorded_at, ingested_at, n_timesteps, n_samples, timestep_us, inferred, n_spikes,
    n_events, has_events, seed, git_commit, contract_version, activity_hash, content_hash, source_path, source_sha256,
    column_map
)
SELECT
    merged_keys.run_key,
    merged_keys.run_id,
    theirs.run_name,
    theirs.kind,
    theirs.recorded_at,
    theirs.ingested_at,
    theirs.n_timesteps,
    theirs.n_samples,
    theirs.timestep_us,
    theirs.inferred,
    theirs.n_spikes,
    theirs.n_events,
    theirs.has_events,
    theirs.seed,
    theirs.git_commit,
    theirs.contract_version,
    theirs.activity_hash,
    theirs.content_hash,
    theirs.source_path,
    theirs.source_sha256,
    theirs.column_map
FROM merged.runs AS theirs
INNER JOIN merged_keys ON theirs.run_key = merged_keys.their_key
ORDER BY merged_keys.run_key;

INSERT INTO layers (
    run_key, layer_index, layer, role, n_inputs, n_neurons, fan_out, inferred, n_spikes, n_active_neurons,
    n_synaptic_events
)
SELECT
    merged_keys.run_key,
    theirs.layer_index,
    theirs.layer,
    theirs.role,
    theirs.n_inputs,
    theirs.n_neurons,
    theirs.fan_out,
    theirs.inferred,
    theirs.n_spikes,
    theirs.n_active_neurons,
    theirs.n_synaptic_events
FROM merged.layers AS theirs
INNER JOIN merged_keys ON theirs.run_key = merged_keys.their_key
ORDER BY merged_keys.run_key, theirs.layer_index;

INSERT INTO fan_out (run_key, layer_index, neuron, fan_out)
SELECT
    merged_keys.run_key,
    theirs.layer_index,
    theirs.neuron,
    theirs.fan_out
FROM merged.fan_out AS theirs
INNER JOIN merged_keys ON theirs.run_key = merged_keys.their_key
ORDER BY merged_keys.run_key, theirs.layer_index, theirs.neuron;

INSERT INTO run_tags (run_key, tag, tag_value, tag_number)
SELECT
    merged_keys.run_key,
    theirs.tag,
    theirs.tag_value,
    theirs.tag_number
FROM merged.run_tags AS theirs
INNER JOIN merged_keys ON theirs.run_key = merged_keys.their_key
ORDER BY merged_keys.run_key, theirs.tag;

INSERT INTO counters (run_key, layer_index, neuron, driver, driver_count)
SELECT
    merged_keys.run_key,
    theirs.layer_index,
    theirs.neuron,
    theirs.driver,
    theirs.driver_count
FROM merged.counters AS theirs
INNER JOIN merged_keys ON theirs.run_key = merged_keys.their_key
ORDER BY merged_keys.run_key, theirs.driver, theirs.layer_index, theirs.neuron;

INSERT INTO neuron_activity (run_key, layer_index, neuron, n_spikes)
SELECT
    merged_keys.run_key,
    theirs.layer_index,
    theirs.neuron,
    theirs.n_spikes
FROM merged.neuron_activity AS theirs
INNER JOIN merged_keys ON theirs.run_key = merged_keys.their_key
ORDER BY merged_keys.run_key, theirs.layer_index, theirs.neuron;

INSERT INTO step_activity (run_key, layer_index, timestep, n_spikes)
SELECT
    merged_keys.run_key,
    theirs.layer_index,
    theirs.timestep,
    theirs.n_spikes
FROM merged.step_activity AS theirs
INNER JOIN merged_keys ON theirs.run_key = merged_keys.their_key
ORDER BY merged_keys.run_key, theirs.layer_index, theirs.timestep;

INSERT INTO training_steps (run_key, layer_index, training_step, epoch, n_samples, n_spikes)
SELECT
    merged_keys.run_key,
    theirs.layer_index,
    theirs.training_step,
    theirs.epoch,
    theirs.n_samples,
    theirs.n_spikes
FROM merged.training_steps AS theirs
INNER JOIN merged_keys ON theirs.run_key = merged_keys.their_key
ORDER BY merged_keys.run_key, theirs.layer_index, theirs.training_step;

INSERT INTO spike_events (run_key, layer_index, neuron, timestep, sample_index, n_spikes)
SELECT
    merged_keys.run_key,
    theirs.layer_index,
    theirs.neuron,
    theirs.timestep,
    theirs.sample_index,
    theirs.n_spikes
FROM merged.spike_events AS theirs
INNER JOIN merged_keys ON theirs.run_key = merged_keys.their_key;
