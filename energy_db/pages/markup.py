"""The building blocks of a page in HTML; whatever a user named is escaped here, and nowhere else."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from energy_db.pages.drawing import NARROW, WIDE, Drawing, inline
from energy_db.pages.theme import INK_OF_PAGE, SHAPES, Key, style_sheet
from energy_db.tables import is_number, printable

# Nothing that a page holds may run or be fetched, whatever slipped in.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def text(value: Any) -> str:
    """Return a value as text that can stand anywhere in a page, also in an attribute."""
    return html.escape(printable(value))


@dataclass(frozen=True)
class Table:
    """Rows to be shown.

    Attributes
    ----------
    caption : str
        What they are.
    rows : sequence of mapping
        The rows, by column; the first column names them.
    long : frozenset of str
        Columns of sentences, which may take several lines.
    """

    caption: str
    rows: Sequence[Mapping[str, Any]]
    long: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True)
class Figure:
    """A picture with its numbers.

    Attributes
    ----------
    says : str
        What it shows, in a sentence: its caption, and what is read out in its place.
    drawing : Drawing
        The picture.
    keys : sequence of Key
        What each colour stands for.
    tables : sequence of Table
        Its numbers.
    """

    says: str
    drawing: Drawing
    keys: Sequence[Key]
    tables: Sequence[Table]


def table(content: Table) -> str:
    """Return a table that scrolls inside its box; a column of numbers stands to the right."""
    if not content.rows:
        return ""
    columns = list(content.rows[0])
    numeric = {name for name in columns[1:] if all(is_number(row[name]) for row in content.rows)}
    head = "".join(f'<th scope="col"{_kind(name, numeric, content)}>{text(name)}</th>' for name in columns)
    body = "".join(_row(row, columns, numeric, content) for row in content.rows)
    return (
        f'<div class="table" tabindex="0" role="region" aria-label="{text(content.caption)}">'
        f"<table><caption>{text(content.caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(row: Mapping[str, Any], columns: Sequence[str], numeric: set[str], content: Table) -> str:
    first, *others = columns
    cells = "".join(f"<td{_kind(name, numeric, content)}>{text(row[name])}</td>" for name in others)
    return f'<tr><th scope="row">{text(row[first])}</th>{cells}</tr>'


def _kind(name: str, numeric: set[str], content: Table) -> str:
    if name in numeric:
        return ' class="number"'
    return ' class="long"' if name in content.long else ""


def folded(content: Table) -> str:
    """Return a table that opens when asked, and is open on paper."""
    shown = table(content)
    return f"<details><summary>{text(content.caption)}, as a table</summary>{shown}</details>" if shown else ""


def figure(content: Figure) -> str:
    """Return a picture, drawn for wide and for narrow screens, with its caption, its colours and its numbers."""
    drawn = {"wide": inline(content.drawing, WIDE), "narrow": inline(content.drawing, NARROW)}
    name = f"figure-{sha256(f'{content.says}{drawn}'.encode()).hexdigest()[:12]}"
    pictures = "".join(
        f'<div class="{width}" role="img" aria-labelledby="{name}">{svg}</div>' for width, svg in drawn.items()
    )
    caption = f'<figcaption id="{name}">{text(content.says)}</figcaption>'
    return f"<figure>{caption}{keys(content.keys)}{pictures}</figure>" + "".join(map(folded, content.tables))


def keys(content: Sequence[Key]) -> str:
    """Return what colours stand for; nothing if there is only one."""
    if len(content) < 2:  # noqa: PLR2004
        return ""
    mark = '<svg width="12" height="12" viewBox="-1 -1 2 2" aria-hidden="true"><path d="{}" fill="{}"/></svg>'
    items = "".join(
        f"<li>{mark.format(SHAPES[key.shape], INK_OF_PAGE[key.colour])}{text(key.meaning)}</li>" for key in content
    )
    return f'<ul class="keys">{items}</ul>'


def facts(entries: Mapping[str, Any]) -> str:
    """Return what matters most as large figures, the first one largest."""
    kinds = [' class="first"', *[""] * len(entries)]
    items = "".join(
        f"<div{kind}><dt>{text(name)}</dt><dd>{text(value)}</dd></div>"
        for kind, (name, value) in zip(kinds, entries.items(), strict=False)
    )
    return f'<dl class="facts">{items}</dl>'


def paragraph(content: str, kind: str | None = None) -> str:
    """Return a paragraph of text; kind is 'kicker', 'why' or None."""
    opening = f'<p class="{kind}">' if kind else "<p>"
    return f"{opening}{text(content)}</p>"


def notes(content: Iterable[str], is_alarm: bool = False) -> str:
    """Return remarks that stand back; an alarm stands out."""
    items = "".join(f"<li>{text(note)}</li>" for note in content)
    kind = "notes alarm" if is_alarm else "notes"
    return f'<ul class="{kind}">{items}</ul>' if items else ""


def section(heading: str, *parts: str) -> str:
    """Return parts under a heading; nothing if all of them are empty."""
    content = "".join(parts)
    return f"<section><h2>{text(heading)}</h2>{content}</section>" if content else ""


def listing(pairs: Iterable[tuple[str, str]]) -> str:
    """Return things to do as a list: what each saves, and what it is."""
    items = "".join(f"<li><b>{text(saving)}</b><span>{text(action)}</span></li>" for saving, action in pairs)
    return f'<ul class="advice">{items}</ul>' if items else ""


def link(address: str, label: str) -> str:
    """Return a link that is followed only by those who click it."""
    return f'<a href="{text(address)}" rel="noopener noreferrer">{text(label)}</a>'


def definitions(entries: Mapping[str, str]) -> str:
    """Return names and what they are; the values are HTML already."""
    items = "".join(f"<dt>{text(name)}</dt><dd>{value}</dd>" for name, value in entries.items())
    return f"<dl>{items}</dl>"


def code(content: str) -> str:
    """Return what is typed or copied as it stands."""
    return f"<code>{text(content)}</code>"


def page(*, title: str, header: Sequence[str], body: Sequence[str], footer: Sequence[str]) -> str:
    """Return a whole page that needs nothing but itself."""
    content = "\n".join(part for part in body if part)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(title)}</title>\n<style>\n{style_sheet()}</style>\n</head>\n<body>\n"
        f"<header>{''.join(header)}</header>\n<main>\n{content}\n</main>\n"
        f"<footer>{''.join(footer)}</footer>\n</body>\n</html>\n"
    )
