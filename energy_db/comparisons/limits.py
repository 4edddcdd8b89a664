"""Limits on a change, such as 'energy>5%': a measure, a sign, and how much is too much."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from energy_db import units
from energy_db.comparisons.comparison import Comparison
from energy_db.comparisons.rows import Effects
from energy_db.errors import NotFoundError, UsageError
from energy_db.guess import did_you_mean

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_LIMIT = re.compile(
    r"\s*(?P<measure>layer:.+?|[^<>=]+?)\s*(?P<sign>[<>])\s*"
    rf"(?P<amount>{_NUMBER}\s*(?P<unit>%|[a-zA-Zµμ]+))\s*"
)
_EXAMPLES = "Write for example energy>5%, energy>10nJ, layer:hidden1>5% or energy_per_correct>0%."


@dataclass(frozen=True)
class Limit:
    """How much a measure may change from one run to another.

    Attributes
    ----------
    measure : str
        'energy', 'energy_per_correct', 'layer:NAME', or the name of an effect.
    sign : {'>', '<'}
        Whether a larger or a smaller change breaks it.
    amount : float
        The change that is just within it: in pJ, or as a share of what it was.
    is_share : bool
        Which of the two.
    text : str
        As it was written.
    """

    measure: str
    sign: str
    amount: float
    is_share: bool
    text: str


@dataclass(frozen=True)
class Outcome:
    """Whether a limit was kept.

    Attributes
    ----------
    limit : str
        The limit, as it was written.
    is_broken : bool
        Whether it was broken.
    change : str
        The change that it is about, for people.
    """

    limit: str
    is_broken: bool
    change: str


def read(text: str) -> Limit:
    """Read a limit.

    Raises
    ------
    UsageError
        If it is not of the form.

    Examples
    --------
    >>> read("energy>5%").amount, read("layer:hidden1 > 2 nJ").amount
    (0.05, 2000.0)
    """
    found = _LIMIT.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is no limit", _EXAMPLES)
    measure, unit = found["measure"], found["unit"]
    _refuse_unknown_measure(text, measure)
    is_share = unit == "%"
    amount = units.read_share(found["amount"]) if is_share else units.read_energy(found["amount"])
    if amount is None and (is_share or unit in units.PICOJOULES):
        raise UsageError(f"{text!r}: more than 18 digits before or behind the point", _EXAMPLES)
    if amount is None:
        raise UsageError(f"{text!r}: {unit!r} is no unit of energy", "Write %, pJ, nJ, µJ (or uJ), mJ or J.")
    return Limit(measure, found["sign"], float(amount), is_share, text)


def judge(limit: Limit, comparison: Comparison) -> Outcome:
    """Say whether a comparison keeps a limit.

    Raises
    ------
    NotFoundError
        If the comparison does not know the measure: no such layer, or no accuracy.
    """
    before, change = _measured(limit, comparison)
    if limit.is_share and not before:
        if change == 0:
            return Outcome(limit.text, False, "none: it was zero and is zero")
        raise NotFoundError(
            f"{limit.text}: {limit.measure} was zero, a share of that is nothing", "Write the limit in joules."
        )
    size = change / before if limit.is_share else change
    # What is just within the limit must not break it by the last digit of a float.
    is_apart = not math.isclose(size, limit.amount, rel_tol=1e-12)
    is_broken = is_apart and (size > limit.amount if limit.sign == ">" else size < limit.amount)
    shown = units.signed_energy(change) + (f" ({units.signed_percent(change / before)})" if before else "")
    return Outcome(limit.text, is_broken, shown)


def _refuse_unknown_measure(text: str, measure: str) -> None:
    known = ["energy", "energy_per_correct", *Effects.__dataclass_fields__]
    names_a_layer = measure.startswith("layer:") and measure != "layer:"
    if measure not in known and not names_a_layer:
        raise UsageError(f"{text!r}: {measure!r} cannot be limited", f"{did_you_mean(measure, known)}{_EXAMPLES}")


def _measured(limit: Limit, comparison: Comparison) -> tuple[float, float]:
    """Return what a measure was, and by how much it changed, in pJ; an effect changes the whole run's energy."""
    if limit.measure == "energy":
        return comparison.total_a_pj, comparison.change_pj
    if limit.measure == "energy_per_correct":
        return _of_correct_answers(limit, comparison)
    if limit.measure.startswith("layer:"):
        return _of_layer(limit, comparison)
    return comparison.total_a_pj, float(getattr(comparison.effects, limit.measure))


def _of_correct_answers(limit: Limit, comparison: Comparison) -> tuple[float, float]:
    before, after = comparison.energy_per_correct_a_pj, comparison.energy_per_correct_b_pj
    if before is not None and after is not None:
        return before, after - before
    if None in (comparison.accuracy_a, comparison.accuracy_b):
        raise NotFoundError(f"{limit.text}: not both runs carry the tag accuracy", "energy-db tag RUN accuracy=0.98")
    sides = ((comparison.a, before), (comparison.b, after))
    wrong = " and ".join(dict.fromkeys(run.name for run, per_correct in sides if per_correct is None))
    raise NotFoundError(f"{limit.text}: no sample of {wrong} was right (accuracy 0), so there is nothing to divide by")


def _of_layer(limit: Limit, comparison: Comparison) -> tuple[float, float]:
    name = limit.measure.removeprefix("layer:")
    for layer in comparison.layers:
        if layer.layer == name:
            return layer.energy_a_pj, layer.change_pj
    names = [layer.layer for layer in comparison.layers if layer.layer is not None]
    raise NotFoundError(f"{limit.text}: neither run has a layer {name!r}", did_you_mean(name, names).strip() or None)
