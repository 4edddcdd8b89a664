"""Makes reports: the store's priced rows of one run, explained and put beside their sources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

from energy_db.catalogue import ledger
from energy_db.engines.duckdb import Engine
from energy_db.reports.advice import DOMINANT_NEURON_SHARE, LayerDemand, advise, explain
from energy_db.reports.cells import Cell, as_float, read_cells, total
from energy_db.reports.receipt import cost_source, provenance
from energy_db.reports.report import NEURONS_AT_HAND, Report, costliest_neurons
from energy_db.reports.rows import LayerEnergy, OperationEnergy
from energy_db.runs import Run

_FACTS = ("n_timesteps", "n_samples", "n_neurons")


def build(engine: Engine, run: Run, chip: str, cost_version: str) -> Report:
    """Make the report of a stored run.

    Parameters
    ----------
    engine : Engine
        The store.
    run : Run
        The run.
    chip, cost_version : str
        The chip and the cost set; both must be in the catalogue.
    """
    key = [run.run_id, chip, cost_version]
    cells = read_cells(engine, key)
    firing = engine.records("SELECT * FROM firing_by_layer WHERE run_id = ? ORDER BY layer_index", [run.run_id])
    version = cost_source(engine, chip, cost_version)
    whole = total(cells)
    of_layer = _by_layer(cells)
    layers = tuple(_layer(run, fires, of_layer[fires["layer_index"]], whole.pj) for fires in firing)
    fired = zip(layers, firing, strict=True)
    demands = [_demand(entry, fires, of_layer[fires["layer_index"]]) for entry, fires in fired]
    operations = _operations(cells, whole.pj)
    costliest = costliest_neurons(engine, key, whole.value, NEURONS_AT_HAND)
    costly = [(entry.layer, entry.neuron, entry.spikes) for entry in costliest if entry.share > DOMINANT_NEURON_SHARE]
    unlayered = total(of_layer[None])
    return Report(
        run=run,
        chip=chip,
        cost_version=cost_version,
        total_spikes=run.n_spikes,
        total_energy_pj=whole.value,
        energy_low_pj=as_float(whole.low_pj),
        energy_high_pj=as_float(whole.high_pj),
        n_ranged=len({cell.operation for cell in cells if cell.energy_low_pj is not None}),
        unlayered_energy_pj=unlayered.value,
        layers=layers,
        operations=operations,
        why=explain(demands, whole.value, unlayered.value),
        advice=advise(demands, costly, whole.value or 0.0),
        warnings=(*doubts_of_costs(engine, chip, cost_version), *_warnings(run, version, operations)),
        provenance=provenance(engine, run, version, cells),
        _costliest=costliest,
        _engine=engine,
    )


def _by_layer(cells: Iterable[Cell]) -> defaultdict[int | None, list[Cell]]:
    """Return the cells of each layer, and of none, looked for once: a network may have ten thousand layers."""
    found: defaultdict[int | None, list[Cell]] = defaultdict(list)
    for cell in cells:
        found[cell.layer_index].append(cell)
    return found


def _layer(run: Run, fires: Mapping[str, Any], here: Sequence[Cell], whole: Decimal | None) -> LayerEnergy:
    index, spikes = fires["layer_index"], fires["n_spikes"]
    amount = total(here)
    return LayerEnergy(
        layer=fires["layer"],
        role=str(run.layers[index].role),
        n_neurons=fires["n_neurons"],
        n_active_neurons=fires["n_neurons"] - fires["n_silent_neurons"],
        spikes=spikes,
        energy_pj=amount.value,
        share=_share(amount.pj, whole),
        energy_per_spike_pj=float(amount.pj / spikes) if spikes and amount.pj is not None else None,
        energy_low_pj=as_float(amount.low_pj),
        energy_high_pj=as_float(amount.high_pj),
    )


def _demand(entry: LayerEnergy, fires: Mapping[str, Any], here: Sequence[Cell]) -> LayerDemand:
    """Return a layer with the part of its energy that follows its spikes, and the part that follows its neurons."""
    by_spikes = total(cell for cell in here if cell.grain == "spike")
    by_steps = total(cell for cell in here if cell.driver == "neuron_step")
    return LayerDemand(entry, fires, by_spikes.value or 0.0, by_steps.value or 0.0)


def _operations(cells: Iterable[Cell], whole: Decimal | None) -> tuple[OperationEnergy, ...]:
    by_name = sorted(cells, key=lambda cell: cell.operation)
    rows = [_operation(list(same), whole) for _, same in groupby(by_name, key=lambda cell: cell.operation)]
    return tuple(sorted(rows, key=lambda row: (row.energy_pj is None, -(row.energy_pj or 0.0))))


def _operation(cells: Sequence[Cell], whole: Decimal | None) -> OperationEnergy:
    amount, first = total(cells), cells[0]
    counts = [cell.driver_count for cell in cells if cell.driver_count is not None]
    return OperationEnergy(
        operation=first.operation,
        driver=first.driver,
        count=_count(sum(counts, Decimal(0))) if len(counts) == len(cells) else None,
        cost_pj=as_float(first.cost_pj),
        energy_pj=amount.value,
        share=_share(amount.pj, whole),
        energy_low_pj=as_float(amount.low_pj),
        energy_high_pj=as_float(amount.high_pj),
        unpriced=first.unpriced,
    )


def _count(number: Decimal) -> int | float:
    """Return a count as a whole number, except for seconds, which need not be whole."""
    return int(number) if number == int(number) else float(number)


def _share(part: Decimal | None, whole: Decimal | None) -> float | None:
    if part is None or whole is None:
        return None
    return float(part / whole) if whole else 0.0


def doubts_of_costs(engine: Engine, chip: str, cost_version: str) -> list[str]:
    """Say how far not to trust a cost version: withdrawn, no longer what was added, or a tutorial's."""
    [(status, seal)] = engine.rows(
        "SELECT status, content_hash FROM cost_versions WHERE chip = ? AND cost_version = ?", [chip, cost_version]
    )
    found = []
    if (withdrawn := ledger.withdrawal(engine, chip, cost_version)) is not None:
        found.append(f"the costs {chip} {cost_version} were withdrawn: {withdrawn}")
    if ledger.recomputed_hash(engine, chip, cost_version) != seal:
        found.append(
            f"the costs {chip} {cost_version} were CHANGED in the store after they were added: energy-db verify"
        )
    if status == "tutorial":
        found.append(f"the costs {cost_version} are literature values of a tutorial, not measurements")
    return found


def _warnings(run: Run, version: Mapping[str, Any], operations: Sequence[OperationEnergy]) -> tuple[str, ...]:
    chip, cost_version = version["chip"], version["cost_version"]
    found = []
    if [row.operation for row in operations] == ["undivided"]:
        found.append(f"no split by operation is published for {chip}: one lump per spike")
    return (*found, *_unpriced(chip, cost_version, operations), *inferences(run))


def _unpriced(chip: str, cost_version: str, operations: Sequence[OperationEnergy]) -> list[str]:
    missing = [row for row in operations if row.unpriced is not None]
    if not missing:
        return []
    reasons = "; ".join(f"{row.operation}: {row.unpriced}" for row in missing)
    n_priced = len(operations) - len(missing)
    return [f"{n_priced} of {len(operations)} operations of {chip} {cost_version} priced, the others are not in the "
            f"total ({reasons})"]  # fmt: skip


def inferences(run: Run) -> list[str]:
    """Say what was not declared of a run, and what was taken for it."""
    found = []
    if roles := [name.removesuffix(".role") for name in run.inferred if name.endswith(".role")]:
        found.append(f"no role is declared for {', '.join(roles)}: priced as hidden")
    if facts := [name for name in run.inferred if name.rpartition(".")[2] in _FACTS]:
        found.append(f"inferred from the events, not declared: {', '.join(facts)}")
    if counters := assumed_counters(run):
        found.append(f"no count is given, taken as 0: {', '.join(counters)}")
    return found


def assumed_counters(run: Run) -> list[str]:
    """Return the counters, as layer.driver, that were given for other layers only and taken as 0 for this one."""
    possible = {f"{layer.name}.{driver}" for layer in run.layers for driver in run.counters}
    return [name for name in run.inferred if name in possible]
