"""Budgets: what runs may cost, read strictly from energy-budget.toml, from pyproject.toml, or from arguments."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import Any

from energy_db.errors import UsageError
from energy_db.gate.amounts import ENERGY_EXAMPLE, INCREASE_EXAMPLE, read_energy, read_share
from energy_db.guess import did_you_mean
from energy_db.units import PICOJOULES

BUDGET_FILE = "energy-budget.toml"
PROJECT_FILE = "pyproject.toml"
PER = ("run", "inference")
EXAMPLE = """chip = "loihi2"
baseline = "@main"

[[limit]]
max_energy = "12 nJ"
per = "inference"

[[limit]]
max_increase = "5 %\""""

# The table [tool.energy-db] of a file that cannot be parsed, or its key within [tool].
_NAMES_A_BUDGET = re.compile(rb"""^[\s\[]*(tool\s*\.\s*)?["']?energy-db["']?\s*[].=]""", re.MULTILINE)
_KEYS = ("chip", "baseline", "limit")
_LIMIT_KEYS = ("max_energy", "max_increase", "per", "layer", "chip", "where")


@dataclass(frozen=True)
class Limit:
    """What a run, or one of its layers, may cost.

    Attributes
    ----------
    origin : str
        Where it is written, such as 'energy-budget.toml, limit 2'.
    max_energy_pj : Decimal or None
        The most that it may cost, in pJ.
    max_increase : Decimal or None
        The most that it may cost more than the baseline, as a share of the baseline: 0.05 is 5 %.
    per : {'run', 'inference'}
        Whether the energy of the whole run is meant, or its mean over the samples.
    layer : str or None
        The layer; None for the whole run.
    chip : str or None
        The chip; None for the one that the budget, or the question, is about.
    where : dict of str to str
        Only runs with these tags are meant; `name` and `kind` are those of the run.
    """

    origin: str
    max_energy_pj: Decimal | None = None
    max_increase: Decimal | None = None
    per: str = "run"
    layer: str | None = None
    chip: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Budget:
    """The limits of a project.

    Attributes
    ----------
    chip, baseline : str or None
        The chip that is meant where a limit names none, and what relative limits are held against.
    limits : tuple of Limit
        The limits, in the order of the file.
    """

    chip: str | None = None
    baseline: str | None = None
    limits: tuple[Limit, ...] = ()


def find_budget(folder: Path) -> Path | None:
    """Return the budget of a folder: its energy-budget.toml, else its pyproject.toml if that has one; else None.

    Raises
    ------
    UsageError
        If pyproject.toml has one, but cannot be read.
    """
    if (folder / BUDGET_FILE).is_file():
        return folder / BUDGET_FILE
    project = folder / PROJECT_FILE
    if not project.is_file():
        return None
    try:
        return project if _of_project(_parsed(project)) is not None else None
    except UsageError:
        # A broken project is nothing to a check, unless the limits are in it.
        if _NAMES_A_BUDGET.search(project.read_bytes()):
            raise
        return None


def read_budget(path: str | PathLike[str]) -> Budget:
    """Read a budget file, or the table [tool.energy-db] of a pyproject.toml.

    Raises
    ------
    UsageError
        If it cannot be read; the message names every mistake, and what to write instead.
    """
    if not str(path).strip():
        raise UsageError("the name of the budget file is empty", "Name one: --budget FILE; or leave it out.")
    place = Path(path)
    parsed = _parsed(place)
    content = _of_project(parsed) if place.name == PROJECT_FILE else parsed
    if content is None:
        raise UsageError(f"{place} has no table [tool.energy-db]", "Write the budget there, or name another file.")
    reader = _Reader(str(path))
    limits = reader.limits(content)
    chip, baseline = reader.text(content, "chip", '"loihi2"'), reader.text(content, "baseline", '"@main"')
    reader.known_keys(content, _KEYS)
    reader.conclude()
    return Budget(chip, baseline, tuple(limits))


def read_limits(limits: Sequence[Limit | Mapping[str, Any]]) -> tuple[Limit, ...]:
    """Read limits that are given as mappings, with the keys that a budget file has; a `Limit` is taken as it is.

    Raises
    ------
    UsageError
        If they cannot be read.
    """
    if isinstance(limits, Mapping | str) or not isinstance(limits, Sequence):
        raise UsageError(f"limits is {limits!r}, must be a list of mappings", f"For example: {_in_python()}")
    reader = _Reader("limits")
    found = [reader.limit(f"limits[{index}]", limit) for index, limit in enumerate(limits)]
    reader.conclude(f"For example: {_in_python()}")
    return tuple(found)


def _in_python() -> str:
    return f'limits=[{{"max_energy": "{ENERGY_EXAMPLE}"}}, {{"max_increase": "{INCREASE_EXAMPLE}"}}]'


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}", f"A budget looks like this:\n{EXAMPLE}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not text in UTF-8", "Save it as UTF-8.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", "Name another: --budget FILE") from error
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, lists in lists in lists
        raise UsageError(f"{path} cannot be read: {error}", f"A budget looks like this:\n{EXAMPLE}") from error


def _of_project(content: Mapping[str, Any]) -> dict[str, Any] | None:
    tools = content.get("tool")
    table = tools.get("energy-db") if isinstance(tools, dict) else None
    return table if isinstance(table, dict) else None


class _Reader:
    """Reads a budget and gathers what is wrong with it, so that all of it is said at once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._problems: list[str] = []

    def conclude(self, hint: str | None = None) -> None:
        if self._problems:
            shown = hint or f"A budget looks like this:\n{EXAMPLE}"
            raise UsageError("\n".join(self._problems), shown)

    def complain(self, problem: str, place: str | None = None) -> None:
        self._problems.append(f"{place or self._source}: {problem}")

    def known_keys(self, table: Mapping[str, Any], known: Sequence[str], place: str | None = None) -> None:
        for key in table:
            if key not in known:
                guess = did_you_mean(str(key), known)
                self.complain(f"unknown key {key!r}. {guess}Keys here are {', '.join(known)}.", place)

    def text(self, table: Mapping[str, Any], key: str, example: str, place: str | None = None) -> str | None:
        value = table.get(key)
        if value is None:
            return None
        if isinstance(value, str) and value.strip():
            return value
        self.complain(f"{key} is {value!r}, must be a text: write {key} = {example}", place)
        return None

    def limits(self, content: Mapping[str, Any]) -> list[Limit]:
        rows = content.get("limit", [])
        if isinstance(rows, dict):
            self.complain("limit is one table, must be a list of tables: write [[limit]], in double brackets")
            return []
        if not isinstance(rows, list):
            self.complain(f"limit is {rows!r}, must be a list of tables: write [[limit]]")
            return []
        return [self.limit(f"{self._source}, limit {number}", row) for number, row in enumerate(rows, 1)]

    def limit(self, place: str, row: Any) -> Limit:
        if isinstance(row, Limit):
            self._is_limiting(row.origin, row.max_energy_pj is not None or row.max_increase is not None)
            return row
        if not isinstance(row, Mapping):
            self.complain(f'{row!r} is not a limit: write max_energy = "{ENERGY_EXAMPLE}" in a table of its own', place)
            return Limit(place)
        self.known_keys(row, _LIMIT_KEYS, place)
        energy_help = f"an energy with its unit ({', '.join(PICOJOULES)})"
        energy = self._amount(row, "max_energy", read_energy, energy_help, ENERGY_EXAMPLE, place)
        increase = self._amount(row, "max_increase", read_share, "a percentage", INCREASE_EXAMPLE, place)
        self._is_limiting(place, "max_energy" in row or "max_increase" in row)
        per = row.get("per", PER[0])
        if per not in PER:
            guess = did_you_mean(per, PER) if isinstance(per, str) else ""
            self.complain(f'per is {per!r}. {guess}Write per = "run" or per = "inference"', place)
        layer, chip = self.text(row, "layer", '"hidden1"', place), self.text(row, "chip", '"loihi2"', place)
        return Limit(place, energy, increase, per, layer, chip, self._where(row, place))

    def _is_limiting(self, place: str, is_limiting: bool) -> None:
        if not is_limiting:
            written = f'max_energy = "{ENERGY_EXAMPLE}" or max_increase = "{INCREASE_EXAMPLE}"'
            self.complain(f"it limits nothing: write {written}", place)

    def _amount(
        self,
        row: Mapping[str, Any],
        key: str,
        read: Callable[[object], Decimal | None],
        wanted: str,
        example: str,
        place: str,
    ) -> Decimal | None:
        if key not in row:
            return None
        amount = read(row[key])
        if amount is None:
            self.complain(f'{key} is {row[key]!r}, must be {wanted}: write {key} = "{example}"', place)
        return amount

    def _where(self, row: Mapping[str, Any], place: str) -> dict[str, str]:
        where = row.get("where", {})
        if not isinstance(where, Mapping):
            self.complain(f'where is {where!r}, must be tags: write where = {{branch = "main"}}', place)
            return {}
        for tag, value in where.items():
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                self.complain(
                    f'where.{tag} is {value!r}, must be a text or a number: write where = {{{tag} = "..."}}', place
                )
        return {str(tag): str(value) for tag, value in where.items()}
