-- Counts the incoming events per timestep, with the extremes that validation reads.
CREATE OR REPLACE TEMPORARY TABLE incoming_steps AS
SELECT
    layer,
    timestep,
    count(*) AS n_events,
    sum(n_spikes) AS n_spikes,
    count(timestep) AS n_with_timestep,
    min(timestep) AS least_timestep,
    max(timestep) AS most_timestep,
    count(sample_index) AS n_with_sample,
    min(sample_index) AS least_sample,
    max(sample_index) AS most_sample,
    count(n_spikes) AS n_with_n_spikes,
    min(n_spikes) AS least_n_spikes,
    max(n_spikes) AS most_n_spikes
FROM incoming_events
GROUP BY layer, timestep;
