"""What the gate says, for eyes: accepted levels, and what came of a check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from energy_db import units
from energy_db.errors import NotFoundError
from energy_db.gate.rows import FAIL, PASS, UNCHECKED, LimitResult, Why
from energy_db.reports.faces import plural
from energy_db.tables import Row, markdown_table, plain_markdown, printable, text_table

if TYPE_CHECKING:
    from energy_db.gate.blessings import Blessing
    from energy_db.gate.check import CheckReport


def blessing_rows(blessings: Sequence[Blessing]) -> list[Row]:
    """Return accepted levels as people read them."""
    return [
        {
            "number": one.blessing_number,
            "run": one.run_id,
            "name": one.run_name,
            "chip": f"{one.chip} {one.cost_version}",
            "layer": one.layer or "",
            "energy": units.energy(one.energy_pj),
            "status": _status(one),
            "when": one.blessed_at,
            "by": one.blessed_by or "",
            "reason": one.reason,
        }
        for one in blessings
    ]


def _status(blessing: Blessing) -> str:
    if blessing.revoked_at is not None:
        status = "would be revoked" if blessing.status == "would be revoked" else "revoked"
        by = f" by {blessing.revoked_by}" if blessing.revoked_by else ""
        return f"{status}{by}: {blessing.revocation_reason}"
    if blessing.status not in ("stored", "unchanged"):
        return blessing.status
    return "in force" if blessing.is_in_force else "superseded"


def page(report: CheckReport) -> str:
    """Return a check as a page of text, the verdict first; its notes are talk, and said apart."""
    parts = [headline(report), text_table(limit_rows(report))]
    parts += ["\n".join([heading, *(f"  {line}" for line in lines)]) for heading, *lines in _sections(report)]
    return "\n\n".join(part for part in parts if part)


def markdown(report: CheckReport) -> str:
    """Return a check as Markdown for a pull request: the verdict, the limits, why, the ways back, where it is from."""
    parts = [f"### {plain_markdown(headline(report))}", markdown_table(limit_rows(report))]
    hindered = [["Not checked:", *report.obstacles]] if report.obstacles else []
    notes = [["Notes:", *report.notes, *report.warnings]] if report.notes or report.warnings else []
    for heading, *lines in (*hindered, *_sections(report), *notes, ["From:", *_provenance(report)]):
        parts.append(
            "\n".join(
                [f"**{plain_markdown(heading)}**", "", *(f"- {plain_markdown(printable(line))}" for line in lines)]
            )
        )
    return "\n\n".join(part for part in parts if part)


def not_found(error: NotFoundError) -> str:
    """Return what a pull request is told of a check of something that is not there."""
    lines = [printable(line) for line in (error.message, error.hint) if line]
    first, *others = (plain_markdown(line) for line in lines)
    return "\n\n".join([f"### NOT CHECKED: {first}", *others])


def headline(report: CheckReport) -> str:
    """Return the verdict in one line."""
    run = f"{printable(report.run.name)} (run {report.run.run_id})"
    if report.broken:
        worst = max(report.broken, key=lambda result: result.limit_share or float("inf"))
        others = len(report.broken) - 1
        more = f"; {plural(others, 'more limit')} {'is' if others == 1 else 'are'} broken" if others else ""
        return f"FAIL: {run}, {_over(worst)}{more}"
    if report.obstacles:
        n_open = sum(result.verdict == UNCHECKED for result in report.limits)
        what = f"{plural(n_open, 'limit')} could not be checked" if n_open else "something that it needs is not there"
        what = what if report.limits else "no limit is about it"
        return f"NOT CHECKED: {run}: {what}"
    kept = [result for result in report.limits if result.verdict == PASS]
    return f"pass: {run} keeps {plural(len(kept), 'limit')}" if kept else f"pass: {run}: nothing was checked"


def limit_rows(report: CheckReport) -> list[Row]:
    """Return what came of each limit as people read it; columns that say nothing are left out."""
    rows = [
        {
            "verdict": "FAIL" if result.verdict == FAIL else "pass" if result.verdict == PASS else "not checked",
            "energy of": _what(result),
            "now": "" if result.energy_pj is None else units.energy(result.energy_pj),
            "before": "" if result.baseline_pj is None else units.energy(result.baseline_pj),
            "change": "" if result.increase is None else units.signed_percent(result.increase),
            "limit": _limit(result),
            "of it": "" if result.limit_share is None else f"{100 * result.limit_share:.1f} %",
            "room": _room(result),
            "written in": result.limit,
        }
        for result in report.limits
    ]
    told = [column for column in (rows[0] if rows else ()) if any(row[column] for row in rows)]
    return [{column: row[column] for column in told} for row in rows]


def _sections(report: CheckReport) -> list[list[str]]:
    """Return what stands below the limits: each a heading and its lines."""
    why = [["Why:", *map(_why, report.why)]] if report.why else []
    return [*why, *_ways_back(report)]


def _ways_back(report: CheckReport) -> list[list[str]]:
    """Return the ways back, under a heading for each limit that they lead back to."""
    if report.broken and not report.ways_back:
        return [["Ways back:", "the report has no advice that would save energy here"]]
    found: dict[str, list[str]] = {}
    for way in report.ways_back:
        enough = "Each of these alone saves" if way.suffices else "None of these alone saves"
        needed = f"the {units.energy(way.needed_pj)} that are too much on {way.chip} ({way.limit})"
        heading = f"{enough} {needed}, if the rest stays as recorded:"
        found.setdefault(heading, []).append(printable(f"{units.energy(way.saving_pj)}: {way.action}"))
    return [[heading, *lines] for heading, lines in found.items()]


def _why(reason: Why) -> str:
    since = f" since {reason.baseline}" if reason.baseline else ""
    return printable(f"{reason.chip}{since}: {reason.text}")


def _provenance(report: CheckReport) -> list[str]:
    lines = [
        f"run {entry['run_id']} on {entry['chip']}, costs {entry['cost_version']}, "
        f"report_hash {str(entry['report_hash'])[:12]}"
        for entry in report.provenance
    ]
    baselines = dict.fromkeys(result.baseline for result in report.limits if result.baseline)
    return [*lines, *(printable(f"baseline: {title}") for title in baselines)]


def _what(result: LimitResult) -> str:
    scope = "the run" if result.layer is None else printable(result.layer)
    return f"{scope} on {result.chip}{', per inference' if result.per == 'inference' else ''}"


def _limit(result: LimitResult) -> str:
    amount = "" if result.limit_pj is None else units.energy(result.limit_pj)
    if result.max_increase is None:
        return amount
    increase = f"+{units.significant(100 * result.max_increase)} %"
    return f"{amount} ({increase})" if amount else increase


def _room(result: LimitResult) -> str:
    return "" if result.excess_pj is None else units.energy(0.0 - result.excess_pj)  # of nothing, -0.0 would be said


def _over(result: LimitResult) -> str:
    """Return how far a broken limit is broken."""
    now, over = units.energy(result.energy_pj or 0.0), units.energy(result.excess_pj or 0.0)
    share = "" if result.limit_share is None else f" ({units.signed_percent(result.limit_share - 1)})"
    change = "" if result.increase is None else f", {units.signed_percent(result.increase)}"
    return f"{_what(result)}: {now}{change}, is {over}{share} over its limit of {_limit(result)}"
