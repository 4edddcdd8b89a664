"""Holds two groups of runs against each other: which runs, at what energies, and whether they may be compared."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from energy_db import runs as stored
from energy_db import units
from energy_db.comparisons import verdict
from energy_db.comparisons.comparing import accuracy
from energy_db.engines.duckdb import Engine
from energy_db.errors import NotComparableError, NotFoundError, UsageError
from energy_db.history.filters import select_runs
from energy_db.history.groups import GROUP, Group, GroupComparison, LayerDifference, is_group
from energy_db.history.spread import FEWEST_TO_SCATTER
from energy_db.history.welch import Difference, difference
from energy_db.reports.pricing import doubts_of_costs, inferences
from energy_db.runs import Run
from energy_db.tables import printable

_MOST_NAMED = 4
_LAYERS_NAMED = 2
_SMALLEST_P = 0.0001
_CELLS = (
    "SELECT run_id, layer, operation, energy_pj, unpriced FROM energy_by_layer_operation_all_versions "
    "WHERE chip = ? AND cost_version = ? AND run_id IN (SELECT unnest(?::VARCHAR[]))"
)


@dataclass(frozen=True)
class _Energies:
    """Exact energies by run and layer, of the operations that are priced in every run; and those that are not."""

    of_layers: Mapping[str, Mapping[str | None, Decimal]]
    n_operations: int
    left_out: Mapping[str, str]

    def of(self, run: Run, layer: str | None) -> float:
        return float(self.of_layers[run.run_id].get(layer, Decimal(0)))

    def total(self, run: Run) -> Decimal:
        return sum(self.of_layers[run.run_id].values(), Decimal(0))


def group_of(
    engine: Engine,
    selector: str | Sequence[Run],
    where: Sequence[str] = (),
    *,
    chip: str | None = None,
    cost_version: str | None = None,
) -> Group:
    """Return the runs that a selector of a group names, the newest first.

    Parameters
    ----------
    engine : Engine
        The store.
    selector : str or sequence of Run
        'group:TAG=VALUE', or any other condition behind 'group:'; or the runs themselves.
    where : sequence of str
        What the runs of a named group must meet beside.
    chip, cost_version : str, optional
        What prices the runs, for conditions on their energy.

    Raises
    ------
    UsageError
        If it is no group.
    NotFoundError
        If no run is in it.
    """
    if not isinstance(selector, str):
        found = tuple({run.run_id: run for run in selector}.values())
        return Group(_listed([run.name for run in found]) or "an empty list", found)
    if not is_group(selector):
        raise UsageError(f"{selector!r} is no group", "Write group:TAG=VALUE, for example group:branch=main.")
    conditions = [selector.removeprefix(GROUP), *where]
    keys = select_runs(engine, conditions, chip=chip, cost_version=cost_version)
    if not keys:
        raise NotFoundError(f"no run is in {selector}", "energy-db runs --where shows who meets a condition.")
    return Group(selector, tuple(stored.load_many(engine, keys)))


def compare_groups(
    engine: Engine, a: Group, b: Group, chip: str, cost_version: str, confidence: float
) -> GroupComparison:
    """Hold a group against another one.

    Parameters
    ----------
    engine : Engine
        The store.
    a, b : Group
        The groups.
    chip, cost_version : str
        The chip, and the cost set that prices all runs; both must be in the catalogue.
    confidence : float
        How likely each interval shall hold the true difference.

    Raises
    ------
    UsageError
        If a run is in both groups, or the confidence is no probability.
    NotComparableError
        If a group has less than two runs.
    NotFoundError
        If no operation can be priced in every run.
    """
    _refuse_what_has_no_answer(a, b, confidence)
    every = [*a.runs, *b.runs]
    energies = _energies(engine, every, chip, cost_version)

    def differ(number: Callable[[Run], float | None]) -> Difference | None:
        return difference([number(run) for run in a.runs], [number(run) for run in b.runs], confidence)

    def surely(number: Callable[[Run], float]) -> Difference:
        found = differ(number)
        assert found is not None  # both groups have their two runs, and each run has the number
        return found

    energy = surely(lambda run: float(energies.total(run)))
    layers = tuple(
        LayerDifference(layer, surely(lambda run, layer=layer: energies.of(run, layer)))  # type: ignore[misc]
        for layer in _layer_names([*b.runs, *a.runs], energies)
    )
    differs = verdict.of_runs(engine, a.runs, b.runs)
    return GroupComparison(
        a=a,
        b=b,
        chip=chip,
        cost_version=cost_version,
        confidence=confidence,
        energy=energy,
        energy_per_inference=surely(lambda run: float(energies.total(run)) / run.n_samples),
        spikes=surely(lambda run: float(run.n_spikes)),
        accuracy=differ(accuracy),
        layers=layers,
        why=explain(energy, layers),
        comparable=not any(entry.matters for entry in differs),
        differs=differs,
        warnings=tuple(_warnings(engine, a, b, chip, cost_version, energies)),
    )


def explain(energy: Difference, layers: Sequence[LayerDifference]) -> str:
    """Say what the difference is, whether it may be chance, and which layers make it."""
    amount = units.energy(energy.change) if energy.change_share is None else units.signed_percent(energy.change_share)
    if energy.degrees is None:
        sure = "exactly, as no run differs from the others of its group"
    elif energy.is_beyond_chance:
        sure = f"more than chance ({chance(energy.p_value)})"
    else:
        return f"{amount}, which may be chance ({chance(energy.p_value)})"
    moved = sorted((row for row in layers if units.is_seen(row.energy.change)), key=lambda row: -abs(row.energy.change))
    causes = [
        f"{row.layer or 'what belongs to no layer'} {units.signed_energy(row.energy.change)}"
        for row in moved[:_LAYERS_NAMED]
    ]
    return f"{amount}, {sure}" + (f": {', '.join(causes)}" if causes else "")


def chance(p_value: float) -> str:
    """Format a p value.

    >>> chance(0.0312), chance(0.00000012)
    ('p = 0.031', 'p < 0.0001')
    """
    return f"p < {_SMALLEST_P}" if p_value < _SMALLEST_P else f"p = {units.significant(p_value, 2)}"


def _refuse_what_has_no_answer(a: Group, b: Group, confidence: float) -> None:
    if not _is_probability(confidence):
        raise UsageError(f"confidence is {confidence!r}, must be between 0 and 1", "The usual one is 0.95.")
    shared = {run.run_id for run in a.runs} & {run.run_id for run in b.runs}
    if shared:
        names = _listed(sorted(shared))
        raise UsageError(f"{a.label} and {b.label} share {len(shared)} of their runs: {names}", "Name groups apart.")
    for group in (a, b):
        if len(group.runs) < FEWEST_TO_SCATTER:
            raise NotComparableError(
                f"{group.label} has too few runs: {len(group.runs)}, and it takes 2 or more to see them scatter",
                "Compare single runs by their names, or record more seeds.",
            )


def _is_probability(value: object) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool) and 0 < value < 1


def _energies(engine: Engine, runs: Sequence[Run], chip: str, cost_version: str) -> _Energies:
    rows = engine.rows(_CELLS, [chip, cost_version, [run.run_id for run in runs]])
    left_out = {operation: unpriced for _, _, operation, _, unpriced in rows if unpriced is not None}
    operations = {operation for _, _, operation, _, _ in rows}
    if operations <= left_out.keys():
        reasons = "; ".join(f"{operation}: {reason}" for operation, reason in sorted(left_out.items()))
        raise NotFoundError(f"no operation of {chip} {cost_version} can be priced in every run ({reasons})")
    of_layers: dict[str, dict[str | None, Decimal]] = {run.run_id: defaultdict(Decimal) for run in runs}
    for run_id, layer, operation, energy_pj, _ in rows:
        if operation not in left_out:
            of_layers[run_id][layer] += energy_pj
    return _Energies(of_layers, len(operations), left_out)


def _layer_names(runs: Sequence[Run], energies: _Energies) -> list[str | None]:
    names: list[str | None] = [layer.name for run in runs for layer in run.layers]
    is_beside = any(None in of_run for of_run in energies.of_layers.values())
    return list(dict.fromkeys([*names, *([None] if is_beside else [])]))


def _listed(values: Sequence[Any]) -> str:
    more = f" and {len(values) - _MOST_NAMED} more" if len(values) > _MOST_NAMED else ""
    return ", ".join(printable(value) for value in values[:_MOST_NAMED]) + more


def _warnings(engine: Engine, a: Group, b: Group, chip: str, cost_version: str, energies: _Energies) -> Iterator[str]:
    yield from doubts_of_costs(engine, chip, cost_version)
    if energies.left_out:
        reasons = "; ".join(f"{operation}: {reason}" for operation, reason in sorted(energies.left_out.items()))
        n_part = energies.n_operations - len(energies.left_out)
        yield f"{n_part} of {energies.n_operations} operations take part, as they are priced in every run ({reasons})"
    for group in (a, b):
        seeds = Counter(seed for run in group.runs if (seed := verdict.seed_of(run)) is not None)
        if repeated := sum(count for count in seeds.values() if count > 1):
            yield (
                f"{repeated} runs of {group.label} share their seed with another one: they may not be independent, and "
                "then the interval is too narrow"
            )
    said = Counter(inference for run in [*a.runs, *b.runs] for inference in inferences(run))
    yield from (f"{count} run{'s' * (count != 1)}: {inference}" for inference, count in said.items())
