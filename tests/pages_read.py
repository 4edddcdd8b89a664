"""Reads pages as a browser would, as far as tests need it; and makes the runs that pages are tried on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
from factories import run_file

VOID = {"meta", "br", "hr", "img", "input", "link", "wbr"}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</style></title></svg>",
    "a & b &lt; ' ; javascript:alert(3)",
    "var(--up) url(https://example.org/x)",
)


@dataclass
class Page(HTMLParser):
    """A page: its elements, each with its attributes, the text in it, and whether all of them are closed in order."""

    source: str
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self.feed(self.source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "caption":
            self.captions.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if "body" in self._open:
            self.words.append(data)
        if "caption" in self._open:
            self.captions[-1] += data
        elif "td" in self._open or "th" in self._open:
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return " ".join(word for word in self.words if word.strip())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def references(page: Page) -> Iterator[str]:
    """Yield whatever a browser would fetch for a page, or run in it."""
    for tag, attributes in page.elements:
        if tag in ("script", "link", "iframe", "object", "embed", "img", "base", "form", "image", "use"):
            yield f"<{tag}>"
        for name, value in attributes.items():
            if name.startswith("on") or (name in ("src", "srcset", "data", "xlink:href", "ping")):
                yield f"{name}={value}"
            if name == "href" and not (tag == "a" and value.startswith("https://doi.org/")):
                yield f"{name}={value}"
            if name in ("style", "fill", "stroke") and "url(" in value:
                yield f"{name}={value}"
    sheet = page.source.partition("<style>")[2].partition("</style>")[0]
    yield from re.findall(r"@import|url\(|src:", sheet)


def bars(svg: str) -> dict[float, float]:
    """Return the length of each bar of a figure, from where its first piece begins to where the last one ends."""
    ends: dict[float, list[float]] = {}
    pieces = re.findall(r'd="M([\d.-]+),([\d.-]+)h([\d.-]+)v1[56][\d.]*h', svg)
    for start, top, length in pieces:
        ends.setdefault(float(top), []).extend((float(start), float(start) + float(length)))
    return {top: max(places) - min(places) for top, places in ends.items()}


def dots(svg: str) -> list[tuple[float, float]]:
    """Return the middle of each dot, cross and diamond of a figure."""
    marks = re.findall(r'<g class="mark-symbol[^>/]*>(.*?)</g>', svg, re.DOTALL)
    places = [place for mark in marks for place in re.findall(r"translate\(([^,)]+),([^,)]+)\)", mark)]
    return [(float(x), float(y)) for x, y in places]


def level_lines(svg: str) -> list[tuple[float, float, float]]:
    """Return where each line of the colour of levels begins and ends, from left to right, and its height."""
    found = re.findall(r'translate\(([^,)]+),([^,)]+)\)" x2="([^"]+)" y2="0" stroke="var\(--total\)"', svg)
    return [(float(x), float(x) + float(length), float(y)) for x, y, length in found]


def wide_pictures(source: str) -> list[str]:
    """Return the pictures of a page as they are on a desk."""
    return re.findall(r'<div class="wide"[^>]*>(<svg.*?</svg>)', source, re.DOTALL)


def words_of(path: Path) -> set[str | None]:
    """Return what stands in a picture."""
    root = ElementTree.parse(path).getroot()
    return {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}


def wide_run(folder: Path, n_layers: int, n_neurons: int, seed: int = 5) -> tuple[Path, dict[str, Any], np.ndarray]:
    """Write a run of many layers, and return it with its network and the spikes of each layer."""
    draw = np.random.default_rng(seed)
    n_events = n_layers * 300
    layer = np.sort((n_layers * draw.random(n_events) ** 2).astype(int))
    spikes = np.bincount(layer, minlength=n_layers)
    names = np.array([f"layer{index:03d}" for index in range(n_layers)])
    path = run_file(
        folder / "wide.parquet",
        {
            "layer": pa.array(names[layer]),
            "neuron": np.minimum(draw.pareto(1.0, n_events) * 20, n_neurons - 1).astype(int),
            "timestep": draw.integers(0, 500, n_events),
            "sample": np.arange(n_events),
        },
    )
    layers = [
        {"name": name, "role": "hidden", "n_inputs": n_neurons, "n_neurons": n_neurons, "fan_out": 100}
        for name in names.tolist()
    ]
    return path, {"n_timesteps": 500, "n_samples": n_events, "timestep_us": 1000, "layers": layers}, spikes
