"""Writes the figures of `make faults` into docs/reliability.md: `python docs/faults.py FOLDER`."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb

PAGE = Path(__file__).with_name("reliability.md")
BEGINS, ENDS = "<!-- figures: written by make faults -->", "<!-- end of figures -->"


def rows(folder: Path) -> list[str]:
    """Return a line for each file of figures: what was tried, how often, and what came of it."""
    lines = []
    for path in sorted(folder.glob("*.json")):
        figures = json.loads(path.read_text(encoding="utf-8"))
        outcomes = {**figures.pop("states", {}), **{name: count for name, count in figures.items() if name != "kills"}}
        if "kills" in figures:
            outcomes = {"struck while it ran": figures["kills"], **outcomes}
        told = "; ".join(f"{name}: {count}" for name, count in outcomes.items())
        lines.append(f"| {path.stem.replace('-', ' ')} | {told} |")
    return lines


def main(folder: Path) -> None:
    """Write the page anew."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGINS)
    after = rest.partition(ENDS)[2]
    head = (
        f"{datetime.now(UTC).date().isoformat()}, duckdb {duckdb.__version__}.\n\n| tried | outcomes |\n| --- | --- |\n"
    )
    table = head + "\n".join(rows(folder))
    PAGE.write_text(f"{before}{BEGINS}\n{table}\n{ENDS}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
