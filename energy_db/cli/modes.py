"""What suits which kind of comparison, and what becomes of one that should not be made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from energy_db.errors import NotComparableError, UsageError

if TYPE_CHECKING:
    from energy_db.comparisons.rows import Disparity

RUNS, CHIPS, GROUPS = "two runs on one chip", "two runs on every chip", "two groups"
"""The kinds of comparison: `compare A B --chip NAME`, `compare A B`, `compare group:... group:... --chip NAME`."""

# Parameter of the verb -> the kinds that it suits; those that are not here suit all.
_SUITS = {
    **dict.fromkeys(("by", "top", "method", "relative", "only_changed", "layers_alias", "limits"), (RUNS,)),
    **dict.fromkeys(("html", "page"), (RUNS,)),
    **dict.fromkeys(("cost_a", "cost_b"), (RUNS, GROUPS)),
}
_REFUSALS = {
    CHIPS: ("needs one chip", "Name it: --chip loihi2"),
    GROUPS: ("for single runs, not for groups", "Leave it out."),
}


def refuse_what_does_not_suit(kind: str) -> None:
    """Raise if the command line names an option that does not suit a kind of comparison.

    Whether it is named counts, not its value: what is the default may have been meant, too.

    Parameters
    ----------
    kind : str
        The kind: RUNS, CHIPS or GROUPS.

    Raises
    ------
    UsageError
        If it does.
    """
    context = click.get_current_context()
    named = [
        max(parameter.opts, key=len)
        for parameter in context.command.params
        if kind not in _SUITS.get(str(parameter.name), (kind,))
        and context.get_parameter_source(str(parameter.name)) is not ParameterSource.DEFAULT
    ]
    if named:
        why, hint = _REFUSALS[kind]
        raise UsageError(f"{', '.join(named)}: {why}", hint)


def insist_on_comparable(what: str, differs: Sequence[Disparity], allow: bool) -> None:
    """Raise if energies may not be held against each other, and nobody allowed it.

    Parameters
    ----------
    what : str
        What was compared: 'runs' or 'groups'.
    differs : sequence of Disparity
        In what they differ beside their spikes.
    allow : bool
        Whether they shall be compared all the same.

    Raises
    ------
    NotComparableError
        If so; it says why.
    """
    reasons = "; ".join(f"{entry.what}: {entry.a} / {entry.b}" for entry in differs if entry.matters)
    if reasons and not allow:
        raise NotComparableError(f"the {what} are not comparable: {reasons}", "Compare them all the same: --allow")
