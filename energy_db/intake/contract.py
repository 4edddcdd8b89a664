"""The run-file contract, version 1: what a Parquet file of spike events must hold.

Columns `layer` (text, dictionary or integer), `neuron` and `timestep` (integers from 0), and, optionally, `sample`
(integer from 0; default 0) and `n_spikes` (integer from 1; default 1). Any integer width, order and compression; other
columns are ignored and named in a note.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from energy_db.engines.duckdb import Engine, EngineError
from energy_db.engines.wording import first_line, identifier, literal
from energy_db.errors import RunFileError, UsageError, Violation
from energy_db.intake import declaration as declared
from energy_db.intake.declaration import Declaration
from energy_db.intake.given_files import length_of_footer, literal_pattern, refuse_what_is_no_file, stamp_of
from energy_db.intake.reading import LARGEST_INDEX

CONTRACT_VERSION = 1
REQUIRED = ("layer", "neuron", "timestep")
OPTIONAL = ("sample", "n_spikes")
METADATA_KEY = "energy_db"
_MOST_NAMED = 20
# To look at columns takes the engine time by the square of their number: 3 s for so many, minutes for ten times that.
_MOST_COLUMNS = 10_000
_BYTES_OF_A_COLUMN = 10
_LONGEST_FOOTER = 150_000_000  # what says a million columns is longer, and takes twenty times the memory

_INTEGERS = frozenset(
    f"{sign}{width}" for sign in ("", "U") for width in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
)


@dataclass(frozen=True)
class Rule:
    """A rule that every event must keep.

    Attributes
    ----------
    column : str
        The contract's column.
    text : str
        The rule, as it follows the name of the column.
    breach : str
        SQL condition on an event; a declared limit stands in braces.
    rollup : str
        The roll-up of the events whose groups show a breach, so that only a bad file is read twice.
    group_breach : str
        SQL condition on such a group.
    """

    column: str
    text: str
    breach: str
    rollup: str
    group_breach: str


BELOW_N_NEURONS = "must be below the declared n_neurons of its layer"
_NEURONS, _STEPS = "incoming_neurons", "incoming_steps"


def _rule_of_group(column: str, text: str, breach: str) -> Rule:
    """Return a rule on a column that the roll-up groups by, so that events and groups break it alike."""
    return Rule(column, text, breach, _NEURONS, breach)


def _rules_of_extremes(column: str, event: str, limit: str) -> tuple[Rule, ...]:
    """Return the rules on a column that the roll-up keeps the count and the extremes of."""
    return (
        Rule(column, "must not be null", f"{event} IS NULL", _STEPS, f"n_with_{column} < n_events"),
        Rule(column, "must not be negative", f"{event} < 0", _STEPS, f"least_{column} < 0"),
        _at_most(column, event, LARGEST_INDEX),
        Rule(
            column,
            f"must be below the declared {limit}",
            f"{event} >= {{{limit}}}",
            _STEPS,
            f"most_{column} >= {{{limit}}}",
        ),
    )


def _at_most(column: str, event: str, most: int) -> Rule:
    return Rule(column, f"must be at most {most}", f"{event} > {most}", _STEPS, f"most_{column} > {most}")


RULES = (
    _rule_of_group("layer", "must not be null", "layer IS NULL"),
    _rule_of_group("layer", "must not be empty", "layer_name = ''"),
    _rule_of_group("layer", "must be a declared layer", "layer_name IS NULL AND layer IS NOT NULL"),
    _rule_of_group("neuron", "must not be null", "neuron IS NULL"),
    _rule_of_group("neuron", "must not be negative", "neuron < 0"),
    _rule_of_group("neuron", f"must be at most {LARGEST_INDEX}", f"neuron > {LARGEST_INDEX}"),
    _rule_of_group("neuron", BELOW_N_NEURONS, "neuron >= declared_n_neurons"),
    *_rules_of_extremes("timestep", "timestep", "n_timesteps"),
    *_rules_of_extremes("sample", "sample_index", "n_samples"),
    Rule("n_spikes", "must not be null", "n_spikes IS NULL", _STEPS, "n_with_n_spikes < n_events"),
    Rule("n_spikes", "must be 1 or more", "n_spikes < 1", _STEPS, "least_n_spikes < 1"),
    _at_most("n_spikes", "n_spikes", LARGEST_INDEX),
)


@dataclass(frozen=True)
class RunFile:
    """A Parquet file whose columns keep the contract; its events are not read yet.

    Attributes
    ----------
    path : Path
        The file.
    columns : dict of str to str
        The file's column for each of the contract's columns that it has.
    layer_type : str
        SQL type of its layer column.
    has_row_numbers : bool
        Whether it has a column of the name under which the engine numbers rows.
    stamp : tuple of int
        By what it is known to be the same file later: which it is, its size, when it was written.
    declaration : Declaration
        What the file's own metadata declares.
    notes : tuple of str
        What its reader should know.
    """

    path: Path
    columns: dict[str, str]
    layer_type: str
    has_row_numbers: bool
    stamp: tuple[int, ...]
    declaration: Declaration
    notes: tuple[str, ...]

    @property
    def layers_are_integers(self) -> bool:
        """Whether layers are numbered instead of named."""
        return self.layer_type in _INTEGERS

    @property
    def column_map(self) -> str | None:
        """The columns that have other names than the contract's, as JSON; None if there are none."""
        renamed = {ours: theirs for ours, theirs in sorted(self.columns.items()) if ours != theirs}
        return json.dumps(renamed) if renamed else None

    @property
    def events(self) -> str:
        """The query that reads the events under the contract's names."""
        sample = identifier(self.columns["sample"]) if "sample" in self.columns else "0"
        n_spikes = identifier(self.columns["n_spikes"]) if "n_spikes" in self.columns else "1"
        layer, neuron, timestep = (identifier(self.columns[name]) for name in REQUIRED)
        row_number = "row_number() OVER () - 1 AS file_row_number" if self.has_row_numbers else "file_row_number"
        return (
            f"SELECT {layer} AS layer, {neuron} AS neuron, {timestep} AS timestep, {sample} AS sample_index, "
            f"{n_spikes} AS n_spikes, {row_number} FROM {_scan(self.path, numbered=not self.has_row_numbers)}"
        )

    def sha256(self) -> str:
        """Return the hash of the file's bytes."""
        try:
            with self.path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise RunFileError(f"{self.path}: cannot be read: {error.strerror}", "Nothing was stored.") from error

    def refuse_change(self) -> None:
        """Raise if the file is not the one that was opened: it is read several times, and all must read the same.

        Raises
        ------
        RunFileError
            If it was written to, replaced or removed meanwhile.
        """
        if stamp_of(self.path) != self.stamp:
            raise RunFileError(
                f"{self.path}: was changed while it was read",
                "Nothing was stored. Ingest it again once its writer is done.",
            )


def open_run_file(engine: Engine, path: Path, column_map: Mapping[str, str] | None = None) -> RunFile:
    """Look at a run file's columns and metadata.

    Parameters
    ----------
    engine : Engine
        Where to read it.
    path : Path
        The file.
    column_map : mapping of str to str, optional
        The file's name for a column of the contract, where it has another one.

    Raises
    ------
    UsageError
        If the mapping names a column that the contract does not have.
    RunFileError
        If the file is missing, empty, not Parquet or cut short, or if a column is missing or of a wrong type.
    """
    for name in column_map or {}:
        if name not in REQUIRED + OPTIONAL:
            known = ", ".join(REQUIRED + OPTIONAL)
            raise UsageError(f"cannot map {name!r}: the columns of a run file are {known}")
    for theirs in (column_map or {}).values():
        ours = [name for name in REQUIRED + OPTIONAL if (column_map or {}).get(name, name) == theirs]
        if len(ours) > 1:
            raise UsageError(f"the column {theirs!r} cannot be {' and '.join(ours)} at once")
    refuse_what_is_no_file(path, engine.path, "a run file")
    stamp = stamp_of(path)
    try:
        _refuse_very_wide(engine, path)
        types = {row[0]: row[1] for row in engine.rows(f"DESCRIBE SELECT * FROM {_scan(path)}")}
        _refuse_namesakes(engine, path, types, column_map or {})
        metadata = engine.value(
            "SELECT value FROM parquet_kv_metadata(?) WHERE key = encode(?)", [literal_pattern(path), METADATA_KEY]
        )
    except (EngineError, OSError) as error:
        raise RunFileError(
            f"{path}: is not a readable Parquet file: {first_line(error)}",
            "Was it written completely? A Parquet writer must be closed before its file can be read. Files of other "
            "tools are read with --from FORMAT, or by energy_db.adapters.",
        ) from error
    columns = _find_columns(path, types, column_map or {})
    ignored = sorted(set(types) - set(columns.values()))
    more = f" and {len(ignored) - _MOST_NAMED} more" if len(ignored) > _MOST_NAMED else ""
    notes = (f"ignored columns: {', '.join(ignored[:_MOST_NAMED])}{more}",) if ignored else ()
    return RunFile(
        path=path,
        columns=columns,
        layer_type=types[columns["layer"]],
        has_row_numbers="file_row_number" in {name.lower() for name in types},
        stamp=stamp,
        declaration=_declared_in(metadata, f"{path} (metadata key {METADATA_KEY})"),
        notes=notes,
    )


def violations(engine: Engine, run_file: RunFile, said: Declaration) -> tuple[Violation, ...]:
    """Return every rule that the file breaks; the roll-ups of its events are in the incoming tables."""
    limits = {"n_timesteps": said.n_timesteps or "NULL", "n_samples": said.n_samples or "NULL"}
    rules = [
        replace(rule, breach=rule.breach.format(**limits), group_breach=rule.group_breach.format(**limits))
        for rule in RULES
    ]
    by_layer = f"{_NEURONS} LEFT JOIN incoming_layers ON layer = layer_value"
    broken = _broken(engine, by_layer, [rule for rule in rules if rule.rollup == _NEURONS])
    broken += _broken(engine, _STEPS, [rule for rule in rules if rule.rollup == _STEPS])
    return tuple(_locate(engine, run_file, rule) for rule in broken)


def _broken(engine: Engine, rollup: str, rules: list[Rule]) -> list[Rule]:
    conditions = ", ".join(f"coalesce(bool_or({rule.group_breach}), false)" for rule in rules)
    [shown] = engine.rows(f"SELECT {conditions} FROM {rollup}")
    return [rule for rule, is_broken in zip(rules, shown, strict=True) if is_broken]


def _locate(engine: Engine, run_file: RunFile, rule: Rule) -> Violation:
    column = "sample_index" if rule.column == "sample" else rule.column
    [(n_rows, first_row, value)] = engine.rows(
        f"SELECT count(*), min(file_row_number), arg_min(coalesce(CAST({column} AS VARCHAR), 'null'), file_row_number) "
        f"FROM incoming_events LEFT JOIN incoming_layers ON layer = layer_value WHERE {rule.breach}"
    )
    if n_rows == 0:  # a scan for certain values skips row groups on the word of their statistics
        raise RunFileError(
            f"{run_file.path}: the statistics of column {run_file.columns.get(rule.column)!r} contradict its rows",
            "The file is damaged, or its writer is faulty. Nothing was stored.",
        )
    return Violation(run_file.columns.get(rule.column, rule.column), rule.text, n_rows, first_row, value)


def _scan(path: Path, numbered: bool = False) -> str:
    numbering = ", file_row_number = true" if numbered else ""
    return f"read_parquet({literal(literal_pattern(path))}, hive_partitioning = false{numbering})"


def _refuse_very_wide(engine: Engine, path: Path) -> None:
    """Raise if a file has very many columns; it is asked only where the length of its end leaves room for them."""
    length = length_of_footer(path)
    if length < _MOST_COLUMNS * _BYTES_OF_A_COLUMN:
        return
    if length > _LONGEST_FOOTER:
        raise RunFileError(f"{path}: its metadata takes {length} bytes, at most {_LONGEST_FOOTER} are supported")
    n_columns = engine.value("SELECT count(*) - 1 FROM parquet_schema(?)", [literal_pattern(path)])
    if n_columns > _MOST_COLUMNS:
        raise RunFileError(
            f"{path}: has {n_columns} columns, with those within columns; at most {_MOST_COLUMNS} are supported",
            f"Write a file of the columns that a run file has: {', '.join(REQUIRED + OPTIONAL)}.",
        )


def _refuse_namesakes(engine: Engine, path: Path, types: Mapping[str, str], column_map: Mapping[str, str]) -> None:
    """Raise if a column that is read has a namesake: of `Sample` and `sample` the engine calls one `sample_1`."""
    for wanted in (column_map.get(name, name).lower() for name in REQUIRED + OPTIONAL):
        if not any(column.lower().startswith(f"{wanted}_") for column in types):
            continue
        query = "SELECT name FROM parquet_schema(?) WHERE lower(name) = ?"
        spellings = [repr(name) for (name,) in engine.rows(query, [literal_pattern(path), wanted])]
        if len(spellings) > 1:
            raise RunFileError(
                f"{path}: has {len(spellings)} columns of one name: {', '.join(spellings)}",
                "Leave all but one out, or rename them; large and small letters are not told apart.",
            )


def _declared_in(metadata: bytes | None, where: str) -> Declaration:
    if metadata is None:
        return Declaration()
    hint = "Write it as JSON text, or leave it out."
    try:
        return declared.read_text(metadata.decode(), where, hint)
    except UnicodeDecodeError as error:
        raise RunFileError(f"{where}: is not UTF-8: {error}", hint) from error


def _find_columns(path: Path, types: Mapping[str, str], column_map: Mapping[str, str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for name in REQUIRED + OPTIONAL:
        theirs = column_map.get(name, name)
        if theirs in types:
            _check_type(path, name, theirs, types[theirs])
            columns[name] = theirs
        elif name in REQUIRED or name in column_map:
            raise RunFileError(f"{path}: column {theirs!r} is missing", _missing_column_hint(name, theirs, types))
    return columns


def _missing_column_hint(name: str, theirs: str, types: Mapping[str, str]) -> str:
    lowered = {column.lower(): column for column in types}
    close = difflib.get_close_matches(theirs.lower(), lowered, 1, cutoff=0.5)
    guess = lowered[close[0]] if close else "THEIR_NAME"
    return f"The file has {', '.join(types) or 'no columns'}. If one of them is it: --map {name}={guess}"


def _check_type(path: Path, name: str, theirs: str, sql_type: str) -> None:
    if sql_type in _INTEGERS or (name == "layer" and (sql_type == "VARCHAR" or sql_type.startswith("ENUM"))):
        return
    wanted = "text or an integer" if name == "layer" else "an integer"
    raise RunFileError(
        f"{path}: column {theirs!r} is of type {sql_type}, must be {wanted}",
        "Convert it where the file is written; energy-db does not round or guess.",
    )
