"""What a run costs on a chip: who burns the energy, why, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from os import PathLike
from typing import TYPE_CHECKING, Any

from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError, UsageError
from energy_db.reports.advice import Advice
from energy_db.reports.cells import PRICED, VIEW
from energy_db.reports.rows import ROW_TYPES, LayerEnergy, NeuronEnergy, OperationEnergy, StepEnergy, Totals
from energy_db.runs import Run

if TYPE_CHECKING:
    import pandas
    import pyarrow

    from energy_db.reports.ranking import Ranking

SCHEMA = "energy-db/report/1"

VIEWS = (
    "cost_version_in_force",
    "energy_by_layer_all_versions",
    "energy_by_layer_operation_all_versions",
    "energy_by_neuron_all_versions",
    "energy_by_operation_all_versions",
    "firing_by_layer",
    "units_by_role",
)
STEP_VIEW = "energy_by_step_all_versions"
CATALOGUE_VIEW = "cost_catalogue"

NEURONS_AT_HAND = 20
SORTED_BY = {
    "layer": "layer_index NULLS LAST",
    "neuron": "energy_pj DESC, layer_index, neuron",
    "operation": "energy_pj DESC NULLS LAST, operation",
    "step": "timestep, layer_index",
}


@dataclass(frozen=True)
class Report(Totals):
    """What a run costs on a chip under one version of the published costs; made by `EnergyStore.report`.

    Attributes
    ----------
    run : Run
        The run.
    chip, cost_version : str
        The chip and the cost set that price it.
    total_spikes : int
        Recorded spikes.
    total_energy_pj : float or None
        Energy of the whole run in pJ, of the operations that could be priced; None if none could. The store's own
        figures are exact decimals (`to_arrow`).
    energy_low_pj, energy_high_pj : float or None
        The same at both ends of the published ranges; None where no range is published.
    n_ranged : int
        How many of the priced operations have a published range.
    unlayered_energy_pj : float or None
        The part of it that belongs to no layer, such as static power; None if the costs have no such part.
    layers : tuple of LayerEnergy
        Every layer, in the network's order.
    operations : tuple of OperationEnergy
        Every operation of the chip, the costliest first; the unpriced ones last, with the reason.
    why : str
        Who burns the energy, in one sentence.
    advice : tuple of Advice
        Optimisation targets, the largest saving first.
    warnings : tuple of str
        How far not to trust the figures: what was inferred, what the costs leave out.
    provenance : dict
        The receipt: which content, each cost row with its source and status, which views, and a `report_hash` that
        anybody with the same content and cost version gets again (docs/costs.md).
    """

    run: Run
    chip: str
    cost_version: str
    total_spikes: int
    total_energy_pj: float | None
    energy_low_pj: float | None
    energy_high_pj: float | None
    n_ranged: int
    unlayered_energy_pj: float | None
    layers: tuple[LayerEnergy, ...]
    operations: tuple[OperationEnergy, ...]
    why: str
    advice: tuple[Advice, ...]
    warnings: tuple[str, ...]
    provenance: dict[str, Any]
    _costliest: tuple[NeuronEnergy, ...] = field(repr=False)
    _engine: Engine = field(repr=False, compare=False)

    @property
    def energy_per_inference_pj(self) -> float | None:
        """Mean energy of a sample in pJ; None if nothing could be priced."""
        return None if self.total_energy_pj is None else self.total_energy_pj / self.run.n_samples

    @property
    def dominant_neuron(self) -> NeuronEnergy | None:
        """The neuron that burns most, input neurons included; None if none burns anything."""
        first = self._costliest[:1]
        return first[0] if first and first[0].energy_pj > 0 else None

    def neurons(self, top: int | None = 20) -> tuple[NeuronEnergy, ...]:
        """Return the neurons that burn most, the costliest first; more than 20 are read from the open store.

        Parameters
        ----------
        top : int or None
            At most so many; None for all that burn.
        """
        if top is not None and top < 0:
            raise UsageError(f"top is {top}, must be 0 or more")
        if top is not None and top <= NEURONS_AT_HAND:
            return self._costliest[:top]
        return costliest_neurons(self._engine, self._key, self.total_energy_pj, top)

    def timeline(self, every: int = 1) -> tuple[StepEnergy, ...]:
        """Return the energy over time: one entry per timestep and layer that spiked in it.

        Parameters
        ----------
        every : int
            Gather so many timesteps into one entry, which carries the number of the first of them.
        """
        if every < 1:
            raise UsageError(f"every is {every}, must be 1 or more")
        rows = self._engine.rows(
            f"SELECT timestep // {int(every)} * {int(every)} AS timestep, layer, sum(n_spikes), sum(energy_pj) "
            f"FROM {STEP_VIEW} WHERE {PRICED} GROUP BY 1, layer_index, layer ORDER BY 1, layer_index",
            self._key,
        )
        return tuple(StepEnergy(step, layer, int(spikes), float(pj)) for step, layer, spikes, pj in rows)

    def by_layer_and_operation(self) -> dict[tuple[str | None, str], Decimal]:
        """Return the exact energy of each priced operation in each layer, in pJ; layer None is what has no layer."""
        query = f"SELECT layer, operation, energy_pj FROM {VIEW} WHERE {PRICED} AND energy_pj IS NOT NULL"
        return {(layer, operation): pj for layer, operation, pj in self._engine.rows(query, self._key)}

    def known_energy_pj(self, by: str) -> float:
        """Return the part of the energy, in pJ, that is known at a grain.

        Parameters
        ----------
        by : {'layer', 'neuron', 'operation', 'step'}
            The grain.
        """
        query = f"SELECT coalesce(sum(energy_pj), 0) FROM (SELECT * FROM {self._from(by)})"
        return float(self._engine.value(query, self._key))

    def summary(self) -> str:
        """Return the report in a few lines of text."""
        from energy_db.reports import faces

        return faces.summary(self)

    def to_dict(self, top: int | None = 20) -> dict[str, Any]:
        """Return the report as JSON-ready values, energies in pJ; keys are only ever added.

        Parameters
        ----------
        top : int or None
            How many neurons to list; None for all that burn.
        """
        neuron = self.dominant_neuron
        return {
            "schema": SCHEMA,
            "run_id": self.run.run_id or None,
            "name": self.run.name,
            "chip": self.chip,
            "cost_version": self.cost_version,
            "n_timesteps": self.run.n_timesteps,
            "n_samples": self.run.n_samples,
            "total_spikes": self.total_spikes,
            "total_energy_pj": self.total_energy_pj,
            "energy_low_pj": self.energy_low_pj,
            "energy_high_pj": self.energy_high_pj,
            "n_operations": self.n_operations,
            "n_priced": self.n_priced,
            "n_ranged": self.n_ranged,
            "unlayered_energy_pj": self.unlayered_energy_pj,
            "energy_per_spike_pj": self.energy_per_spike_pj,
            "energy_per_inference_pj": self.energy_per_inference_pj,
            "layers": [asdict(layer) for layer in self.layers],
            "operations": [asdict(operation) for operation in self.operations],
            "neurons": [asdict(entry) for entry in self.neurons(top)],
            "dominant_layer": self.dominant_layer,
            "dominant_neuron": neuron and {"layer": neuron.layer, "neuron": neuron.neuron},
            "why": self.why,
            "advice": [asdict(advice) for advice in self.advice],
            "provenance": self.provenance,
            "warnings": list(self.warnings),
        }

    def to_arrow(self, by: str = "layer") -> pyarrow.Table:
        """Return the rows of one grain as an Arrow table, energies as exact decimals in pJ.

        Parameters
        ----------
        by : {'layer', 'neuron', 'operation', 'step'}
            The grain.
        """
        if by not in ROW_TYPES:
            raise UsageError(f"by is {by!r}, must be one of {', '.join(ROW_TYPES)}")
        return self._engine.arrow(f"SELECT * FROM {self._from(by)}", self._key)

    def to_pandas(self, by: str = "layer") -> pandas.DataFrame:
        """Return the rows of one grain as a pandas data frame; pandas must be installed.

        Parameters
        ----------
        by : {'layer', 'neuron', 'operation', 'step'}
            The grain.
        """
        try:
            return self.to_arrow(by).to_pandas()
        except ModuleNotFoundError as error:
            raise UsageError("pandas is not installed", "Install it: pip install pandas; or use to_arrow().") from error

    def to_speedscope(self, top: int | None = 20) -> str:
        """Return the report as a flame graph that https://www.speedscope.app opens, as JSON, in pJ.

        The stacks are network, layer, operation and neuron; their energies add up to the total exactly.

        Parameters
        ----------
        top : int or None
            How many neurons to show one by one, the costliest ones; None for all. The others of a layer are one frame.

        Raises
        ------
        NotFoundError
            If no operation could be priced.
        """
        from energy_db.reports.flame import speedscope

        if self.total_energy_pj is None:
            raise NotFoundError(f"no energy of {self.run.name} is known on {self.chip}: no operation could be priced")
        return speedscope(self._engine, self.run, self.chip, self.cost_version, self.neurons(top))

    def to_html(self, ranking: Ranking | None = None) -> str:
        """Return the report as a page to look at: one HTML file that fetches nothing.

        Needs the extra `energy-db[plot]`.

        Parameters
        ----------
        ranking : Ranking, optional
            The same run on every chip (`EnergyStore.chips`), to be shown beside it.

        Raises
        ------
        MissingExtraError
            If the packages that draw are not installed.
        """
        from energy_db.pages.report_page import report_page

        return report_page(self, ranking)

    def plot(self, path: str | PathLike[str], by: str | None = None) -> None:
        """Draw where the energy goes, without a browser. Needs the extra `energy-db[plot]`.

        Parameters
        ----------
        path : path-like
            The file, which ends in .svg or .png.
        by : {'layer', 'operation', 'neuron', 'step'}, optional
            The grain; None for 'layer', which splits each layer by operation.

        Raises
        ------
        MissingExtraError
            If the packages that draw are not installed.
        UsageError
            If it ends in something else, or there is no such grain.
        NotFoundError
            If no energy is known at that grain.
        """
        from energy_db.pages.report_page import plot_report

        plot_report(self, path, by or "layer")

    def _repr_html_(self) -> str:
        from energy_db.reports import faces

        return faces.html(self)

    @property
    def _key(self) -> list[str]:
        return [self.run.run_id, self.chip, self.cost_version]

    def _from(self, by: str) -> str:
        return f"energy_by_{by}_all_versions WHERE {PRICED} ORDER BY {SORTED_BY[by]}"


def costliest_neurons(
    engine: Engine, key: list[str], total_energy_pj: float | None, top: int | None
) -> tuple[NeuronEnergy, ...]:
    """Return the neurons that burn most of a run, priced by (run id, chip, cost version); None for all."""
    limit = "" if top is None else f" LIMIT {int(top)}"
    rows = engine.rows(
        f"SELECT layer, neuron, n_spikes, energy_pj FROM energy_by_neuron_all_versions WHERE {PRICED} "
        f"ORDER BY {SORTED_BY['neuron']}{limit}",
        key,
    )
    return tuple(
        NeuronEnergy(layer, neuron, spikes, float(pj), float(pj) / total_energy_pj if total_energy_pj else 0.0)
        for layer, neuron, spikes, pj in rows
    )
