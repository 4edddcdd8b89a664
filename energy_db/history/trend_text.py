"""A trend for people: as text, as Markdown. Machines read `Trend.to_dict`."""

from __future__ import annotations

import html as escaping
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from energy_db import units
from energy_db.history.sparkline import sparkline
from energy_db.tables import html_table, markdown_table, printable, text_table

if TYPE_CHECKING:
    from energy_db.history.trend import LayerPart, Series, Step, Trend

Rows = list[dict[str, Any]]
_MOST_OUTLIERS = 5
_MOST_NAMED = 3


def page(trend: Trend, *, is_plain: bool = False) -> str:
    """Return the whole trend as text; plain for a terminal that has no blocks to draw with."""
    parts = [title(trend), text_table(series_rows(trend, is_plain=is_plain))]
    every = [*_steps_of_total(trend), *trend.steps]
    parts += ["\n".join(_step_lines(trend, series, step)) for series, step in every]
    if outliers := _outlier_lines(trend):
        parts.append("\n".join(outliers))
    return "\n\n".join([*parts, conclusion(trend)])


def markdown(trend: Trend) -> str:
    """Return the whole trend as Markdown."""
    parts = [f"# {title(trend)}", conclusion(trend), markdown_table(series_rows(trend))]
    if rows := step_rows(trend):
        parts.append(f"## Steps\n\n{markdown_table(rows)}")
    return "\n\n".join(parts)


def html(trend: Trend) -> str:
    """Return the trend as an HTML fragment for notebooks; every name in it is escaped."""
    parts = [f"<h3>{escaping.escape(title(trend))}</h3><p>{escaping.escape(conclusion(trend))}</p>"]
    parts.append(html_table(series_rows(trend)))
    if rows := step_rows(trend):
        parts.append(f"<h4>Steps</h4>{html_table(rows)}")
    return "".join(parts)


def title(trend: Trend) -> str:
    """Return what is followed, on which chip, under which costs, over which runs."""
    what = trend.metric
    if trend.chip is not None:
        costs = "costs as recorded" if trend.as_recorded else f"costs {trend.cost_version}"
        what = f"{what} on {trend.chip} ({costs})"
    n_shown = trend.n_runs - len(trend.left_out)
    of = "" if n_shown == trend.n_runs else f" of {trend.n_runs}"
    named = "" if trend.name is None else f" of {printable(trend.name)}"
    days = [_day(point.ran_at) for series in trend.series for point in series.points]
    runs = f"{n_shown}{of} run{'s' * (trend.n_runs != 1)}{named}"
    return f"{what}: {runs}, {min(days)} to {max(days)}{_conditions(trend)}"


def _conditions(trend: Trend) -> str:
    """Return which runs were asked for, beside their name."""
    asked = trend.question
    parts = [printable(condition) for condition in asked.where]
    parts += [] if asked.since is None else [f"since {printable(str(asked.since))}"]
    parts += [] if asked.last is None else [f"the last {asked.last}"]
    return f" (only {', '.join(parts)})" if parts else ""


def conclusion(trend: Trend) -> str:
    """Return how many steps there are, or why none could be told."""
    of_total = "" if trend.total is None or not trend.total.steps else f"; the whole run: {_counted(trend.total.steps)}"
    steps = [step for _, step in trend.steps]
    if steps:
        return f"{_counted(steps)}{of_total}"
    named: dict[str, list[str]] = {}
    for series in trend.series:
        if series.note is not None:
            named.setdefault(series.note, []).append(printable(series.name))
    if sum(map(len, named.values())) == len(trend.series):
        return f"{'; '.join(sorted(named))}{of_total}"
    unsure = "; ".join(f"{_some(names)}: {note}" for note, names in named.items())
    return f"no step{' can be told' if named else ''}{of_total}{f' ({unsure})' if named else ''}"


def _counted(steps: Sequence[Step]) -> str:
    n_accepted = sum(step.accepted is not None for step in steps)
    accepted = f", {n_accepted} of them accepted" if n_accepted else ""
    return f"{len(steps)} step{'s' * (len(steps) != 1)}{accepted}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def series_rows(trend: Trend, *, is_plain: bool = False) -> Rows:
    """Return a row for each series, for eyes."""
    return [
        {
            trend.by or "series": series.name,
            "runs": len(series.points),
            "level": amount(trend, series.points[-1].level),
            "newest": amount(trend, series.points[-1].value),
            "lowest": amount(trend, min(point.value for point in series.points)),
            "highest": amount(trend, max(point.value for point in series.points)),
            "history": _drawn(series, is_plain),
        }
        for series in trend.series
    ]


def step_rows(trend: Trend) -> Rows:
    """Return a row for each step, the newest first, for eyes."""
    return [
        {
            trend.by or "series": _place(series) if trend.by else series.name,
            "from run": step.run_id,
            "since": _day(step.ran_at),
            "before": amount(trend, step.before),
            "after": amount(trend, step.after),
            "change": change(trend, step),
            "p": _sureness(step),
            "runs": step.n_runs,
            "why": " / ".join(_reasons(trend, step)),
        }
        for series, step in (*_steps_of_total(trend), *trend.steps)
    ]


def _steps_of_total(trend: Trend) -> list[tuple[Series, Step]]:
    """Return the steps of the whole run that stand beside those of layers, the newest first."""
    return [] if trend.total is None else [(trend.total, step) for step in reversed(trend.total.steps)]


def amount(trend: Trend, value: float) -> str:
    """Return a value of the metric for eyes."""
    if trend.unit == "pJ":
        return units.energy(value)
    return f"{value:.10g}" if trend.metric == "spikes" else units.significant(value)


def change(trend: Trend, step: Step) -> str:
    """Return the change of a step for eyes, as a share where there is one."""
    if step.share is None:
        return f"{'+' if step.change > 0 else ''}{amount(trend, step.change)}"
    return f"{100 * step.share:+.2g} %" if abs(step.share) < 0.01 else f"{100 * step.share:+.1f} %"  # noqa: PLR2004


def _drawn(series: Series, is_plain: bool) -> str:
    values = [point.value for point in series.points]
    apart = {place for place, point in enumerate(series.points) if point.stands_apart}
    return sparkline(values, [step.index for step in series.steps], apart, is_plain=is_plain)


def _outlier_lines(trend: Trend) -> list[str]:
    """Return a line for each run that lies far from its level, the newest first."""
    apart = [(series, point) for series in trend.series for point in series.points if point.stands_apart]
    lines = []
    for series, point in sorted(apart, key=lambda pair: pair[1].ran_at, reverse=True):
        where = f" in {printable(series.name)}" if trend.by else ""
        run = f"{point.run_id} ({printable(point.run_name)}, {_day(point.ran_at)})"
        level = amount(trend, point.level)
        lines.append(f"Stands apart{where}, and is no step: {run}: {amount(trend, point.value)}, the level is {level}")
    rest = [f"and {len(lines) - _MOST_OUTLIERS} more stand apart"] if len(lines) > _MOST_OUTLIERS else []
    return lines[:_MOST_OUTLIERS] + rest


def _step_lines(trend: Trend, series: Series, step: Step) -> list[str]:
    where = f" in {_place(series)}" if trend.by else ""
    return [
        f"Step{where} at {step.run_id} ({printable(step.run_name)}, {_day(step.ran_at)}): {change(trend, step)}, "
        f"{amount(trend, step.before)} to {amount(trend, step.after)}; {_sureness(step)}; {_lasting(series, step)}",
        *(f"  {printable(reason)}" for reason in _reasons(trend, step)),
    ]


def step_line(trend: Trend, series: Series, step: Step) -> str:
    """Return a step in a sentence, with the reason."""
    where = f"{_place(series)}, " if trend.by else ""
    changed = f"{amount(trend, step.before)} to {amount(trend, step.after)}"
    since = f"since {_day(step.ran_at)}, run {step.run_id} ({printable(step.run_name)})"
    return "; ".join([f"{where}{changed}, {since}, {_sureness(step)}", *_reasons(trend, step)])


def _place(series: Series) -> str:
    return "the whole run" if series.kind == "total" else printable(series.name)


def _lasting(series: Series, step: Step) -> str:
    runs = f"{step.n_runs} run{'s' * (step.n_runs != 1)}"
    return f"lasts {runs} so far" if step is series.steps[-1] else f"lasted {runs}"


def _sureness(step: Step) -> str:
    if step.p_value is not None:
        return f"p {step.p_value:.2g}"
    return "no noise: certain" if step.evidence == "exact" else "accepted, not tested"


def _reasons(trend: Trend, step: Step) -> list[str]:
    """Return what is to be said of a step beside its size."""
    reasons = []
    pair = f"{step.typical_before_id} to {step.typical_after_id}"
    if step.why is not None:
        costs = "the costs, not the network: " if step.is_of_costs else ""
        reasons.append(f"why: {costs}{pair} {step.why}")
    if parts := [part for part in step.layers if part.change]:
        shown = [_part(trend, part) for part in parts[:_MOST_NAMED]]
        more = f" and {len(parts) - _MOST_NAMED} more" if len(parts) > _MOST_NAMED else ""
        reasons.append(f"by layer, {pair}: {', '.join(shown)}{more}")
    if step.comparable is False:
        runs = f"{step.typical_before_id} {step.typical_after_id}"
        reasons.append(f"not comparable: energy-db compare {runs} says what differs")
    if (accepted := step.accepted) is not None:
        by = "" if accepted.blessed_by is None else f" by {accepted.blessed_by}"
        reasons.append(f"accepted{by} on {_day(accepted.blessed_at)}: {accepted.reason}")
    return reasons


def _part(trend: Trend, part: LayerPart) -> str:
    name = "what belongs to no layer" if part.layer is None else part.layer
    share = "" if part.share is None else f" ({100 * part.share:.0f} %)"
    return f"{name} {'+' if part.change > 0 else ''}{amount(trend, part.change)}{share}"


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
