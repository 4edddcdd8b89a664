"""The page of a trend: the history of every series, its steps with their reasons, the levels that were accepted."""

from __future__ import annotations

import shlex
from os import PathLike
from typing import TYPE_CHECKING

from energy_db.history import trend_text
from energy_db.history.trend_text import amount
from energy_db.pages import history_chart, markup, origin
from energy_db.pages.drawing import require_extra, save
from energy_db.pages.history_chart import Mark, Panel
from energy_db.pages.markup import Figure, Table
from energy_db.pages.theme import Key
from energy_db.tables import printable

if TYPE_CHECKING:
    from energy_db.history.trend import Series, Trend

MOST_SERIES = 24
MOST_PICTURED = 8
MOST_ROWS = 200
_KEYS = [
    Key("a run", "bar", "circle"),
    Key("the level", "total", "line"),
    Key("a step up", "up", "dashes"),
    Key("a step down", "down", "dashes"),
    Key("an accepted level", "series_2", "diamond"),
    Key("a run that stands apart", "series_1", "cross"),
]


def trend_page(trend: Trend) -> str:
    """Return a trend as a page: one HTML file that fetches nothing.

    Parameters
    ----------
    trend : Trend
        The trend.

    Raises
    ------
    MissingExtraError
        If the packages that draw are not installed.
    """
    require_extra()
    shown = _most_telling(trend, MOST_SERIES)
    reasons = {f"left out: {entry.run_id}: {entry.reason}": None for entry in trend.left_out[:MOST_ROWS]}
    return markup.page(
        title=f"{trend_text.title(trend)}: {trend_text.conclusion(trend)}",
        header=[
            markup.paragraph(trend_text.title(trend), "kicker"),
            f"<h1>{markup.text(_heading(trend))}</h1>",
            markup.paragraph(trend_text.conclusion(trend), "why"),
            markup.notes([*trend.warnings, *reasons]),
        ],
        body=[
            markup.section("Where the level changed", *_step_parts(trend)),
            markup.section(
                f"The history{_few(trend, shown)}",
                markup.keys(_keys([_panel(trend, series) for series in shown])),
                *(markup.figure(_figure(trend, series)) for series in shown),
            ),
            markup.section("Every series", markup.folded(Table("Every series", _series_rows(trend)))),
            markup.section("Accepted levels", markup.table(Table("Accepted levels", _blessing_rows(trend), _LONG))),
        ],
        footer=[origin.heading(), markup.definitions(_facts(trend) | origin.tool_facts(_command(trend)))],
    )


def plot_trend(trend: Trend, path: str | PathLike[str]) -> None:
    """Draw the main figure of a trend, the series that tell most, into an SVG or PNG file."""
    shown = _most_telling(trend, MOST_PICTURED)
    panels = [_panel(trend, series) for series in shown]
    save(history_chart.histories(f"{trend_text.title(trend)}{_few(trend, shown)}", panels, _keys(panels)), path)


_LONG = frozenset({"why", "reason"})


def _heading(trend: Trend) -> str:
    where = f" on {trend.chip}" if trend.chip else ""
    return f"{trend.metric}{where}" if trend.name is None else f"{printable(trend.name)}: {trend.metric}{where}"


def _most_telling(trend: Trend, most: int) -> list[Series]:
    """Return at most so many series to be drawn: those with steps, then the highest; in their own order."""
    places = range(len(trend.series))  # names may be shared
    ranked = sorted(places, key=lambda at: (not trend.series[at].steps, -abs(trend.series[at].points[-1].level)))
    return [trend.series[at] for at in sorted(ranked[:most])]


def _few(trend: Trend, shown: list[Series]) -> str:
    return "" if len(shown) == len(trend.series) else f": {len(shown)} of {len(trend.series)} series"


def _figure(trend: Trend, series: Series) -> Figure:
    panel = _panel(trend, series)
    n_runs = len(series.points)
    title = f"{printable(series.name)}, {trend_text.title(trend)}"
    says = f"{printable(series.name)}: {n_runs} run{'s' * (n_runs != 1)}, {_told(series)}."
    if n_runs > history_chart.MOST_DOTS:
        says += " A bar spans the lowest and the highest of a few runs."
    caption = f"{printable(series.name)}, run by run"
    if n_runs > MOST_ROWS:
        caption += f", the newest {MOST_ROWS} of {n_runs}"
    return Figure(says, history_chart.histories(title, [panel]), [], [Table(caption, _point_rows(trend, series))])


def _told(series: Series) -> str:
    if series.note is not None:
        return series.note
    n_steps = len(series.steps)
    return f"{n_steps} step{'s' * (n_steps != 1)}" if n_steps else "no step"


def _panel(trend: Trend, series: Series) -> Panel:
    values = [point.value for point in series.points]
    levels = [point.level for point in series.points]
    blessed = {blessing.run_id for blessing in trend.blessings if series.is_meant_by(blessing)}
    return Panel(
        name=printable(series.name),
        newest=f"newest {amount(trend, values[-1])}",
        values=values,
        levels=levels,
        apart=frozenset(at for at, point in enumerate(series.points) if point.stands_apart),
        accepted=frozenset(at for at, point in enumerate(series.points) if point.run_id in blessed),
        steps=[
            Mark(step.index, trend_text.change(trend, step), "up" if step.change > 0 else "down")
            for step in series.steps
        ],
        ticks=[(value, amount(trend, value)) for value in history_chart.round_values([*values, *levels])],
        first=series.points[0].ran_at.date().isoformat(),
        last=series.points[-1].ran_at.date().isoformat(),
    )


def _keys(panels: list[Panel]) -> list[Key]:
    """Return what the colours that panels show stand for."""
    shown = {"bar", "total", *(step.colour for panel in panels for step in panel.steps)}
    shown |= {"series_2"} if any(panel.accepted for panel in panels) else set()
    shown |= {"series_1"} if any(panel.apart - panel.accepted for panel in panels) else set()
    return [key for key in _KEYS if key.colour in shown]


def _step_parts(trend: Trend) -> list[str]:
    said = [(trend_text.change(trend, step), trend_text.step_line(trend, series, step)) for series, step in trend.steps]
    table = Table("Steps, the newest first", trend_text.step_rows(trend), _LONG)
    return [markup.listing(said[:MOST_ROWS]), markup.folded(table)]


def _series_rows(trend: Trend) -> trend_text.Rows:
    rows = trend_text.series_rows(trend) if len(trend.series) > 1 else []
    return [{name: value for name, value in row.items() if name != "history"} for row in rows]


def _point_rows(trend: Trend, series: Series) -> trend_text.Rows:
    begins = {step.index for step in series.steps}
    rows = [
        {
            "run": point.run_id,
            "name": point.run_name,
            "ran": point.ran_at,
            "value": amount(trend, point.value),
            "level": amount(trend, point.level),
            "mark": "step" if at in begins else "stands apart" if point.stands_apart else "",
        }
        for at, point in enumerate(series.points)
    ]
    return rows[-MOST_ROWS:]


def _blessing_rows(trend: Trend) -> trend_text.Rows:
    return [
        {
            "run": blessing.run_id,
            "layer": "all" if blessing.layer is None else blessing.layer,
            "accepted": blessing.blessed_at,
            "by": blessing.blessed_by,
            "reason": blessing.reason,
        }
        for blessing in trend.blessings
    ]


def _facts(trend: Trend) -> dict[str, str]:
    points = [point for series in trend.series for point in series.points]
    first, last = (choose(points, key=lambda point: point.ran_at) for choose in (min, max))
    facts = {"first run": markup.code(first.run_id), "last run": markup.code(last.run_id)}
    for version in trend.costs:
        facts |= origin.cost_facts(version)
    return facts


def _command(trend: Trend) -> str:
    """Return the command that asks the same question, for the page to be made again."""
    asked = trend.question
    cost = "as-recorded" if trend.as_recorded else trend.cost_version or asked.cost_version
    options = [
        ("--chip", asked.chip),
        ("--cost", cost),
        ("--name", asked.name),
        ("--by", asked.by),
        *(("--where", condition) for condition in asked.where),
        ("--since", asked.since),
        ("--last", asked.last),
        ("--fdr", asked.fdr),
        ("--min-change", asked.least_change),
    ]
    parts = [part for option, value in options if value is not None for part in (option, str(value))]
    return f"{shlex.join(['energy-db', 'trend', asked.metric, *parts])} --html FILE"
