"""What a run, or one of its layers, costs: exact, and only where all of it is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError
from energy_db.guess import did_you_mean
from energy_db.reports.cells import Cell, read_cells_of_each
from energy_db.runs import Run

# Charged once for the whole run, it is part of no layer.
_STATIC_DRIVER = "second"


@dataclass(frozen=True)
class Level:
    """What a run, or one of its layers, costs.

    Attributes
    ----------
    energy_pj : Decimal or None
        The energy in pJ; None if a part of it is not known.
    missing : str or None
        What is not known, and why; None if all is.
    """

    energy_pj: Decimal | None
    missing: str | None = None

    def per(self, per: str, n_samples: int) -> Fraction | None:
        """Return the energy of the run, or of the mean sample, without rounding."""
        if self.energy_pj is None:
            return None
        return Fraction(self.energy_pj) / (n_samples if per == "inference" else 1)


class Levels:
    """What runs cost; what is read of one limit is at hand for the next.

    Parameters
    ----------
    engine : Engine
        The store.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._cells: dict[tuple[str, str, str], list[Cell]] = {}

    def of(self, run: Run, chip: str, cost_version: str, layer: str | None = None) -> Level:
        """Return what a run, or one of its layers, costs.

        Parameters
        ----------
        run : Run
            The run.
        chip, cost_version : str
            The chip and the cost set; both must be in the catalogue.
        layer : str, optional
            The layer; by default the whole run.

        Raises
        ------
        NotFoundError
            If the run has no such layer.
        """
        return self.of_each([run], chip, cost_version, layer)[0]

    def of_each(self, wanted: Sequence[Run], chip: str, cost_version: str, layer: str | None = None) -> list[Level]:
        """Return what each of several runs, or of their layers, costs; with one query, however many (see `of`)."""
        indices = [None if layer is None else layer_index(run, layer) for run in wanted]
        new = [run.run_id for run in wanted if (run.run_id, chip, cost_version) not in self._cells]
        for run_id, cells in (read_cells_of_each(self._engine, new, chip, cost_version) if new else {}).items():
            self._cells[run_id, chip, cost_version] = cells
        return [
            _level(self._cells[run.run_id, chip, cost_version], index, f"{chip} {cost_version}")
            for run, index in zip(wanted, indices, strict=True)
        ]


def _level(cells: Sequence[Cell], index: int | None, costs: str) -> Level:
    unknown = {cell.operation: cell.unpriced for cell in cells if cell.energy_pj is None and _may_be_in(cell, index)}
    if unknown:
        reasons = "; ".join(f"{operation}: {reason}" for operation, reason in sorted(unknown.items()))
        return Level(None, f"{costs} cannot price all of it ({reasons})")
    own = [cell.energy_pj for cell in cells if cell.energy_pj is not None and index in (None, cell.layer_index)]
    return Level(sum(own, Decimal(0)))


def layer_index(run: Run, layer: str) -> int:
    """Return the position of a layer in a run's network.

    Raises
    ------
    NotFoundError
        If it has no such layer.
    """
    names = [known.name for known in run.layers]
    if layer not in names:
        guess = did_you_mean(layer, names)
        raise NotFoundError(f"run {run.run_id} has no layer {layer!r}", f"{guess}Its layers are {', '.join(names)}.")
    return names.index(layer)


def _may_be_in(cell: Cell, index: int | None) -> bool:
    """Whether a cell is, or could turn out to be, a part of the layer: what nobody counted could be anywhere."""
    if index is None or cell.layer_index == index:
        return True
    return cell.layer_index is None and cell.driver != _STATIC_DRIVER
