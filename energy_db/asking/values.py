"""Values for the parameters of a query: what is written stands for, and the runs and chips that are meant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from energy_db import selectors
from energy_db.asking.queries import SavedQuery
from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError, QueryError, UsageError
from energy_db.guess import did_you_mean

_WHOLE = re.compile(r"[-+]?(0|[1-9]\d*)")
_DECIMAL = re.compile(r"[-+]?\d+\.\d+")


def typed(text: str) -> Any:
    """Return what a value that is written stands for; what is in quotes stands for itself.

    >>> [typed(text) for text in ("20", "0.05", "true", "2026-11-23", "loihi2", '"20"')]
    [20, Decimal('0.05'), True, datetime.date(2026, 11, 23), 'loihi2', '20']
    """
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return Decimal(text)
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    with suppress(ValueError):
        return date.fromisoformat(text) if len(text) == len("2026-11-23") else datetime.fromisoformat(text)
    return text


def names_a_run(parameter: str) -> bool:
    """Whether a parameter stands for a run, so that its value may be any selector of one."""
    return parameter == "run" or parameter.endswith("_run")


def filled(engine: Engine, saved: SavedQuery, given: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
    """Return the values of a saved query's parameters: those that are given, and else its defaults.

    Raises
    ------
    UsageError
        If values are given without names.
    QueryError
        If a value that has no default is missing.
    NotFoundError
        If there is no such run or chip.
    """
    if not isinstance(given, Mapping):
        if given:
            raise UsageError("a saved query takes its values by name", "Give a mapping, such as {'run': 'latest'}.")
        given = {}
    values = {par.name: typed(par.default) for par in saved.parameters if par.default is not None} | dict(given)
    for parameter in saved.parameters:
        if parameter.name not in values:
            raise QueryError(
                f"the query {saved.name} needs a value for ${parameter.name}: {parameter.about}",
                f"Give it: -p {parameter.name}=..., or in Python {{'{parameter.name}': ...}}.",
            )
    for name, value in values.items():
        if names_a_run(name):
            values[name] = selectors.load(engine, value).run_id
        elif name == "chip":
            _refuse_unknown_chip(engine, value)
    return values


def _refuse_unknown_chip(engine: Engine, chip: Any) -> None:
    if isinstance(chip, str) and "%" in chip:  # a pattern
        return
    known = [name for (name,) in engine.rows("SELECT chip FROM chips ORDER BY chip")]
    if chip not in known:
        raise NotFoundError(
            f"no chip is called {chip!r}", f"{did_you_mean(str(chip), known)}Chips: {', '.join(known)}."
        )
