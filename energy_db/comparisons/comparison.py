"""What changed between two runs, and why; made by `EnergyStore.compare`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any

from energy_db.comparisons import reading
from energy_db.comparisons.rows import (
    Disparity,
    Effects,
    Fingerprint,
    LayerChange,
    NeuronChange,
    OperationChange,
    about_run,
)
from energy_db.engines.duckdb import Engine
from energy_db.errors import UsageError
from energy_db.runs import Run

if TYPE_CHECKING:
    import pyarrow

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
        How the change was split: exactly at the grain of neurons, or in two other traditions at the grain of layers.
    total_a_pj, total_b_pj, change_pj : float
        Energy of both runs in pJ, of the operations that take part; the second less the first.
    effects : Effects
        What the change is made of.
    residual_pj : float
        The change less its effects, in pJ: 0 for 'shapley'.
    layers : tuple of LayerChange
        Every layer of either run that takes part, in the order of the second network, then those that only the first
        one has.
    operations : tuple of OperationChange
        Every operation of either cost version, the largest change first; those left out last, with the reason.
    why : str
        What changed and why, in one sentence.
    comparable : bool
        Whether the two energies may be held against each other.
    differs : tuple of Disparity
        In what the runs differ beside their spikes, what makes them incomparable first.
    warnings : tuple of str
        How far not to trust the figures.
    fingerprint : Fingerprint
        Whether the runs should be identical, and where they part.
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
    fingerprint: Fingerprint
    accuracy_a: float | None
    accuracy_b: float | None
    _costliest: tuple[NeuronChange, ...] = field(repr=False)
    _aliases: Mapping[str, str] = field(repr=False)
    _engine: Engine = field(repr=False, compare=False)

    @property
    def change_share(self) -> float | None:
        """The change as a share of the first run's energy; None if that is zero."""
        return self.change_pj / self.total_a_pj if self.total_a_pj else None

    @property
    def energy_per_correct_a_pj(self) -> float | None:
        """Energy of the first run for each sample that it got right, in pJ; None without an accuracy above 0."""
        return self.total_a_pj / (self.accuracy_a * self.a.n_samples) if self.accuracy_a else None

    @property
    def energy_per_correct_b_pj(self) -> float | None:
        """Energy of the second run for each sample that it got right, in pJ; None without an accuracy above 0."""
        return self.total_b_pj / (self.accuracy_b * self.b.n_samples) if self.accuracy_b else None

    def neurons(self, top: int | None = 20) -> tuple[NeuronChange, ...]:
        """Return the neurons whose energy changed most, either way; more than 20 are read from the open store.

        Their effects are those of 'shapley', whatever the method: the others know no neurons.

        Parameters
        ----------
        top : int or None
            At most so many; None for all that spiked in either run.
        """
        if top is not None and top < 0:
            raise UsageError(f"top is {top}, must be 0 or more")
        if top is not None and top <= reading.NEURONS_AT_HAND:
            return self._costliest[:top]
        with reading.renamed(self._engine, self._aliases):
            return reading.most_changed_neurons(self._engine, self._key, top)

    def to_arrow(self, by: str = "layer") -> pyarrow.Table:
        """Return the rows of one grain as an Arrow table, energies and effects as exact decimals in pJ.

        Parameters
        ----------
        by : {'layer', 'neuron', 'operation'}
            The grain.

        Raises
        ------
        UsageError
            If there is no such grain, or the method is another than 'shapley': its effects are no decimals.
        """
        if self.method != "shapley":
            raise UsageError(f"to_arrow gives the split by 'shapley', not by {self.method!r}", "See: layers")
        with reading.renamed(self._engine, self._aliases):
            return reading.exact_rows(self._engine, self._key, by)

    def to_dict(self, top: int | None = 20) -> dict[str, Any]:
        """Return the comparison as plain values, as `compare --json` prints it.

        Parameters
        ----------
        top : int or None
            At most so many neurons; None for all.
        """
        return {
            "schema": SCHEMA,
            "a": about_run(self.a),
            "b": about_run(self.b),
            "chip": self.chip,
            "cost_version_a": self.cost_version_a,
            "cost_version_b": self.cost_version_b,
            "method": self.method,
            "grain": "neuron" if self.method == "shapley" else "layer",
            "total_a_pj": self.total_a_pj,
            "total_b_pj": self.total_b_pj,
            "change_pj": self.change_pj,
            "change_share": self.change_share,
            "effects": asdict(self.effects),
            "residual_pj": self.residual_pj,
            "layers": [asdict(layer) for layer in self.layers],
            "operations": [asdict(operation) for operation in self.operations],
            "neurons": [asdict(neuron) for neuron in self.neurons(top)],
            "accuracy_a": self.accuracy_a,
            "accuracy_b": self.accuracy_b,
            "energy_per_correct_a_pj": self.energy_per_correct_a_pj,
            "energy_per_correct_b_pj": self.energy_per_correct_b_pj,
            "why": self.why,
            "comparable": self.comparable,
            "differs": [asdict(disparity) for disparity in self.differs],
            "fingerprint": asdict(self.fingerprint),
            "warnings": list(self.warnings),
        }

    def to_html(self) -> str:
        """Return the comparison as one page to look at, which works offline; needs the extra `plot`.

        Raises
        ------
        MissingExtraError
            If the extra is not installed.
        """
        from energy_db.pages.comparison_page import comparison_page

        return comparison_page(self)

    def plot(self, path: str | PathLike[str], by: str | None = None) -> None:
        """Draw the change into a file, SVG or PNG by its suffix; needs the extra `plot`.

        Parameters
        ----------
        path : path-like
            The file.
        by : {'effect', 'layer', 'operation', 'neuron'}, optional
            What the change is split by; None for 'effect', the waterfall from the first run to the second.

        Raises
        ------
        MissingExtraError
            If the extra is not installed.
        UsageError
            If the file ends in something else, or there is no such split.
        NotFoundError
            If nothing changed there.
        """
        from energy_db.pages.comparison_page import plot_comparison

        plot_comparison(self, path, by or "effect")

    def _repr_html_(self) -> str:
        from energy_db.comparisons import faces

        return faces.html(self)

    @property
    def _key(self) -> list[str]:
        return [self.a.run_id, self.b.run_id, self.chip, self.cost_version_a, self.cost_version_b]
