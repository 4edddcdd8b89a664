"""Which runs are meant: conditions on what is known of them, such as accuracy>=0.95 or branch=main."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError, UsageError
from energy_db.guess import did_you_mean
from energy_db.intake.declaration import PER_CENT, share_or_number, tag_number
from energy_db.units import PICOJOULES, read_energy

TEXTS = {"name": "run_name", "kind": "kind"}
# Declared, or else a tag of that name: people write them either way.
DECLARED = ("seed", "git_commit")
NUMBERS = {"spikes": "n_spikes", "timesteps": "n_timesteps", "samples": "n_samples"}
MOMENTS = {"recorded_at": "recorded_at", "ingested_at": "ingested_at"}
ENERGY = "energy"
FIELDS = (*TEXTS, *DECLARED, *NUMBERS, *MOMENTS, ENERGY)

# The longer signs stand first: a<=b must not be read as a<(=b).
_CONDITION = re.compile(
    r"\s*(?P<name>[^=!<>~\s][^=!<>~]*?)\s*(?P<sign>==|!=|<=|>=|=|<|>|~)\s*(?P<value>.*?)\s*", re.DOTALL
)
_ORDERING = ("<", "<=", ">", ">=")
TAG = "tag:"
_EXAMPLE = "Write for example accuracy>=0.95, branch=main or name~digits; signs are = != < <= > >= and ~ (contains)."
_ACCURACY = "accuracy"
# What every store can count; DuckDB takes no limit beyond.
_MOST_RUNS = 2**62
_AGO = re.compile(r"(?P<number>\d{1,6})\s+(?P<unit>minute|hour|day|week|month|year)s?\s+ago", re.IGNORECASE)
_MONTHS = {"month": 1, "year": 12}

Sql = tuple[str, list[Any]]


@dataclass(frozen=True)
class Condition:
    """One condition on a run, as people write it.

    Attributes
    ----------
    name : str
        A field of the run (FIELDS) or one of its tags; 'tag:seed' is the tag even where a field has its name.
    sign : {'=', '!=', '<', '<=', '>', '>=', '~'}
        How to compare; ~ is "contains".
    value : str
        What to compare with.
    """

    name: str
    sign: str
    value: str

    @property
    def tag(self) -> str | None:
        """The tag that is meant; None if it is a field."""
        return None if self.name in FIELDS else self.name.removeprefix(TAG)


def read_condition(text: str) -> Condition:
    """Read a condition.

    >>> read_condition("accuracy >= 0.95")
    Condition(name='accuracy', sign='>=', value='0.95')

    Raises
    ------
    UsageError
        If it is none.
    """
    found = _CONDITION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise UsageError(f"{text!r} is not a condition", _EXAMPLE)
    sign = "=" if found["sign"] == "==" else found["sign"]
    return Condition(found["name"], sign, found["value"])


def select_runs(
    engine: Engine,
    where: Sequence[str] = (),
    *,
    name: str | None = None,
    since: date | str | None = None,
    limit: int | None = None,
    chip: str | None = None,
    cost_version: str | None = None,
) -> list[int]:
    """Return the keys of the runs that meet every condition, the newest first.

    A run of which is not known what a condition asks for does not meet it. Two numbers compare as numbers, per cents as
    shares of 1; an accuracy may be written either way.

    Parameters
    ----------
    engine : Engine
        The store.
    where : sequence of str
        Conditions on fields and tags (see `Condition`).
    name : str, optional
        Only runs of this name.
    since : date or str, optional
        Only runs that came into the store since then: a day, a moment, or text such as '2 weeks ago'.
    limit : int, optional
        At most so many, the newest ones.
    chip, cost_version : str, optional
        What prices the runs, for conditions on their energy.

    Raises
    ------
    UsageError
        If a condition cannot be meant.
    NotFoundError
        If no run has such a tag.
    """
    if isinstance(where, str):
        raise UsageError(f"where is the text {where!r}, must be a list of conditions", f"Write where=[{where!r}].")
    check_limit(limit)
    parts: list[Sql] = [_condition(engine, read_condition(text), chip, cost_version) for text in where]
    if name is not None:
        parts.append(("run_name = ?", [name]))
    if since is not None:
        parts.append(("ingested_at >= ?", [moment("since", since)]))
    condition = " AND ".join(f"({text})" for text, _ in parts) or "TRUE"
    parameters = [value for _, values in parts for value in values]
    keys = engine.rows(
        f"SELECT run_key FROM runs WHERE {condition} ORDER BY ingested_at DESC, run_key DESC LIMIT ?",
        [*parameters, _MOST_RUNS if limit is None else min(int(limit), _MOST_RUNS)],
    )
    return [key for (key,) in keys]


def check_limit(limit: object) -> None:
    """Raise unless this can limit how many runs are meant.

    Raises
    ------
    UsageError
        If it is no whole number of 0 or more.
    """
    is_whole = hasattr(limit, "__index__") and not isinstance(limit, bool)
    if limit is not None and (not is_whole or int(limit) < 0):  # type: ignore[call-overload]
        raise UsageError(f"limit is {limit!r}, must be a whole number of 0 or more")


def moment(argument: str, value: date | str, now: datetime | None = None) -> datetime:
    """Return the moment that is meant, in UTC without a zone, as the store keeps it.

    Parameters
    ----------
    argument : str
        What to call it in errors.
    value : date or str
        A day (its first moment), a moment, their ISO forms, or text such as '3 days ago'.
    now : datetime, optional
        What 'ago' counts back from, in UTC; by default this moment.

    Raises
    ------
    UsageError
        If it is no moment.
    """
    if isinstance(value, str):
        value = _read_moment(argument, value.strip(), now or datetime.now(UTC).replace(tzinfo=None))
    if isinstance(value, datetime):
        return _in_utc(argument, value)
    if isinstance(value, date):
        return datetime.combine(value, time())
    raise UsageError(f"{argument} is {value!r}, must be a day or a moment")


def _in_utc(argument: str, value: datetime) -> datetime:
    try:
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    except OverflowError:
        hint = "Moments go from the year 1 to 9999, in UTC."
        raise UsageError(f"{argument} is {value.isoformat()!r}, which is no moment in UTC", hint) from None


def tags_in(engine: Engine) -> list[str]:
    """Return the tags that any run carries, in their order."""
    return [name for (name,) in engine.rows("SELECT DISTINCT tag FROM run_tags ORDER BY tag")]


def check_tag(engine: Engine, tag: str, fields: Sequence[str] = FIELDS) -> None:
    """Raise unless some run carries a tag.

    Parameters
    ----------
    engine : Engine
        The store.
    tag : str
        The tag.
    fields : sequence of str
        What could have been meant beside tags; nothing where only a tag will do.

    Raises
    ------
    NotFoundError
        If none does; it names what was probably meant.
    """
    tags = tags_in(engine)
    if tag not in tags:
        known = f"Tags in the store: {', '.join(tags) or 'none'}."
        what = "tag"
        if fields:
            known, what = f"{known} Fields: {', '.join(fields)}.", "tag or field"
        raise NotFoundError(f"no run has a {what} {tag!r}", did_you_mean(tag, [*tags, *fields]) + known)


def _condition(engine: Engine, asked: Condition, chip: str | None, cost_version: str | None) -> Sql:
    if asked.tag is not None:
        check_tag(engine, asked.tag)
        text, values = _of_number_or_text(asked, "tag_value", asked.tag == _ACCURACY)
        return f"run_key IN (SELECT run_key FROM run_tags WHERE tag = ? AND ({text}))", [asked.tag, *values]
    if asked.name in TEXTS:
        return _of_text(asked, TEXTS[asked.name])
    if asked.name in DECLARED:
        tag = f"SELECT tag_value FROM run_tags WHERE run_tags.run_key = runs.run_key AND tag = '{asked.name}'"
        text = f"coalesce({asked.name}, ({tag}))"
        return _of_number_or_text(asked, text) if asked.name == "seed" else _of_text(asked, text)
    if asked.sign == "~":
        raise UsageError(f"{asked.name} is not a text: ~ (contains) does not suit it", _EXAMPLE)
    if asked.name in NUMBERS:
        return f"{NUMBERS[asked.name]} {asked.sign} ?", [_number(asked, asked.value)]
    if asked.name in MOMENTS:
        return _of_moment(asked)
    return _of_energy(asked, chip, cost_version)


def _of_text(asked: Condition, text: str) -> Sql:
    if asked.sign == "~":
        return f"contains({text}, ?)", [asked.value]
    return f"{text} {asked.sign} ?", [asked.value]


def _of_number_or_text(asked: Condition, text: str, is_accuracy: bool = False) -> Sql:
    """Compare two numbers where both are, or else texts; what is no number is neither above nor below one."""
    if asked.sign == "~":
        return _of_text(asked, text)
    wanted = share_or_number(asked.value, is_accuracy)
    if wanted is None and asked.sign in _ORDERING:
        raise UsageError(
            f"{asked.name} {asked.sign} {asked.value!r}: only numbers and per cents are above or below one another",
            f"Write for example {asked.name}{asked.sign}0.95 or {asked.name}{asked.sign}95%.",
        )
    if wanted is None:
        return _of_text(asked, text)
    number = _number_in(text, is_accuracy)
    if asked.sign in _ORDERING:
        return f"{number} {asked.sign} ?", [wanted]
    return (
        f"CASE WHEN {number} IS NULL THEN {text} {asked.sign} ? ELSE {number} {asked.sign} ? END",
        [asked.value, wanted],
    )


def _number_in(text: str, is_accuracy: bool) -> str:
    """Return what reads the same number from a text in a query; only finite ones."""
    bare = f"trim(rtrim(trim({text}), '{PER_CENT}'))"
    number = f"TRY_CAST({bare} AS DOUBLE)"
    is_share = f"right(trim({text}), 1) = '{PER_CENT}'"
    if is_accuracy:
        is_share = f"({is_share} OR ({number} > 1 AND {number} <= 100))"
    read = f"CASE WHEN {is_share} THEN TRY_CAST({bare} || 'e-2' AS DOUBLE) ELSE {number} END"
    return f"(CASE WHEN isfinite({number}) THEN {read} END)"


def _of_moment(asked: Condition) -> Sql:
    """Compare moments; where only a day is named, days."""
    wanted = moment(asked.name, asked.value)
    column = MOMENTS[asked.name]
    if re.fullmatch(r"\d{4}-?\d{2}-?\d{2}", asked.value):
        return f"CAST({column} AS DATE) {asked.sign} CAST(? AS DATE)", [wanted]
    return f"{column} {asked.sign} ?", [wanted]


def _of_energy(asked: Condition, chip: str | None, cost_version: str | None) -> Sql:
    """Compare energies; one of which a part is unknown is neither above nor below another."""
    if chip is None or cost_version is None:
        raise UsageError("a condition on energy needs a chip", "Name one: --chip loihi2")
    bare, exact = tag_number(asked.value), read_energy(asked.value)
    if bare is None and exact is None:
        raise UsageError(
            f"{asked.value!r} is not an energy", f"Write for example 12.5nJ; units: {', '.join(PICOJOULES)}."
        )
    wanted = bare if exact is None else float(exact)
    priced = "SELECT run_id FROM energy_by_chip_all_versions WHERE chip = ? AND cost_version = ?"
    compared = f"n_priced = n_operations AND CAST(energy_pj AS DOUBLE) {asked.sign} ?"
    return f"run_id IN ({priced} AND {compared})", [chip, cost_version, wanted]


def _number(asked: Condition, text: str) -> float:
    number = tag_number(text)
    if number is None:
        raise UsageError(f"{asked.name} is compared with {asked.value!r}, which is not a number", _EXAMPLE)
    return number


def _read_moment(argument: str, text: str, now: datetime) -> datetime:
    try:
        if found := _AGO.fullmatch(text):
            return _back(now, int(found["number"]), found["unit"].lower())
        return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        pass
    raise UsageError(
        f"{argument} is {text!r}, which is no moment",
        "Write for example 2026-11-23, 2026-11-23T12:00 or '2 weeks ago'.",
    )


def _back(now: datetime, number: int, unit: str) -> datetime:
    if unit not in _MONTHS:
        return now - timedelta(**{f"{unit}s": number})
    year, month = divmod(now.year * 12 + now.month - 1 - number * _MONTHS[unit], 12)
    last_day = monthrange(year, month + 1)[1] if year > 0 else 1
    return now.replace(year=year, month=month + 1, day=min(now.day, last_day))
