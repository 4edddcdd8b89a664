-- Rolls a run up to the drivers that costs are charged on, or every run where no key is given (docs/method.md).
INSERT INTO driver_counts (
    run_key, layer_index, driver, driver_count, units_per_spike, units_per_neuron, grain, missing
)
WITH stepped AS (
    SELECT
        layers.*,
        units.*,
        runs.n_timesteps * runs.n_samples AS n_steps,
        CASE WHEN layers.n_synaptic_events = 0 THEN 0 ELSE layers.fan_out END AS shared_fan_out,
        CASE WHEN layers.n_spikes * units.neuron_spike_units = 0 THEN 0 ELSE layers.n_inputs END AS fan_in
    FROM layers
    INNER JOIN runs ON layers.run_key = runs.run_key
    INNER JOIN units_by_role AS units ON layers.role = units.role
    WHERE $run_key IS NULL OR layers.run_key = $run_key
),

of_layers AS (
    SELECT
        stepped.run_key,
        stepped.layer_index,
        stepped.layer,
        drivers.driver,
        drivers.grain,
        stepped.n_spikes,
        stepped.n_neurons,
        stepped.n_synaptic_events,
        CASE drivers.driver
            WHEN 'spike' THEN stepped.spike_units
            WHEN 'neuron_spike' THEN stepped.neuron_spike_units
            WHEN 'generated_spike' THEN stepped.generated_spike_units
            WHEN 'transmitted_spike' THEN stepped.transmitted_spike_units
            WHEN 'synaptic_event' THEN stepped.shared_fan_out
            WHEN 'synop_fanin' THEN stepped.fan_in
        END AS units_per_spike,
        CASE drivers.driver WHEN 'neuron_step' THEN stepped.neuron_step_units * stepped.n_steps END AS units_per_neuron
    FROM stepped
    CROSS JOIN (
        VALUES
        ('spike', 'spike'),
        ('neuron_spike', 'spike'),
        ('generated_spike', 'spike'),
        ('transmitted_spike', 'spike'),
        ('synaptic_event', 'spike'),
        ('synop_fanin', 'spike'),
        ('neuron_step', 'neuron')
    ) AS drivers (driver, grain)
),

durations AS (
    SELECT
        run_key,
        CAST(n_timesteps * n_samples AS DECIMAL(19, 0)) * timestep_us AS duration_us
    FROM runs
    WHERE $run_key IS NULL OR run_key = $run_key
),

counted AS (
    SELECT
        run_key,
        layer_index,
        driver,
        CASE
            WHEN driver = 'synaptic_event' THEN n_synaptic_events
            WHEN driver = 'neuron_step' THEN n_neurons * units_per_neuron
            ELSE n_spikes * units_per_spike
        END AS driver_count,
        units_per_spike,
        units_per_neuron,
        grain,
        CASE
            WHEN driver = 'synaptic_event' AND n_synaptic_events IS NULL THEN 'no fan_out is declared for ' || layer
            WHEN driver = 'synop_fanin' AND units_per_spike IS NULL THEN 'no n_inputs is declared for ' || layer
        END AS missing
    FROM of_layers
    UNION ALL
    SELECT
        run_key,
        NULL AS layer_index,
        'second' AS driver,
        CASE WHEN duration_us = CAST(duration_us AS DECIMAL(38, 0)) THEN duration_us * 0.000001 END AS driver_count,
        NULL AS units_per_spike,
        NULL AS units_per_neuron,
        'run' AS grain,
        CASE
            WHEN duration_us IS NULL THEN 'no length of a timestep is declared (timestep_us)'
            WHEN duration_us <> CAST(duration_us AS DECIMAL(38, 0)) THEN 'the run does not last whole microseconds'
        END AS missing
    FROM durations
    UNION ALL
    SELECT
        run_key,
        layer_index,
        driver,
        sum(driver_count) AS driver_count,
        NULL AS units_per_spike,
        NULL AS units_per_neuron,
        CASE WHEN layer_index IS NULL THEN 'run' WHEN count(neuron) > 0 THEN 'neuron' ELSE 'layer' END AS grain,
        NULL AS missing
    FROM counters
    WHERE $run_key IS NULL OR run_key = $run_key
    GROUP BY run_key, layer_index, driver
)

SELECT
    run_key,
    layer_index,
    driver,
    CAST(driver_count AS DECIMAL(38, 6)) AS driver_count,
    units_per_spike,
    units_per_neuron,
    grain,
    min(missing) OVER (PARTITION BY run_key, driver) AS missing
FROM counted
ORDER BY run_key, layer_index, driver;
