"""Whether a run stays within its limits, by how much, why, and what would bring it back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from energy_db.gate import faces
from energy_db.gate.rows import FAIL, PASS, LimitResult, WayBack, Why
from energy_db.runs import Run

SCHEMA = "energy-db/check/1"


@dataclass(frozen=True)
class CheckReport:
    """Whether a run stays within its limits; made by `EnergyStore.check`.

    Attributes
    ----------
    run : Run
        The run.
    against : str or None
        The baseline, as it was asked for.
    verdict : {'pass', 'fail', 'unchecked'}
        'fail' if a limit is broken; else 'unchecked' if one could not be checked; else 'pass'.
    limits : tuple of LimitResult
        What came of each limit that is about this run, in the order of the budget.
    why : tuple of Why
        Why the run costs what it does, on each chip.
    ways_back : tuple of WayBack
        For each broken limit, the smallest changes that suffice alone, the smallest first; where none does, the
        largest ones.
    obstacles : tuple of str
        What kept limits from being checked.
    notes : tuple of str
        What else the reader should know of the verdict.
    warnings : tuple of str
        How far not to trust the figures.
    provenance : tuple of dict
        For each chip the run, the cost version, and the `report_hash` of the report behind it (docs/costs.md).
    """

    run: Run
    against: str | None
    verdict: str
    limits: tuple[LimitResult, ...]
    why: tuple[Why, ...]
    ways_back: tuple[WayBack, ...]
    obstacles: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    provenance: tuple[dict[str, Any], ...]

    @property
    def passed(self) -> bool:
        """Whether every limit was checked and kept, apart from those that may be left unchecked."""
        return self.verdict == PASS

    @property
    def broken(self) -> tuple[LimitResult, ...]:
        """The limits that are broken."""
        return tuple(result for result in self.limits if result.verdict == FAIL)

    def to_dict(self) -> dict[str, Any]:
        """Return the check as JSON-ready values, energies in pJ; keys are only ever added."""
        return {
            "schema": SCHEMA,
            "verdict": self.verdict,
            "run_id": self.run.run_id,
            "name": self.run.name,
            "against": self.against,
            "limits": [asdict(result) for result in self.limits],
            "why": [asdict(reason) for reason in self.why],
            "ways_back": [asdict(way) for way in self.ways_back],
            "obstacles": list(self.obstacles),
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            "provenance": list(self.provenance),
        }

    def to_markdown(self) -> str:
        """Return the check as Markdown for a pull request, the verdict first."""
        return faces.markdown(self)
