-- Which costs are in force for each chip, since when, how far they can be trusted, and where they were published.
-- $chip = "%": The chip; % stands for anything.
SELECT
    catalogue.chip,
    catalogue.cost_version,
    in_force.in_force_from,
    catalogue.status,
    catalogue.scope_group,
    catalogue.n_operations,
    catalogue.label,
    catalogue.source,
    catalogue.doi
FROM cost_catalogue AS catalogue
INNER JOIN cost_version_in_force AS in_force
    ON catalogue.chip = in_force.chip AND catalogue.cost_version = in_force.cost_version
WHERE catalogue.chip LIKE $chip
ORDER BY catalogue.chip
