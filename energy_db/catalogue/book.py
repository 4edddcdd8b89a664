"""The cost catalogue of a store: what operations cost, by chip and version; append-only."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from energy_db.catalogue import adding, citation, ledger, lint
from energy_db.catalogue.adding import AnyPath, Source
from energy_db.catalogue.citation import Citation
from energy_db.catalogue.entries import plain_text
from energy_db.catalogue.files import Problem
from energy_db.catalogue.ledger import Fact, as_day
from energy_db.catalogue.sets import Chip, CostSet
from energy_db.engines.duckdb import Engine, EngineBug, EngineError
from energy_db.engines.wording import first_line
from energy_db.errors import CostError, StoreError, UsageError
from energy_db.reports.difference import Difference, diff


class _DryRunError(Exception):
    """Ends a transaction that was only tried."""


class Catalogue:
    """The costs of a store, at `EnergyStore.costs`: versions are added and never changed or removed.

    Parameters
    ----------
    engine : Engine
        The store.
    read_only : bool
        Refuse to write.

    Examples
    --------
    >>> from energy_db import Cost, CostSet, EnergyStore
    >>> with EnergyStore(":memory:") as store:
    ...     mine = CostSet("my_fpga", "rev1", "Power report, 2026", [Cost("lif_update", "neuron_spike", 5.2)])
    ...     [added] = store.costs.add(mine)
    ...     print(added["status"], store.costs.version_for("my_fpga"))
    added rev1
    """

    def __init__(self, engine: Engine, read_only: bool = False) -> None:
        self._engine = engine
        self._read_only = read_only

    def chips(self) -> list[dict[str, Any]]:
        """Return the chips, each with its full name and note."""
        return self._engine.records("SELECT * FROM chips ORDER BY chip")

    def drivers(self) -> dict[str, str]:
        """Return the drivers that the catalogue knows, and what one unit of each is."""
        return ledger.known_drivers(self._engine)

    def versions(self, chip: str | None = None) -> list[dict[str, Any]]:
        """Return the cost versions, as the view cost_catalogue shows them.

        Parameters
        ----------
        chip : str, optional
            Only those of one chip.
        """
        if chip is None:
            return self._engine.records("SELECT * FROM cost_catalogue ORDER BY chip, cost_version")
        query = "SELECT * FROM cost_catalogue WHERE chip = ? ORDER BY cost_version"
        return self._engine.records(query, [ledger.known_chip(self._engine, chip)])

    def show(self, chip: str, cost_version: str | None = None) -> list[dict[str, Any]]:
        """Return the costs of a version by operation, those for reference last; energies are exact, in pJ.

        Parameters
        ----------
        chip : str
            A chip of the catalogue.
        cost_version : str, optional
            The cost set; by default the one in force today, or the only one.

        Raises
        ------
        NotFoundError
            If the catalogue does not have it.
        """
        query = "SELECT * FROM costs WHERE chip = ? AND cost_version = ? ORDER BY is_reference, operation"
        return self._engine.records(query, [chip, ledger.shown_version(self._engine, chip, cost_version)])

    def version_for(self, chip: str, cost_version: str | None = None, *, as_of: date | str | None = None) -> str:
        """Return the cost version that a run is priced with.

        Parameters
        ----------
        chip : str
            The chip.
        cost_version : str, optional
            The version, if one is asked for; it must be one that can price.
        as_of : date or str, optional
            Else the one that was in force on this day, as was known then; by default the one in force today (UTC).

        Raises
        ------
        NotFoundError
            If there is none, or it has reference figures only.
        """
        return ledger.version_for(self._engine, chip, cost_version, as_of)

    def in_force(self, chip: str | None = None, *, as_of: date | str | None = None) -> list[dict[str, Any]]:
        """Return the dated facts about which version is in force, and which of them hold.

        Parameters
        ----------
        chip : str, optional
            Only those of one chip.
        as_of : date or str, optional
            Only what was known on this day, and what held then; by default all that is known, and what holds today.
        """
        if chip is not None:
            ledger.known_chip(self._engine, chip)
        return ledger.facts(self._engine, chip, None if as_of is None else as_day("as_of", as_of))

    def diff(self, old: str, new: str, chip: str | None = None) -> Difference:
        """Return what changes from one version to another: each operation, and every stored run.

        Parameters
        ----------
        old, new : str
            The two versions of a chip.
        chip : str, optional
            The chip; by default the only one that has both.

        Raises
        ------
        NotFoundError
            If the catalogue does not have them.
        UsageError
            If several chips have both, or both are the same.
        """
        return diff(self._engine, old, new, chip)

    def cite(self, chip: str, cost_version: str | None = None) -> Citation:
        """Return how to cite a version: a sentence for the methods section, and BibTeX.

        Parameters
        ----------
        chip : str
            A chip of the catalogue.
        cost_version : str, optional
            The cost set; by default the one in force today, or the only one.

        Raises
        ------
        NotFoundError
            If the catalogue does not have it.
        """
        return citation.cite(self._engine, chip, ledger.shown_version(self._engine, chip, cost_version))

    def lint(self, paths: Collection[AnyPath] | None = None) -> list[Problem]:
        """Return what would keep cost files out of this catalogue; nothing is added.

        Parameters
        ----------
        paths : collection of path-like, optional
            The files; by default those of this release.
        """
        return lint.lint_files(paths, self.drivers(), ledger.stored_hashes(self._engine))

    def add(
        self, what: Source | Collection[Source], *, in_force: date | str | None = None, dry_run: bool = False
    ) -> list[dict[str, Any]]:
        """Add cost sets: all of them or, if one breaks a rule, none. The same content again is left as it is.

        Parameters
        ----------
        what : CostSet, Chip, path-like, or several of them
            The cost sets, or files of them (docs/costs.md).
        in_force : date or str, optional
            First day on which the added version is in force. By default what its file says; and the first version of
            a chip that can price is in force from today on.
        dry_run : bool
            Do everything but keep it.

        Returns
        -------
        list of dict
            Each version, with its status: 'added', 'unchanged' or 'would be added'.

        Raises
        ------
        CostError
            If a rule is broken; it lists every one.
        """
        day = None if in_force is None else as_day("in_force", in_force)
        with self._writing("costs add", dry_run):
            rows = adding.add(self._engine, _sources(what), day)
        return [{**row, "status": _would_be(row["status"], dry_run)} for row in rows]

    def put_in_force(
        self,
        chip: str,
        cost_version: str,
        from_date: date | str | None = None,
        *,
        reason: str = "",
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Say from which day on a version is in force; what was said before stays on record.

        Parameters
        ----------
        chip, cost_version : str
            The version; it must be one that can price.
        from_date : date or str, optional
            The first day; by default today (UTC).
        reason : str
            Why.
        dry_run : bool
            Do everything but keep it.

        Returns
        -------
        dict
            The fact, with its status: 'added', 'unchanged' or 'would be added'.

        Raises
        ------
        NotFoundError
            If there is no such version, or it has reference figures only.
        CostError
            If it was withdrawn.
        """
        day = ledger.now().date() if from_date is None else as_day("from_date", from_date)
        ledger.version_for(self._engine, chip, ledger.known_version(self._engine, chip, cost_version))
        if why := ledger.withdrawal(self._engine, chip, cost_version):
            raise CostError(f"{chip} {cost_version} was withdrawn: {why}", "Put another version in force.")
        fact = Fact(chip, cost_version, day, ledger.now(), _sentence(reason))
        with self._writing("costs in-force", dry_run):
            known = adding.put_in_force(self._engine, fact)
        told = {"chip": chip, "cost_version": cost_version, "in_force_from": day}
        status = _would_be("added" if known is None else "unchanged", dry_run)
        return {"status": status, **told, "reason": fact.reason if known is None else known}

    def withdraw(self, chip: str, cost_version: str, reason: str, *, dry_run: bool = False) -> dict[str, Any]:
        """Say that a version should no longer be used: it still prices, with a warning.

        Parameters
        ----------
        chip, cost_version : str
            The version.
        reason : str
            Why, and what to use instead.
        dry_run : bool
            Do everything but keep it.

        Returns
        -------
        dict
            The withdrawal, with its status: 'withdrawn', 'unchanged' or 'would be withdrawn'.

        Raises
        ------
        NotFoundError
            If there is no such version.
        """
        ledger.known_version(self._engine, chip, cost_version)
        if not _sentence(reason):
            raise UsageError("a withdrawal needs a reason", "Say why, and what to use instead.")
        known = ledger.withdrawal(self._engine, chip, cost_version)
        with self._writing("costs withdraw", dry_run):
            if known is None:
                self._engine.insert("cost_withdrawals", [[chip, cost_version, ledger.now(), reason]])
        status = "withdrawn" if known is None else "unchanged"
        return {
            "status": _would_be(status, dry_run),
            "chip": chip,
            "cost_version": cost_version,
            "reason": reason if known is None else known,
        }

    @contextmanager
    def _writing(self, verb: str, dry_run: bool) -> Iterator[None]:
        """Keep all that the block writes, or nothing of it."""
        if self._read_only:
            raise StoreError(
                f"{self._engine.path} is open read-only: {verb} is not possible", "Open it without read_only."
            )
        try:
            with self._engine.transaction():
                yield
                if dry_run:
                    raise _DryRunError
        except _DryRunError:
            pass
        except EngineBug:
            raise
        except EngineError as error:
            raise StoreError(
                f"{self._engine.path}: {first_line(error)}", "Nothing was written; the catalogue is as it was."
            ) from error


def _sources(what: Source | Collection[Source]) -> list[Source]:
    sources = list(what) if isinstance(what, list | tuple | set | frozenset) else [what]
    for source in sources:
        if not isinstance(source, CostSet | Chip | str) and not hasattr(source, "__fspath__"):
            raise UsageError(
                f"{source!r} is neither a CostSet nor a cost file", "Give a CostSet, a path, or a list of them."
            )
    return sources  # type: ignore[return-value]


def _sentence(reason: str) -> str:
    try:
        return plain_text(reason).strip()
    except ValueError as error:
        raise UsageError(f"reason {error}") from None


def _would_be(status: str, dry_run: bool) -> str:
    return f"would be {status}" if dry_run and status != "unchanged" else status
