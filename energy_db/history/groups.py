"""How the energies of two groups of runs differ, and how sure that is; made by `EnergyStore.compare_groups`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from energy_db.comparisons.rows import Disparity
from energy_db.history.spread import Spread
from energy_db.history.welch import Difference
from energy_db.runs import Run

SCHEMA = "energy-db/compare-groups/1"
GROUP = "group:"
"""What the name of a group begins with; a condition on its runs follows."""


def is_group(selector: object) -> bool:
    """Whether a selector names a group, as 'group:branch=main' does."""
    return isinstance(selector, str) and selector.startswith(GROUP)


@dataclass(frozen=True)
class Group:
    """The runs of a group, and what to call it: 'group:branch=main', or the runs' names."""

    label: str
    runs: tuple[Run, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the group as plain values."""
        return {"group": self.label, "n": len(self.runs), "run_ids": [run.run_id for run in self.runs]}


@dataclass(frozen=True)
class LayerDifference:
    """How the energy of a layer, in pJ, differs between two groups; None is what belongs to no layer."""

    layer: str | None
    energy: Difference


@dataclass(frozen=True)
class GroupComparison:
    """How the energies of two groups of runs differ, and how sure that is; made by `EnergyStore.compare_groups`.

    Attributes
    ----------
    a, b : Group
        The groups.
    chip, cost_version : str
        The chip, and the cost set that prices all runs.
    confidence : float
        How likely each interval holds the true difference.
    energy, energy_per_inference : Difference
        Of the energy of a run, and of one of its samples, in pJ; of the operations that are priced in every run.
    spikes : Difference
        Of the recorded spikes of a run.
    accuracy : Difference or None
        Of the tag `accuracy`, from 0 to 1; None if less than two runs of either group carry it.
    layers : tuple of LayerDifference
        Of each layer of any run; in a run that does not have the layer, its energy is 0.
    why : str
        What the difference is, whether it may be chance, and which layers make it, in one sentence.
    comparable : bool
        Whether the energies may be held against each other.
    differs : tuple of Disparity
        In what the runs differ beside their spikes, what makes them incomparable first.
    warnings : tuple of str
        How far not to trust the figures.
    """

    a: Group
    b: Group
    chip: str
    cost_version: str
    confidence: float
    energy: Difference
    energy_per_inference: Difference
    spikes: Difference
    accuracy: Difference | None
    layers: tuple[LayerDifference, ...]
    why: str
    comparable: bool
    differs: tuple[Disparity, ...]
    warnings: tuple[str, ...]

    @property
    def measures(self) -> dict[str, Difference]:
        """What was compared, by its name in machine formats; energies in pJ."""
        found = {"energy_pj": self.energy, "energy_per_inference_pj": self.energy_per_inference, "spikes": self.spikes}
        return found if self.accuracy is None else {**found, "accuracy": self.accuracy}

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain values, as `compare --json` prints it."""
        return {
            "schema": SCHEMA,
            "a": self.a.to_dict(),
            "b": self.b.to_dict(),
            "chip": self.chip,
            "cost_version": self.cost_version,
            "confidence": self.confidence,
            **{name: None for name in ("accuracy",) if self.accuracy is None},
            **{name: _of_difference(found) for name, found in self.measures.items()},
            "layers": [{"layer": row.layer, "energy_pj": _of_difference(row.energy)} for row in self.layers],
            "why": self.why,
            "comparable": self.comparable,
            "differs": [asdict(entry) for entry in self.differs],
            "warnings": list(self.warnings),
        }


def _of_difference(found: Difference) -> dict[str, Any]:
    return {
        "a": _of_spread(found.a),
        "b": _of_spread(found.b),
        "change": found.change,
        "change_share": found.change_share,
        "low": found.low,
        "high": found.high,
        "p_value": found.p_value,
        "degrees": found.degrees,
    }


def _of_spread(spread: Spread) -> dict[str, Any]:
    return {"n": spread.n, "mean": spread.mean, "sd": spread.sd, "min": spread.least, "max": spread.most}
