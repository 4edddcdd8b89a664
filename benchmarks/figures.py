"""A measured figure beside what it has to reach, and the table and the file that show it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

import energy_db
from benchmarks.reasons import why_missed

SCHEMA = "energy-db/benchmarks/1"
README = Path(__file__).with_name("README.md")
TABLE_BEGINS, TABLE_ENDS = "<!-- figures: written by python -m benchmarks -->", "<!-- end of figures -->"
SIDES_BEGIN, SIDES_END = "<!-- peers: written by python -m benchmarks -->", "<!-- end of peers -->"


@dataclass(frozen=True)
class Figure:
    """One figure; smaller is better.

    Attributes
    ----------
    name, unit : str
        What was measured, in which unit; 'x' is a ratio.
    measured : float
        The figure.
    gate, target : float or None
        What it must not exceed, and what is reachable; None if nobody set one.
    detail : str
        What stands behind it.
    """

    name: str
    measured: float
    unit: str
    gate: float | None = None
    target: float | None = None
    detail: str = ""

    @property
    def misses_gate(self) -> bool:
        """Whether it exceeds what it must not."""
        return self.gate is not None and self.measured > self.gate

    @property
    def verdict(self) -> str:
        """Whether gate and target are met."""
        if self.gate is None:
            return ""
        if self.misses_gate:
            return "**not met**"
        return "met" if self.target is None or self.measured > self.target else "target met"

    @property
    def line(self) -> str:
        """The figure, for whoever waits for the next one."""
        return f"{self.name}: {_quantity(self.measured, self.unit)}"


@dataclass(frozen=True)
class Side:
    """What one side takes to answer a question that others answer, too.

    Attributes
    ----------
    question, name : str
        The question, and who answers.
    whole_s, work_s : float or None
        Seconds of the whole process, and of the work without start and imports; None if it is not installed.
    peak_mb : float or None
        Peak memory of the process that did the work alone.
    ratios : dict of str to float
        Seconds of its whole process over those of each side of energy-db.
    n_rounds : int
        How often it was taken.
    """

    question: str
    name: str
    whole_s: float | None = None
    work_s: float | None = None
    peak_mb: float | None = None
    ratios: dict[str, float] = field(default_factory=dict)
    n_rounds: int = 0

    @property
    def line(self) -> str:
        """The side, for whoever waits for the next one."""
        return f"{self.name}: {_quantity(self.whole_s, 's')}"


Measured = Figure | Side


def text_of(measured: Sequence[Measured]) -> str:
    """Return what was measured as Markdown tables, each with what was measured so."""
    figures = [each for each in measured if isinstance(each, Figure)]
    sides = [each for each in measured if isinstance(each, Side)]
    return "\n\n".join(text for text in (_text_of_figures(figures), _text_of_sides(sides)) if text)


def write(measured: Sequence[Measured], settings: dict[str, int], folder: Path) -> None:
    """Write results/latest.json, and the README with its tables anew."""
    results = folder / "results"
    results.mkdir(parents=True, exist_ok=True)
    machine = facts()
    figures = [each for each in measured if isinstance(each, Figure)]
    sides = [each for each in measured if isinstance(each, Side)]
    record = {
        "schema": SCHEMA,
        "measured_on": datetime.now(UTC).date().isoformat(),
        "machine": machine,
        "settings": settings,
        "figures": [{**asdict(figure), "verdict": figure.verdict.strip("*")} for figure in figures],
        "peers": [asdict(side) for side in sides],
    }
    (results / "latest.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    about = ", ".join(f"{value} {name}" for name, value in settings.items())
    where = ", ".join(f"{name} {value}" for name, value in machine.items())
    table = f"{record['measured_on']}; {about}; {where}.\n\n{_text_of_figures(figures)}"
    text = _replaced(README.read_text(encoding="utf-8"), TABLE_BEGINS, table, TABLE_ENDS)
    (folder / README.name).write_text(_replaced(text, SIDES_BEGIN, _text_of_sides(sides), SIDES_END), encoding="utf-8")


def _replaced(text: str, begins: str, content: str, ends: str) -> str:
    before, _, rest = text.partition(begins)
    return f"{before}{begins}\n{content}\n{ends}{rest.partition(ends)[2]}"


def _text_of_figures(figures: Sequence[Figure]) -> str:
    """Return the figures as a table, and below it why goals are not met."""
    if not figures:
        return ""
    rows = [
        (
            figure.name,
            _quantity(figure.measured, figure.unit),
            _quantity(figure.gate, figure.unit),
            _quantity(figure.target, figure.unit),
            figure.verdict,
            figure.detail,
        )
        for figure in figures
    ]
    missed = [figure.name for figure in figures if figure.misses_gate]
    table = _table(("figure", "measured", "gate", "target", "verdict", "behind it"), rows)
    return f"{table}\n\nNot met, and why:\n\n{why_missed(missed)}" if missed else table


def _text_of_sides(sides: Sequence[Side]) -> str:
    tables = []
    for question in dict.fromkeys(side.question for side in sides):
        answered = [side for side in sides if side.question == question]
        ours = list(dict.fromkeys(name for side in answered for name in side.ratios))
        rows = [
            (
                side.name,
                *(_quantity(value, unit) for value, unit in ((side.whole_s, "s"), (side.work_s, "s"))),
                _quantity(side.peak_mb, "MB"),
                *(_quantity(side.ratios.get(name), "x") for name in ours),
            )
            for side in answered
        ]
        head = (question, "whole process", "the work alone", "peak memory", *(f"theirs / {name}" for name in ours))
        tables.append(_table(head, rows))
    return "\n\n".join(tables)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def facts() -> dict[str, Any]:
    """Return what the figures depend on besides the code."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "energy-db": energy_db.__version__,
        "duckdb": duckdb.__version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9, 1),
    }


def _quantity(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.3g} {unit}".strip()
