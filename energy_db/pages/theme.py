"""How pages look: colours for light and dark, and the style sheet; no font, picture or script is fetched.

Colours that tell operations apart are also told apart by people who are blind to red, green or blue (after Okabe and
Ito), and every one of them stands out from the paper (3 to 1 or more; text 4.5 to 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

_COLOURS: dict[str, tuple[str, str]] = {
    # name: light, dark
    "paper": ("#ffffff", "#14171a"),
    "sheet": ("#f5f6f7", "#1d2125"),
    "text": ("#1b1f23", "#e8eaed"),
    "muted": ("#5c6670", "#a3adb7"),
    "line": ("#d5dadf", "#3a4149"),
    "link": ("#0b5cad", "#7db8f0"),
    "bar": ("#0072b2", "#4a9fdc"),
    "up": ("#b84a00", "#f0864a"),
    "down": ("#4a2aa5", "#7d5cf0"),
    "total": ("#5c6670", "#98a2ad"),
    "series_0": ("#0072b2", "#4a9fdc"),
    "series_1": ("#c27800", "#e8a838"),
    "series_2": ("#00875f", "#35bd90"),
    "series_3": ("#b5528b", "#dd8fbc"),
    "series_4": ("#3a95d0", "#9ad4f5"),
    "series_5": ("#b84a00", "#f0864a"),
    "series_6": ("#76690a", "#d8cc4f"),
    "others": ("#7a838c", "#8b949d"),
}
N_SERIES = 7

SHAPES: Mapping[str, str] = {
    # name: a path between -1 and 1
    "square": "M-1,-1H1V1H-1Z",
    "circle": "M1,0A1,1,0,1,1,-1,0A1,1,0,1,1,1,0Z",
    "cross": "M-1,-0.4H-0.4V-1H0.4V-0.4H1V0.4H0.4V1H-0.4V0.4H-1Z",
    "diamond": "M-1,0L0,-1L1,0L0,1Z",
    "line": "M-1,-0.2H1V0.2H-1Z",
    "dashes": "M-0.2,-1H0.2V-0.4H-0.2ZM-0.2,-0.2H0.2V0.4H-0.2ZM-0.2,0.6H0.2V1H-0.2Z",
}
"""The shapes of marks in a key by name."""


class Key(NamedTuple):
    """What a colour of a figure stands for.

    Attributes
    ----------
    meaning : str
        What it stands for.
    colour : str
        Its name in the theme.
    shape : str
        What is drawn in it: a name of `SHAPES`.
    """

    meaning: str
    colour: str
    shape: str = "square"


Ink = Mapping[str, str]
"""The colours of a figure by name, such as 'text', 'bar', 'up', 'series_0'."""


def colours(is_dark: bool) -> dict[str, str]:
    """Return the colours of a theme by name."""
    return {name: pair[is_dark] for name, pair in _COLOURS.items()}


INK_OF_PICTURE: Ink = colours(is_dark=False)
INK_OF_PAGE: Ink = {name: f"var(--{name})" for name in _COLOURS}


def _variables(is_dark: bool) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours(is_dark).items())


_RULES = """
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif; }
main, header, footer { max-width: 48rem; margin: 0 auto; padding: 0 1rem; overflow-wrap: anywhere; }
header { padding-top: 2rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; line-height: 1.3; margin: 2.75rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .5rem 0; }
a { color: var(--link); }
code, .hash { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
  font-size: .875em; overflow-wrap: anywhere; }
.kicker { color: var(--muted); margin: 0; }
.why { font-size: 1.15rem; margin: 1rem 0; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .75rem 1rem;
  margin: 1.25rem 0 0; padding: 1rem; background: var(--sheet); border-radius: .5rem; }
.facts div { min-width: 0; }
.facts dt { color: var(--muted); font-size: .875rem; }
.facts dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; }
.facts .first { grid-column: 1 / -1; }
.facts .first dd { font-size: 2rem; line-height: 1.2; font-weight: 600; }
.notes { list-style: none; margin: 1rem 0; padding: .125rem 0 .125rem .75rem; color: var(--muted);
  border-left: .25rem solid var(--line); font-size: .9375rem; }
.notes li + li { margin-top: .3rem; }
.alarm { color: inherit; border-left-color: var(--up); }
ul.advice { list-style: none; padding: 0; margin: .5rem 0; }
ul.advice li { display: grid; grid-template-columns: 10.5rem 1fr; gap: .25rem 1rem; padding: .5rem 0;
  border-top: 1px solid var(--line); }
ul.advice b { font-variant-numeric: tabular-nums; }
figure { margin: .75rem 0 0; }
figcaption { color: var(--muted); font-size: .9rem; margin: 0 0 .5rem; }
figure svg { display: block; max-width: 100%; height: auto; }
figure svg text { font-family: inherit; }
.narrow { display: none; }
.keys { display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; padding: 0; margin: 0 0 .5rem;
  font-size: .9rem; }
.keys svg { display: inline-block; vertical-align: -.1em; margin-right: .4em; }
details { margin: .5rem 0 0; }
summary { cursor: pointer; color: var(--link); font-size: .9rem; padding: .25rem 0; }
.table { overflow-x: auto; max-height: 32rem; border: 1px solid var(--line); border-radius: .375rem; }
.table:focus-visible, summary:focus-visible, a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
caption { text-align: left; color: var(--muted); padding: .5rem .625rem; }
th, td { text-align: left; padding: .3rem .625rem; border-top: 1px solid var(--line); vertical-align: top;
  white-space: nowrap; overflow-wrap: normal; }
th { font-weight: 600; }
thead th { position: sticky; top: 0; background: var(--sheet); border-top: 0; }
tbody th { font-weight: 400; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.long { white-space: normal; min-width: 16rem; }
footer { margin-top: 3.5rem; padding-bottom: 2.5rem; font-size: .9rem; }
footer h2 { border-top: 1px solid var(--line); padding-top: 1.5rem; }
footer dl { display: grid; grid-template-columns: max-content 1fr; gap: .125rem 1rem; }
footer dt { color: var(--muted); }
footer dd { margin: 0; min-width: 0; }
@media (max-width: 40rem) {
  .wide { display: none; }
  .narrow { display: block; }
  ul.advice li, footer dl { grid-template-columns: 1fr; }
  footer dd { margin-bottom: .5rem; }
}
@page { margin: 15mm; }
@media print {
  :root { color-scheme: light; LIGHT }
  body { font-size: 10pt; }
  main, header, footer { max-width: none; padding: 0; }
  .wide { display: block; }
  .narrow { display: none; }
  figure, li, tr { break-inside: avoid; }
  h2, h3, figcaption { break-after: avoid; }
  .table { overflow: visible; max-height: none; border: 0; }
  table { font-size: 7.5pt; }
  td, th { white-space: normal; overflow-wrap: break-word; padding: .2rem .4rem; }
  thead th { position: static; }
  details::details-content { content-visibility: visible; block-size: auto; }
  summary { list-style: none; color: var(--muted); }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


def style_sheet() -> str:
    """Return the style sheet of a page."""
    light, dark = _variables(is_dark=False), _variables(is_dark=True)
    themes = f":root {{ color-scheme: light dark; {light} }}\n"
    themes += f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
    return themes + _RULES.replace("LIGHT", light)
