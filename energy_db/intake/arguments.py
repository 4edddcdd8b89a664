"""What callers hand over beside a run: refused at the door where it is of a kind that cannot be meant."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

from energy_db.errors import UsageError

_MOST_SHOWN = 60


def refuse_no_mapping(argument: str, value: Any, example: str, of_texts: bool = False) -> None:
    """Make sure that an argument is a mapping of names, or None.

    Raises
    ------
    UsageError
        If it is something else; or if it has other values than texts, where it may not.
    """
    if value is None:
        return
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise UsageError(f"{argument} is {_shown(value)}, must be a mapping of names", f"For example: {example}")
    for name, text in value.items():
        if of_texts and not isinstance(text, str):
            raise UsageError(f"{argument}[{name!r}] is {_shown(text)}, must be a text", f"For example: {example}")


def refuse_no_place(argument: str, value: Any) -> None:
    """Make sure that an argument is a path, a mapping, or None.

    Raises
    ------
    UsageError
        If it is something else.
    """
    if value is not None and not isinstance(value, str | PathLike | Mapping):
        raise UsageError(f"{argument} is {_shown(value)}, must be a file, or the content of one as a mapping")


def refuse_no_text(argument: str, value: Any) -> None:
    """Make sure that an argument is a text, or None.

    Raises
    ------
    UsageError
        If it is something else.
    """
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{argument} is {_shown(value)}, must be a text", f"Write it as one: {argument}='1'")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 3]}..."
