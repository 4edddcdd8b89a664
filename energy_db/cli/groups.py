"""The part of the verb compare that holds groups of runs against each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from energy_db.cli.output import Output, Settings, warn
from energy_db.errors import NotComparableError, UsageError

if TYPE_CHECKING:
    from energy_db.history.groups import GroupComparison

GROUP = "group:"
_DEFAULTS = {"top": 10, "method": "shapley", "limits": (), "layers_alias": (), "relative": False, "only_changed": False}
_OPTIONS = {"limits": "--fail-on", "layers_alias": "--layers-alias", "only_changed": "--only-changed"}


def are_groups(before: str, after: str) -> bool:
    """Whether both sides of a comparison are groups.

    Raises
    ------
    UsageError
        If only one of them is.
    """
    named = [side.startswith(GROUP) for side in (before, after)]
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
    options: Mapping[str, Any],
    other_options: Mapping[str, bool],
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
    options : mapping
        What else was given to compare, by parameter; those that suit single runs only are refused.
    other_options : mapping of str to bool
        Further options that suit single runs only, each with whether it was given.

    Raises
    ------
    UsageError
        If an option does not suit groups, or the chip is missing.
    NotComparableError
        If the groups are not comparable and nobody allowed it; they have been shown then.
    """
    _refuse_what_suits_runs_only(options, other_options)
    if chip is None:
        raise UsageError("groups are compared on one chip", "Name it: --chip loihi2")
    with settings.open() as store:
        found = store.compare_groups(before, after, chip, cost_version=options["cost_a"] or options["cost_b"])
    _show(output, found)
    for warning in found.warnings:
        warn(warning)
    if not found.comparable and not options["allow"]:
        reasons = "; ".join(f"{entry.what}: {entry.a} / {entry.b}" for entry in found.differs if entry.matters)
        raise NotComparableError(f"the groups are not comparable: {reasons}", "Compare them all the same: --allow")


def _refuse_what_suits_runs_only(options: Mapping[str, Any], other_options: Mapping[str, bool]) -> None:
    given = [
        _OPTIONS.get(name, f"--{name}")
        for name, default in _DEFAULTS.items()
        if name in options and options[name] != default
    ]
    given += [option for option, is_given in other_options.items() if is_given]
    if given:
        raise UsageError(f"{', '.join(given)}: for single runs, not for groups", "Leave it out.")
    if options["cost_a"] and options["cost_b"] and options["cost_a"] != options["cost_b"]:
        raise UsageError("groups are priced by one cost set", "Give --cost-a alone, or the same version twice.")


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
