"""The priced cells of a run, one per operation and layer, and their exact sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from energy_db.engines.duckdb import Engine

PRICED = "run_id = ? AND chip = ? AND cost_version = ?"
VIEW = "energy_by_layer_operation_all_versions"


@dataclass(frozen=True)
class Cell:
    """An operation in a layer: a row of the view energy_by_layer_operation_all_versions.

    Attributes
    ----------
    layer_index : int or None
        The layer; None for what is charged once for the whole run.
    operation, driver, grain : str
        What is done, what it is charged on, and the finest grain at which that is known (None if it is not).
    driver_count, cost_pj, energy_pj, energy_low_pj, energy_high_pj : Decimal or None
        Units of the driver, their cost, and the energy with its range; None is what nobody knows.
    unpriced : str or None
        Why there is no energy.
    """

    layer_index: int | None
    operation: str
    driver: str
    grain: str | None
    driver_count: Decimal | None
    cost_pj: Decimal | None
    energy_pj: Decimal | None
    energy_low_pj: Decimal | None
    energy_high_pj: Decimal | None
    unpriced: str | None


@dataclass(frozen=True)
class Amount:
    """An exact sum of energies with its range, in pJ; None where nothing is priced, or no range is published."""

    pj: Decimal | None
    low_pj: Decimal | None
    high_pj: Decimal | None

    @property
    def value(self) -> float | None:
        """The sum as a float."""
        return as_float(self.pj)


def read_cells(engine: Engine, key: Sequence[str]) -> list[Cell]:
    """Return the cells of a run, chip and cost version, in the order of the network."""
    columns = ", ".join(Cell.__dataclass_fields__)
    query = f"SELECT {columns} FROM {VIEW} WHERE {PRICED} ORDER BY layer_index NULLS LAST, operation"
    return [Cell(*row) for row in engine.rows(query, key)]


def read_cells_of_each(engine: Engine, run_ids: Sequence[str], chip: str, cost_version: str) -> dict[str, list[Cell]]:
    """Return the cells of each of several runs, in the order of its network; with one query, however many."""
    columns = ", ".join(Cell.__dataclass_fields__)
    priced = "run_id IN (SELECT unnest(?::VARCHAR[])) AND chip = ? AND cost_version = ?"
    query = f"SELECT run_id, {columns} FROM {VIEW} WHERE {priced} ORDER BY layer_index NULLS LAST, operation"
    found: dict[str, list[Cell]] = {run_id: [] for run_id in run_ids}
    for run_id, *row in engine.rows(query, [list(run_ids), chip, cost_version]):
        found[run_id].append(Cell(*row))
    return found


def read_all_cells(engine: Engine, run_id: str) -> dict[tuple[str, str], list[Cell]]:
    """Return the cells of a run under every cost version, by chip and version."""
    columns = ", ".join(Cell.__dataclass_fields__)
    query = f"SELECT chip, cost_version, {columns} FROM {VIEW} WHERE run_id = ? ORDER BY ALL"
    found: dict[tuple[str, str], list[Cell]] = {}
    for chip, cost_version, *row in engine.rows(query, [run_id]):
        found.setdefault((chip, cost_version), []).append(Cell(*row))
    return found


def total(cells: Iterable[Cell]) -> Amount:
    """Return the sum of what is priced; where a term has no range, it stands in the range as it is."""
    priced = [cell for cell in cells if cell.energy_pj is not None]
    if not priced:
        return Amount(None, None, None)
    energy = _sum(priced, lambda cell: cell.energy_pj)
    if all(cell.energy_low_pj is None for cell in priced):
        return Amount(energy, None, None)
    low = _sum(priced, lambda cell: cell.energy_pj if cell.energy_low_pj is None else cell.energy_low_pj)
    high = _sum(priced, lambda cell: cell.energy_pj if cell.energy_high_pj is None else cell.energy_high_pj)
    return Amount(energy, low, high)


def full_energy(row: Mapping[str, Any]) -> Decimal | None:
    """Return the energy of a row of energy_by_chip_all_versions if every operation is priced.

    A part is no total, and parts of two versions do not compare.
    """
    energy: Decimal | None = row["energy_pj"]
    return energy if row["n_priced"] == row["n_operations"] else None


def as_float(value: Any) -> float | None:
    """Return an exact number as a float, and None as it is."""
    return None if value is None else float(value)


def _sum(cells: Iterable[Cell], amount: Callable[[Cell], Decimal | None]) -> Decimal:
    return sum((value for cell in cells if (value := amount(cell)) is not None), Decimal(0))
