"""Where the figures of a page are from, and how to make it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import energy_db
from energy_db.pages import markup

if TYPE_CHECKING:
    from energy_db.runs import Run


def heading() -> str:
    """Return what stands above it."""
    return "<h2>Where the figures are from</h2>"


def run_facts(run: Run, which: str = "") -> dict[str, str]:
    """Return the identity of a run as HTML; which is added to the names of the facts."""
    facts = {f"run{which}": markup.code(run.run_id or "not stored")}
    if run.source_path:
        facts[f"recorded as{which}"] = markup.text(run.source_path)
    if run.content_hash:
        facts[f"content hash{which}"] = markup.code(run.content_hash)
    return facts


def cost_facts(version: Mapping[str, Any]) -> dict[str, str]:
    """Return where a cost version is from, as HTML, from its row of cost_versions."""
    name = f"{version['chip']} {version['cost_version']}"
    source, doi = markup.text(version["source"]), version["doi"]
    cited = f" {markup.link(f'https://doi.org/{doi}', f'doi:{doi}')}" if doi else ""
    return {
        f"costs {name}": markup.text(f"{version['label']} ({version['status']})"),
        f"source of {name}": f"{source}{cited}",
        f"content hash of {name}": markup.code(version["content_hash"]),
    }


def tool_facts(command: str) -> dict[str, str]:
    """Return what made the page, as HTML, and the command that makes it again."""
    return {"made by": markup.text(f"energy-db {energy_db.__version__}"), "make it again": markup.code(command)}


def selector(run: Run) -> str:
    """Return how a run is named on the command line."""
    return shlex.quote(run.run_id or run.source_path or run.name)
