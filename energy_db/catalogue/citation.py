"""How to cite costs: a sentence for the methods section, and BibTeX with no more than the sources say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import energy_db
from energy_db.engines.duckdb import Engine

_TRUST = {
    "measured": "measured",
    "simulated": "simulated, not measured",
    "vendor": "stated by the vendor",
    "literature": "taken from the literature",
    "tutorial": "literature values of a tutorial, not measurements",
    "user": "supplied by the authors",
}
# "Davies et al. 2018", "Frenkel and Indiveri (2022)", "Horowitz 2014, ...", at the beginning: other words are no names.
_NAMES = r"[^\W\d_][^\d,;:()]*? et al\.?|[^\W\d_][^\d,;:()]*? and [^\W\d_][^\d,;:()]*?|[^\W\d_][^\W\d_]+(?= \d{4},)"
_AUTHOR = re.compile(rf"(?P<author>{_NAMES}),? \(?(?P<year>(?:19|20)\d\d)\)?(?=$|[,.;: (])")
_QUOTED_ELSEWHERE = re.compile(r"[;,] in [^\W\d_]")  # whose DOI it is then is another matter
_JOURNAL = re.compile(r", (?P<journal>[^\W\d][^,:()\d]*?) (?P<volume>\d+)(?:\((?P<number>\d+)\))?:(?P<pages>[\w-]+)")
_TITLE = re.compile(r'["“](?P<title>[^"”]+)["”]')
_SECOND_HAND = "read in a secondary source"  # as cost files say it of a number
_SPECIAL = re.compile(r"[&%$#_{}]")


@dataclass(frozen=True)
class Citation:
    """How to cite a cost version.

    Attributes
    ----------
    chip, cost_version : str
        The version.
    sentence : str
        A sentence for the methods section.
    bibtex : str
        One entry for each publication that its costs are from.
    sources : tuple of dict
        Those publications: `source`, `doi`, `status`, which `operations` are from there, and where they were read if
        not in the publication itself (`read_in`).
    """

    chip: str
    cost_version: str
    sentence: str
    bibtex: str
    sources: tuple[dict[str, Any], ...]


def cite(engine: Engine, chip: str, cost_version: str) -> Citation:
    """Return how to cite a version of the catalogue."""
    [version] = engine.records(
        "SELECT versions.*, chips.title FROM cost_versions AS versions LEFT JOIN chips USING (chip) "
        "WHERE chip = ? AND cost_version = ?",
        [chip, cost_version],
    )
    costs = engine.records(
        "SELECT * FROM costs WHERE chip = ? AND cost_version = ? ORDER BY is_reference, operation", [chip, cost_version]
    )
    summed = [cost for cost in costs if not cost["is_reference"]]
    sources = _publications(version, summed or costs)
    entries = [_entry(version, source, number) for number, source in enumerate(sources, 1)]
    return Citation(chip, cost_version, _sentence(version, bool(summed), sources), "\n\n".join(entries), sources)


def _publications(version: Mapping[str, Any], costs: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Group costs by publication: by DOI, else by the text of the source; the version's own goes first."""
    found: dict[str, dict[str, Any]] = {}
    own = version["doi"] or version["source"]
    for cost in sorted(costs, key=lambda cost: (cost["doi"] or cost["source"]) != own):
        key = cost["doi"] or cost["source"]
        source = version["source"] if key == own else cost["source"]
        entry = found.setdefault(
            key, {"source": source, "doi": cost["doi"], "status": cost["status"], "operations": [], "read_in": []}
        )
        entry["operations"].append(cost["operation"])
        if cost["confidence"].startswith(_SECOND_HAND) and cost["confidence"] not in entry["read_in"]:
            entry["read_in"].append(cost["confidence"])
    return tuple(
        {**entry, "operations": ", ".join(entry["operations"]), "read_in": "; ".join(entry["read_in"])}
        for entry in found.values()
    )


def _sentence(version: Mapping[str, Any], can_price: bool, sources: Sequence[Mapping[str, Any]]) -> str:
    name = f"{version['cost_version']} of {version['title'] or version['chip']}"
    seal = f"content hash {version['content_hash'][:12]}"
    origin = "; ".join(map(_origin, sources))
    trust = _TRUST.get(version["status"], version["status"])
    if can_price:
        made = "Energies were computed from recorded spikes by activity-based costing"
        return f"{made} with energy-db {energy_db.__version__}, cost version {name} ({trust}; {seal}): {origin}."
    return f"Reference figures are those of {name} in energy-db {energy_db.__version__} ({trust}; {seal}): {origin}."


def _origin(source: Mapping[str, Any]) -> str:
    doi = f", doi:{source['doi']}" if source["doi"] else ""
    read_in = f" ({source['read_in']})" if source["read_in"] else ""
    return f"{source['source']}{doi}{read_in}"


def _entry(version: Mapping[str, Any], source: Mapping[str, Any], number: int) -> str:
    text = source["source"]
    author = None if _QUOTED_ELSEWHERE.search(text) else _AUTHOR.match(text)
    title = _TITLE.search(text)
    rest = text[author.end() :] if author else ""
    journal = _JOURNAL.match(rest.replace(f", {title[0].rstrip(',')}", "", 1) if title else rest)
    read_in = f"{source['read_in'][:1].upper()}{source['read_in'][1:]}. " if source["read_in"] else ""
    fields = {
        "author": author and author["author"].replace(" et al.", " and others").replace(" et al", " and others"),
        "title": title and title["title"],
        "year": author and author["year"],
        **(journal.groupdict() if journal else {}),
        "howpublished": None if journal else text,
        "doi": source["doi"],
        "note": f"{f'{text}. ' if journal else ''}{read_in}Costs {version['chip']} {version['cost_version']} "
        f"of energy-db {energy_db.__version__}, SHA-256 {version['content_hash']}",
    }
    key = re.sub(r"\W+", "_", f"{version['chip']}_{version['cost_version']}") + (f"_{number}" if number > 1 else "")
    lines = [f"  {name} = {{{_escaped(name, value)}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{'article' if journal else 'misc'}{{{key},", *lines, "}"])


def _escaped(name: str, value: str) -> str:
    """Return text as LaTeX reads it; BibTeX styles take a DOI as it is, and a dash between pages is long."""
    if name == "doi":
        return value
    text = value.replace("\\", r"\textbackslash ")
    text = _SPECIAL.sub(lambda sign: f"\\{sign[0]}", text)
    text = text.replace("~", r"\textasciitilde ").replace("^", r"\textasciicircum ")
    return re.sub(r"(?<=\d)-(?=\d)", "--", text) if name == "pages" else text
