-- A recorded run: one execution of one network, with the identity of its content.
-- Grain: one row per run.
CREATE TABLE runs (
    -- Narrow key that the activity tables carry instead of the run's id.
    run_key INTEGER NOT NULL PRIMARY KEY,
    -- The run's public identity: given by the user, or the first 12 digits of its content hash.
    run_id VARCHAR NOT NULL UNIQUE,
    -- What people call the run; runs that share a name form a history.
    run_name VARCHAR NOT NULL,
    -- What was executed: 'inference', 'training', or the user's own word.
    kind VARCHAR NOT NULL,
    -- When the network ran, as declared (UTC); empty if nobody said.
    recorded_at TIMESTAMP,
    -- When the run came into this store (UTC).
    ingested_at TIMESTAMP NOT NULL,
    -- Timesteps that each sample was simulated for.
    n_timesteps BIGINT NOT NULL,
    -- Samples (inputs, images, trials) that the run processed.
    n_samples BIGINT NOT NULL,
    -- Length of one timestep, in microseconds; empty if nobody said.
    timestep_us DECIMAL(18, 6),
    -- Which of n_timesteps and n_samples were inferred from the events, separated by commas; empty if none.
    inferred VARCHAR NOT NULL,
    -- Spikes of the whole run, counted with n_spikes.
    n_spikes BIGINT NOT NULL,
    -- Rows of the run file, each one spike event.
    n_events BIGINT NOT NULL,
    -- Whether the store keeps the single spike events, or the roll-ups only.
    has_events BOOLEAN NOT NULL,
    -- Seed of the random generator, as declared.
    seed VARCHAR,
    -- Commit of the user's code that made the run, as declared.
    git_commit VARCHAR,
    -- Version of the run-file contract that the file was read under.
    contract_version INTEGER NOT NULL,
    -- SHA-256 over the spike counts per layer and neuron, and per layer and timestep.
    activity_hash VARCHAR NOT NULL,
    -- SHA-256 over the activity hash and the network: the run's content.
    content_hash VARCHAR NOT NULL,
    -- Path of the run file as it was given; empty for counts that came without a file.
    source_path VARCHAR,
    -- SHA-256 of the run file's bytes.
    source_sha256 VARCHAR,
    -- Column mapping that the file was read with, as JSON; empty if the file uses the contract's names.
    column_map VARCHAR
);
