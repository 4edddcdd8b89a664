-- Finds what another store says of costs and this one does not: cost versions, which are in force or withdrawn, and
-- blessings; what came with a release is not looked for among the facts of what is in force.
WITH theirs AS (
    SELECT
        'cost version' AS what,
        chip || ' ' || cost_version AS which,
        content_hash AS detail
    FROM merged.cost_versions
    UNION ALL
    SELECT
        'version in force' AS what,
        chip || ' ' || cost_version || ' from ' || in_force_from AS which,
        reason AS detail
    FROM merged.cost_in_force
    WHERE reason <> $shipped
    UNION ALL
    SELECT
        'withdrawal' AS what,
        chip || ' ' || cost_version AS which,
        reason AS detail
    FROM merged.cost_withdrawals
    UNION ALL
    SELECT
        'blessing' AS what,
        chip || coalesce(' ' || layer, '') AS which,
        concat_ws(' ', cost_version, energy_pj, blessed_at, reason) AS detail
    FROM merged.blessings
),

ours AS (
    SELECT
        'cost version' AS what,
        chip || ' ' || cost_version AS which,
        content_hash AS detail
    FROM cost_versions
    UNION ALL
    SELECT
        'version in force' AS what,
        chip || ' ' || cost_version || ' from ' || in_force_from AS which,
        reason AS detail
    FROM cost_in_force
    UNION ALL
    SELECT
        'withdrawal' AS what,
        chip || ' ' || cost_version AS which,
        reason AS detail
    FROM cost_withdrawals
    UNION ALL
    SELECT
        'blessing' AS what,
        chip || coalesce(' ' || layer, '') AS which,
        concat_ws(' ', cost_version, energy_pj, blessed_at, reason) AS detail
    FROM blessings
)

SELECT
    what,
    which
FROM (
    SELECT * FROM theirs
    EXCEPT
    SELECT * FROM ours
) AS lacking
ORDER BY what, which;
