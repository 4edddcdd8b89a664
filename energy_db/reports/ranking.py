"""One run on every chip: which figures may be compared with which, and how robust their order is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby, pairwise
from os import PathLike
from typing import Any

from energy_db.catalogue import ledger
from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError
from energy_db.reports.cells import Amount, Cell, as_float, read_all_cells, total
from energy_db.reports.report import CATALOGUE_VIEW
from energy_db.runs import Run

DRAWS = 10_000
SEED = 2021


@dataclass(frozen=True)
class ChipEnergy:
    """What a run costs on one chip of a ranking.

    Attributes
    ----------
    chip, cost_version, status : str
        The chip, the cost set that prices the run, and how its numbers came about.
    scope_group : str
        What the costs include; only figures of one group may be compared (docs/costs.md).
    rank : int or None
        Place within the group, the cheapest first; None if it is not ranked.
    unranked : str or None
        Why it is not ranked; None if it is.
    total_energy_pj, energy_per_inference_pj, energy_per_spike_pj : float or None
        Energy of the run, of a sample and of a recorded spike, in pJ; None where nothing could be priced.
    energy_low_pj, energy_high_pj : float or None
        Energy at both ends of the published ranges, in pJ; None where no range is published.
    n_operations, n_priced, n_ranged : int
        Operations of the version, how many could be priced, and how many of those have a published range.
    dominant_layer : str or None
        The layer that burns most.
    unpriced : tuple of str
        What could not be priced, with the reason.
    is_withdrawn : bool
        Whether the version should no longer be used.
    """

    chip: str
    cost_version: str
    status: str
    scope_group: str
    rank: int | None
    unranked: str | None
    total_energy_pj: float | None
    energy_per_inference_pj: float | None
    energy_per_spike_pj: float | None
    energy_low_pj: float | None
    energy_high_pj: float | None
    n_operations: int
    n_priced: int
    n_ranged: int
    dominant_layer: str | None
    unpriced: tuple[str, ...]
    is_withdrawn: bool


@dataclass(frozen=True)
class Robustness:
    """How often one chip stays cheaper than the next, if each cost is drawn from its published range.

    Attributes
    ----------
    cheaper, dearer : str
        The two chips, neighbours in the ranking.
    share : float or None
        Share of the draws in which the first is the cheaper one; None where no range is published for either.
    """

    cheaper: str
    dearer: str
    share: float | None


@dataclass(frozen=True)
class Ranking:
    """What a run costs on every chip, by group of what may be compared; made by `EnergyStore.chips`.

    Attributes
    ----------
    run : Run
        The run.
    chips : tuple of ChipEnergy
        Every chip that could be priced at least in part, by group, the cheapest of a group first.
    unpriced : tuple of ChipEnergy
        Chips of which no operation could be priced.
    robustness : tuple of Robustness
        For neighbours in the ranking, how often their order holds.
    """

    run: Run
    chips: tuple[ChipEnergy, ...]
    unpriced: tuple[ChipEnergy, ...]
    robustness: tuple[Robustness, ...]

    def __iter__(self) -> Iterator[ChipEnergy]:
        return iter(self.chips)

    def __len__(self) -> int:
        return len(self.chips)

    def __getitem__(self, index: int) -> ChipEnergy:
        return self.chips[index]

    def to_html(self) -> str:
        """Return the ranking as a page to look at: one HTML file that fetches nothing.

        Needs the extra `energy-db[plot]`.

        Raises
        ------
        MissingExtraError
            If the packages that draw are not installed.
        """
        from energy_db.pages.report_page import ranking_page

        return ranking_page(self)

    def plot(self, path: str | PathLike[str]) -> None:
        """Draw the largest group of chips that compare, without a browser. Needs the extra `energy-db[plot]`.

        Parameters
        ----------
        path : path-like
            The file, which ends in .svg or .png.

        Raises
        ------
        MissingExtraError
            If the packages that draw are not installed.
        UsageError
            If it ends in something else.
        NotFoundError
            If no two chips compare.
        """
        from energy_db.pages.report_page import plot_ranking

        plot_ranking(self, path)


def rank(engine: Engine, run: Run, cost_version: str | None = None, as_of: date | str | None = None) -> Ranking:
    """Price a run on every chip, and rank what may be compared.

    Parameters
    ----------
    engine : Engine
        The store.
    run : Run
        The run.
    cost_version : str, optional
        The cost set, on every chip that has one of this name; by default those in force.
    as_of : date or str, optional
        The day on which the versions were in force, as was known then; by default today.

    Raises
    ------
    NotFoundError
        If no chip has such a version, or none that can price.
    """
    versions = _versions(engine, cost_version, as_of)
    cells = read_all_cells(engine, run.run_id)
    priced = [_price(run, version, cells.get((version["chip"], version["cost_version"]), [])) for version in versions]
    known = [entry for entry in priced if entry.n_priced]
    groups = _by_group(known)
    ranked = [entry for group in groups for entry in _ranked(group)]
    return Ranking(
        run=run,
        chips=tuple(ranked),
        unpriced=tuple(entry for entry in priced if not entry.n_priced),
        robustness=tuple(_robustness(ranked, cells)),
    )


def _versions(engine: Engine, cost_version: str | None, as_of: date | str | None) -> list[dict[str, Any]]:
    rows = engine.records(
        f"SELECT chip, cost_version, status, scope_group, is_in_force, is_withdrawn FROM {CATALOGUE_VIEW} "
        "WHERE n_operations > 0 ORDER BY chip, cost_version"
    )
    if cost_version is not None:
        chips = ledger.chips_priced_by(engine, cost_version)
        return [row for row in rows if row["chip"] in chips and row["cost_version"] == cost_version]
    if as_of is None:
        return [row for row in rows if row["is_in_force"]]
    facts = ledger.facts(engine, None, ledger.as_day("as_of", as_of))
    held = {(fact["chip"], fact["cost_version"]) for fact in facts if fact["is_in_force"]}
    if not held:
        raise NotFoundError(f"no cost version was in force on {as_of}, as known then", "See: energy-db costs in-force")
    return [row for row in rows if (row["chip"], row["cost_version"]) in held]


def _price(run: Run, version: Mapping[str, Any], cells: Sequence[Cell]) -> ChipEnergy:
    amount = total(cells)
    operations = {cell.operation: cell for cell in cells}
    unpriced = tuple(f"{cell.operation}: {cell.unpriced}" for cell in operations.values() if cell.unpriced is not None)
    n_priced = len(operations) - len(unpriced)
    return ChipEnergy(
        chip=version["chip"],
        cost_version=version["cost_version"],
        status=version["status"],
        scope_group=version["scope_group"],
        rank=None,
        unranked=f"{n_priced} of {len(operations)} operations priced" if unpriced else None,
        total_energy_pj=amount.value,
        energy_per_inference_pj=None if amount.pj is None else float(amount.pj) / run.n_samples,
        energy_per_spike_pj=float(amount.pj) / run.n_spikes if run.n_spikes and amount.pj is not None else None,
        energy_low_pj=as_float(amount.low_pj),
        energy_high_pj=as_float(amount.high_pj),
        n_operations=len(operations),
        n_priced=n_priced,
        n_ranged=len({cell.operation for cell in cells if cell.energy_low_pj is not None}),
        dominant_layer=_dominant(run, cells),
        unpriced=unpriced,
        is_withdrawn=version["is_withdrawn"],
    )


def _dominant(run: Run, cells: Sequence[Cell]) -> str | None:
    energies = {
        layer.name: total(cell for cell in cells if cell.layer_index == index).value or 0.0
        for index, layer in enumerate(run.layers)
    }
    name = max(energies, key=lambda name: energies[name])
    return name if energies[name] > 0 else None


def _by_group(entries: Sequence[ChipEnergy]) -> list[list[ChipEnergy]]:
    ordered = sorted(entries, key=lambda entry: (entry.scope_group, entry.unranked is not None, entry.total_energy_pj))
    return [list(group) for _, group in groupby(ordered, key=lambda entry: entry.scope_group)]


def _ranked(group: Sequence[ChipEnergy]) -> list[ChipEnergy]:
    comparable = [entry for entry in group if entry.unranked is None]
    if len(comparable) == 1:
        alone = [replace(comparable[0], unranked="nothing of its scope to compare with")]
    else:
        alone = [replace(entry, rank=place) for place, entry in enumerate(comparable, start=1)]
    return [*alone, *(entry for entry in group if entry.unranked is not None)]


def _robustness(ranked: Sequence[ChipEnergy], cells: Mapping[tuple[str, str], Sequence[Cell]]) -> Iterator[Robustness]:
    for cheaper, dearer in pairwise(ranked):
        if cheaper.rank is None or dearer.rank is None or cheaper.scope_group != dearer.scope_group:
            continue
        share = None
        if cheaper.n_ranged or dearer.n_ranged:
            ours, theirs = (_ranges(cells[entry.chip, entry.cost_version]) for entry in (cheaper, dearer))
            share = _share_of_draws(ours, theirs)
        yield Robustness(cheaper.chip, dearer.chip, share)


def _ranges(cells: Sequence[Cell]) -> list[tuple[float, float]]:
    """Return the range of each operation's energy; what has no published range stays as it is."""
    ordered = sorted(cells, key=lambda cell: cell.operation)
    amounts = [total(same) for _, same in groupby(ordered, key=lambda cell: cell.operation)]
    return [_ends(amount) for amount in amounts]


def _ends(amount: Amount) -> tuple[float, float]:
    if amount.low_pj is None or amount.high_pj is None:
        return float(amount.pj or 0), float(amount.pj or 0)
    return float(amount.low_pj), float(amount.high_pj)


def _share_of_draws(ours: Sequence[tuple[float, float]], theirs: Sequence[tuple[float, float]]) -> float:
    """Return how often the first sum is below the second; a cost is drawn once for all layers, evenly in its range."""
    import random

    draw = random.Random(SEED)
    wins = 0
    for _ in range(DRAWS):
        wins += sum(draw.uniform(*ends) for ends in ours) < sum(draw.uniform(*ends) for ends in theirs)
    return wins / DRAWS
