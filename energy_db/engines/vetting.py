"""What a query of a user's would touch, found in its syntax tree before it runs; what cannot be understood is refused.

An engine that writes must be able to read files, and the same connection answers the queries of its users. So each of
them is looked at: tables must be in the catalogue, or the engine would look for a file or a variable of that name;
functions that make tables must be on a list, because most of the others read files or change the engine.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from energy_db.errors import QueryError
from energy_db.guess import did_you_mean

Path = tuple[str, ...]

# The catalogue without the internals of other databases that are attached for a moment.
TABLES_AND_VIEWS = """
    SELECT database_name, schema_name, view_name FROM duckdb_views()
    WHERE database_name IN (current_database(), 'system', 'temp')
    UNION ALL
    SELECT database_name, schema_name, table_name FROM duckdb_tables()
    WHERE database_name IN (current_database(), 'system', 'temp')
"""
# A macro does not lend its name to a function of the engine, which could still be called by its schema.
TABLE_MACROS = """
    SELECT function_name FROM duckdb_functions() GROUP BY function_name
    HAVING bool_and(NOT internal AND function_type = 'table_macro')
"""

# Functions that make a table of their arguments, or of the catalogue, and do nothing else.
_TABLE_FUNCTIONS = {
    "duckdb_columns",
    "duckdb_constraints",
    "duckdb_databases",
    "duckdb_functions",
    "duckdb_indexes",
    "duckdb_keywords",
    "duckdb_schemas",
    "duckdb_settings",
    "duckdb_tables",
    "duckdb_types",
    "duckdb_views",
    "generate_series",
    "json_each",
    "json_tree",
    "pragma_database_size",
    "pragma_show",
    "pragma_storage_info",
    "pragma_table_info",
    "pragma_version",
    "range",
    "repeat",
    "repeat_row",
    "summary",
    "unnest",
}
# Of the functions that make values, those that change something, or look into other queries.
_STATEFUL = {"json_execute_serialized_sql", "json_serialize_plan", "nextval", "query", "query_table"}
_STATEFUL |= {"setseed", "setval", "write_log"}

_QUERIES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"}
_TABLE_REFERENCES = {
    "BASE_TABLE",
    "EMPTY",
    "EXPRESSION_LIST",
    "JOIN",
    "PIVOT",
    "SHOW_REF",
    "SUBQUERY",
    "TABLE_FUNCTION",
}
_MODIFIERS = {"DISTINCT_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "ORDER_MODIFIER"}
_ORDERS = {"ASCENDING", "DESCENDING", "ORDER_DEFAULT"}
_UNDERSTOOD = _QUERIES | _TABLE_REFERENCES | _MODIFIERS | _ORDERS
_EXPRESSIONS = {"BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "DEFAULT"}
_EXPRESSIONS |= {
    "FUNCTION",
    "LAMBDA",
    "LAMBDA_REF",
    "OPERATOR",
    "PARAMETER",
    "POSITIONAL_REFERENCE",
    "STAR",
    "SUBQUERY",
}
_EXPRESSIONS |= {"TYPE", "WINDOW"}
# How SHOW TABLES and its like are told from SHOW of a table; DuckDB 1.5 and 2.0 say it in other words.
_SHOWS_THE_CATALOGUE = {"SHOW_FROM", "SHOW_SPECIAL", "SHOW_UNQUALIFIED"}

_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass
class Reading:
    """What a query reads.

    Attributes
    ----------
    tables : dict of tuple of str to str
        Each table or view, by its path in lower case, as it is written.
    functions : set of str
        The functions in the place of a table that are not on the list: they must be macros of the user's own.
    parameters : set of str
        The names of its parameters, or their numbers.
    """

    tables: dict[Path, str] = field(default_factory=dict)
    functions: set[str] = field(default_factory=set)
    parameters: set[str] = field(default_factory=set)


def reading(tree: str) -> Reading:
    """Return what a query reads.

    Parameters
    ----------
    tree : str
        The query as `json_serialize_sql` gives it.

    Raises
    ------
    QueryError
        If it holds anything that is not known to be harmless.
    """
    found = Reading()
    try:
        parsed = json.loads(tree)
        if parsed.get("error"):
            raise QueryError(f"the query failed: {parsed.get('error_message')}")
        (statement,) = parsed["statements"]
        _walk(statement, frozenset(), found)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise _not_understood("its form") from error
    return found


def refuse_unknown(read: Reading, tables: Iterable[Path], macros: Iterable[str]) -> None:
    """Make sure that all that a query reads is in the catalogue.

    Parameters
    ----------
    read : Reading
        What it reads.
    tables : iterable of tuple of str
        Database, schema and name of each table and view.
    macros : iterable of str
        The names of the user's own table macros.

    Raises
    ------
    QueryError
        If something is not.
    """
    if functions := read.functions - {_lower(name) for name in macros}:
        raise QueryError(
            f"a query cannot call {sorted(functions)[0]}()",
            "It may read files, or change the engine. A query sees the tables and views of the store, nothing else.",
        )
    known = [*tables]
    spellings = {spelling for path in known for spelling in _spellings(path)}
    for path, written in read.tables.items():
        if path not in spellings:
            raise QueryError(f"the store has no table or view {written!r}", _instead(written, known))


def refuse_parameters(read: Reading, given: Iterable[str]) -> None:
    """Make sure that a query gets a value for each of its parameters, and no others.

    Raises
    ------
    QueryError
        If a value is missing, or the query has no such parameter.
    """
    names = {name.lower() for name in given}
    if missing := sorted(name for name in read.parameters if name.lower() not in names):
        raise QueryError(
            f"the query has a parameter ${missing[0]}, but no value for it",
            f"Give it one: -p {missing[0]}=..., or in Python {{'{missing[0]}': ...}}.",
        )
    if unused := sorted(names - {name.lower() for name in read.parameters}):
        wanted = ", ".join(f"${name}" for name in sorted(read.parameters)) or "none"
        guess = did_you_mean(unused[0], read.parameters)
        raise QueryError(f"the query has no parameter ${unused[0]}", f"{guess}Its parameters: {wanted}.")


def _instead(written: str, known: Iterable[Path]) -> str:
    names = [
        name if schema == "main" else f"{schema}.{name}" for database, schema, name in known if database != "system"
    ]
    in_a_room = {name.rpartition(".")[2]: name for name in names if "." in name}
    if written in in_a_room:
        return f"Did you mean {in_a_room[written]!r}? SHOW ALL TABLES lists them."
    return f"{did_you_mean(written, names)}SHOW ALL TABLES lists them; files and variables cannot be read here."


def _spellings(path: Path) -> Iterator[Path]:
    """Give each way in which the name of a table may be written."""
    database, schema, name = map(_lower, path)
    yield (database, schema, name)
    yield (schema, name)
    if schema == "main":
        yield (database, name)
    if schema == "main" or (database, schema) == ("system", "pg_catalog"):
        yield (name,)


def _walk(part: Any, tables_with: frozenset[str], found: Reading) -> None:
    """Go through a part of the tree in which the names of WITH stand for queries."""
    if isinstance(part, list):
        for each in part:
            _walk(each, tables_with, found)
    elif isinstance(part, dict):
        _refuse_unknown_kind(part)
        if "cte_map" in part:
            tables_with = _with(part["cte_map"], tables_with, found)
        if part.get("type") == "RECURSIVE_CTE_NODE":
            _walk_recursive(part, tables_with, found)
            return
        if part.get("class") == "CONSTANT":
            return
        _note(part, tables_with, found)
        for key, each in part.items():
            if key != "cte_map":
                _walk(each, tables_with, found)


def _refuse_unknown_kind(part: Mapping[str, Any]) -> None:
    kind, expression = part.get("type"), part.get("class")
    if expression is not None:
        if expression not in _EXPRESSIONS:
            raise _not_understood(str(expression))
    elif isinstance(kind, str) and kind not in _UNDERSTOOD and not kind.endswith("_TYPE_INFO"):
        raise _not_understood(kind)
    elif kind is None and "cte_map" in part:
        raise _not_understood("a query of no kind")


def _with(mapping: Mapping[str, Any], tables_with: frozenset[str], found: Reading) -> frozenset[str]:
    """Go through the queries of WITH, each of which sees those before it; return the names that hold behind them."""
    for entry in mapping["map"]:
        _walk(entry["value"], tables_with, found)
        tables_with |= {_lower(entry["key"])}
    return tables_with


def _walk_recursive(part: Mapping[str, Any], tables_with: frozenset[str], found: Reading) -> None:
    """Go through a recursion, of which only the second half sees its own name."""
    itself = tables_with | {_lower(part["cte_name"])}
    for key, each in part.items():
        if key != "cte_map":
            _walk(each, itself if key == "right" else tables_with, found)


def _note(part: Mapping[str, Any], tables_with: frozenset[str], found: Reading) -> None:
    """Note what a part of the tree reads itself."""
    kind = part.get("type")
    if kind == "BASE_TABLE" or (kind == "SHOW_REF" and part["query"] is None):
        _note_table(part, tables_with, found)
    elif kind == "TABLE_FUNCTION":
        name = _lower(part["function"]["function_name"])
        if name not in _TABLE_FUNCTIONS:
            found.functions.add(name)
    elif part.get("class") == "PARAMETER":
        found.parameters.add(part["identifier"])
    if (function := part.get("function_name")) is not None and _lower(function) in _STATEFUL:
        raise QueryError(
            f"a query cannot call {_lower(function)}()",
            "It would change something, or run a query that nobody looked at.",
        )


def _note_table(part: Mapping[str, Any], tables_with: frozenset[str], found: Reading) -> None:
    if part["type"] == "SHOW_REF" and part["show_type"] in _SHOWS_THE_CATALOGUE:
        return
    path = [name for name in (part["catalog_name"], part["schema_name"], part["table_name"]) if name]
    # DuckDB 2.0 says it twice; a path that is longer than its three names is none that could be looked up.
    if path != [name for name in part.get("qualified_name", {}).get("path", path) if name]:
        raise _not_understood(f"the name {'.'.join(path)}")
    key = tuple(map(_lower, path))
    if len(key) != 1 or key[0] not in tables_with:
        found.tables[key] = ".".join(path)


def _not_understood(what: str) -> QueryError:
    return QueryError(
        f"the query cannot be judged, because of {what}",
        "Only what is known to read the store is run: write it otherwise.",
    )


def _lower(name: str) -> str:
    """Return a name as the engine compares it."""
    return name.translate(_ASCII_LOWER)
