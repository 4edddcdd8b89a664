"""Costs as values: a cost, a version of a chip's costs sealed with a hash over all that it says, a chip."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from energy_db.catalogue.entries import circumstance, energy, plain_day, plain_text
from energy_db.errors import CostError

Number = int | float | str | Decimal

STATUSES = ("measured", "simulated", "vendor", "literature", "tutorial", "user")
# What may be summed: the additive ones with one another, the other two only with their like.
ADDITIVE_SCOPES = ("operation", "marginal", "static")
SUMMED_SCOPES = (*ADDITIVE_SCOPES, "aggregate", "convention")
REFERENCE_SCOPES = ("all_in", "system", "power", "dynamic", "as_reported")
SCOPES = (*SUMMED_SCOPES, *REFERENCE_SCOPES)

_ENERGIES = ("energy_pj", "low_pj", "high_pj")
_CIRCUMSTANCES = ("node_nm", "supply_v")


@dataclass(frozen=True)
class Cost:
    """What one unit of an operation costs.

    Parameters
    ----------
    operation, driver : str
        What the hardware does, and what it is charged on.
    energy_pj : int, float, str or Decimal, optional
        Energy of one unit of the driver, in pJ, with up to 6 decimals; None where the source leaves it blank.
    scope : str
        What the number includes: 'operation', 'marginal', 'static', 'aggregate', 'convention'; or, for reference only,
        'all_in', 'system', 'power', 'dynamic', 'as_reported' (docs/costs.md).
    low_pj, high_pj : int, float, str or Decimal, optional
        The published range, in pJ.
    is_reference : bool
        Whether the number is shown and cited only, and never summed.
    status, source, doi : str, optional
        How the number came about and where it was published, where that is not as in its cost set.
    confidence : str
        How the number was read: in the source itself, or in whose quotation of it.
    node_nm, supply_v : int, float, str or Decimal, optional
        Process node in nm and supply voltage in V that the number holds for.
    note : str
        What to know of this number.

    Raises
    ------
    CostError
        If a number is not one, is negative, or has more digits than the store keeps.

    Examples
    --------
    >>> from energy_db import Cost
    >>> Cost("synaptic_op", "synaptic_event", 23.6).energy_pj
    Decimal('23.600000')
    """

    operation: str
    driver: str
    energy_pj: Decimal | None = None
    _: KW_ONLY
    scope: str = "operation"
    low_pj: Decimal | None = None
    high_pj: Decimal | None = None
    is_reference: bool = False
    status: str | None = None
    source: str | None = None
    doi: str | None = None
    confidence: str = ""
    node_nm: Decimal | None = None
    supply_v: Decimal | None = None
    note: str = ""

    def __post_init__(self) -> None:
        for name in ("operation", "driver", "scope", "confidence", "note"):
            _demand(f"cost of {self.operation!r}", name, plain_text, getattr(self, name))
        for name in ("status", "source", "doi"):
            if getattr(self, name) is not None:
                _demand(f"cost of {self.operation!r}", name, plain_text, getattr(self, name))
        for names, read in ((_ENERGIES, energy), (_CIRCUMSTANCES, circumstance)):
            for name in names:
                object.__setattr__(self, name, _demand(f"cost of {self.operation!r}", name, read, getattr(self, name)))


@dataclass(frozen=True)
class CostSet:
    """One version of a chip's costs, with where it is from and how far to trust it.

    Parameters
    ----------
    chip, version : str
        Which it is.
    source : str
        Where the numbers were published.
    costs : sequence of Cost
        The numbers; where one says nothing of status or source, it inherits those of the set, the DOI with the source.
    label : str
        What the version is, in a few words.
    status : {'user', 'measured', 'simulated', 'vendor', 'literature', 'tutorial'}
        How the numbers came about.
    note : str
        What to know before trusting them.
    doi : str, optional
        Digital object identifier of the source.
    published_on, in_force_from : date, optional
        When the source was published; the first day on which the version is in force (None: none that it knows of).
    drivers : mapping of str to str
        Imported drivers that no release declares, and what one unit of each is.
    chip_title, chip_note : str, optional
        The chip's full name, and what to know of it, in case the catalogue does not have it yet.

    Raises
    ------
    CostError
        If a value is of another kind.

    Examples
    --------
    >>> from energy_db import Cost, CostSet
    >>> mine = CostSet("my_fpga", "rev1", "Power report of the place-and-route tool, 2026", [
    ...     Cost("lif_update", "neuron_step", 5.2), Cost("synapse", "synaptic_event", "1.25", low_pj=1, high_pj=2),
    ... ])
    >>> mine.costs[1].status, str(mine.costs[1].energy_pj)
    ('user', '1.250000')
    """

    chip: str
    version: str
    source: str
    costs: Sequence[Cost]
    _: KW_ONLY
    label: str = ""
    status: str = "user"
    note: str = ""
    doi: str | None = None
    published_on: date | None = None
    in_force_from: date | None = None
    drivers: Mapping[str, str] = field(default_factory=dict, hash=False)
    chip_title: str | None = None
    chip_note: str = ""

    def __post_init__(self) -> None:
        place = f"cost set {self.version!r} of {self.chip!r}"
        for name in ("chip", "version", "source", "label", "status", "note", "chip_note"):
            _demand(place, name, plain_text, getattr(self, name))
        for name in ("doi", "chip_title"):
            if getattr(self, name) is not None:
                _demand(place, name, plain_text, getattr(self, name))
        for name in ("published_on", "in_force_from"):
            if getattr(self, name) is not None:
                _demand(place, name, plain_day, getattr(self, name))
        if isinstance(self.costs, str | Mapping) or not isinstance(self.costs, Iterable):
            raise CostError(f"{place}: costs is {self.costs!r}, must be a list of Cost")
        if strangers := [cost for cost in self.costs if not isinstance(cost, Cost)]:
            raise CostError(f"{place}: costs holds {strangers[0]!r}, must hold only Cost")
        object.__setattr__(self, "costs", tuple(self._heir(cost) for cost in self.costs))
        object.__setattr__(self, "drivers", dict(self.drivers))

    def _heir(self, cost: Cost) -> Cost:
        """Return a cost with what it inherits; the DOI belongs to the source, another source has another."""
        status = self.status if cost.status is None else cost.status
        if cost.source is None:
            doi = self.doi if cost.doi is None else cost.doi
            return replace(cost, status=status, source=self.source, doi=doi)
        return replace(cost, status=status)

    @property
    def summed(self) -> tuple[Cost, ...]:
        """The costs that a run is priced with; none in a version that is for reference only."""
        return tuple(cost for cost in self.costs if not cost.is_reference)

    @property
    def content_hash(self) -> str:
        """SHA-256 over all that the version says: a changed number under an old name shows."""
        return content_hash(self.version_row, (cost_row(cost) for cost in self.costs))

    @property
    def version_row(self) -> list[Any]:
        """What the store keeps of the version, in the order of `VERSION_COLUMNS`."""
        about = [self.chip, self.version, self.label, self.status, self.source, self.doi]
        return [*about, self.published_on, self.note]


@dataclass(frozen=True)
class Chip:
    """A chip and the cost sets that its file holds.

    Attributes
    ----------
    name, title, note : str
        What reports call it, its full name, what to know before comparing it with another.
    versions : tuple of CostSet
        Its cost sets.
    drivers : mapping of str to str
        Drivers that the file declares, and what one unit of each is.
    file : str
        Where it was read; empty if nowhere.
    """

    name: str
    title: str
    note: str
    versions: tuple[CostSet, ...]
    drivers: Mapping[str, str] = field(default_factory=dict, hash=False)
    file: str = ""


VERSION_COLUMNS = ("chip", "cost_version", "label", "status", "source", "doi", "published_on", "note")
COST_COLUMNS = (
    *("operation", "driver", "energy_pj", "low_pj", "high_pj", "scope", "is_reference", "status", "source", "doi"),
    *("confidence", "node_nm", "supply_v", "note"),
)


def cost_row(cost: Cost) -> list[Any]:
    """Return what the store keeps of a cost, in the order of `COST_COLUMNS`."""
    return [getattr(cost, column) for column in COST_COLUMNS]


def content_hash(version: Sequence[Any], costs: Iterable[Sequence[Any]]) -> str:
    """Return the seal of a version: SHA-256 over its row and those of its costs, in whatever order they come.

    Parameters
    ----------
    version : sequence
        The values of `VERSION_COLUMNS`.
    costs : iterable of sequence
        The values of `COST_COLUMNS`, of every cost.
    """
    rows = sorted(
        ([_canonical(value) for value in cost] for cost in costs), key=lambda row: [str(cell) for cell in row]
    )
    content = [[_canonical(value) for value in version], rows]
    return hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:.6f}"
    return value if value is None or isinstance(value, bool) else str(value)


def _demand(place: str, name: str, read: Any, value: Any) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise CostError(f"{place}: {name} {error}") from None
