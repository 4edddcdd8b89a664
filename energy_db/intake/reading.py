"""Checks what somebody declared, value by value, and names the place of what is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from energy_db.errors import RunFileError
from energy_db.guess import did_you_mean

LARGEST_INDEX = 2**31 - 1
LARGEST_COUNT = 2**63 - 1

_SMALLEST_DECIMAL = Decimal("0.000001")


@dataclass(frozen=True)
class Reader:
    """Reads the values of a declaration.

    Attributes
    ----------
    where : str
        What to call the declaration in errors.
    """

    where: str

    def error(self, message: str, hint: str | None = None) -> RunFileError:
        """Return an error at this place."""
        return RunFileError(f"{self.where}: {message}", hint)

    def mapping(self, content: object, what: str, known: Sequence[str], hint: str = "") -> Mapping[str, Any]:
        """Return an object that has known keys only."""
        if not isinstance(content, Mapping):
            raise self.error(f"{what} must be an object with keys such as {', '.join(known[:4])}")
        for key in content:
            if key not in known:
                guess = did_you_mean(str(key), known)
                raise self.error(f"{what} has an unknown key {key!r}", f"{guess}{hint}".strip() or None)
        return content

    def count(
        self, mapping: Mapping[str, Any], key: str, least: int, prefix: str = "", most: int = LARGEST_COUNT
    ) -> int | None:
        """Return a whole number, or None where the key says nothing."""
        value = mapping.get(key)
        return None if value is None else self.whole(value, prefix + key, least, most)

    def whole(self, value: Any, what: str, least: int, most: int = LARGEST_COUNT) -> int:
        """Return a whole number."""
        is_whole = not isinstance(value, bool | float | str | Decimal) and hasattr(value, "__index__")
        if not is_whole or not least <= int(value) <= most:
            shown = str(value) if isinstance(value, Decimal) else repr(value)
            raise self.error(f"{what} is {shown}, must be a whole number from {least} to {most}")
        return int(value)

    def positive(self, mapping: Mapping[str, Any], key: str) -> Decimal | None:
        """Return a positive number of at most 6 decimals."""
        value = mapping.get(key)
        if value is None:
            return None
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if isinstance(value, bool | str) or not number.is_finite() or not 0 < number < 10**12:
            raise self.error(f"{key} is {value!r}, must be a positive number below 10^12")
        rounded = number.quantize(_SMALLEST_DECIMAL)
        if number != rounded:
            raise self.error(f"{key} is {value!r}, must not have more than 6 decimals")
        return rounded

    def text(self, mapping: Mapping[str, Any], key: str, types: type | tuple[type, ...]) -> str | None:
        """Return a value of certain types as text."""
        value = mapping.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, types) or not is_text(str(value)):
            raise self.error(f"{key} is {value!r}, must be a text")
        return str(value)

    def moment(self, mapping: Mapping[str, Any], key: str) -> datetime | None:
        """Return a time in UTC, without a zone."""
        value = mapping.get(key)
        if value is None:
            return None
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
            return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
        except (TypeError, ValueError, OverflowError) as error:
            raise self.error(f"{key} is {value!r}, must be a time such as 2026-11-23T09:30:00Z") from error

    def tags(self, content: object) -> dict[str, str]:
        """Return tags with their values as text."""
        if not isinstance(content, Mapping):
            raise self.error("tags must be an object of names and values")
        for key, value in content.items():
            is_value = isinstance(value, int | float | Decimal) or (isinstance(value, str) and is_text(value or "-"))
            if not isinstance(key, str) or not is_text(key) or not is_value:
                raise self.error(f"tags: {key!r} is {value!r}, must be a text, a number or true or false")
        return {key: json.dumps(value) if isinstance(value, bool) else str(value) for key, value in content.items()}


def is_text(value: str) -> bool:
    """Whether a string has signs, and only such as Unicode allows: JSON can spell halves of a pair."""
    return bool(value) and not any("\ud800" <= sign <= "\udfff" for sign in value)
