"""What is asked of a check, and which limits are about a run."""

from __future__ import annotations

from dataclasses import dataclass

from energy_db.errors import UsageError
from energy_db.gate.budget import BUDGET_FILE, EXAMPLE, Limit
from energy_db.history.filters import DECLARED
from energy_db.intake.declaration import tag_number
from energy_db.runs import Run

FIELDS = ("name", "kind", *DECLARED)
"""What `where` may name beside tags."""


@dataclass(frozen=True)
class Question:
    """What is to be checked.

    Attributes
    ----------
    limits : tuple of Limit
        The limits.
    chip : str or None
        The chip of limits that name none.
    cost_version : str or None
        What prices the run; None for the costs in force today.
    against : str or None
        What relative limits are held against.
    is_against_asked : bool
        Whether `against` was said with the question, and not only by the budget.
    allow : bool
        Hold runs against each other that are not comparable.
    allow_missing : bool
        Pass over what is not there yet: the baseline of relative limits, the tags of `where`.
    """

    limits: tuple[Limit, ...]
    chip: str | None = None
    cost_version: str | None = None
    against: str | None = None
    is_against_asked: bool = False
    allow: bool = False
    allow_missing: bool = False

    def chip_of(self, limit: Limit) -> str:
        """Return the chip that a limit is about.

        Raises
        ------
        UsageError
            If nobody names one.
        """
        chip = limit.chip or self.chip
        if chip is None:
            raise UsageError(
                f"{limit.origin}: it names no chip", 'Name one: --chip loihi2, or chip = "loihi2" in the budget.'
            )
        return chip


def refuse_half_a_question(question: Question) -> None:
    """Raise if there is nothing to check, or if a limit lacks its chip or its baseline.

    Raises
    ------
    UsageError
        If so; it says what to write.
    """
    if not question.limits:
        raise UsageError(
            "there is no limit to check",
            f"Give one: --max-energy '12 nJ' or --max-increase '5 %'; or write {BUDGET_FILE}:\n{EXAMPLE}",
        )
    for limit in question.limits:
        question.chip_of(limit)
        if limit.max_increase is not None and question.against is None:
            raise UsageError(
                f"{limit.origin}: it limits an increase, but over which baseline?",
                'Name one: --against @main, or baseline = "@main" in the budget.',
            )


def is_about(limit: Limit, run: Run) -> bool:
    """Whether a run carries the tags that a limit is for; two numbers compare as numbers."""
    for tag, wanted in limit.where.items():
        value = getattr(run, tag) if tag in FIELDS else None
        # As everywhere, what is declared may be a tag as well.
        value = run.tags.get(tag) if value is None else value
        if value is None:
            return False
        number = tag_number(wanted)
        if value != wanted and (number is None or number != tag_number(value)):
            return False
    return True
