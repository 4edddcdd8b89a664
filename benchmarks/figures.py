"""A measured figure beside what it has to reach, and the table and the file that show it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

import energy_db

SCHEMA = "energy-db/benchmarks/1"
README = Path(__file__).with_name("README.md")
TABLE_BEGINS, TABLE_ENDS = "<!-- figures: written by python -m benchmarks -->", "<!-- end of figures -->"


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
    def verdict(self) -> str:
        """Whether gate and target are met."""
        if self.gate is None:
            return ""
        if self.measured > self.gate:
            return "**not met**"
        return "met" if self.target is None or self.measured > self.target else "target met"


def text_of(figures: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table."""
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
    head = ("figure", "measured", "gate", "target", "verdict", "behind it")
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def write(figures: Sequence[Figure], settings: dict[str, int], folder: Path) -> None:
    """Write results/latest.json, and the README with its table anew."""
    results = folder / "results"
    results.mkdir(parents=True, exist_ok=True)
    machine = facts()
    record = {
        "schema": SCHEMA,
        "measured_on": datetime.now(UTC).date().isoformat(),
        "machine": machine,
        "settings": settings,
        "figures": [{**asdict(figure), "verdict": figure.verdict.strip("*")} for figure in figures],
    }
    (results / "latest.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    before, _, rest = README.read_text(encoding="utf-8").partition(TABLE_BEGINS)
    about = ", ".join(f"{value} {name}" for name, value in settings.items())
    where = ", ".join(f"{name} {value}" for name, value in machine.items())
    table = f"{record['measured_on']}; {about}; {where}.\n\n{text_of(figures)}"
    after = rest.partition(TABLE_ENDS)[2]
    (folder / README.name).write_text(f"{before}{TABLE_BEGINS}\n{table}\n{TABLE_ENDS}{after}", encoding="utf-8")


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
