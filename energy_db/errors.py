"""What can go wrong, each with the exit code of the command line (docs/cli.md)."""

from __future__ import annotations

from dataclasses import dataclass


class EnergyDbError(Exception):
    """Base of all errors that energy-db raises on purpose.

    Parameters
    ----------
    message : str
        What is wrong, and where.
    hint : str, optional
        What to do about it.
    """

    exit_code = 4

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(EnergyDbError, ValueError):
    """An argument that cannot be meant: wrong type, contradiction, out of range."""

    exit_code = 2


class MissingExtraError(UsageError):
    """What was asked for needs packages that are not installed; the hint names the extra that brings them."""


class NotFoundError(EnergyDbError, LookupError):
    """A run, chip, cost version or layer that the store does not have."""

    exit_code = 3


class UnpricedError(EnergyDbError):
    """An operation could not be priced, and --strict asks for all of them."""

    exit_code = 3


class NotComparableError(EnergyDbError):
    """Two runs, or their energies, that may not be held against each other."""

    exit_code = 3


class StoreError(EnergyDbError):
    """The store cannot be opened, read or written."""


class StoreVersionError(StoreError):
    """The store was made by another version of energy-db."""


class StoreLockedError(StoreError):
    """Another process, or another connection of this one, holds the store."""


class PublicationError(StoreError):
    """What is in the store could not be published; what was published before is as it was."""


class QueryError(EnergyDbError):
    """A query that is wrong, or that would change the store."""

    exit_code = 2


class QueryTimeoutError(QueryError):
    """A query that took longer than it may, and was stopped."""

    exit_code = 4


class CostError(EnergyDbError):
    """A cost file that breaks a rule of the catalogue."""


class DuplicateRunError(EnergyDbError):
    """A run of the same id or name, but other content, is stored already."""


class RunFileError(EnergyDbError):
    """A run file, or what was declared about it, that cannot be read."""


@dataclass(frozen=True)
class Violation:
    """One rule of the run-file contract that a file breaks.

    Attributes
    ----------
    column : str
        Column of the file, by the file's own name.
    rule : str
        What the contract demands.
    n_rows : int
        How many rows break the rule.
    first_row : int
        The first of them, counted from 0.
    value : str
        What stands there.
    """

    column: str
    rule: str
    n_rows: int
    first_row: int
    value: str

    def __str__(self) -> str:
        rows = "1 bad row" if self.n_rows == 1 else f"{self.n_rows} bad rows"
        return f"column {self.column!r} {self.rule}: {rows}, first at row {self.first_row} (value {self.value})"


class ContractError(RunFileError):
    """A run file whose events break the contract; nothing was stored.

    Parameters
    ----------
    path : str
        The file.
    violations : tuple of Violation
        Every rule that it breaks.
    hint : str, optional
        What to do about it.
    """

    def __init__(self, path: str, violations: tuple[Violation, ...], hint: str | None = None) -> None:
        super().__init__("\n".join(f"{path}: {violation}" for violation in violations), hint)
        self.violations = violations
