"""The cheapest ways back under a broken limit: the advice of the report, held against what must be saved."""

from __future__ import annotations

from collections.abc import Sequence

from energy_db.gate.rows import FAIL, LimitResult, WayBack
from energy_db.reports.report import Report

MOST_WAYS_BACK = 3


def farthest_broken(results: Sequence[LimitResult]) -> list[LimitResult]:
    """Return the broken limit that is farthest away, of each chip, layer and unit: who meets it meets the others."""
    farthest: dict[tuple[str, str | None, str], LimitResult] = {}
    for result in (result for result in results if result.verdict == FAIL):
        place = (result.chip, result.layer, result.per)
        if place not in farthest or _needed(result) > _needed(farthest[place]):
            farthest[place] = result
    return list(farthest.values())


def ways_back(broken: LimitResult, report: Report) -> list[WayBack]:
    """Return the smallest changes that suffice alone, the smallest first; where none does, the largest ones.

    Parameters
    ----------
    broken : LimitResult
        The limit.
    report : Report
        The run's report on the limit's chip and cost version.
    """
    n_units = report.run.n_samples if broken.per == "inference" else 1
    ways = [
        WayBack(
            limit=broken.limit,
            chip=broken.chip,
            layer=advice.layer,
            action=advice.action,
            saving_pj=advice.saving_pj / n_units,
            needed_pj=_needed(broken),
            suffices=advice.saving_pj / n_units >= _needed(broken),
        )
        for advice in report.advice
        if advice.saving_pj and broken.layer in (None, advice.layer)
    ]
    enough = sorted((way for way in ways if way.suffices), key=lambda way: way.saving_pj)
    return (enough or sorted(ways, key=lambda way: -way.saving_pj))[:MOST_WAYS_BACK]


def _needed(broken: LimitResult) -> float:
    return broken.excess_pj or 0.0
