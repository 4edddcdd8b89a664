"""The page of a comparison."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import TYPE_CHECKING

from energy_db import units
from energy_db.comparisons import faces
from energy_db.errors import NotFoundError
from energy_db.pages import comparison_figures as figures
from energy_db.pages import markup, origin
from energy_db.pages.drawing import one_of, require_extra, save
from energy_db.pages.markup import Figure, Table
from energy_db.reports.receipt import cost_source
from energy_db.tables import printable

if TYPE_CHECKING:
    from energy_db.comparisons.comparison import Comparison


def comparison_page(comparison: Comparison) -> str:
    """Return a comparison as a page: one HTML file that fetches nothing.

    Parameters
    ----------
    comparison : Comparison
        The comparison; its store must be open.

    Raises
    ------
    MissingExtraError
        If the packages that draw are not installed.
    """
    require_extra()
    a, b = printable(comparison.a.name), printable(comparison.b.name)
    layers, neurons = figures.layer_figure(comparison), figures.neuron_figure(comparison)
    operations = figures.operation_figure(comparison)
    return markup.page(
        title=f"{a} → {b} on {comparison.chip}: {_change(comparison)}",
        header=[
            markup.paragraph(f"Energy comparison, {comparison.chip}, costs {_costs(comparison)}", "kicker"),
            f"<h1>{markup.text(a)} → {markup.text(b)}</h1>",
            markup.paragraph(comparison.why, "why"),
            markup.notes(
                faces.verdict_lines(comparison.comparable, comparison.differs), is_alarm=not comparison.comparable
            ),
            markup.facts(_facts(comparison)),
            markup.notes([*comparison.warnings, *faces.fingerprint_line(comparison.fingerprint)]),
        ],
        body=[
            markup.section("Why it changed", markup.figure(figures.effect_figure(comparison))),
            markup.section("Layer by layer", markup.figure(layers)) if layers else _no_layer_changed(comparison),
            markup.section("What the hardware does", markup.figure(operations)) if operations else "",
            markup.section("The neurons that changed most", markup.figure(neurons)) if neurons else "",
        ],
        footer=_footer(comparison),
    )


def plot_comparison(comparison: Comparison, path: str | PathLike[str], by: str) -> None:
    """Draw a figure of a comparison into an SVG or PNG file: 'effect', 'layer', 'operation' or 'neuron'."""
    require_extra()
    figure = one_of(_FIGURES, by)(comparison)
    if figure is None:
        raise NotFoundError(f"there is nothing to draw: no {by} changed on {comparison.chip}")
    save(figure.drawing, path)


_FIGURES: dict[str, Callable[[Comparison], Figure | None]] = {
    "effect": figures.effect_figure,
    "layer": figures.layer_figure,
    "operation": figures.operation_figure,
    "neuron": figures.neuron_figure,
}


def _facts(comparison: Comparison) -> dict[str, str]:
    facts = {
        "change": _change(comparison),
        "before": units.energy(comparison.total_a_pj),
        "after": units.energy(comparison.total_b_pj),
        "spikes": f"{comparison.a.n_spikes:,} → {comparison.b.n_spikes:,}",
    }
    if comparison.accuracy_a is not None and comparison.accuracy_b is not None:
        facts["accuracy"] = f"{100 * comparison.accuracy_a:.1f} % → {100 * comparison.accuracy_b:.1f} %"
    before, after = comparison.energy_per_correct_a_pj, comparison.energy_per_correct_b_pj
    if before is not None and after is not None:
        facts["per correct answer"] = f"{units.energy(before)} → {units.energy(after)}"
    return facts


def _change(comparison: Comparison) -> str:
    share = comparison.change_share
    amount = faces.signed(comparison.change_pj)
    return amount if share is None else f"{units.signed_percent(share)} ({amount})"


def _costs(comparison: Comparison) -> str:
    return " → ".join(dict.fromkeys((comparison.cost_version_a, comparison.cost_version_b)))


def _no_layer_changed(comparison: Comparison) -> str:
    return markup.section("Layer by layer", markup.table(Table("Layers", faces.layer_rows(comparison))))


def _footer(comparison: Comparison) -> list[str]:
    a, b = comparison.a, comparison.b
    command = (
        f"energy-db compare {origin.selector(a)} {origin.selector(b)} --chip {comparison.chip} "
        f"--cost-a {comparison.cost_version_a} --cost-b {comparison.cost_version_b} --html FILE"
    )
    facts = origin.run_facts(a, " before") | origin.run_facts(b, " after")
    for version in dict.fromkeys((comparison.cost_version_a, comparison.cost_version_b)):
        facts |= origin.cost_facts(cost_source(comparison._engine, comparison.chip, version))
    return [origin.heading(), markup.definitions(facts | origin.tool_facts(command))]
