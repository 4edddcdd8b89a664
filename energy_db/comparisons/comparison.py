"""What changed between two runs, and why; made by `EnergyStore.compare`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from energy_db.comparisons.rows import Disparity, Effects, LayerChange, NeuronChange, OperationChange
from energy_db.engines.duckdb import Engine
from energy_db.runs import Run

SCHEMA = "energy-db/compare/1"


@dataclass(frozen=True)
class Comparison:
    """What changed between two runs on a chip, and why; made by `EnergyStore.compare`.

    Attributes
    ----------
    a, b : Run
        The run before and the run after.
    chip, cost_version_a, cost_version_b : str
        The chip, and the cost set that prices each run.
    method : {'shapley', 'lmdi', 'pvm'}
        How the change was split.
    total_a_pj, total_b_pj, change_pj : float
        Energy of both runs in pJ, of the operations that are priced in both; the second less the first.
    effects : Effects
        What the change is made of.
    residual_pj : float
        The change less its effects; 0 for the exact method.
    layers : tuple of LayerChange
        Every layer of either run, in the order of the second network, then those that only the first one has.
    operations : tuple of OperationChange
        Every operation of either cost version, the largest change first.
    why : str
        What changed and why, in one sentence.
    comparable : bool
        Whether the two energies may be held against each other.
    differs : tuple of Disparity
        In what the runs differ beside their spikes.
    warnings : tuple of str
        How far not to trust the figures.
    accuracy_a, accuracy_b : float or None
        The runs' tag `accuracy`, from 0 to 1; None where there is none.
    """

    a: Run
    b: Run
    chip: str
    cost_version_a: str
    cost_version_b: str
    method: str
    total_a_pj: float
    total_b_pj: float
    change_pj: float
    effects: Effects
    residual_pj: float
    layers: tuple[LayerChange, ...]
    operations: tuple[OperationChange, ...]
    why: str
    comparable: bool
    differs: tuple[Disparity, ...]
    warnings: tuple[str, ...]
    accuracy_a: float | None
    accuracy_b: float | None
    _costliest: tuple[NeuronChange, ...] = field(repr=False)
    _engine: Engine = field(repr=False, compare=False)

    @property
    def change_share(self) -> float | None:
        """The change as a share of the first run's energy; None if that is zero."""
        return self.change_pj / self.total_a_pj if self.total_a_pj else None

    def neurons(self, top: int | None = 20) -> tuple[NeuronChange, ...]:
        """Return the neurons whose energy changed most, the largest change first, either way."""
        raise NotImplementedError

    def to_dict(self, top: int | None = 20) -> dict[str, Any]:
        """Return the comparison as plain values, as `compare --json` prints it."""
        return {"schema": SCHEMA, "effects": asdict(self.effects)}
