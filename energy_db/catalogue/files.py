"""Cost files: TOML into values, with every problem of a file named at once by version, operation and key."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any

from energy_db import sql
from energy_db.catalogue.entries import circumstance, energy, plain_day, plain_text, power
from energy_db.catalogue.sets import Chip, Cost, CostSet
from energy_db.errors import CostError
from energy_db.guess import did_you_mean

_WATTS = {"power_w": "energy_pj", "low_w": "low_pj", "high_w": "high_pj"}


@dataclass(frozen=True)
class Problem:
    """One rule of the catalogue that a cost file, or a cost set, breaks.

    Attributes
    ----------
    file, version, operation : str
        Where; empty where the rule is not about one.
    problem, advice : str
        What is wrong, and what to do about it.
    """

    file: str
    version: str
    operation: str
    problem: str
    advice: str

    def __str__(self) -> str:
        place = [f"version {self.version!r}"] if self.version else []
        place += [f"operation {self.operation!r}"] if self.operation else []
        where = f"{self.file}: " if self.file else ""
        return f"{where}{', '.join(place)}{': ' if place else ''}{self.problem}. {self.advice}"


def refusal(problems: Collection[Problem]) -> CostError:
    """Return the error that lists problems, one a line."""
    return CostError("\n".join(map(str, problems)), "Nothing was added. docs/costs.md explains the rules.")


def read_chip(path: str | PathLike[str]) -> Chip:
    """Read a chip's cost file.

    Raises
    ------
    CostError
        If the file cannot be read, or values are missing, unknown or of the wrong kind; it lists all of them.
    """
    chip, problems = examine(path)
    if chip is None or problems:
        raise refusal(problems)
    return chip


def examine(path: str | PathLike[str]) -> tuple[Chip | None, list[Problem]]:
    """Read a chip's cost file as far as it can be read, and say what is wrong with its values.

    The chip has the versions whose values are all right; there is none if what the versions share is wrong.
    """
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError, RecursionError) as error:
        return None, [Problem(str(path), "", "", *_why_unreadable(Path(path), error))]
    reader = _Reader(str(path))
    chip = reader.chip(content)
    wrong = {problem.version for problem in reader.problems}
    if "" in wrong:
        return None, reader.problems
    sound = (new for new in chip.versions if new.version and new.version not in wrong)
    return (replace(chip, versions=tuple(sound)) if wrong else chip), reader.problems


def count_versions(paths: Collection[str | PathLike[str]]) -> int:
    """Return how many cost sets files hold that can be read."""
    return sum(len(read_chip(path).versions) for path in paths)


def shipped_chips(chips: Collection[str] | None = None) -> list[Chip]:
    """Read the cost files of this release: all of them, or only those of some chips."""
    paths = [path for path in sql.cost_files() if chips is None or path.stem in chips]
    return [_shipped_chip(path, path.stat().st_mtime_ns) for path in paths]


@cache
def _shipped_chip(path: Path, _changed_at: int) -> Chip:
    """Read a shipped file once: a process that opens many stores need not read fifty files for each."""
    return read_chip(path)


@cache
def shipped_drivers() -> dict[str, tuple[str, bool]]:
    """Return the drivers that this release knows: what one unit is, and whether a run must bring the count."""
    path = sql.drivers_file()
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["driver"]
    return {entry["name"]: (entry["meaning"], entry["imported"]) for entry in entries}


def _why_unreadable(path: Path, error: Exception) -> tuple[str, str]:
    if isinstance(error, tomllib.TOMLDecodeError):
        return f"is not TOML: {error}", "Mend it there; energy-db costs template prints a file that is right"
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}", "Save it as UTF-8"
    if path.is_dir():
        return "is a folder", "Name the files in it"
    reason = error.strerror if isinstance(error, OSError) else error
    return f"cannot be read: {reason}", "Name a cost file; energy-db costs template prints one"


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"is {value!r}, must be true or false")
    return value


def _named(entry: Mapping[str, Any], key: str, number: int) -> str:
    """Return by which name to speak of a table: its own, or its number."""
    name = entry.get(key)
    return name if name and isinstance(name, str) else f"#{number}"


Kinds = Mapping[str, Callable[[Any], Any]]

_CHIP: Kinds = {"name": plain_text, "title": plain_text, "note": plain_text}
_DRIVER: Kinds = {"name": plain_text, "meaning": plain_text}
_ORIGIN: Kinds = {
    "status": plain_text,
    "source": plain_text,
    "doi": plain_text,
    "confidence": plain_text,
    "node_nm": circumstance,
    "supply_v": circumstance,
}
_DAYS: Kinds = {"published_on": plain_day, "in_force_from": plain_day}
_VERSION: Kinds = {"name": plain_text, "label": plain_text, "note": plain_text, **_ORIGIN, **_DAYS}
_COST: Kinds = {
    "operation": plain_text,
    "driver": plain_text,
    "scope": plain_text,
    "energy_pj": energy,
    "low_pj": energy,
    "high_pj": energy,
    "power_w": power,
    "low_w": power,
    "high_w": power,
    "reference": _flag,
    "note": plain_text,
    **_ORIGIN,
}


class _Reader:
    """Turns the tables of one file into values and collects what is wrong with them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.version = ""
        self.operation = ""

    def chip(self, content: dict[str, Any]) -> Chip:
        if not content:
            self.complain("is empty", "energy-db costs template prints a file to start from")
            return Chip("", "", "", ())
        self.refuse_unknown(content, ("chip", "driver", "version"))
        about = self.values(content.get("chip", {}), _CHIP, ("name",), "[chip]")
        drivers = {}
        for entry in self.tables(content, "driver", "[[driver]]"):
            values = self.values(entry, _DRIVER, ("name", "meaning"), "[[driver]]")
            if values.get("name") in drivers:
                self.complain(f"declares the driver {values['name']!r} twice", "Leave one [[driver]] of that name")
            drivers[values.get("name", "")] = values.get("meaning", "")
        name, title, note = about.get("name", ""), about.get("title"), about.get("note", "")
        if not content.get("version"):
            self.complain("has no [[version]]", "A chip needs one cost set at least")
        versions = tuple(
            self.cost_set(entry, number, chip=name, drivers=drivers, chip_title=title, chip_note=note)
            for number, entry in enumerate(self.tables(content, "version", "[[version]]"), 1)
        )
        return Chip(name, title or name, note, versions, drivers, self.file)

    def cost_set(self, entry: dict[str, Any], number: int, **chip: Any) -> CostSet:
        self.version = _named(entry, "name", number)
        values = self.values(
            {k: v for k, v in entry.items() if k != "cost"}, _VERSION, ("name", "source"), "a [[version]]"
        )
        for_rows: dict[str, Any] = {
            key: values.pop(key) for key in ("confidence", "node_nm", "supply_v") if key in values
        }
        rows = self.tables(entry, "cost", "[[version.cost]]")
        costs = [self.cost(row, for_rows, position) for position, row in enumerate(rows, 1)]
        self.version = self.operation = ""
        version, source = values.pop("name", ""), values.pop("source", "")
        return CostSet(version=version, source=source, costs=costs, **values, **chip)

    def cost(self, entry: dict[str, Any], defaults: Mapping[str, Any], number: int) -> Cost:
        self.operation = _named(entry, "operation", number)
        values = self.values(entry, _COST, ("operation", "driver"), "a [[version.cost]]")
        self.powers_become_energies(values)
        operation, driver = values.pop("operation", ""), values.pop("driver", "")
        return Cost(operation, driver, is_reference=values.pop("reference", False), **{**defaults, **values})

    def powers_become_energies(self, values: dict[str, Any]) -> None:
        """Power is energy a second: its driver is the second, its energy 10^12 pJ a watt."""
        watts = [key for key in _WATTS if key in values]
        if not watts:
            return
        if values.get("driver") != "second":
            self.complain(f"{watts[0]} needs the driver 'second', not {values.get('driver')!r}", "Or give energy_pj")
        if picojoules := [key for key in _WATTS.values() if key in values]:
            self.complain(f"has both {watts[0]} and {picojoules[0]}", "Give watts or picojoules, not both")
        for key in watts:
            values[_WATTS[key]] = values.pop(key)

    def tables(self, entry: Mapping[str, Any], key: str, written: str) -> Iterator[dict[str, Any]]:
        found = entry.get(key, [])
        if not isinstance(found, list) or not all(isinstance(table, dict) for table in found):
            self.complain(f"{key} is {found!r}, must be tables", f"Head each with {written}")
            return
        yield from found

    def values(self, entry: Any, kinds: Kinds, required: Collection[str], place: str) -> dict[str, Any]:
        if not isinstance(entry, dict):
            self.complain(f"{place.strip('[]')} is {entry!r}, must be a table", f"Head it with {place}")
            return {}
        self.refuse_unknown(entry, kinds)
        values = {key: self.read(key, kinds[key], value) for key, value in entry.items() if key in kinds}
        for key in required:
            if key not in entry:
                self.complain(f"the key {key!r} is missing", f"{place[0].upper()}{place[1:]} needs one")
        return {key: value for key, value in values.items() if value is not None}

    def read(self, key: str, kind: Callable[[Any], Any], value: Any) -> Any:
        try:
            return kind(value)
        except ValueError as error:
            self.complain(f"{key} {error}", _ADVICE.get(kind, "Write it as docs/costs.md shows"))
            return None

    def refuse_unknown(self, entry: Mapping[str, Any], known: Collection[str]) -> None:
        for key in entry:
            if key not in known:
                advice = f"{did_you_mean(key, known)}Known here are {', '.join(known)}"
                self.complain(f"the key {key!r} is unknown", advice)

    def complain(self, problem: str, advice: str) -> None:
        self.problems.append(Problem(self.file, self.version, self.operation, problem, advice))


_ADVICE: Mapping[Callable[[Any], Any], str] = {
    plain_text: 'Write it in quotes, on one line: "..."',
    plain_day: "Write it as 2026-01-31, without quotes",
    energy: "Write it in picojoules, such as 23.6; leave the key out where the source says nothing",
    circumstance: "Write it as a plain number, such as 0.75",
    power: "Write it in watts, such as 0.1044; leave the key out where the source says nothing",
    _flag: "Write true or false, without quotes",
}
