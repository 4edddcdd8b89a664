"""Runs that can be held against each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from energy_db.catalogue import ledger
from energy_db.priced import PricedRuns

if TYPE_CHECKING:
    from energy_db.comparisons.chips import ChipChanges
    from energy_db.comparisons.comparison import Comparison
    from energy_db.runs import Run


class ComparedRuns(PricedRuns):
    """Runs that can be compared, two by two."""

    def compare(
        self,
        a: str | Run,
        b: str | Run,
        chip: str,
        *,
        cost_version_a: str | None = None,
        cost_version_b: str | None = None,
        method: Literal["shapley", "lmdi", "pvm"] = "shapley",
        layers_alias: Mapping[str, str] | None = None,
    ) -> Comparison:
        """Return what changed from run a to run b on a chip, and why.

        The change is split into effects that add up to it exactly (docs/method.md). Runs that may not be compared are
        compared all the same: `Comparison.comparable` says no, and `Comparison.differs` why.

        Parameters
        ----------
        a, b : str or Run
            The run before and the run after, or selectors of them (see `run`).
        chip : str
            A chip of the catalogue, such as 'loihi2'.
        cost_version_a, cost_version_b : str, optional
            The cost sets that price each run; by default the one in force today. A run can be compared with itself
            under two of them.
        method : {'shapley', 'lmdi', 'pvm'}
            How the change is split: exactly at the grain of neurons, or, for people who report in these traditions,
            by the logarithmic mean Divisia index or as price, volume and mix, at the grain of layers.
        layers_alias : mapping of str to str, optional
            The name in run b of layers that run a calls otherwise; a layer that is not in both counts as new or gone.

        Raises
        ------
        NotFoundError
            If a run, the chip or a cost version is not in the store, or no operation can be priced in both runs.
        UsageError
            If there is no such method, or an alias names a layer that is not there.

        Examples
        --------
        >>> from energy_db import EnergyStore
        >>> with EnergyStore(":memory:") as store:
        ...     before = store.ingest("examples/digits-baseline.parquet")
        ...     after = store.ingest("examples/digits-sparse.parquet")
        ...     print(store.compare(before, after, "loihi2").why)
        -75.6 %: hidden1 fires 97 % less, hidden2 fires 92 % less
        """
        from energy_db.comparisons.comparing import compare

        version_a = ledger.version_for(self._engine, chip, cost_version_a)
        version_b = ledger.version_for(self._engine, chip, cost_version_b)
        runs = self._known(a), self._known(b)
        return compare(self._engine, *runs, chip, version_a, version_b, method=method, aliases=layers_alias)

    def compare_chips(self, a: str | Run, b: str | Run) -> ChipChanges:
        """Return what changed from run a to run b on every chip, under the costs in force.

        Parameters
        ----------
        a, b : str or Run
            The run before and the run after, or selectors of them (see `run`).

        Raises
        ------
        NotFoundError
            If a run is not in the store, or no chip can price both.
        """
        from energy_db.comparisons.chips import compare_chips

        return compare_chips(self._engine, self._known(a), self._known(b))
