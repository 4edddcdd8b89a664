"""Runs that must stay within limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING, Any

from energy_db.catalogue import ledger
from energy_db.engines.duckdb import EngineBug, EngineError
from energy_db.engines.wording import first_line
from energy_db.errors import StoreError, UsageError
from energy_db.runs import Run
from energy_db.tracked import TrackedRuns

if TYPE_CHECKING:
    from energy_db.gate.blessings import Blessing
    from energy_db.gate.budget import Limit
    from energy_db.gate.check import CheckReport


class GatedRuns(TrackedRuns):
    """Runs that can be checked against budgets and baselines, and whose level can be accepted."""

    _read_only = False

    def check(
        self,
        run: str | Run = "latest",
        chip: str | None = None,
        *,
        limits: Sequence[Limit | Mapping[str, Any]] = (),
        budget: str | PathLike[str] | None = None,
        against: str | Run | None = None,
        cost_version: str | None = None,
        allow: bool = False,
        allow_missing: bool = False,
    ) -> CheckReport:
        """Say whether a run stays within its limits, by how much, why, and what would bring it back.

        Limits are absolute or relative to a baseline; those of a budget file and those given here are checked alike
        (docs/ci.md). Nothing is rounded before it is decided.

        Parameters
        ----------
        run : str or Run
            The run, or a selector of one (see `run`).
        chip : str, optional
            The chip of limits that name none; by default the one that the budget names.
        limits : sequence of (mapping or Limit), optional
            Limits with the keys that a budget file has, such as ``{"max_energy": "12 nJ", "layer": "hidden1"}`` or
            ``{"max_increase": "5 %", "per": "inference"}``.
        budget : path-like, optional
            A budget file, or a pyproject.toml with a table [tool.energy-db].
        against : str or Run, optional
            What relative limits are held against: a run, `group:TAG=VALUE` (the mean of those runs), or `blessed` (the
            newest accepted level of the run's history that is in force, see `bless`); by default what the budget names.
        cost_version : str, optional
            The cost set to price with; by default the one in force today. A blessed level is always held against at
            the cost version that priced it.
        allow : bool
            Hold runs against each other that are not comparable.
        allow_missing : bool
            Pass over what is not there yet: the baseline of relative limits, the tags that limits are for.

        Returns
        -------
        CheckReport
            The verdict is 'fail' if a limit is broken, else 'unchecked' if one could not be checked, else 'pass'.

        Raises
        ------
        UsageError
            If the limits cannot be read, there is none, or one lacks its chip or baseline.
        NotFoundError
            If the run, chip or cost version is not in the store.

        Examples
        --------
        >>> from energy_db import EnergyStore
        >>> with EnergyStore(":memory:") as store:
        ...     before = store.ingest("examples/digits-sparse.parquet")
        ...     after = store.ingest("examples/digits-baseline.parquet")
        ...     found = store.check(after, "loihi2", limits=[{"max_increase": "5 %"}], against="digits-sparse")
        ...     print(found.verdict, round(found.limits[0].increase, 3))
        fail 3.093
        """
        from energy_db.gate.budget import Budget, read_budget, read_limits
        from energy_db.gate.checking import check
        from energy_db.gate.question import Question

        written = Budget() if budget is None else read_budget(budget)
        question = Question(
            limits=(*written.limits, *read_limits(limits)),
            chip=written.chip if chip is None else chip,
            cost_version=cost_version,
            against=written.baseline if against is None else _selector(against),
            is_against_asked=against is not None,
            allow=allow,
            allow_missing=allow_missing,
        )
        return check(self._engine, self._known(run), question)

    def bless(
        self,
        run: str | Run,
        chip: str,
        *,
        reason: str,
        layer: str | None = None,
        cost_version: str | None = None,
        blessed_by: str | None = None,
        dry_run: bool = False,
    ) -> Blessing:
        """Accept what a run costs, so that later runs can be held against it: `check(against='blessed')`.

        What is said stays on record: a later blessing of the same history, chip and layer takes the place of an
        earlier one, and `revoke` takes one back. The same level, if it is the last that was said, is left as it is.

        Parameters
        ----------
        run : str or Run
            The run, or a selector of one (see `run`).
        chip : str
            The chip.
        reason : str
            Why this level is accepted.
        layer : str, optional
            Accept the level of this layer only; by default that of the whole run.
        cost_version : str, optional
            The cost set to price with; by default the one in force today.
        blessed_by : str, optional
            Who accepts it.
        dry_run : bool
            Do everything but keep it.

        Returns
        -------
        Blessing
            The blessing, with the status 'blessed', 'would be blessed' or 'unchanged'.

        Raises
        ------
        UsageError
            If no reason is given.
        NotFoundError
            If the run, layer, chip or cost version is not in the store.
        UnpricedError
            If not all of the energy is known.

        Examples
        --------
        >>> from energy_db import EnergyStore
        >>> with EnergyStore(":memory:") as store:
        ...     run = store.ingest("examples/digits-baseline.parquet")
        ...     level = store.bless(run, "loihi2", reason="the first network that reaches 97 %")
        ...     print(level.blessing_number, level.energy_pj, level.status)
        1 899253.2 blessed
        """
        from energy_db.gate import blessings

        version = ledger.version_for(self._engine, chip, cost_version)
        with self._writing("bless"):
            return blessings.bless(
                self._engine,
                self._known(run),
                chip,
                version,
                layer=layer,
                reason=reason,
                blessed_by=blessed_by,
                dry_run=dry_run,
            )

    def revoke(
        self, blessing_number: int, *, reason: str, revoked_by: str | None = None, dry_run: bool = False
    ) -> Blessing:
        """Take a blessing back; the one before it, if there is one, is in force again.

        Parameters
        ----------
        blessing_number : int
            Its number (see `blessings`).
        reason : str
            Why.
        revoked_by : str, optional
            Who takes it back.
        dry_run : bool
            Do everything but keep it.

        Returns
        -------
        Blessing
            The blessing, with the status 'revoked', 'would be revoked' or, if it was taken back before, 'unchanged'.

        Raises
        ------
        UsageError
            If no reason is given.
        NotFoundError
            If there is no such blessing.

        Examples
        --------
        >>> from energy_db import EnergyStore
        >>> with EnergyStore(":memory:") as store:
        ...     run = store.ingest("examples/digits-baseline.parquet")
        ...     level = store.bless(run, "loihi2", reason="accepted for the demo")
        ...     print(store.revoke(level.blessing_number, reason="the demo is over").is_in_force)
        False
        """
        from energy_db.gate import blessings

        with self._writing("bless --revoke"):
            return blessings.revoke(
                self._engine, blessing_number, reason=reason, revoked_by=revoked_by, dry_run=dry_run
            )

    def blessings(self, *, name: str | None = None, chip: str | None = None) -> list[Blessing]:
        """Return the accepted levels, the newest first, those that were taken back included.

        Parameters
        ----------
        name : str, optional
            Only those of runs of this name.
        chip : str, optional
            Only those on this chip.

        Raises
        ------
        NotFoundError
            If there is no such chip.

        Examples
        --------
        >>> from energy_db import EnergyStore
        >>> with EnergyStore(":memory:") as store:
        ...     run = store.ingest("examples/digits-baseline.parquet")
        ...     level = store.bless(run, "loihi2", reason="accepted for the demo", layer="hidden1")
        ...     print([(one.layer, one.reason, one.is_in_force) for one in store.blessings()])
        [('hidden1', 'accepted for the demo', True)]
        """
        from energy_db.gate.blessings import find_blessings

        if chip is not None:
            ledger.known_chip(self._engine, chip)
        return find_blessings(self._engine, name, chip)

    @contextmanager
    def _writing(self, verb: str) -> Iterator[None]:
        """Keep all that the block writes, or nothing of it."""
        self._refuse_read_only(verb)
        try:
            with self._engine.transaction():
                yield
        except EngineBug:
            raise
        except EngineError as error:
            raise StoreError(f"{self._engine.path}: {first_line(error)}", "Nothing was written.") from error

    def _refuse_read_only(self, verb: str) -> None:
        if self._read_only:
            raise StoreError(
                f"{self._engine.path} is open read-only: {verb} is not possible", "Open it without read_only."
            )


def _selector(baseline: str | Run) -> str:
    selector = baseline.run_id if isinstance(baseline, Run) else baseline
    if not isinstance(selector, str) or not selector.strip():
        raise UsageError(f"against is {baseline!r}, must be a run, group:TAG=VALUE or blessed", "For example: @main")
    return selector
