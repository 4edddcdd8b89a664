"""What is known of many runs: each with its energy, and groups of them."""

from __future__ import annotations

from dataclasses import dataclass

from energy_db.history.filters import TAG
from energy_db.history.spread import Spread
from energy_db.intake.declaration import tag_number
from energy_db.runs import Run


@dataclass(frozen=True)
class HistoryRow:
    """A run among others; energies in pJ, None where no chip was named or nothing could be priced.

    Attributes
    ----------
    run : Run
        The run.
    energy_pj, energy_per_inference_pj : float or None
        Its energy, and that of a sample, of the priced operations.
    n_priced, n_operations : int or None
        How many operations of the cost set could be priced, of how many.
    previous_run_id : str or None
        The run of the same name before it, listed or not.
    change_pj, change_share : float or None
        Its energy less that of the previous run, and the same as a share; None unless both are priced in full.
    has_same_extent : bool or None
        Whether both have as many timesteps and samples; if not, the change says little.
    is_on_front : bool or None
        Whether no other run is both as cheap by the sample and worth as much; None if nobody asked, or if its energy
        or its worth is not known in full.
    dominated_by : str or None
        The cheapest run of the front that is better in one of the two and no worse in the other.
    """

    run: Run
    energy_pj: float | None = None
    energy_per_inference_pj: float | None = None
    n_priced: int | None = None
    n_operations: int | None = None
    previous_run_id: str | None = None
    change_pj: float | None = None
    change_share: float | None = None
    has_same_extent: bool | None = None
    is_on_front: bool | None = None
    dominated_by: str | None = None

    @property
    def is_fully_priced(self) -> bool:
        """Whether every operation of the cost set could be priced: parts do not compare."""
        return self.n_priced is not None and self.n_priced == self.n_operations

    def tag_number(self, tag: str) -> float | None:
        """Return the number that a tag of the run holds; None if it has none."""
        return tag_number(self.run.tags.get(tag.removeprefix(TAG), ""))


@dataclass(frozen=True)
class RunGroup:
    """Runs that share a tag or field, such as those of one branch over five seeds.

    Attributes
    ----------
    value : str or None
        What they share; None for the runs that do not have it.
    runs : tuple of str
        Their ids, in the order of the list.
    spikes : Spread or None
        Their recorded spikes.
    energy : Spread or None
        Their energies in pJ, of the runs that are priced in full; None if none is, or no chip was named.
    energy_per_inference : Spread or None
        The same by the sample.
    accuracy : Spread or None
        Their tag `accuracy`, of the runs that carry it.
    has_same_extent : bool
        Whether all of them have as many timesteps and samples.
    """

    value: str | None
    runs: tuple[str, ...]
    spikes: Spread | None
    energy: Spread | None
    energy_per_inference: Spread | None
    accuracy: Spread | None
    has_same_extent: bool


@dataclass(frozen=True)
class History:
    """Runs with their energies; made by `EnergyStore.history`.

    Attributes
    ----------
    chip, cost_version : str or None
        What prices them; None if no chip was named.
    rows : tuple of HistoryRow
        The runs, the newest first unless another order was asked for.
    group_by : str or None
        The tag or field that they are grouped by.
    groups : tuple of RunGroup
        The groups; none if nobody asked.
    pareto : str or None
        The tag that energy is weighed against.
    """

    chip: str | None
    cost_version: str | None
    rows: tuple[HistoryRow, ...]
    group_by: str | None = None
    groups: tuple[RunGroup, ...] = ()
    pareto: str | None = None
