"""Queries under a name: those of the shipped library, and how the head of a query explains it.

The head of a query is the comment that it begins with: a sentence, and a line ``-- $name = default: Meaning.`` for each
parameter; without ``= default``, a value must be given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from energy_db import sql

_PARAMETER = re.compile(r"\$(?P<name>\w+)(?:\s*=\s*(?P<default>\"[^\"]*\"|[^:]*?))?\s*:\s*(?P<about>.*)")


@dataclass(frozen=True)
class QueryParameter:
    """A parameter of a saved query.

    Attributes
    ----------
    name : str
        Its name, without the dollar sign.
    default : str or None
        Its value if none is given, as it is written on a command line; None if one must be given.
    about : str
        What it means.
    """

    name: str
    default: str | None
    about: str

    def __str__(self) -> str:
        return self.name if self.default is None else f"{self.name}={self.default.strip(chr(34))}"


@dataclass(frozen=True)
class SavedQuery:
    """A query under a name.

    Attributes
    ----------
    name : str
        Its name.
    about : str
        What it answers; empty if nobody said.
    parameters : tuple of QueryParameter
        What its head says of its parameters.
    query : str
        The query.
    version : int or None
        Its version among those of its name, from 1; None if it is shipped.
    saved_at : datetime or None
        When this version was saved, in UTC; None if it is shipped.
    status : {'saved', 'unchanged', 'shipped'}
        Whether saving it made a new version.
    """

    name: str
    about: str
    parameters: tuple[QueryParameter, ...]
    query: str
    version: int | None
    saved_at: datetime | None
    status: str = "saved"


@cache
def shipped() -> dict[str, SavedQuery]:
    """Return the queries of the shipped library, by name."""
    read = [(path.stem, path.read_text(encoding="utf-8")) for path in sql.saved_query_files()]
    return {name: explained(name, text, None, None, None, "shipped") for name, text in read}


def explained(
    name: str, query: str, about: str | None, version: int | None, saved_at: datetime | None, status: str = "saved"
) -> SavedQuery:
    """Return a query with what its head says; what was said of it elsewhere goes first."""
    sentences, parameters = [], []
    for line in _head(query):
        if match := _PARAMETER.fullmatch(line):
            parameters.append(QueryParameter(match["name"], match["default"], match["about"]))
        elif parameters:
            last = parameters.pop()
            parameters.append(QueryParameter(last.name, last.default, f"{last.about} {line}".strip()))
        else:
            sentences.append(line)
    said = about or " ".join(sentence for sentence in sentences if sentence)
    return SavedQuery(name, said, tuple(parameters), query, version, saved_at, status)


def _head(query: str) -> list[str]:
    lines = []
    for line in query.strip().splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return lines
