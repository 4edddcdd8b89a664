-- What a run would cost on each chip, within the groups of chips that may be compared.
-- $run = latest: The run.
SELECT
    catalogue.scope_group,
    energy.chip,
    energy.cost_version,
    catalogue.status,
    energy.energy_pj,
    energy.energy_per_inference_pj,
    energy.energy_per_spike_pj,
    energy.n_priced,
    energy.n_operations
FROM energy_by_chip AS energy
INNER JOIN cost_catalogue AS catalogue
    ON energy.chip = catalogue.chip AND energy.cost_version = catalogue.cost_version
WHERE energy.run_id = $run
ORDER BY catalogue.scope_group, energy.energy_pj, energy.chip
