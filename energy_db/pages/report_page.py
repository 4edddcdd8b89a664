"""The page of a report, and that of a run on every chip."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from energy_db import units
from energy_db.errors import NotFoundError
from energy_db.pages import markup, origin
from energy_db.pages import report_figures as figures
from energy_db.pages.drawing import one_of, require_extra, save
from energy_db.pages.markup import Table
from energy_db.reports import faces
from energy_db.tables import printable

if TYPE_CHECKING:
    from energy_db.reports.ranking import Ranking
    from energy_db.reports.report import Report
    from energy_db.runs import Run


_MOST_ADVICE = 8
_FIGURES = {
    "layer": figures.layer_figure,
    "operation": figures.operation_figure,
    "neuron": figures.neuron_figure,
    "step": figures.step_figure,
}


def report_page(report: Report, ranking: Ranking | None = None) -> str:
    """Return a report as a page: one HTML file that fetches nothing.

    Parameters
    ----------
    report : Report
        The report; its store must be open.
    ranking : Ranking, optional
        The same run on every chip, to be shown beside it.

    Raises
    ------
    MissingExtraError
        If the packages that draw are not installed.
    """
    require_extra()
    name = printable(report.run.name)
    layers, operations = figures.layer_figure(report), figures.operation_figure(report)
    neurons, steps = figures.neuron_figure(report), figures.step_figure(report)
    return markup.page(
        title=f"{name} on {report.chip}: {faces.optional_energy(report.total_energy_pj)}",
        header=[
            markup.paragraph(f"Energy report, {report.chip}, costs {report.cost_version}", "kicker"),
            f"<h1>{markup.text(name)}</h1>",
            markup.paragraph(report.why, "why"),
            markup.facts(_facts(report)),
            markup.notes(report.warnings),
        ],
        body=[
            markup.section("Where the energy goes", markup.figure(layers) if layers else _nothing_priced(report)),
            markup.section("What to do, and what it would save", *_advice_parts(report)),
            markup.section("What the hardware does", markup.figure(operations)) if operations else "",
            markup.section("The costliest neurons", markup.figure(neurons)) if neurons else "",
            markup.section("Over time", markup.figure(steps) if steps else _nothing_by_step(report)),
            _chips_section(ranking, report.chip) if ranking else "",
        ],
        footer=_footer(report),
    )


def ranking_page(ranking: Ranking) -> str:
    """Return a run on every chip as a page: one HTML file that fetches nothing.

    Parameters
    ----------
    ranking : Ranking
        The run on every chip.

    Raises
    ------
    MissingExtraError
        If the packages that draw are not installed.
    """
    require_extra()
    run = ranking.run
    command = f"energy-db report {origin.selector(run)} --chip all --html FILE"
    return markup.page(
        title=f"{printable(run.name)} on {len(ranking)} chips",
        header=[
            markup.paragraph("Energy report, every chip", "kicker"),
            f"<h1>{markup.text(run.name)}</h1>",
            markup.facts(_activity(run)),
        ],
        body=[_chips_section(ranking, None)],
        footer=[origin.heading(), markup.definitions(origin.run_facts(run) | origin.tool_facts(command))],
    )


def plot_report(report: Report, path: str | PathLike[str], by: str) -> None:
    """Draw the figure of one grain of a report into an SVG or PNG file: 'layer', 'operation', 'neuron' or 'step'."""
    require_extra()
    figure = one_of(_FIGURES, by)(report)
    if figure is None:
        known = f"no energy of {printable(report.run.name)} is known on {report.chip} by {by}"
        raise NotFoundError(f"there is nothing to draw: {known}")
    save(figure.drawing, path)


def plot_ranking(ranking: Ranking, path: str | PathLike[str]) -> None:
    """Draw the main figure of a ranking, the largest group of chips that compare, into an SVG or PNG file."""
    found = [figure for _, figure in figures.chip_figures(ranking)]
    if not found:
        raise NotFoundError(f"there is nothing to draw: no two chips compare for {ranking.run.name}")
    save(max(found, key=lambda figure: len(figure.tables[0].rows)).drawing, path)


def _facts(report: Report) -> dict[str, str]:
    low, high = report.energy_low_pj, report.energy_high_pj
    ranged = (
        f"{units.energy(low)} to {units.energy(high)}" if low is not None and high is not None else "none published"
    )
    total = "unknown" if report.total_energy_pj is None else units.energy(report.total_energy_pj)
    return {
        "energy in all": total,
        "per inference": faces.optional_energy(report.energy_per_inference_pj),
        "per spike": faces.optional_energy(report.energy_per_spike_pj),
        "range": ranged,
        "operations priced": f"{report.n_priced} of {report.n_operations}",
    } | _activity(report.run)


def _activity(run: Run) -> dict[str, str]:
    return {
        "spikes": f"{run.n_spikes:,}",
        "samples × timesteps": f"{run.n_samples:,} × {run.n_timesteps:,}",
        "neurons": f"{sum(layer.n_neurons or 0 for layer in run.layers):,} in {faces.plural(len(run.layers), 'layer')}",
    }


def _advice_parts(report: Report) -> list[str]:
    advice = [(faces.saving(entry), entry.action) for entry in report.advice]
    everything = [{"saves": saved, "what to do": action} for saved, action in advice]
    rest = markup.folded(Table(f"All {len(advice)} savings", everything, frozenset({"what to do"})))
    return [markup.listing(advice[:_MOST_ADVICE]), rest if len(advice) > _MOST_ADVICE else ""]


def _nothing_priced(report: Report) -> str:
    reasons = [f"{entry.operation}: {entry.unpriced}" for entry in report.unpriced]
    said = f"no energy is known on {report.chip}. {'; '.join(reasons)}".strip()
    return markup.notes([said]) + markup.table(Table("Operations", faces.operation_rows(report)))


def _nothing_by_step(report: Report) -> str:
    nothing = f"no operation of {report.chip} {report.cost_version} is charged on single spikes in this run"
    return markup.notes([f"{nothing}, so nothing can be told by timestep"])


def _chips_section(ranking: Ranking, chip: str | None) -> str:
    parts = [
        f"<h3>{markup.text(group)}</h3>{markup.figure(figure)}" for group, figure in figures.chip_figures(ranking, chip)
    ]
    notes = markup.notes(faces.ranking_notes(ranking))
    everything = markup.folded(Table("All chips", faces.chip_rows(ranking.chips)))
    return markup.section("On other chips" if chip else "Chip by chip", *parts, everything, notes)


def _footer(report: Report) -> list[str]:
    known = report.provenance
    costs = known["costs"]
    command = (
        f"energy-db report {origin.selector(report.run)} --chip {report.chip} --cost {report.cost_version} --html FILE"
    )
    facts = origin.run_facts(report.run) | {
        **origin.cost_facts(costs),
        "report hash": markup.code(
            known["report_hash"] or "none: the run is not stored, so its content has no identity"
        ),
    }
    rows = [
        {
            "operation": row["operation"],
            "charged on": row["driver"],
            "each": faces.optional_energy(row["energy_pj"]),
            "status": row["status"] or costs["status"],
            "source": " ".join(filter(None, (row["source"] or costs["source"], row["doi"] and f"doi:{row['doi']}"))),
        }
        for row in known["cost_rows"]
    ]
    return [
        origin.heading(),
        markup.definitions(facts | origin.tool_facts(command)),
        markup.folded(Table("Every cost with its source", rows, frozenset({"source"}))),
    ]
