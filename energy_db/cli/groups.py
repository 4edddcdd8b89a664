"""The part of the verb compare that holds groups of runs against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from energy_db.cli.modes import GROUPS, insist_on_comparable, refuse_what_does_not_suit
from energy_db.cli.output import Output, Settings, warn
from energy_db.errors import UsageError

if TYPE_CHECKING:
    from energy_db.history.groups import GroupComparison


def are_groups(before: str, after: str) -> bool:
    """Whether both sides of a comparison are groups.

    Raises
    ------
    UsageError
        If only one of them is.
    """
    from energy_db.history.groups import is_group

    named = [is_group(side) for side in (before, after)]
    if any(named) and not all(named):
        raise UsageError(
            "a group cannot be held against a single run",
            "Name two groups: energy-db compare group:branch=main group:branch=sparse --chip loihi2",
        )
    return all(named)


def compare_groups(
    settings: Settings,
    output: Output,
    before: str,
    after: str,
    chip: str | None,
    cost_versions: tuple[str | None, str | None],
    allow: bool,
) -> None:
    """Hold a group of runs against another one and show how they differ.

    Parameters
    ----------
    settings : Settings
        Which store.
    output : Output
        Where to, and in which format.
    before, after : str
        The groups.
    chip : str or None
        The chip.
    cost_versions : (str or None, str or None)
        The cost sets that were named for either side; groups are priced by one.
    allow : bool
        Whether to compare all the same what is not comparable.

    Raises
    ------
    UsageError
        If an option does not suit groups, or the chip is missing.
    NotComparableError
        If the groups are not comparable and nobody allowed it; they have been shown then.
    """
    refuse_what_does_not_suit(GROUPS)
    named = {version for version in cost_versions if version is not None}
    if len(named) > 1:
        raise UsageError("groups are priced by one cost set", "Give --cost-a alone, or the same version twice.")
    if chip is None:
        raise UsageError("groups are compared on one chip", "Name it: --chip loihi2")
    with settings.open() as store:
        found = store.compare_groups(before, after, chip, cost_version=next(iter(named), None))
    _show(output, found)
    for warning in found.warnings:
        warn(warning)
    insist_on_comparable("groups", found.differs, allow)


def _show(output: Output, found: GroupComparison) -> None:
    from energy_db.history import groups_text
    from energy_db.tables import json_text

    if output.format == "json":
        output.text(json_text(found.to_dict()))
    elif output.format == "md":
        output.text(groups_text.markdown(found))
    elif output.format == "table":
        output.text(groups_text.page(found))
    else:
        output.rows("energy-db/compare-groups/1", groups_text.machine_rows(found))
